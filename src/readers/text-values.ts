/**
 * Values in the text of a record, read by byte into the columns of FieldValues. Each function reads the value
 * of field `i` at `p` and returns where it ends: at a blank, comma, closing bracket or the end of the text.
 */
import {
  FIELD_HASHED,
  FIELD_OK,
  FIELD_UNREADABLE,
  type FieldForm,
  type FieldValues,
} from '../core/fields.ts';
import { PageFlagTexts } from './page-flag-texts.ts';

const BLANK = 32;
const OPEN = 40;
const MINUS = 45;
const ZERO = 48;
const UPPER_B = 66;
const LOWER_X = 120;
const TWO_32 = 4294967296;

/** 1 for bytes that end a number. */
const ENDS = new Uint8Array(256);
for (const c of ' \t\n\r,)}') ENDS[c.charCodeAt(0)] = 1;

/** Value of a hexadecimal digit; -1 for other bytes. */
const HEX = new Int8Array(256).fill(-1);
for (let d = 0; d < 16; d++) {
  HEX[d.toString(16).charCodeAt(0)] = d;
  HEX[d.toString(16).toUpperCase().charCodeAt(0)] = d;
}

const flagTexts = new PageFlagTexts();

function ends(c: number | undefined): boolean {
  return c === undefined || ENDS[c] === 1;
}

/** Marks field `i` as unreadable and skips to the next blank. */
function unreadable(b: Uint8Array, p: number, end: number, into: FieldValues, i: number): number {
  into.state[i] = FIELD_UNREADABLE;
  let at = p;
  while (at < end && b[at] !== BLANK) at++;
  return at;
}

/** Hexadecimal digits, at most 16, without `0x`. */
function digits16(b: Uint8Array, from: number, end: number, into: FieldValues, i: number): number {
  let p = from;
  let d = HEX[b[p]!]!;
  let first = 0;
  const half = from + 8;
  while (d >= 0 && p < half) {
    first = (first << 4) | d;
    d = HEX[b[++p]!]!;
  }
  if (d < 0) {
    if (p === from || !ends(b[p])) return unreadable(b, p, end, into, i);
    into.lo[i] = first;
    into.hi[i] = 0;
    into.state[i] = FIELD_OK;
    return p;
  }
  let second = 0;
  const full = from + 16;
  while (d >= 0 && p < full) {
    second = (second << 4) | d;
    d = HEX[b[++p]!]!;
  }
  if (d >= 0 || !ends(b[p])) return unreadable(b, p, end, into, i);
  const more = (p - half) * 4;
  if (more === 32) {
    into.hi[i] = first;
    into.lo[i] = second;
  } else {
    into.hi[i] = first >>> (32 - more);
    into.lo[i] = (first << more) | second;
  }
  into.state[i] = FIELD_OK;
  return p;
}

/** `-12`, `0x1f`, `8192B`. */
export function readInt(b: Uint8Array, from: number, end: number, into: FieldValues, i: number): number {
  let p = from;
  let c = b[p]!;
  if (c === ZERO && b[p + 1] === LOWER_X) return digits16(b, p + 2, end, into, i);
  const negative = c === MINUS;
  if (negative) c = b[++p]!;
  const digitsAt = p;
  let value = 0;
  while (c >= 48 && c <= 57) {
    value = value * 10 + (c - 48);
    c = b[++p]!;
  }
  const count = p - digitsAt;
  if (c === UPPER_B && count > 0) c = b[++p]!;
  if (count === 0 || !ends(c)) return unreadable(b, p, end, into, i);
  if (count > 15) return wide(b, digitsAt, count, negative, p, end, into, i);
  let lo = value | 0;
  let hi = value > 0x7fffffff ? Math.floor(value / TWO_32) | 0 : 0;
  if (negative) {
    hi = lo === 0 ? -hi : ~hi;
    lo = -lo | 0;
  }
  into.lo[i] = lo;
  into.hi[i] = hi;
  into.state[i] = FIELD_OK;
  return p;
}

/** A decimal number that a double may not hold. */
function wide(
  b: Uint8Array,
  from: number,
  count: number,
  negative: boolean,
  next: number,
  end: number,
  into: FieldValues,
  i: number,
): number {
  if (count > 20) return unreadable(b, from, end, into, i);
  let value = 0n;
  for (let p = from; p < from + count; p++) value = value * 10n + BigInt(b[p]! - 48);
  if (value >= 1n << 64n) return unreadable(b, from, end, into, i);
  if (negative) value = -value;
  into.lo[i] = Number(BigInt.asIntN(32, value));
  into.hi[i] = Number(BigInt.asIntN(32, value >> 32n));
  into.state[i] = FIELD_OK;
  return next;
}

