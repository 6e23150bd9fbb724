import { InputError } from '../core/errors.ts';
import type { OpenTrace, TraceFormat } from './format.ts';
import * as registry from './formats.ts';
import { type ByteSource, openSource } from './source.ts';

export type { OpenTrace } from './format.ts';

/** Bytes that a format may look at to recognise itself. */
const PREFIX_BYTES = 1 << 16;

const FORMATS: readonly TraceFormat[] = Object.values(registry);

/** How to open a trace. */
export interface OpenOptions {
  /** Bytes that '-' stands for; that of the process if absent. */
  readonly stdin?: AsyncIterable<Uint8Array>;
}

/** The format that claims this beginning of an input, or null. */
export function recognise(prefix: Uint8Array): TraceFormat | null {
  let best: TraceFormat | null = null;
  let score = 0;
  for (const format of FORMATS) {
    const claim = format.sniff(prefix);
    if (claim > score) {
      best = format;
      score = claim;
    }
  }
  return best;
}

/** Opens a trace by path, or '-' for standard input. Throws {@link InputError}, also while batches are read. */
export async function openTrace(path: string, options: OpenOptions = {}): Promise<OpenTrace> {
  const source = await openSource(path, {
    prefixBytes: PREFIX_BYTES,
    enough: (prefix) => path === '-' && recognise(prefix) !== null,
    accepts: (prefix) => {
      const format = recognise(prefix);
      return format !== null && format.refused !== true;
    },
    ...(options.stdin ? { stdin: options.stdin } : {}),
  });
  try {
    return await choose(source).open(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The format of a source. Throws where there is none. */
function choose(source: ByteSource): TraceFormat {
  const why = source.truncated === null ? '' : ` (${source.truncated})`;
  if (source.prefix.length === 0) {
    throw new InputError(`${source.label} is empty${why}; record a trace into it first`);
  }
  const format = recognise(source.prefix);
  if (format) return format;
  throw new InputError(
    `${source.label} is no trace that faultline knows${why}; give the text of /sys/kernel/tracing/trace or trace_pipe, a trace.dat, or a perf.data with tracepoints`,
  );
}
