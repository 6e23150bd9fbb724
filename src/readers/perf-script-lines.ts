import type { ReaderFacts } from './facts.ts';
import { decimal } from './line-head.ts';
import { TaskNotes } from './task-notes.ts';
import { type RecordHead, TextRows } from './text-rows.ts';
import type { TextBlock, TextLines } from './text-trace.ts';

const LINE_FEED = 10;
const RETURN = 13;
const TAB = 9;
const BLANK = 32;
const HASH = 35;
const DOT = 46;
const SLASH = 47;
const COLON = 58;
const BRACKET = 91;
const BRACKET_END = 93;

/** Bytes of a line that are kept for a message. */
const SHOWN = 160;
/** The stamp stands within so many bytes of a line. */
const HEAD_BYTES = 200;

function isDigit(c: number | undefined): boolean {
  return c !== undefined && c >= 48 && c <= 57;
}

/** Bytes of names: letters, digits, `_`, `-`, and for events `.`. */
const NAME_BYTES = new Uint8Array(256);
for (let c = 0; c < 256; c++) if (/[\w.-]/.test(String.fromCharCode(c))) NAME_BYTES[c] = 1;

/**
 * The head of a line of perf script: `comm tid [cpu] time: sys:event: text`, with `pid/tid`, without the CPU, with
 * a period in front of the event, as the fields that were asked for.
 */
class PerfHead implements RecordHead {
  /** The thread. */
  pid = 0;
  /** -1: not told. */
  tgid = -1;
  cpu = -1;
  readonly ctx = 0;
  high = 0;
  low = 0;
  decimals = 0;
  commStart = 0;
  commEnd = 0;
  nameStart = 0;
  nameEnd = 0;
  payload = 0;
  /** The stamp is followed by this word and no event: `PERF_RECORD_LOST`. */
  word = '';

  /**
   * Finds the head of the line `b[from, end)`. A comm may hold anything; but its 15 bytes cannot hold a thread, a
   * stamp and an event, so the first place that has all of them is the right one.
   */
  match(b: Buffer, from: number, end: number): boolean {
    const bound = Math.min(end, from + HEAD_BYTES);
    for (let dot = b.indexOf(DOT, from); dot >= 0 && dot < bound; dot = b.indexOf(DOT, dot + 1)) {
      if (isDigit(b[dot - 1]) && this.#at(b, from, dot, end)) return true;
    }
    return false;
  }

  #at(b: Buffer, from: number, dot: number, end: number): boolean {
    let start = dot;
    while (start > from && isDigit(b[start - 1])) start--;
    let p = dot + 1;
    while (p < end && isDigit(b[p])) p++;
    const decimals = p - dot - 1;
    if ((decimals !== 6 && decimals !== 9) || b[p] !== COLON || dot - start > 15) return false;
    if (!this.#event(b, p + 1, end)) return false;
    if (!this.#task(b, from, start)) return false;
    this.high = decimal(b, start, dot);
    this.low = decimal(b, dot + 1, p) * (decimals === 6 ? 1000 : 1);
    this.decimals = decimals;
    return true;
  }

  /** ` 1 kmem:kfree: ` behind the stamp. */
  #event(b: Buffer, at: number, end: number): boolean {
    let p = skipBlanks(b, at, end);
    if (isDigit(b[p])) {
      const behind = skipDigits(b, p, end);
      if (b[behind] === BLANK) p = skipBlanks(b, behind, end);
    }
    const system = p;
    while (p < end && NAME_BYTES[b[p]!] === 1) p++;
    this.word = '';
    if (p === system) return false;
    if (b[p] !== COLON) {
      this.word = b.toString('latin1', system, p);
      this.payload = p;
      return this.word.startsWith('PERF_RECORD_');
    }
    this.nameStart = ++p;
    while (p < end && NAME_BYTES[b[p]!] === 1) p++;
    this.nameEnd = p;
    // Modifiers of the event: `sys:ev/call-graph=no/:`.
    if (b[p] === SLASH) {
      p = b.indexOf(SLASH, p + 1) + 1;
      if (p === 0 || p > end) return false;
    }
    if (this.nameEnd === this.nameStart || b[p] !== COLON) return false;
    this.payload = skipBlanks(b, p + 1, end);
    return true;
  }

  /** `comm tid [cpu] ` in front of the stamp, read backwards. */
  #task(b: Buffer, from: number, stamp: number): boolean {
    let p = backBlanks(b, from, stamp);
    // A word of flags, where they were asked for.
    if (b[p - 1] !== BRACKET_END && !isDigit(b[p - 1])) {
      const word = p;
      while (p > from && b[p - 1] !== BLANK) p--;
      if (word - p > 8) return false;
      p = backBlanks(b, from, p);
    }
    this.cpu = -1;
    if (b[p - 1] === BRACKET_END) {
      const close = --p;
      while (p > from && isDigit(b[p - 1])) p--;
      if (p === close || close - p > 5 || b[p - 1] !== BRACKET) return false;
      const cpu = decimal(b, p, close);
      if (cpu > 0x7fff) return false;
      this.cpu = cpu;
      p = backBlanks(b, from, p - 1);
    }
    const last = p;
    while (p > from && isDigit(b[p - 1])) p--;
    if (p === last || last - p > 10) return false;
    this.pid = decimal(b, p, last);
    this.tgid = -1;
    if (b[p - 1] === SLASH) {
      const slash = --p;
      while (p > from && isDigit(b[p - 1])) p--;
      if (p === slash || slash - p > 10) return false;
      this.tgid = decimal(b, p, slash);
    }
    if (p > from && b[p - 1] === 45) {
      // The thread of a record without one is -1.
      p--;
      this.pid = -1;
      this.tgid = -1;
    }
    if (p > from && b[p - 1] !== BLANK) return false;
    if (this.pid > 0x7fffffff) return false;
    this.commEnd = backBlanks(b, from, p);
    this.commStart = skipBlanks(b, from, this.commEnd);
    return true;
  }
}

