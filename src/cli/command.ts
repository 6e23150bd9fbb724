import type { Command } from 'commander';
import type { Input } from '../core/input.ts';
import type { Analysis } from '../replay/analysis.ts';
import type { AnalyzeOptions, Onlooker } from '../replay/analyze.ts';
import type { Ingested, IngestOptions } from '../replay/ingest.ts';
import type { Json } from '../report/json.ts';
import type { Style } from '../report/style.ts';
import type { Engine } from './engine.ts';
import type { ExitCode } from './exit.ts';

/** Options as commander parsed them, by their long names in camel case. */
export type Options = Readonly<Record<string, unknown>>;

/** What a running command may use of the world. */
export interface Context {
  readonly engine: Engine;
  /** Notes an exit code; of several the one that tells most becomes the program's. */
  exit(code: ExitCode): void;
  /** Says on stderr what is wrong, notes the exit code, and lets the command go on with its next input. */
  fail(error: unknown): void;
  /**
   * Analyzes one input, with progress on stderr where that is a terminal, until the user asks to stop. `record` is the
   * path of the case that it is recorded in; `onlooker` sees what is folded.
   */
  analyze(
    input: Input,
    options: AnalyzeOptions,
    beside?: { readonly record?: string | null; readonly onlooker?: Onlooker },
  ): Promise<Analysis>;
  /** The events of a trace or a case, until the user asks to stop. */
  readonly events: (input: Input, options: IngestOptions) => AsyncIterable<Ingested>;
  /** Whether the user has asked to stop. */
  readonly stopped: boolean;
  /** Aborted when the user asks to stop: for what is waited for. */
  readonly signal: AbortSignal;
}

/**
 * A command: how it is called, what it answers, and the two forms of an answer. It prints nothing itself: run.ts
 * renders what it yields.
 */
export interface CommandSpec<Answer> {
  /** Declares arguments and options. */
  declare(command: Command): void;
  run(context: Context, operands: readonly string[], options: Options): AsyncIterable<Answer>;
  json(answer: Answer): Json;
  text(answer: Answer, style: Style, options: Options): string;
}

/** A command whatever its answers are: the registry's element. */
export interface AnyCommand {
  declare(command: Command): void;
  /** Runs and renders: one text per answer. */
  render(
    context: Context,
    operands: readonly string[],
    options: Options,
    form: { readonly json: boolean; readonly style: Style },
  ): AsyncIterable<string>;
}
