import { FIELD_ABSENT, FIELD_OK, type FieldForm, type FieldSpec, type FieldValues } from '../core/fields.ts';
import { behindLocation, type Token } from './text-tokens.ts';
import { readAnonBits, readHex, readInt, readPageFlags, readPointer } from './text-values.ts';

const BLANK = 32;
const OPEN = 40;
const CLOSE = 41;

const SKIP = 0;
const INT = 1;
const HEX = 2;
const POINTER = 3;
const PAGE_FLAGS = 4;
const ANON_BITS = 5;
const BYTES = 6;
const FORM_CODES: Readonly<Record<FieldForm, number>> = {
  int: INT,
  hex: HEX,
  ptr: POINTER,
  pageflags: PAGE_FLAGS,
  anonbits: ANON_BITS,
  bytes: BYTES,
};

/** Keys are compared by words of four bytes, up to this many bytes. */
const MAX_KEY = 32;

/** One way in which the text of an event is laid out: which key follows which. */
export class TextPlan {
  readonly #steps: number;
  readonly #form: Uint8Array;
  /** Position among the wanted fields. */
  readonly #field: Int32Array;
  /** Bytes of `key=`, and where its words begin in {@link #words}. */
  readonly #keyBytes: Int32Array;
  readonly #wordAt: Int32Array;
  readonly #words: Int32Array;
  /** Bits of the last word of a key that belong to it. */
  readonly #lastMask: Int32Array;
  /** Wanted fields that texts of this layout do not have. */
  readonly #absent: Int32Array;
  /** Nothing may follow the last step, since what follows might be a wanted field. */
  readonly #complete: boolean;
  /** Bytes of the location of the record before, which is a good guess for this one. */
  #location: number;

  constructor(
    keys: readonly Buffer[],
    forms: readonly number[],
    fields: readonly number[],
    absent: readonly number[],
    complete: boolean,
    location: number,
  ) {
    this.#steps = keys.length;
    this.#form = Uint8Array.from(forms);
    this.#field = Int32Array.from(fields);
    this.#absent = Int32Array.from(absent);
    this.#complete = complete;
    this.#location = location;
    this.#keyBytes = Int32Array.from(keys, (key) => key.length);
    this.#wordAt = new Int32Array(keys.length + 1);
    this.#lastMask = new Int32Array(keys.length);
    const words: number[] = [];
    for (const [k, key] of keys.entries()) {
      const padded = Buffer.alloc(Math.ceil(key.length / 4) * 4);
      key.copy(padded);
      for (let w = 0; w < padded.length; w += 4) words.push(padded.readInt32LE(w));
      this.#wordAt[k + 1] = words.length;
      const rest = key.length & 3;
      this.#lastMask[k] = rest === 0 ? -1 : (1 << (rest * 8)) - 1;
    }
    this.#words = Int32Array.from(words);
  }

  /** Reads a text of this layout; false, with fields in no particular state, if the text has another. */
  run(b: Uint8Array, bytes: DataView, from: number, end: number, into: FieldValues): boolean {
    // Words are read across the end of a key: keep away from the end of the buffer.
    const limit = bytes.byteLength - MAX_KEY;
    let p = from;
    if (this.#location > 0) {
      p = from + this.#location;
      if (p > end || b[from] !== OPEN || b[p - 2] !== CLOSE || !this.#hasKey(bytes, p, 0, limit)) {
        p = behindLocation(b, from, end);
        this.#location = p - from;
      }
    }
    const steps = this.#steps;
    for (let k = 0; k < steps; k++) {
      if (!this.#hasKey(bytes, p, k, limit)) return false;
      p += this.#keyBytes[k]!;
      if (p > end) return false;
      const field = this.#field[k]!;
      switch (this.#form[k]) {
        case INT:
          p = readInt(b, p, end, into, field);
          break;
        case HEX:
          p = readHex(b, p, end, into, field);
          break;
        case POINTER:
          p = readPointer(b, p, end, into, field);
          break;
        case PAGE_FLAGS:
          p = readPageFlags(b, p, end, into, field);
          break;
        case ANON_BITS:
          p = readAnonBits(b, p, end, into, field);
          break;
        case BYTES: {
          const stop =
            k + 1 < steps ? this.#nextKey(b, bytes, p, end, k + 1, limit) : this.#complete ? end : -1;
          if (stop < 0) return false;
          into.start[field] = p;
          into.end[field] = stop;
          into.state[field] = FIELD_OK;
          p = stop;
          break;
        }
        default:
          while (p < end && b[p] !== BLANK) p++;
      }
      if (k + 1 < steps) {
        if (b[p] !== BLANK) return false;
        p++;
      }
    }
    if (this.#complete) {
      while (p < end && b[p] === BLANK) p++;
      if (p < end) return false;
    } else if (p < end && b[p] !== BLANK) return false;
    const absent = this.#absent;
    for (let k = 0; k < absent.length; k++) into.state[absent[k]!] = FIELD_ABSENT;
    return true;
  }

  #hasKey(bytes: DataView, at: number, k: number, limit: number): boolean {
    if (at > limit) return false;
    const words = this.#words;
    const last = this.#wordAt[k + 1]! - 1;
    let p = at;
    for (let w = this.#wordAt[k]!; w < last; w++) {
      if (bytes.getInt32(p, true) !== words[w]) return false;
      p += 4;
    }
    return ((bytes.getInt32(p, true) ^ words[last]!) & this.#lastMask[k]!) === 0;
  }

  /** The blank in front of the next occurrence of key `k`, or -1. */
  #nextKey(b: Uint8Array, bytes: DataView, from: number, end: number, k: number, limit: number): number {
    for (let p = from; p < end; p++) if (b[p] === BLANK && this.#hasKey(bytes, p + 1, k, limit)) return p;
    return -1;
  }
}

/** The layout of a text that was read in the careful way, or null if texts like it cannot be planned. */
export function learnPlan(
  b: Buffer,
  from: number,
  first: number,
  found: readonly Token[],
  specs: readonly FieldSpec[],
  keyed: readonly number[],
): TextPlan | null {
  const wanted = new Map<string, number>();
  for (const i of keyed) {
    // Two readings of one key, or one key twice in the text: rare enough for the careful way.
    if (wanted.has(specs[i]!.key)) return null;
    wanted.set(specs[i]!.key, i);
  }
  if (new Set(found.map((token) => token.key)).size !== found.length) return null;
  const missing = new Set(keyed);
  const keys: Buffer[] = [];
  const forms: number[] = [];
  const fields: number[] = [];
  let at = first;
  for (const token of found) {
    if (missing.size === 0) break;
    if (token.keyStart !== at || token.start - at > MAX_KEY) return null;
    const field = wanted.get(token.key);
    keys.push(Buffer.from(b.subarray(at, token.start)));
    forms.push(field === undefined ? SKIP : FORM_CODES[specs[field]!.form]);
    fields.push(field ?? 0);
    if (field !== undefined) missing.delete(field);
    at = token.end + 1;
  }
  if (keys.length === 0) return null;
  const complete = missing.size > 0 || forms.at(-1) === BYTES;
  return new TextPlan(keys, forms, fields, [...missing], complete, first - from);
}
