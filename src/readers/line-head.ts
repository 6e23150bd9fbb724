import {
  CTX_HARDIRQ,
  CTX_IRQS_OFF,
  CTX_KNOWN,
  CTX_NMI,
  CTX_PREEMPT_SHIFT,
  CTX_SOFTIRQ,
} from '../core/records.ts';

const TAB = 9;
const BLANK = 32;
const OPEN = 40;
const CLOSE = 41;
const DASH = 45;
const DOT = 46;
const COLON = 58;
const BRACKET = 91;
const BRACKET_END = 93;

/** Bytes that stand in front of the dash of an untouched tracefs line: comm is printed as `%16s`. */
export const COMM_WIDTH = 16;
/** The same in the latency format, which cuts comm. */
export const LATENCY_COMM_WIDTH = 8;

/** CTX_* bits by character of the first, third and fourth position of the flags column. */
const IRQ_BITS = new Uint16Array(256);
const CONTEXT_BITS = new Uint16Array(256);
const PREEMPT_BITS = new Uint16Array(256);
/** 1 for the characters that flags are made of. */
const FLAG_CHARACTER = new Uint8Array(256);

function fillTables(): void {
  for (const c of 'dD') IRQ_BITS[c.charCodeAt(0)] = CTX_IRQS_OFF;
  CONTEXT_BITS['h'.charCodeAt(0)] = CTX_HARDIRQ;
  CONTEXT_BITS['H'.charCodeAt(0)] = CTX_HARDIRQ | CTX_SOFTIRQ;
  CONTEXT_BITS['s'.charCodeAt(0)] = CTX_SOFTIRQ;
  CONTEXT_BITS['z'.charCodeAt(0)] = CTX_NMI;
  CONTEXT_BITS['Z'.charCodeAt(0)] = CTX_NMI | CTX_HARDIRQ;
  for (let depth = 0; depth < 16; depth++) {
    PREEMPT_BITS[depth.toString(16).charCodeAt(0)] = depth << CTX_PREEMPT_SHIFT;
  }
  for (let c = 0; c < 256; c++) {
    if (/[.A-Za-z0-9]/.test(String.fromCharCode(c))) FLAG_CHARACTER[c] = 1;
  }
}
fillTables();

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

/**
 * What stands in front of the payload of a line, from the dash between comm and pid on:
 * `-1       (      1) [001] ...1.    79.433759: `. Bytes behind the input must be readable (a buffer with
 * slack behind a line feed), since no length is checked: a line feed matches nothing here.
 */
export class LineHead {
  pid = 0;
  /** -1: not told. */
  tgid = -1;
  cpu = 0;
  /** CTX_* bits. */
  ctx = 0;
  /** The stamp is `high * 1e9 + low`: seconds and nanoseconds, or a raw number cut at the ninth digit. */
  high = 0;
  low = 0;
  /** Decimals of the stamp: 6, 9, or 0 where the clock is not in ns. */
  decimals = 0;
  /** First byte of the payload. */
  payload = 0;
  /** Positions in the flags column; a realtime kernel has more columns, its header tells. */
  contextColumn = 2;
  preemptColumn = 3;

  /** Reads the head whose dash stands at `dash`; false if there is none. */
  match(b: Uint8Array, dash: number): boolean {
    let p = dash + 1;
    let c = b[p]!;
    let sign = 1;
    if (c === DASH) {
      sign = -1;
      c = b[++p]!;
    }
    if (!isDigit(c)) return false;
    let pid = 0;
    do {
      pid = pid * 10 + c - 48;
      c = b[++p]!;
    } while (isDigit(c));
    if (pid > 0x7fffffff || (c !== BLANK && c !== TAB)) return false;
    do c = b[++p]!;
    while (c === BLANK || c === TAB);
    this.tgid = -1;
    if (c === OPEN) {
      do c = b[++p]!;
      while (c === BLANK);
      if (c === DASH) {
        do c = b[++p]!;
        while (c === DASH);
      } else {
        if (!isDigit(c)) return false;
        let tgid = 0;
        do {
          tgid = tgid * 10 + c - 48;
          c = b[++p]!;
        } while (isDigit(c));
        if (tgid > 0x7fffffff) return false;
        this.tgid = tgid;
      }
      if (c !== CLOSE) return false;
      do c = b[++p]!;
      while (c === BLANK || c === TAB);
    }
    if (c !== BRACKET) return false;
    let cpu = 0;
    const cpuAt = ++p;
    c = b[p]!;
    while (isDigit(c)) {
      cpu = cpu * 10 + c - 48;
      c = b[++p]!;
    }
    if (c !== BRACKET_END || p === cpuAt || cpu > 0x7fff) return false;
    do c = b[++p]!;
    while (c === BLANK || c === TAB);
    this.pid = pid * sign;
    this.cpu = cpu;
    this.ctx = 0;
    if (!isDigit(c)) {
      p = this.#flags(b, p);
      if (p < 0) return false;
      c = b[p]!;
    }
    p = this.#stamp(b, p);
    if (p < 0 || b[p] !== COLON) return false;
    return this.#payload(b, p + 1);
  }

