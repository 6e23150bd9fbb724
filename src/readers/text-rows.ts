import {
  type RecordBatch,
  ROW_CPU_STARTED,
  ROW_CUT,
  ROW_LOST,
  ROW_RECORD,
  ROW_SEGMENT,
} from '../core/records.ts';
import { RecordBatchBuilder } from './batch-builder.ts';
import type { ReaderFacts } from './facts.ts';

/** CPUs that there is room for at first. */
const CPUS = 64;
/** A CPU's clock that is adjusted may go back by as much and still be the same clock. */
const JITTER_NS = 1_000_000;
/** Records after which a clock that counts records is known. */
const TICKS_LOOKED_AT = 512;

/** What stands in front of a record's text. */
export interface RecordHead {
  readonly pid: number;
  /** -1: not told. */
  readonly cpu: number;
  /** CTX_* bits. */
  readonly ctx: number;
  /** The stamp is `high * 1e9 + low`. */
  readonly high: number;
  readonly low: number;
  /** Decimals of the stamp: 0 where the clock is not in ns. */
  readonly decimals: number;
}

/** Collects the rows of a trace in text, and what they tell of it as a whole. */
export class TextRows {
  readonly #facts: ReaderFacts;
  readonly #rows = new RecordBatchBuilder();
  /** Lines read so far. */
  line = 0;
  #linesTaken = 0;
  /** Records read so far. */
  record = 0;
  /** Stamp of the first record. */
  #originHigh = 0;
  #originLow = 0;
  /** Time of the last record, of the oldest and the newest one, and of the last one of each CPU. */
  #ns = 0;
  #oldestNs = 0;
  #newestNs = 0;
  #nsOfCpu = new Float64Array(CPUS).fill(Number.NEGATIVE_INFINITY);
  /** The greatest number of a CPU so far. */
  #topCpu = -1;
  /** What the next segment row is to tell; none is due after it. */
  #cpus = -1;
  #overwritten = Number.NaN;
  #segmentDue = true;
  #asWritten = false;
  /** Records one tick after the one before. */
  #singleSteps = 0;
  /** Record after which a gap was last noted. */
  #gapAfter = -1;

  constructor(facts: ReaderFacts) {
    this.#facts = facts;
  }

  /** Stamps are already counted from the trace's origin, and segments stand among the records. */
  asWritten(): void {
    this.#asWritten = true;
    this.#segmentDue = false;
  }

  /** Whether `take` is due before another line. */
  get full(): boolean {
    return this.#rows.full;
  }

  /** Rows that wait for `take`. */
  get waiting(): number {
    return this.#rows.count;
  }

  /** The rows so far, over the bytes that they were parsed from. */
  take(bytes: Uint8Array): RecordBatch {
    this.#facts.records = this.record;
    this.#facts.lines = this.line;
    if (this.record > 0) {
      this.#facts.firstNs = this.#oldestNs;
      this.#facts.lastNs = this.#newestNs;
    }
    const lines = this.line - this.#linesTaken;
    this.#linesTaken = this.line;
    return this.#rows.take(bytes, lines);
  }

  /** Takes back a batch that nobody reads any more. */
  recycle(batch: RecordBatch): void {
    this.#rows.recycle(batch);
  }

  /** A header begins: a segment row goes before the next record. */
  beginSegment(): void {
    this.#segmentDue = true;
    this.header(-1, Number.NaN);
  }

  /** What a header tells of its segment: CPUs online (-1 not told), records overwritten (NaN not told). */
  header(cpus: number, overwritten: number): void {
    this.#cpus = cpus;
    this.#overwritten = overwritten;
  }

  /** States that the input ended early. */
  cut(): void {
    this.#rows.mark(ROW_CUT, this.#ns, -1, this.record, Number.NaN);
  }

  /** Records of a CPU were lost before its next one; NaN: not told how many. */
  lost(cpu: number, count: number): void {
    this.#segment(this.#ns);
    this.#rows.mark(ROW_LOST, this.#ns, cpu, this.record, count);
  }

