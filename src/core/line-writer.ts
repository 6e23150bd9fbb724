const ZERO = 48;
const MINUS = 45;
const BLANK = 32;
const LINE_FEED = 10;
const HEX = Buffer.from('0123456789abcdef');
const BYTES_PER_UNIT = 3;
const DIGITS = 17;

/** Lines of text, written as bytes: a string for every word of a million records costs more than all else. */
export class LineWriter {
  #bytes: Buffer;
  length = 0;

  constructor(capacity = 1 << 16) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  #reserve(more: number): Buffer {
    if (this.length + more > this.#bytes.length) {
      const wider = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.length + more));
      this.#bytes.copy(wider, 0, 0, this.length);
      this.#bytes = wider;
    }
    return this.#bytes;
  }

  text(text: string): void {
    const length = text.length;
    const bytes = this.#reserve(length * BYTES_PER_UNIT);
    const from = this.length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) {
        this.length = from + bytes.write(text, from, 'utf8');
        return;
      }
      bytes[from + i] = code;
    }
    this.length = from + length;
  }

  /** A text whose characters are bytes each, as texts from records are. */
  latin1(text: string): void {
    const length = text.length;
    const bytes = this.#reserve(length);
    const from = this.length;
    for (let i = 0; i < length; i++) bytes[from + i] = text.charCodeAt(i);
    this.length = from + length;
  }

  /** A whole number, exact as a double. */
  decimal(value: number): void {
    if (value < 0) {
      this.#reserve(1)[this.length++] = MINUS;
      this.decimal(-value);
      return;
    }
    let digits = 1;
    for (let bound = 10; value >= bound; bound *= 10) digits++;
    this.padded(value, digits);
  }

  /** A whole number from 0 on, in so many digits. */
  padded(value: number, digits: number): void {
    const bytes = this.#reserve(digits);
    const from = this.length;
    let at = from + digits;
    let rest = value;
    while (rest > 0x7fffffff && at > from) {
      const next = Math.floor(rest / 10);
      // Adding to so great a number would round it.
      bytes[--at] = ZERO + (rest - next * 10);
      rest = next;
    }
    let small = rest | 0;
    while (at > from) {
      const next = (small / 10) | 0;
      bytes[--at] = ZERO + small - next * 10;
      small = next;
    }
    this.length = from + digits;
  }

  /** A number of 64 bits in two halves, hexadecimal, in `least` digits at least. */
  hex(lo: number, hi: number, least = 1): void {
    const own = hi === 0 ? hexDigits(lo) : 8 + hexDigits(hi);
    const digits = Math.max(own, least);
    const bytes = this.#reserve(Math.max(digits, DIGITS));
    let at = this.length + digits;
    this.length = at;
    let half = lo;
    for (let i = 0; i < digits; i++) {
      if (i === 8) half = hi;
      bytes[--at] = i < 16 ? HEX[half & 15]! : ZERO;
      half >>>= 4;
    }
  }

  /** Blanks up to `length`. */
  blanks(length: number): void {
    if (length <= this.length) return;
    this.#reserve(length - this.length).fill(BLANK, this.length, length);
    this.length = length;
  }

  /** Ends a line that began at `from`: what it holds of line feeds becomes blanks. */
  endLine(from: number): void {
    const bytes = this.#reserve(1);
    for (let at = from; at < this.length; at++) if (bytes[at] === LINE_FEED) bytes[at] = BLANK;
    bytes[this.length++] = LINE_FEED;
  }

  /** Forgets what was written behind `length`. */
  cut(length: number): void {
    if (length < this.length) this.length = length;
  }

  clear(): void {
    this.length = 0;
  }

  /** What was written, without a copy: valid until the next write. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  /** What was written, as a string of bytes. */
  toLatin1(): string {
    return this.#bytes.toString('latin1', 0, this.length);
  }

  /** What was written, as a string. */
  toString(): string {
    return this.#bytes.toString('utf8', 0, this.length);
  }
}

function hexDigits(half: number): number {
  return half === 0 ? 1 : 8 - (Math.clz32(half) >> 2);
}
