import { CHECKS } from '../checks/index.ts';
import type { Input } from '../core/input.ts';
import type { Analysis } from '../replay/analysis.ts';
import { type AnalyzeHooks, type AnalyzeOptions, analyze } from '../replay/analyze.ts';
import type { CheckEntry } from '../report/catalogue.ts';

/** The engine that commands ask. A value, so that a test can put another one in its place. */
export interface Engine {
  analyze(input: Input, options: AnalyzeOptions, hooks: AnalyzeHooks): Promise<Analysis>;
  readonly checks: readonly CheckEntry[];
}

/** The real one. */
export const ENGINE: Engine = {
  analyze,
  checks: CHECKS,
};