  /**
   * Reads a head of the latency format, where the flags stick to the CPU: `-1         1...1. 671562476: `,
   * `-1977    0d..2.   12us+: `.
   */
  matchLatency(b: Uint8Array, dash: number): boolean {
    let p = dash + 1;
    let c = b[p]!;
    if (!isDigit(c)) return false;
    let pid = 0;
    while (isDigit(c)) {
      pid = pid * 10 + c - 48;
      c = b[++p]!;
    }
    if (pid > 0x7fffffff || c !== BLANK) return false;
    while (c === BLANK) c = b[++p]!;
    let cpu = 0;
    const cpuAt = p;
    while (isDigit(c)) {
      cpu = cpu * 10 + c - 48;
      c = b[++p]!;
    }
    if (p === cpuAt || cpu > 0x7fff) return false;
    this.pid = pid;
    this.tgid = -1;
    this.cpu = cpu;
    p = this.#flags(b, p);
    if (p < 0) return false;
    p = this.#stamp(b, p);
    if (p < 0) return false;
    if (b[p] === 117 && b[p + 1] === 115) {
      // Microseconds since the start of the trace, and a mark for a long delay behind.
      p += 2;
      const us = this.high * 1e9 + this.low;
      this.high = Math.floor(us / 1e6);
      this.low = (us - this.high * 1e6) * 1000;
      this.decimals = 6;
      if (b[p] !== COLON) p++;
    }
    if (b[p] !== COLON) return false;
    return this.#payload(b, p + 1);
  }

  /** Reads 3 to 8 flags and the blanks behind them; -1 if there are none. */
  #flags(b: Uint8Array, at: number): number {
    let p = at;
    while (FLAG_CHARACTER[b[p]!] === 1) p++;
    const width = p - at;
    if (width < 3 || width > 8 || b[p] !== BLANK) return -1;
    this.ctx =
      CTX_KNOWN |
      IRQ_BITS[b[at]!]! |
      CONTEXT_BITS[b[at + this.contextColumn]!]! |
      PREEMPT_BITS[b[at + this.preemptColumn]!]!;
    do p++;
    while (b[p] === BLANK);
    return p;
  }

  /** Reads `seconds.fraction` or a whole number; -1 if there is none. */
  #stamp(b: Uint8Array, at: number): number {
    let p = at;
    let c = b[p]!;
    let value = 0;
    while (isDigit(c)) {
      value = value * 10 + c - 48;
      c = b[++p]!;
    }
    const digits = p - at;
    if (digits === 0 || digits > 20) return -1;
    if (c !== DOT) {
      this.decimals = 0;
      if (digits <= 15) {
        this.high = Math.floor(value / 1e9);
        this.low = value - this.high * 1e9;
      } else {
        this.high = decimal(b, at, p - 9);
        this.low = decimal(b, p - 9, p);
      }
      return p;
    }
    const fractionAt = ++p;
    let fraction = 0;
    c = b[p]!;
    while (isDigit(c)) {
      fraction = fraction * 10 + c - 48;
      c = b[++p]!;
    }
    const decimals = p - fractionAt;
    if (digits > 15) return -1;
    this.decimals = decimals;
    this.high = value;
    if (decimals === 6) this.low = fraction * 1000;
    else if (decimals === 9) this.low = fraction;
    else return -1;
    return p;
  }

  /** A blank or the end of the line must follow the colon. */
  #payload(b: Uint8Array, at: number): boolean {
    let p = at;
    const c = b[p]!;
    if (c !== BLANK && c !== 10 && c !== 13) return false;
    while (b[p] === BLANK) p++;
    this.payload = p;
    return true;
  }
}

/** The decimal number in `b[from, to)`, at most 15 digits. */
export function decimal(b: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let p = from; p < to; p++) value = value * 10 + b[p]! - 48;
  return value;
}

/**
 * Finds the dash of a line whose comm is not 16 wide (blanks stripped by a mail client, other tools) and
 * reads the head behind it: the last candidate among those whose comm is at most 15 bytes and whose stamp
 * has a decimal point, else the first that matches. With a clock that is not in ns a comm like
 * `x-1 [000] 5: e:` cannot be told from a head, so the first is taken only if it is the only one.
 * -1 if there is none.
 */
export function findHead(head: LineHead, b: Uint8Array, from: number, end: number): number {
  let text = from;
  while (text < end && (b[text] === BLANK || b[text] === TAB)) text++;
  let first = -1;
  let last = -1;
  let matches = 0;
  for (let p = text; p < end && matches < 8; p++) {
    if (b[p] !== DASH || !isDigit(b[p + 1]!) || !head.match(b, p)) continue;
    if (head.payload > end + 1) continue;
    matches++;
    if (first < 0) first = p;
    if (p - text <= 15 && head.decimals > 0) last = p;
  }
  const dash = last >= 0 ? last : first;
  if (dash < 0) return -1;
  head.match(b, dash);
  return head.decimals === 0 && matches > 1 ? -1 : dash;
}
