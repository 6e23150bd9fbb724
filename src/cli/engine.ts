import { InputError } from '../core/errors.ts';
import type { Analysis } from '../replay/analysis.ts';
import type { CheckEntry } from '../report/catalogue.ts';

/** A moment of a trace: a seq, or an absolute time as the trace prints it, in nanoseconds. */
export type Moment = { readonly seq: number } | { readonly ns: bigint };

export interface AnalyzeOptions {
  readonly variant: string | null;
  readonly checks: readonly string[] | null;
  readonly since: Moment | null;
  readonly until: Moment | null;
  readonly kernel: string | null;
  readonly arch: string | null;
  readonly clock: string | null;
  readonly clockSkewNs: number | null;
  readonly vmemmapBase: number | null;
}

export interface Progress {
  readonly records: number;
  readonly bytes: number;
  readonly totalBytes: number | null;
}

export interface Hooks {
  onProgress?(progress: Progress): void;
  readonly signal?: AbortSignal;
}

/** The engine that commands ask. A value, so that a test can put another one in its place. */
export interface Engine {
  analyze(input: string, options: AnalyzeOptions, hooks: Hooks): Promise<Analysis>;
  readonly checks: readonly CheckEntry[];
}

export const ENGINE: Engine = {
  analyze: (input) => Promise.reject(new InputError(`${input}: no reader`)),
  checks: [],
};
