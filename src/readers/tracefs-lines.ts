import type { ReaderFacts } from './facts.ts';
import { GraphMatch } from './function-graph.ts';
import { COMM_WIDTH, findHead, LATENCY_COMM_WIDTH, LineHead } from './line-head.ts';
import { RecordText } from './record-text.ts';
import { TaskNotes } from './task-notes.ts';
import { TextRows } from './text-rows.ts';
import { TextTail } from './text-tail.ts';
import type { TextBlock, TextLines } from './text-trace.ts';
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

/** Turns the lines of a tracefs text, or of the report that trace-cmd makes of a file, into rows. */
export class TracefsLines implements TextLines {
  readonly rows: TextRows;
  readonly #facts: ReaderFacts;
  readonly #head = new LineHead();
  readonly #header = new TracefsHeader();
  readonly #text: RecordText;
  readonly #tasks: TaskNotes;
  readonly #tail: TextTail;
  readonly #graph = new GraphMatch();
  /** Lines are those of trace-cmd report, which has other headers and prints the latency format without one. */
  readonly #report: boolean;

  constructor(facts: ReaderFacts, report = false) {
    this.#facts = facts;
    this.#report = report;
    this.rows = new TextRows(facts);
    this.#text = new RecordText(facts.names, facts);
    this.#tasks = new TaskNotes(facts);
    this.#tail = new TextTail(facts.names);
  }

  /** Counts a line that is not read, because it cannot be a record. */
  skipLine(b: Buffer, from: number, reason: string): void {
    this.rows.line++;
    this.#facts.parseError(this.rows.line, b.toString('latin1', from, from + SHOWN), reason);
    this.rows.gap();
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
    while (!this.rows.full) {
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
        this.rows.line += this.#tail.lines;
        facts.count('continuation-lines', this.#tail.lines);
      }
    }
    this.rows.add(head, name, start, textEnd);
    return next;
  }

  /** Any line that does not begin like a record of an untouched tracefs file. Returns as {@link #add}. */
  #unusual(b: Buffer, at: number, feed: number, end: number, limit: number, final: boolean): number {
    const next = feed + 1;
    const first = b[at]!;
    if (at === end) {
      // 6.1 prints an empty line behind events whose format ends in a line feed.
      this.rows.line++;
      return next;
    }
    if (first === HASH) {
      this.rows.line++;
      this.#comment(b.toString('latin1', at, Math.min(end, at + 256)));
      return next;
    }
    if (first === BLANK && b[at + 1] === 61 && b[at + 2] === 62 && b[at + 3] === BLANK) {
      this.rows.line++;
      this.#facts.count('stack-lines');
      return next;
    }
    if (this.#header.functionGraph) return this.#graphLine(b, at, feed, end, limit, final);
    const head = this.#head;
    const latency = this.#latencyDash(b, at, end);
    if (latency >= 0) return this.#addBehind(b, at, latency, feed, end, limit, final);
    const dash = findHead(head, b, at, end);
    if (dash >= 0) return this.#addBehind(b, at, dash, feed, end, limit, final);
    this.rows.line++;
    this.#plain(b, at, end);
    return next;
  }

  /** The dash behind the comm of a line in the latency format, whose head is then read; -1 if it has none. */
  #latencyDash(b: Buffer, at: number, end: number): number {
    if (!this.#header.latency && !this.#report) return -1;
    // The kernel cuts a comm to 8 columns; of trace-cmd not every version does.
    const first = this.#report ? at + 1 : at + LATENCY_COMM_WIDTH;
    const last = this.#report ? at + COMM_WIDTH : first;
    for (let dash = first; dash <= last && dash < end; dash++) {
      if (b[dash] === DASH && this.#head.matchLatency(b, dash)) return dash;
    }
    return -1;
  }

  /** Adds the record whose head was read behind the comm that ends at `dash`. */
  #addBehind(
    b: Buffer,
    at: number,
    dash: number,
    feed: number,
    end: number,
    limit: number,
    final: boolean,
  ): number {
    let comm = at;
    while (b[comm] === BLANK) comm++;
    this.#tasks.bytes(b, comm, dash, this.#head.pid, this.#head.tgid);
    return this.#add(b, feed, end, limit, final);
  }

  #graphLine(b: Buffer, at: number, feed: number, end: number, limit: number, final: boolean): number {
    const kind = this.#graph.match(this.#head, b, at, end);
    if (kind === 'event') {
      this.#tasks.bytes(b, this.#graph.commStart, this.#graph.commEnd, this.#head.pid, -1);
      return this.#add(b, feed, this.#graph.end, limit, final);
    }
    this.rows.line++;
    this.#facts.count(kind === 'no event' ? 'function-lines' : 'function-graph-events');
    return feed + 1;
  }

  #comment(text: string): void {
    const started = /^##### CPU (\d+) buffer started ####/.exec(text);
    if (started) {
      this.rows.cpuStarted(cpuNumber(started[1]!));
      return;
    }
    this.#header.line(text, this.#head, this.#facts);
    this.#tail.latency = this.#header.latency;
    if (this.#header.fresh) {
      this.#header.fresh = false;
      this.rows.beginSegment();
    }
    this.rows.header(this.#header.cpus, this.#header.overwritten);
  }

  /** A line without time and task. */
  #plain(b: Buffer, at: number, end: number): void {
    const text = b.toString('latin1', at, Math.min(end, at + SHOWN));
    const lost = /^CPU:(\d+) \[(?:LOST (?:(\d+) )?EVENTS|(?:(\d+) )?EVENTS DROPPED)\]/.exec(text);
    if (lost) {
      const count = lost[2] ?? lost[3];
      this.rows.lost(cpuNumber(lost[1]!), count === undefined ? Number.NaN : Number(count));
      return;
    }
    if (/^\s*-+\s*$|^\s*\d+\)\s.* => /.test(text)) {
      this.#facts.count('separator-lines');
      return;
    }
    if (text.trim() === '' || (this.#report && this.#preamble(text))) return;
    if (/^\0+$/.test(text)) this.#facts.count('nul-bytes');
    else if (text.startsWith('[LINE TOO BIG]')) this.#facts.count('line-too-big');
    else if (text.startsWith('[FAILED TO PARSE]')) this.#facts.count('failed-to-parse');
    else this.#facts.parseError(this.rows.line, text, 'no task, CPU and time in front');
    this.rows.gap();
  }

  /** Lines of trace-cmd report that are no records: how many CPUs there are, which of them are empty. */
  #preamble(text: string): boolean {
    const cpus = /^cpus=(\d{1,5})\s*$/.exec(text);
    if (cpus) {
      this.#facts.cpusOnline ??= Number(cpus[1]);
      this.rows.header(cpuNumber(cpus[1]!), Number.NaN);
      return true;
    }
    if (!/^(version = \d+|CPU \d+ is empty|CPU:\d+ \[SUBBUFFER START\]|File: |trace-cmd: )/.test(text))
      return false;
    this.#facts.count('separator-lines');
    return true;
  }
}

/** A CPU's number; -1 for one that no kernel has. */
function cpuNumber(digits: string): number {
  const cpu = Number(digits);
  return cpu <= 0x7fff ? cpu : -1;
}