/**
 * Page flags by tools that do not know the bits behind the names: all names stand for bit 0, so that it has the
 * first name and the others are a number.
 */
const FLAG_WORDS = ['none', 'locked', 'locked|0x'].map((word) => Buffer.from(word));

/** Hexadecimal with or without `0x`. */
export function readHex(b: Uint8Array, p: number, end: number, into: FieldValues, i: number): number {
  if (b[p] === ZERO && b[p + 1] === LOWER_X) return digits16(b, p + 2, end, into, i);
  for (const word of FLAG_WORDS) {
    if (b[p] !== word[0] || !word.every((c, at) => b[p + at] === c)) continue;
    const behind = p + word.length;
    if (word.length === 9) {
      const next = digits16(b, behind, end, into, i);
      into.lo[i]! |= 1;
      return next;
    }
    if (behind < end && !ends(b[behind])) continue;
    into.lo[i] = word.length === 4 ? 0 : 1;
    into.hi[i] = 0;
    into.state[i] = FIELD_OK;
    return behind;
  }
  return digits16(b, p, end, into, i);
}

/**
 * A pointer: raw behind `0x`; as `%p` prints it otherwise, where 16 digits of which only the lower eight are
 * set are a hash. `(nil)` and `(null)` are null pointers of other printers.
 */
export function readPointer(b: Uint8Array, p: number, end: number, into: FieldValues, i: number): number {
  if (b[p] === ZERO && b[p + 1] === LOWER_X) return digits16(b, p + 2, end, into, i);
  if (b[p] === OPEN && b[p + 1] === 110) {
    const next = unreadable(b, p, end, into, i);
    if ((next - p === 5 && b[p + 2] === 105) || (next - p === 6 && b[p + 2] === 117)) {
      into.lo[i] = 0;
      into.hi[i] = 0;
      into.state[i] = FIELD_OK;
    }
    return next;
  }
  const next = digits16(b, p, end, into, i);
  if (into.state[i] !== FIELD_OK) return next;
  // 32-bit kernels print eight digits, hashed or not: nobody can tell.
  if (next - p === 8) into.state[i] = FIELD_HASHED;
  else if (next - p !== 16) into.state[i] = FIELD_UNREADABLE;
  else if (into.hi[i] === 0 && into.lo[i] !== 0) into.state[i] = FIELD_HASHED;
  return next;
}

/** The low two bits of a page's mapping, or 4 for none. */
export function readAnonBits(b: Uint8Array, p: number, end: number, into: FieldValues, i: number): number {
  const next = readPointer(b, p, end, into, i);
  // A KSM page before it has a stable node prints as 0000000000000003: no hash, the low bits alone.
  if (into.state[i] === FIELD_HASHED && into.hi[i] === 0 && into.lo[i]! >>> 0 <= 3) into.state[i] = FIELD_OK;
  if (into.state[i] !== FIELD_OK) return next;
  into.lo[i] = into.hi[i] === 0 && into.lo[i] === 0 ? 4 : into.lo[i]! & 3;
  into.hi[i] = 0;
  return next;
}

/** Page flag names joined by `|`. A number in their place is unreadable: its bits differ by kernel. */
export function readPageFlags(b: Uint8Array, p: number, end: number, into: FieldValues, i: number): number {
  const next = flagTexts.read(b, p, end);
  into.lo[i] = flagTexts.flags;
  into.hi[i] = 0;
  into.state[i] = flagTexts.readable ? FIELD_OK : FIELD_UNREADABLE;
  return next;
}

/** Reads the value in `b[p, end)`, whose end is known, by its form. */
export function readValue(
  form: FieldForm,
  b: Uint8Array,
  p: number,
  end: number,
  into: FieldValues,
  i: number,
): void {
  switch (form) {
    case 'int':
      readInt(b, p, end, into, i);
      return;
    case 'hex':
      readHex(b, p, end, into, i);
      return;
    case 'ptr':
      readPointer(b, p, end, into, i);
      return;
    case 'pageflags':
      readPageFlags(b, p, end, into, i);
      return;
    case 'anonbits':
      readAnonBits(b, p, end, into, i);
      return;
    case 'bytes':
      into.start[i] = p;
      into.end[i] = end;
      into.state[i] = FIELD_OK;
      return;
  }
}
