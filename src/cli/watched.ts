import { type Input, inputName } from '../core/input.ts';
import type { Analysis } from '../replay/analysis.ts';
import type { AnalyzeOptions, Onlooker } from '../replay/analyze.ts';
import { eventsOf } from '../replay/case-source.ts';
import type { Ingested, IngestOptions } from '../replay/ingest.ts';
import type { RecordTo } from '../replay/recorder.ts';
import { escapeText } from '../report/escape.ts';
import type { Engine } from './engine.ts';
import { Interrupted } from './exit.ts';
import { progressBar } from './progress.ts';

/** What of the world a watched analysis uses. */
export interface Watch {
  readonly signal: AbortSignal;
  /** Where progress is drawn; null: nowhere. */
  readonly terminal: NodeJS.WriteStream | null;
  /** The case that is recorded on the way; null: none. */
  readonly record: RecordTo | null;
  readonly onlooker: Onlooker | null;
}

/**
 * The messages of a source until a signal asks to stop, also while the source waits for bytes that may never come
 * (standard input, a trace pipe). Throws if nothing came before the signal.
 */
export async function* untilStopped<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const messages = source[Symbol.asyncIterator]();
  const stopped = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  try {
    for (let some = false; ; some = true) {
      const next = await Promise.race([messages.next(), stopped]);
      // The source may wait for ever: it is left where it is, and the program ends without it.
      if (next === null) {
        if (some) return;
        throw new Interrupted();
      }
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Whoever wants no more lets the source go; one that waits for ever is not waited for.
    if (!signal.aborted) await messages.return?.();
  }
}

/** The events of a trace or a case, until a signal asks to stop. */
export function eventsWatched(
  input: Input,
  options: IngestOptions,
  signal: AbortSignal,
): AsyncGenerator<Ingested> {
  return untilStopped(eventsOf(input, options), signal);
}

/** Analyzes one input with progress on the terminal, until it is done or the user asks to stop. */
export async function analyzeWatched(
  engine: Engine,
  input: Input,
  options: AnalyzeOptions,
  { signal, terminal, record, onlooker }: Watch,
): Promise<Analysis> {
  const bar = terminal === null ? null : progressBar(terminal, escapeText(inputName(input)));
  try {
    const analysis = await engine.analyze(input, options, {
      signal,
      onProgress: (progress) => bar?.update(progress),
      source: (path, how) => untilStopped(eventsOf(path, how), signal),
      ...(record === null ? {} : { record }),
      ...(onlooker === null ? {} : { onlooker }),
    });
    return { ...analysis, interrupted: analysis.interrupted || signal.aborted };
  } finally {
    bar?.stop();
  }
}
