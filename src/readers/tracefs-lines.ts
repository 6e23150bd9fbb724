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
import { GraphMatch } from './function-graph.ts';
import { COMM_WIDTH, findHead, LATENCY_COMM_WIDTH, LineHead } from './line-head.ts';
import { RecordText } from './record-text.ts';
import { TaskNotes } from './task-notes.ts';
import { TextTail } from './text-tail.ts';
import { TracefsHeader } from './tracefs-header.ts';

const LINE_FEED = 10;
const RETURN = 13;
const BLANK = 32;
const HASH = 35;
const DASH = 45;
/** Lines longer than this are looked at for NUL bytes: what a crash leaves are whole blocks of them. */
const NUL_SUSPECT = 500;
/** Bytes of a line that are kept for a message. */
const SHOWN = 160;
const CPUS = 0x8000;

/** A buffer that holds lines, and a view of the same bytes. Some bytes of slack stand behind the lines. */
export interface TextBlock {
  readonly bytes: Buffer;
  readonly view: DataView;
}

/** Turns the lines of a tracefs text into rows. */
export class TracefsLines {
  readonly #facts: ReaderFacts;
  readonly #rows = new RecordBatchBuilder();
  readonly #head = new LineHead();
  readonly #header = new TracefsHeader();
  readonly #text: RecordText;
  readonly #tasks: TaskNotes;
  readonly #tail: TextTail;
  readonly #graph = new GraphMatch();
  /** Stamp of the first record. */
  #originHigh = 0;
  #originLow = 0;
  /** Time of the last record, of the oldest and the newest one, and of the last one of each CPU. */
  #ns = 0;
  #oldestNs = 0;
  #newestNs = 0;
  readonly #nsOfCpu = new Float64Array(CPUS).fill(Number.NEGATIVE_INFINITY);
  #record = 0;
  #line = 0;
  /** A segment row was written since the last header. */
  #inSegment = false;
  /** Record after which a gap was last noted. */
  #gapAfter = -1;

  constructor(facts: ReaderFacts) {
    this.#facts = facts;
    this.#text = new RecordText(facts.names, facts);
    this.#tasks = new TaskNotes(facts);
    this.#tail = new TextTail(facts.names);
  }

  /** Whether `take` is due before `parse` can go on. */
  get full(): boolean {
    return this.#rows.full;
  }

  /** Rows that wait for `take`. */
  get waiting(): number {
    return this.#rows.count;
  }

  /** The rows so far, over the bytes that they were parsed from. */
  take(bytes: Uint8Array): RecordBatch {
    this.#facts.records = this.#record;
    this.#facts.lines = this.#line;
    if (this.#record > 0) {
      this.#facts.firstNs = this.#oldestNs;
      this.#facts.lastNs = this.#newestNs;
    }
    return this.#rows.take(bytes);
  }

  /** States that the input ended early. */
  cut(): void {
    this.#rows.mark(ROW_CUT, this.#ns, -1, this.#record, Number.NaN);
  }

  /** Counts a line that is not read, because it cannot be a record. */
  skipLine(b: Buffer, from: number, reason: string): void {
    this.#line++;
    this.#facts.parseError(this.#line, b.toString('latin1', from, from + SHOWN), reason);
    this.#gap();
  }

  /** Something stood here that may have been records: of which CPU and how many, nobody can say. One row for a run of such lines. */
  #gap(): void {
    if (!this.#inSegment || this.#gapAfter === this.#record) return;
    this.#gapAfter = this.#record;
    this.#rows.mark(ROW_LOST, this.#ns, -1, this.#record, Number.NaN);
  }

  /**
   * Parses the complete lines of `block` from `from` on, of which `limit` bytes are valid and a line feed
   * stands at `limit`. Returns where it stopped: at an incomplete line, at a line whose text may go on in lines
   * that are not there yet (unless `final`), or at a full batch.
   */
  parse(block: TextBlock, from: number, limit: number, maxLine: number, final: boolean): number {
    const b = block.bytes;
    const head = this.#head;
    let at = from;
    while (!this.#rows.full) {
      const feed = b.indexOf(LINE_FEED, at);
      if (feed >= limit) break;
      if (feed - at > maxLine) {
        this.skipLine(b, at, 'longer than any line of a trace');
        at = feed + 1;
        continue;
      }
      if (feed - at > NUL_SUSPECT && b.subarray(at, feed).includes(0)) {
        this.#facts.count('nul-bytes');
        this.skipLine(b, at, 'NUL bytes inside');
        at = feed + 1;
        continue;
      }
      const end = feed > at && b[feed - 1] === RETURN ? feed - 1 : feed;
      if (end - at > COMM_WIDTH && b[at + COMM_WIDTH] === DASH && head.match(b, at + COMM_WIDTH)) {
        this.#tasks.padded(b, block.view, at, head.pid, head.tgid);
        const next = this.#add(b, feed, end, limit, final);
        if (next < 0) break;
        at = next;
        continue;
      }
      const next = this.#unusual(b, at, feed, end, limit, final);
      if (next < 0) break;
      at = next;
    }
    return at;
  }

