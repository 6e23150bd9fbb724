import { InputError } from '../core/errors.ts';
import { type RecordBatch, ROW_RECORD, ROW_SEGMENT } from '../core/records.ts';
import type { CounterName } from './counters.ts';
import type { ReaderFacts } from './facts.ts';
import type { OpenTrace } from './format.ts';

/** A row that is no record. */
interface Mark {
  readonly kind: number;
  readonly ns: number;
  readonly cpu: number;
  readonly aux: number;
}

/** One of several files that are read as one trace, and how far it has been read. */
export class Part {
  readonly trace: OpenTrace;
  readonly #batches: AsyncGenerator<RecordBatch>;
  /** The batch that it stands in; null at the end, and before the first {@link pull}. */
  batch: RecordBatch | null = null;
  /** The row that comes next. */
  row = 0;
  /** Whether a row of it was taken. */
  begun = false;
  /** Whether it was found to go on with CPUs that others have held. */
  goesOn = false;
  /** Nanoseconds or ticks from the origin of all parts to its own. */
  shift = 0;
  /** CPUs whose records another part has gone on with. */
  readonly left = new Set<number>();
  /** Rows that are no records and belong in front of its next one. */
  readonly waiting: Mark[] = [];
  /** What its header tells: CPUs (-1 not told), records overwritten (NaN not told). */
  cpus = -1;
  overwritten = Number.NaN;
  /** The CPU that all records of its first batch are of; -1 if they are of several. */
  onlyCpu = -1;
  /** Ids of its names among those of all parts. */
  readonly #nameIds: number[] = [];
  /** What of its facts is in those of all parts. */
  readonly #counted = new Map<CounterName, number>();
  #errors = 0;
  #lines = 0;

  constructor(trace: OpenTrace) {
    this.trace = trace;
    this.#batches = trace.batches();
  }

  get label(): string {
    return this.trace.source.label;
  }

  /** Whether it has a header of its own, and so is more than a piece of a longer file. */
  get headed(): boolean {
    const { tracer, cpusOnline, kernel, entriesWritten } = this.trace.facts;
    return this.trace.lines !== true || (tracer ?? cpusOnline ?? kernel ?? entriesWritten) !== null;
  }

  /** Takes the next batch with a row in it; false at the end. */
  async pull(): Promise<boolean> {
    this.row = 0;
    if (this.batch !== null) this.trace.recycle?.(this.batch);
    for (;;) {
      const next = await this.#batches.next();
      this.batch = next.done ? null : next.value;
      if (this.batch === null) return false;
      if (this.batch.count > 0) return true;
    }
  }

  /** Time of the last row that was read, from its own origin. */
  get knownEnd(): number {
    return this.batch!.ns[this.batch!.count - 1]!;
  }

  /** Reads its beginning. False for a file without a record that is otherwise as it should be. */
  async start(): Promise<boolean> {
    try {
      await this.pull();
    } catch (error) {
      const { records, parseErrorCount, truncated, counters } = this.trace.facts;
      const idle = records === 0 && parseErrorCount === 0 && truncated === null && counters.size === 0;
      if (error instanceof InputError && idle) return false;
      throw error;
    }
    const { batch } = this;
    if (batch === null) return false;
    if (batch.row[0] === ROW_SEGMENT) {
      this.cpus = batch.cpu[0]!;
      this.overwritten = batch.aux[0]!;
    }
    const cpus = new Set(batch.cpu.subarray(0, batch.count).filter((_, i) => batch.row[i] === ROW_RECORD));
    if (cpus.size === 1) [this.onlyCpu = -1] = cpus;
    return true;
  }

  /** Time of the row that comes next, from the origin of all parts; infinite at the end. */
  get ns(): number {
    return this.batch === null ? Number.POSITIVE_INFINITY : this.batch.ns[this.row]! + this.shift;
  }

  /** Id of a name of its own among those of all parts. */
  nameIn(facts: ReaderFacts, own: number): number {
    const known = this.#nameIds[own];
    if (known !== undefined) return known;
    const id = facts.names.id(this.trace.names.names[own]!);
    this.#nameIds[own] = id;
    return id;
  }

  /** Adds to the facts of all parts what became known of this one. */
  tell(all: ReaderFacts): void {
    const { facts } = this.trace;
    all.lines += facts.lines - this.#lines;
    this.#lines = facts.lines;
    for (const [name, count] of facts.counters) {
      const before = this.#counted.get(name) ?? 0;
      if (count > before) all.count(name, count - before);
      this.#counted.set(name, count);
    }
    for (; this.#errors < facts.parseErrorCount; this.#errors++) {
      const error = facts.parseErrors[this.#errors];
      all.parseError(error?.line ?? 0, error?.text ?? '', `${error?.reason ?? ''} (${this.label})`);
    }
    for (const cpu of facts.cpus) all.cpus.add(cpu);
    if (facts.truncated !== null) all.truncated ??= `${this.label}: ${facts.truncated}`;
  }

  /** Adds the tasks of the batch in which it stands: of a task's names the last one counts. */
  tellTasks(all: ReaderFacts): void {
    const { facts } = this.trace;
    for (const pid of facts.changedTasks) {
      const note = facts.tasks.get(pid);
      if (note) all.task(pid, note.comm, note.tgid);
    }
    facts.changedTasks.clear();
  }

  async close(): Promise<void> {
    await this.#batches.return(undefined);
    await this.trace.source.close();
  }
}
