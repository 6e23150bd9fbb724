/**
 * Short strings of bytes that a trace repeats a million times (event names, texts of page flags), numbered in
 * the order of their first occurrence and found again without making a string.
 */
const START_SLOTS = 256;
/** Strings made to collide are not looked for any further: whoever asks knows a slower way. */
const MAX_PROBES = 64;

let viewedBytes: Uint8Array | null = null;
let view: DataView = new DataView(new ArrayBuffer(0));

/** A view of these bytes. Readers stay on the same bytes for thousands of rows, so the last one is kept. */
export function viewOf(b: Uint8Array): DataView {
  if (b !== viewedBytes) {
    viewedBytes = b;
    view = new DataView(b.buffer, b.byteOffset, b.byteLength);
  }
  return view;
}

let wordedBytes: Uint8Array | null = null;
let words: Int32Array = new Int32Array(0);

/** These bytes by fours, in this machine's order; null if they do not begin at a multiple of four. Kept as by {@link viewOf}. */
export function wordsOf(b: Uint8Array): Int32Array | null {
  if (b.byteOffset & 3) return null;
  if (b !== wordedBytes) {
    wordedBytes = b;
    words = new Int32Array(b.buffer, b.byteOffset, b.byteLength >> 2);
  }
  return words;
}

/** A remembered string: its words of four bytes, the last of which overlaps where the length is odd. */
interface Entry {
  readonly length: number;
  readonly hash: number;
  readonly words: Int32Array;
}

export class ByteStrings {
  readonly #limit: number;
  readonly #entries: Entry[] = [];
  /** Open addressing by hash: number + 1, 0 empty. Half empty at least. */
  #slots = new Int32Array(START_SLOTS);

  /** Remembers up to `limit` strings. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Number of the string `b[from, to)`, or -1 if it is not known. */
  find(b: Uint8Array, from: number, to: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const bytes = viewOf(b);
    let slot = hash(bytes, from, to) & mask;
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const number = slots[slot]! - 1;
      if (number < 0 || same(this.#entries[number]!, bytes, from, to)) return number;
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  /** Adds a string that was not found; its number, or -1 if there is no more room. */
  add(b: Uint8Array, from: number, to: number): number {
    if (this.#entries.length >= this.#limit) return -1;
    const bytes = viewOf(b);
    const words: number[] = [];
    for (let p = from; p + 4 < to; p += 4) words.push(bytes.getInt32(p, true));
    words.push(lastWord(bytes, from, to));
    const entry = { length: to - from, hash: hash(bytes, from, to), words: Int32Array.from(words) };
    const number = this.#entries.push(entry) - 1;
    if (this.#entries.length * 2 > this.#slots.length) {
      this.#slots = new Int32Array(this.#slots.length * 2);
      for (let n = 0; n < number; n++) this.#place(n);
    }
    this.#place(number);
    return number;
  }

  #place(number: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#entries[number]!.hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = number + 1;
  }
}

/** The last four bytes, or all bytes of a string that is shorter. */
function lastWord(bytes: DataView, from: number, to: number): number {
  if (to - from >= 4) return bytes.getInt32(to - 4, true);
  let word = 0;
  for (let p = from; p < to; p++) word = (word << 8) | bytes.getUint8(p);
  return word;
}

/** Looks at twelve bytes of the string, which tells names apart whatever their length. */
function hash(bytes: DataView, from: number, to: number): number {
  const length = to - from;
  const last = lastWord(bytes, from, to);
  let mixed = Math.imul(last ^ length, 0x9e3779b1);
  if (length > 4) {
    mixed ^= Math.imul(bytes.getInt32(from, true), 0x85ebca6b);
    mixed ^= Math.imul(bytes.getInt32(from + ((length - 4) >> 1), true), 0xc2b2ae35);
  }
  return mixed ^ (mixed >>> 15);
}

function same(entry: Entry, bytes: DataView, from: number, to: number): boolean {
  if (entry.length !== to - from) return false;
  const words = entry.words;
  const last = words.length - 1;
  let p = from;
  for (let w = 0; w < last; w++) {
    if (bytes.getInt32(p, true) !== words[w]) return false;
    p += 4;
  }
  return lastWord(bytes, from, to) === words[last];
}
