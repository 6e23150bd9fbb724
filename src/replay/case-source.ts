import { InputError } from '../core/errors.ts';
import type { Input } from '../core/input.ts';
import { kindOfFile } from '../store/database.ts';
import { type CaseHead, CaseReader } from '../store/reader.ts';
import type { Analysis } from './analysis.ts';
import type { AnalyzeOptions } from './analyze.ts';
import { type Ingested, type IngestOptions, ingest } from './ingest.ts';
import type { FactsDelta } from './input-facts.ts';
import { engineVersion, question } from './question.ts';

/** Whether an input is a case (or an SQLite file that should have been one) and no trace. */
export function isCase(input: Input): input is string {
  if (typeof input === 'string') return kindOfFile(input) !== 'other';
  const found = input.find((path) => kindOfFile(path) !== 'other');
  if (found === undefined) return false;
  throw new InputError(`${found} is a case, which holds a whole trace; give it without --together`);
}

/** What a reader of an incomplete case is told. */
export function stoppedText(head: CaseHead): string {
  return `the recording of this case was stopped after event ${head.events}; give analyze ${head.name} -o with this case to go on`;
}

/** Segments after which the program looks up: signals are heard, progress is drawn. */
const BREATH = 16;

/** The events of a case as they were read from its trace, with what was known of the input at the time. */
async function* recorded(path: string): AsyncGenerator<Ingested> {
  const reader = new CaseReader(path);
  try {
    const { head } = reader;
    let facts: FactsDelta | null = null;
    let waiting: Ingested | null = null;
    let pieces = 0;
    for (const piece of reader.batches()) {
      if (waiting !== null) yield waiting;
      if (++pieces % BREATH === 0) await new Promise((resolve) => setImmediate(resolve));
      facts = piece.facts === null ? { ...facts!, changedTasks: [] } : (piece.facts as unknown as FactsDelta);
      const done = piece.events.firstSeq + piece.events.count - 1;
      const progress = { records: facts.records, bytes: done, totalBytes: head.events };
      waiting = { events: piece.events, facts, texts: [], segments: null, progress, last: false };
    }
    if (waiting === null) throw new InputError(`${path} holds no event yet: ${stoppedText(head)}`);
    yield head.complete
      ? { ...waiting, last: true }
      : { ...waiting, facts: { ...waiting.facts, truncated: stoppedText(head) }, last: true };
  } finally {
    reader.close();
  }
}

/** The events of an input: a case, or a trace that is read and decoded. Throws InputError. */
export function eventsOf(input: Input, options: IngestOptions): AsyncIterable<Ingested> {
  return isCase(input) ? recorded(input) : ingest(input, options);
}

/** What is declared about the machine, null or absent where nothing. */
interface Declared {
  readonly kernel?: string | null;
  readonly arch?: string | null;
  readonly vmemmapBase?: number | null;
}

/** Refuses what is declared otherwise than when the case was recorded. */
export function checkDeclared(path: string, head: CaseHead, declared: Declared): void {
  for (const name of ['kernel', 'arch', 'vmemmapBase'] as const) {
    const now = declared[name] ?? null;
    const then = head.options[name] ?? null;
    if (now !== null && now !== then)
      throw new InputError(
        `${path} was decoded with ${name} ${then ?? 'not declared'}, not ${now}; record it anew from ${head.name} to declare another`,
      );
  }
}

/**
 * The options that hold for an input. What was declared when a case was recorded is built into its events: it is taken
 * over, and cannot be declared otherwise.
 */
export function optionsFor(input: Input, options: AnalyzeOptions): AnalyzeOptions {
  if (!isCase(input)) return options;
  const reader = new CaseReader(input);
  try {
    const then = reader.head.options;
    checkDeclared(input, reader.head, options);
    return {
      ...options,
      kernel: (then['kernel'] as string | null) ?? null,
      arch: (then['arch'] as string | null) ?? null,
      vmemmapBase: (then['vmemmapBase'] as number | null) ?? null,
      clock: options.clock ?? (then['clock'] as string | null) ?? null,
      clockSkewNs: options.clockSkewNs ?? (then['clockSkewNs'] as number | null) ?? null,
    };
  } finally {
    reader.close();
  }
}

/** The stored answer to a question about a case, if this program gave it. */
export function storedAnalysis(input: Input, options: AnalyzeOptions): Analysis | null {
  if (!isCase(input)) return null;
  const reader = new CaseReader(input);
  try {
    if (!reader.head.complete) return null;
    const found = reader.analysis(question(options), engineVersion()) as unknown as Analysis | null;
    return found === null ? null : { ...found, trace: { ...found.trace, path: input } };
  } finally {
    reader.close();
  }
}
