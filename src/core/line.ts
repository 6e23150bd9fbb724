const ZERO = 0x30;
const SPACE = 0x20;
/** Bytes of the digits 0 to f. */
const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const TWO_32 = 2 ** 32;
/** A piece of text is handed over when it has so many bytes. */
const PIECE_BYTES = 1 << 18;
/** No record is longer. */
const LONGEST_LINE = 4096;

/** ASCII text as bytes. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** ASCII text that is being written, as bytes: several times faster than putting strings together. */
export class Line {
  readonly bytes = new Uint8Array(PIECE_BYTES + LONGEST_LINE);
  length = 0;

  get full(): boolean {
    return this.length >= PIECE_BYTES;
  }

  /** What was written, as text; writing begins anew. */
  take(): string {
    const text = Buffer.from(this.bytes.buffer, 0, this.length).toString('latin1');
    this.length = 0;
    return text;
  }

  put(bytes: Uint8Array): void {
    const to = this.bytes;
    let at = this.length;
    for (let i = 0; i < bytes.length; i++) to[at++] = bytes[i]!;
    this.length = at;
  }

  byte(value: number): void {
    this.bytes[this.length++] = value;
  }

  /** A whole number in decimal, with blanks or zeros before it up to a width. */
  decimal(value: number, width = 1, fill = SPACE): void {
    if (!Number.isSafeInteger(value)) {
      this.put(ascii(String(value)));
      return;
    }
    let rest = value < 0 ? -value : value;
    let digits = value < 0 ? 2 : 1;
    for (let bound = 10; rest >= bound; bound *= 10) digits++;
    const start = this.length + Math.max(0, width - digits);
    for (let at = this.length; at < start; at++) this.bytes[at] = fill;
    let at = start + digits;
    this.length = at;
    if (value < 0) this.bytes[start] = 0x2d;
    const least = value < 0 ? start + 1 : start;
    while (at > least) {
      const tenth = Math.floor(rest / 10);
      this.bytes[--at] = ZERO + (rest - tenth * 10);
      rest = tenth;
    }
  }

  /** A whole number of up to 32 bits in hexadecimal, with zeros before it up to a width. */
  hex32(value: number, width = 1): void {
    const digits = Math.max(width, (35 - Math.clz32(value | 1)) >> 2);
    let at = this.length + digits;
    this.length = at;
    for (let i = 0, rest = value >>> 0; i < digits; i++, rest >>>= 4) this.bytes[--at] = DIGITS[rest & 15]!;
  }

  /** A signed 64-bit word (core/pointer.ts) in hexadecimal, as its unsigned bits. */
  word(value: number): void {
    const high = Math.floor(value / TWO_32);
    if (high === 0) {
      this.hex32(value);
      return;
    }
    this.hex32(high >>> 0);
    this.hex32(value - high * TWO_32, 8);
  }
}

/** Writes what a function makes of a value; there are few values, so the text of each is made once. */
export function remembered(textOf: (value: number) => string): (to: Line, value: number) => void {
  const texts = new Map<number, Uint8Array>();
  return (to, value) => {
    let text = texts.get(value);
    if (text === undefined) {
      text = ascii(textOf(value));
      texts.set(value, text);
    }
    to.put(text);
  };
}
