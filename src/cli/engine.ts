import type { Input } from '../core/input.ts';
import type { Analysis } from '../replay/analysis.ts';
import type { AnalyzeHooks, AnalyzeOptions } from '../replay/analyze.ts';
import type { CheckEntry } from '../report/catalogue.ts';

/** The engine that commands ask. A value, so that a test can put another one in its place. */
export interface Engine {
  analyze(input: Input, options: AnalyzeOptions, hooks: AnalyzeHooks): Promise<Analysis>;
  /** The catalogue of checks. */
  checks(): Promise<readonly CheckEntry[]>;
}

/** The real one: its parts are loaded when they are asked. */
export const ENGINE: Engine = {
  async analyze(input, options, hooks) {
    const { analyze } = await import('../replay/analyze.ts');
    return analyze(input, options, hooks);
  },
  async checks() {
    return (await import('../checks/index.ts')).CHECKS;
  },
};
