import type { RecordBatch } from '../core/records.ts';
import { RecordBatchBuilder } from './batch-builder.ts';
import type { ReaderFacts } from './facts.ts';

const LINE_FEED = 10;
/** Bytes of the records of one batch. */
const BLOCK_BYTES = 1 << 20;
/** Bytes behind the last record: readers of text compare words across the end of a key. */
const SLACK = 64;

/** A batch of rows from several files. */
export interface JoinedBatch extends RecordBatch {
  /** Ordinal of the file that each row comes from. */
  readonly file: Uint16Array;
}

/** Copies rows of several files into batches that stand for themselves. */
export class JoinedRows {
  readonly #rows = new RecordBatchBuilder();
  readonly #facts: ReaderFacts;
  /** Records are lines of text: they are copied from their beginning. */
  readonly #lines: boolean;
  #file = new Uint16Array(0);
  #block = Buffer.alloc(0);
  #used = 0;
  #record = 0;

  constructor(facts: ReaderFacts, lines: boolean) {
    this.#facts = facts;
    this.#lines = lines;
    this.#fresh(BLOCK_BYTES);
  }

  #fresh(size: number): void {
    this.#block = Buffer.alloc(size + SLACK);
    this.#file = new Uint16Array(this.#rows.ns.length);
    this.#used = 0;
  }

  /** Rows that wait for `take`. */
  get waiting(): number {
    return this.#rows.count;
  }

  /** Whether `take` is due before a row that is no record. */
  get full(): boolean {
    return this.#rows.full;
  }

  /** Adds a row that is no record. */
  mark(row: number, ns: number, cpu: number, aux: number): void {
    this.#rows.mark(row, ns, cpu, this.#record, aux);
  }

  /** Copies a record at `ns`, of event `name`; false if the rows so far must be taken before. */
  add(from: RecordBatch, row: number, file: number, ns: number, name: number): boolean {
    const start = from.start[row]!;
    const begin = this.#lines && start > 0 ? from.bytes.lastIndexOf(LINE_FEED, start - 1) + 1 : start;
    const length = from.end[row]! - begin;
    const rows = this.#rows;
    if (rows.full || (this.#used + length + 1 > this.#block.length - SLACK && rows.count > 0)) return false;
    if (length + 1 > this.#block.length - SLACK) this.#fresh(length + 4);
    const to = this.#used;
    this.#block.set(from.bytes.subarray(begin, begin + length), to);
    const end = to + length;
    this.#block[end] = LINE_FEED;
    // Binary records stand at multiples of four, as in their pages.
    this.#used = this.#lines ? end + 1 : (end + 4) & ~3;
    const facts = this.#facts;
    if (this.#record === 0 || ns < facts.firstNs!) facts.firstNs = ns;
    if (this.#record === 0 || ns > facts.lastNs!) facts.lastNs = ns;
    this.#record++;
    facts.records = this.#record;
    const counts = facts.counts;
    while (counts.length <= name) counts.push(0);
    counts[name]!++;
    this.#file[rows.count] = file;
    rows.add(ns, from.cpu[row]!, from.pid[row]!, from.ctx[row]!, name, this.#record, to + start - begin, end);
    return true;
  }

  /** The rows so far. */
  take(): JoinedBatch {
    const file = this.#file;
    const batch = this.#rows.take(this.#block);
    this.#fresh(BLOCK_BYTES);
    return { ...batch, file };
  }
}