  /** Adds the record whose head was just read. Returns the start of the next line, or -1 to wait for more. */
  #add(b: Buffer, feed: number, end: number, limit: number, final: boolean): number {
    const head = this.#head;
    const facts = this.#facts;
    const payload = head.payload < end ? head.payload : end;
    const name = this.#text.name(b, payload, end);
    const start = this.#text.start;
    let textEnd = end;
    let next = feed + 1;
    if (this.#tail.mayGoOn(name)) {
      next = this.#tail.follow(b, name, start, feed, limit, final, head.decimals);
      if (next < 0) return -1;
      if (next !== feed + 1) {
        textEnd = next - 1;
        this.#line += this.#tail.lines;
        facts.count('continuation-lines', this.#tail.lines);
      }
    }
    if (this.#record === 0) this.#origin();
    const ns = (head.high - this.#originHigh) * 1e9 + (head.low - this.#originLow);
    if (!this.#inSegment) this.#segment(ns);
    const cpu = head.cpu;
    if (ns < this.#nsOfCpu[cpu]!) facts.count('time-backwards');
    else if (this.#nsOfCpu[cpu] === Number.NEGATIVE_INFINITY) facts.cpus.add(cpu);
    this.#nsOfCpu[cpu] = ns;
    this.#ns = ns;
    if (ns > this.#newestNs) this.#newestNs = ns;
    else if (ns < this.#oldestNs) this.#oldestNs = ns;
    this.#line++;
    this.#record++;
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
    rows.record[i] = this.#record;
    rows.start[i] = start;
    rows.end[i] = textEnd;
    rows.aux[i] = Number.NaN;
    return next;
  }

  #origin(): void {
    const head = this.#head;
    const facts = this.#facts;
    this.#originHigh = head.high;
    this.#originLow = head.low;
    facts.originNs = BigInt(head.high) * 1_000_000_000n + BigInt(head.low);
    facts.ticks = head.decimals === 0;
    facts.resolution = head.decimals === 6 ? 1000 : 1;
  }

  #segment(ns: number): void {
    this.#inSegment = true;
    this.#facts.segments++;
    this.#nsOfCpu.fill(Number.NEGATIVE_INFINITY);
    this.#rows.mark(ROW_SEGMENT, ns, this.#header.cpus, this.#record, this.#header.overwritten);
  }

  /** Any line that does not begin like a record of an untouched tracefs file. Returns as {@link #add}. */
  #unusual(b: Buffer, at: number, feed: number, end: number, limit: number, final: boolean): number {
    const next = feed + 1;
    const first = b[at]!;
    if (at === end) {
      // 6.1 prints an empty line behind events whose format ends in a line feed.
      this.#line++;
      return next;
    }
    if (first === HASH) {
      this.#line++;
      this.#comment(b.toString('latin1', at, Math.min(end, at + 256)));
      return next;
    }
    if (first === BLANK && b[at + 1] === 61 && b[at + 2] === 62 && b[at + 3] === BLANK) {
      this.#line++;
      this.#facts.count('stack-lines');
      return next;
    }
    if (this.#header.functionGraph) return this.#graphLine(b, at, feed, end, limit, final);
    const head = this.#head;
    if (this.#header.latency && b[at + LATENCY_COMM_WIDTH] === DASH && end - at > LATENCY_COMM_WIDTH) {
      if (head.matchLatency(b, at + LATENCY_COMM_WIDTH)) {
        let comm = at;
        while (b[comm] === BLANK) comm++;
        this.#tasks.bytes(b, comm, at + LATENCY_COMM_WIDTH, head.pid, head.tgid);
        return this.#add(b, feed, end, limit, final);
      }
    }
    const dash = findHead(head, b, at, end);
    if (dash >= 0) {
      let comm = at;
      while (b[comm] === BLANK) comm++;
      this.#tasks.bytes(b, comm, dash, head.pid, head.tgid);
      return this.#add(b, feed, end, limit, final);
    }
    this.#line++;
    this.#plain(b, at, end);
    return next;
  }

  #graphLine(b: Buffer, at: number, feed: number, end: number, limit: number, final: boolean): number {
    const kind = this.#graph.match(this.#head, b, at, end);
    if (kind === 'event') {
      this.#tasks.bytes(b, this.#graph.commStart, this.#graph.commEnd, this.#head.pid, -1);
      return this.#add(b, feed, this.#graph.end, limit, final);
    }
    this.#line++;
    this.#facts.count(kind === 'no event' ? 'function-lines' : 'function-graph-events');
    return feed + 1;
  }

  #comment(text: string): void {
    const started = /^##### CPU (\d+) buffer started ####/.exec(text);
    if (started) {
      if (!this.#inSegment) this.#segment(this.#ns);
      this.#rows.mark(ROW_CPU_STARTED, this.#ns, Number(started[1]), this.#record, Number.NaN);
      return;
    }
    this.#header.line(text, this.#head, this.#facts);
    this.#tail.latency = this.#header.latency;
    if (this.#header.fresh) {
      this.#header.fresh = false;
      this.#inSegment = false;
    }
  }

  /** A line without time and task. */
  #plain(b: Buffer, at: number, end: number): void {
    const text = b.toString('latin1', at, Math.min(end, at + SHOWN));
    const lost = /^CPU:(\d+) \[(?:LOST (?:(\d+) )?EVENTS|(?:(\d+) )?EVENTS DROPPED)\]/.exec(text);
    if (lost) {
      if (!this.#inSegment) this.#segment(this.#ns);
      const count = lost[2] ?? lost[3];
      this.#rows.mark(
        ROW_LOST,
        this.#ns,
        Number(lost[1]),
        this.#record,
        count === undefined ? Number.NaN : Number(count),
      );
      return;
    }
    if (/^\s*-+\s*$|^\s*\d+\)\s.* => /.test(text)) {
      this.#facts.count('separator-lines');
      return;
    }
    if (text.trim() === '') return;
    if (/^\0+$/.test(text)) this.#facts.count('nul-bytes');
    else if (text.startsWith('[LINE TOO BIG]')) this.#facts.count('line-too-big');
    else if (text.startsWith('[FAILED TO PARSE]')) this.#facts.count('failed-to-parse');
    else this.#facts.parseError(this.#line, text, 'no task, CPU and time in front');
    this.#gap();
  }
}
