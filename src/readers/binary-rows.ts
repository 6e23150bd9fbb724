import {
  CTX_HARDIRQ,
  CTX_IRQS_OFF,
  CTX_KNOWN,
  CTX_NMI,
  CTX_PREEMPT_SHIFT,
  CTX_SOFTIRQ,
  type RecordBatch,
  ROW_CPU_STARTED,
  ROW_CUT,
  ROW_LOST,
  ROW_RECORD,
  ROW_SEGMENT,
} from '../core/records.ts';
import { RecordBatchBuilder } from './batch-builder.ts';
import type { ReaderFacts } from './facts.ts';

/** Bytes of the records of one batch: a batch of records has about so many. */
const BLOCK_BYTES = 5 << 17;

/** Bits of common_flags (include/linux/trace_events.h, enum trace_flag_type). */
const FLAG_IRQS_OFF = 0x01;
const FLAG_HARDIRQ = 0x08;
const FLAG_SOFTIRQ = 0x10;
const FLAG_NMI = 0x40;

/** CTX_* bits by common_flags: what the letters of the flags column say of them. */
const CONTEXT = new Uint16Array(256);
for (let flags = 0; flags < 256; flags++) {
  let ctx = CTX_KNOWN;
  if (flags & FLAG_IRQS_OFF) ctx |= CTX_IRQS_OFF;
  if (flags & FLAG_HARDIRQ) ctx |= CTX_HARDIRQ;
  if (flags & FLAG_NMI) ctx |= CTX_NMI;
  // An interrupted softirq is not told behind an NMI.
  else if (flags & FLAG_SOFTIRQ) ctx |= CTX_SOFTIRQ;
  CONTEXT[flags] = ctx;
}

/** CTX_* bits of common_flags and common_preempt_count. */
export function binaryContext(flags: number, preemptCount: number): number {
  return CONTEXT[flags]! | ((preemptCount & 15) << CTX_PREEMPT_SHIFT);
}

/** Collects binary records into batches: their bytes are copied together, so that a batch stands for itself. */
export class BinaryRows {
  readonly #rows = new RecordBatchBuilder();
  readonly #facts: ReaderFacts;
  #block = Buffer.alloc(0);
  #words = new Int32Array(0);
  /** Memory of a batch that nobody reads any more. */
  #spare: ArrayBuffer | null = null;
  #used = 0;
  #record = 0;
  #ns = 0;
  /** Times of the oldest record and of the newest one. */
  #oldestNs = Number.POSITIVE_INFINITY;
  #newestNs = Number.NEGATIVE_INFINITY;

  constructor(facts: ReaderFacts) {
    this.#facts = facts;
    this.#fresh(BLOCK_BYTES);
  }

  /** Takes back a batch that nobody reads any more. */
  recycle(batch: RecordBatch): void {
    this.#rows.recycle(batch);
    if (batch.bytes.buffer.byteLength === BLOCK_BYTES) this.#spare = batch.bytes.buffer as ArrayBuffer;
  }

  #fresh(size: number): void {
    const spare = size === BLOCK_BYTES ? this.#spare : null;
    if (spare !== null) this.#spare = null;
    this.#block = spare === null ? Buffer.allocUnsafeSlow((size + 3) & ~3) : Buffer.from(spare);
    this.#words = new Int32Array(this.#block.buffer);
    this.#used = 0;
  }

  /** Rows that wait for `take`. */
  get waiting(): number {
    return this.#rows.count;
  }

  /** Whether `take` is due before a record of so many bytes. */
  full(length: number): boolean {
    return this.#rows.full || (this.#used + length > this.#block.length && this.#rows.count > 0);
  }

  segment(ns: number, cpus: number, overwritten: number): void {
    this.#facts.segments++;
    this.#rows.mark(ROW_SEGMENT, ns, cpus, this.#record, overwritten);
  }

  lost(ns: number, cpu: number, count: number): void {
    this.#rows.mark(ROW_LOST, ns, cpu, this.#record, count);
  }

  cpuStarted(ns: number, cpu: number): void {
    this.#rows.mark(ROW_CPU_STARTED, ns, cpu, this.#record, Number.NaN);
  }

  cut(): void {
    this.#rows.mark(ROW_CUT, this.#ns, -1, this.#record, Number.NaN);
  }

  /** Adds the record at byte `at` of `words`, a multiple of four. */
  add(
    words: Int32Array,
    at: number,
    length: number,
    ns: number,
    cpu: number,
    pid: number,
    ctx: number,
    name: number,
  ): void {
    const facts = this.#facts;
    if (this.#used + length > this.#block.length) this.#fresh(Math.max(BLOCK_BYTES, length));
    const to = this.#used;
    const next = (to + length + 3) & ~3;
    const own = this.#words;
    // Records are short: a call for each would cost more than this.
    for (let from = at >> 2, word = to >> 2; word < next >> 2; ) own[word++] = words[from++]!;
    this.#used = next;
    if (ns < this.#oldestNs) this.#oldestNs = ns;
    if (ns > this.#newestNs) this.#newestNs = ns;
    this.#record++;
    this.#ns = ns;
    const counts = facts.counts;
    while (counts.length <= name) counts.push(0);
    counts[name]!++;
    const rows = this.#rows;
    const i = rows.count++;
    rows.row[i] = ROW_RECORD;
    rows.ns[i] = ns;
    rows.cpu[i] = cpu;
    rows.pid[i] = pid;
    rows.ctx[i] = ctx;
    rows.name[i] = name;
    rows.record[i] = this.#record;
    rows.start[i] = to;
    rows.end[i] = to + length;
    rows.aux[i] = Number.NaN;
  }

  /** The rows so far. */
  take(): RecordBatch {
    const facts = this.#facts;
    facts.records = this.#record;
    if (this.#record > 0) {
      facts.firstNs = this.#oldestNs;
      facts.lastNs = this.#newestNs;
    }
    const batch = this.#rows.take(this.#block.subarray(0, this.#used));
    this.#fresh(BLOCK_BYTES);
    return batch;
  }
}
