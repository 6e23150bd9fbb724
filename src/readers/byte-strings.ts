/**
 * Short strings of bytes that a trace repeats a million times (event names, texts of page flags), numbered in
 * the order of their first occurrence and found again without making a string.
 */
const START_SLOTS = 256;
/** Strings made to collide are not looked for any further: whoever asks knows a slower way. */
const MAX_PROBES = 64;

export class ByteStrings {
  /** The strings, by number. */
  readonly all: Uint8Array[] = [];
  readonly #limit: number;
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
    let slot = hash(b, from, to) & mask;
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const number = slots[slot]! - 1;
      if (number < 0 || same(this.all[number]!, b, from, to)) return number;
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  /** Adds a string that was not found; its number, or -1 if there is no more room. */
  add(b: Uint8Array, from: number, to: number): number {
    if (this.all.length >= this.#limit) return -1;
    const number = this.all.push(b.slice(from, to)) - 1;
    if (this.all.length * 2 > this.#slots.length) {
      this.#slots = new Int32Array(this.#slots.length * 2);
      for (let n = 0; n < number; n++) this.#place(n);
    }
    this.#place(number);
    return number;
  }

  #place(number: number): void {
    const text = this.all[number]!;
    const mask = this.#slots.length - 1;
    let slot = hash(text, 0, text.length) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = number + 1;
  }
}

/** Looks at eight bytes spread over the string: enough to tell names apart, whatever their length. */
function hash(b: Uint8Array, from: number, to: number): number {
  const length = to - from;
  if (length === 0) return 0;
  const middle = from + (length >> 1);
  const low = b[from]! | (b[middle]! << 8) | (b[to - 1]! << 16) | (b[from + (length >> 2)]! << 24);
  const late = to - 1 - (length >> 2);
  const high =
    b[late]! | (b[to - 1 - (length >> 3)]! << 8) | (b[from + (length >> 3)]! << 16) | (length << 24);
  const mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

function same(text: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  const length = to - from;
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text[i] !== b[from + i]) return false;
  return true;
}