function skipBlanks(b: Buffer, from: number, end: number): number {
  let p = from;
  while (p < end && b[p] === BLANK) p++;
  return p;
}

function skipDigits(b: Buffer, from: number, end: number): number {
  let p = from;
  while (p < end && isDigit(b[p])) p++;
  return p;
}

function backBlanks(b: Buffer, from: number, at: number): number {
  let p = at;
  while (p > from && b[p - 1] === BLANK) p--;
  return p;
}

/**
 * End of a record's text: with the field `ip`, an address and its symbol stand on the same line behind it
 * (`name=filp ffffffff815d1d4e [unknown]`).
 */
function behindText(b: Buffer, from: number, end: number): number {
  let p = end;
  while (p > from && b[p - 1] !== BLANK) p--;
  const address = p - 1;
  p = address;
  while (p > from && isHex(b[p - 1]!)) p--;
  return address - p >= 8 && b[p - 1] === BLANK ? backBlanks(b, from, p) : end;
}

function isHex(c: number): boolean {
  return (c >= 48 && c <= 57) || (c >= 97 && c <= 102);
}

/** Turns the lines of perf script into rows. */
export class PerfScriptLines implements TextLines {
  readonly rows: TextRows;
  readonly #facts: ReaderFacts;
  readonly #head = new PerfHead();
  readonly #tasks: TaskNotes;

  constructor(facts: ReaderFacts) {
    this.#facts = facts;
    this.rows = new TextRows(facts);
    this.#tasks = new TaskNotes(facts);
  }

  skipLine(b: Buffer, from: number, reason: string): void {
    this.rows.line++;
    this.#facts.parseError(this.rows.line, b.toString('latin1', from, from + SHOWN), reason);
    this.rows.gap();
  }

  parse(block: TextBlock, from: number, limit: number, maxLine: number): number {
    const b = block.bytes;
    const head = this.#head;
    let at = from;
    while (!this.rows.full) {
      const feed = b.indexOf(LINE_FEED, at);
      if (feed >= limit) break;
      const end = feed > at && b[feed - 1] === RETURN ? feed - 1 : feed;
      if (feed - at > maxLine) this.skipLine(b, at, 'longer than any line of a trace');
      else if (end === at || b[at] === HASH) this.rows.line++;
      else if (head.match(b, at, end)) this.#record(b, end);
      else this.#other(b, at, end);
      at = feed + 1;
    }
    return at;
  }

  #record(b: Buffer, end: number): void {
    const head = this.#head;
    if (head.word !== '') {
      this.rows.line++;
      // `PERF_RECORD_LOST lost 77`, with --show-lost-events.
      const lost = /^ lost (\d+)/.exec(b.toString('latin1', head.payload, Math.min(end, head.payload + 32)));
      if (head.word.startsWith('PERF_RECORD_LOST'))
        this.rows.lost(head.cpu, lost ? Number(lost[1]) : Number.NaN);
      else this.#facts.count('separator-lines');
      return;
    }
    this.#tasks.bytes(b, head.commStart, head.commEnd, head.pid, head.tgid);
    const name = this.#facts.names.idOfBytes(b, head.nameStart, head.nameEnd);
    this.rows.add(head, name, head.payload, behindText(b, head.payload, end));
  }

  /** A line of a call chain, or one that is nothing. */
  #other(b: Buffer, at: number, end: number): void {
    this.rows.line++;
    if (
      (b[at] === TAB || b[at] === BLANK) &&
      /^\s+[0-9a-f]{1,16} /.test(b.toString('latin1', at, Math.min(end, at + 40)))
    ) {
      this.#facts.count('stack-lines');
      return;
    }
    const text = b.toString('latin1', at, Math.min(end, at + SHOWN));
    if (text.trim() === '') return;
    this.#facts.parseError(this.rows.line, text, 'no task, time and event in front');
    this.rows.gap();
  }
}