  /**
   * Something stood here that may have been records: of which CPU and how many, nobody can say. One row for a run
   * of such lines.
   */
  gap(): void {
    if (this.#segmentDue || this.#gapAfter === this.record) return;
    this.#gapAfter = this.record;
    this.#rows.mark(ROW_LOST, this.#ns, -1, this.record, Number.NaN);
  }

  cpuStarted(cpu: number): void {
    this.#segment(this.#ns);
    this.#rows.mark(ROW_CPU_STARTED, this.#ns, cpu, this.record, Number.NaN);
  }

  /** Adds a record whose payload stands in `[start, end)`. */
  add(head: RecordHead, name: number, start: number, end: number): void {
    const facts = this.#facts;
    if (this.record === 0 && !this.#asWritten) this.#origin(head);
    const ns = (head.high - this.#originHigh) * 1e9 + (head.low - this.#originLow);
    const cpu = head.cpu;
    if (cpu >= this.#nsOfCpu.length) this.#widen(cpu);
    if (cpu >= 0 && ns < this.#nsOfCpu[cpu]!) this.#backwards(cpu, ns);
    if (this.#segmentDue) this.#segment(ns);
    if (cpu >= 0) {
      if (this.#nsOfCpu[cpu] === Number.NEGATIVE_INFINITY) facts.cpus.add(cpu);
      this.#nsOfCpu[cpu] = ns;
      if (cpu > this.#topCpu) this.#topCpu = cpu;
    }
    if (facts.ticks && this.record < TICKS_LOOKED_AT) this.#step(ns - this.#ns);
    this.#ns = ns;
    if (ns > this.#newestNs) this.#newestNs = ns;
    else if (ns < this.#oldestNs) this.#oldestNs = ns;
    this.line++;
    this.record++;
    const counts = facts.counts;
    while (counts.length <= name) counts.push(0);
    counts[name]!++;

    const rows = this.#rows;
    const i = rows.count++;
    rows.row[i] = ROW_RECORD;
    rows.ns[i] = ns;
    rows.cpu[i] = cpu;
    rows.pid[i] = head.pid;
    rows.ctx[i] = head.ctx;
    rows.name[i] = name;
    rows.record[i] = this.record;
    rows.start[i] = start;
    rows.end[i] = end;
    rows.aux[i] = Number.NaN;
  }

  /** Makes room for the times of more CPUs. */
  #widen(cpu: number): void {
    const wider = new Float64Array(cpu * 2).fill(Number.NEGATIVE_INFINITY);
    wider.set(this.#nsOfCpu);
    this.#nsOfCpu = wider;
  }

  /** A ring buffer never goes back by much: where a text does, another dump begins. */
  #backwards(cpu: number, ns: number): void {
    this.#facts.count('time-backwards');
    if (this.#asWritten || (!this.#facts.ticks && this.#nsOfCpu[cpu]! - ns <= JITTER_NS)) return;
    this.#facts.count('dumps-without-header');
    this.beginSegment();
  }

  /** The counter clock goes on by one with every record of any CPU, as no other clock does. */
  #step(ticks: number): void {
    if (ticks === 1) this.#singleSteps++;
    else if (ticks <= 0 && this.record > 0) this.#singleSteps = Number.NEGATIVE_INFINITY;
    if (this.record === TICKS_LOOKED_AT - 1 && this.#singleSteps > TICKS_LOOKED_AT * 0.9)
      this.#facts.clock ??= 'counter';
  }

  #origin(head: RecordHead): void {
    const facts = this.#facts;
    this.#originHigh = head.high;
    this.#originLow = head.low;
    facts.originNs = BigInt(head.high) * 1_000_000_000n + BigInt(head.low);
    facts.ticks = head.decimals === 0;
    facts.resolution = head.decimals === 6 ? 1000 : 1;
  }

  #segment(ns: number): void {
    if (!this.#segmentDue) return;
    this.#segmentDue = false;
    this.#facts.segments++;
    this.#nsOfCpu.fill(Number.NEGATIVE_INFINITY, 0, this.#topCpu + 1);
    this.#rows.mark(ROW_SEGMENT, ns, this.#cpus, this.record, this.#overwritten);
  }
}
