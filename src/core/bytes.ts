/** Deltas beyond this are written as they are: sums with them might not be exact. */
const LARGEST_DELTA = 2 ** 50;
/** Deltas below this are written with the arithmetic of small integers. */
const SMALL_DELTA = 2 ** 29;
/**
 * Numbers that are told as a run of the one before: fewer take no more bytes one by one. A run is a byte with its length
 * in the low bits, and a zero, which ends no other number of several bytes.
 */
const LEAST_RUN = 3;
const LONGEST_RUN = 127;
/** Bytes that a number of a column takes at most. */
const WIDEST_NUMBER = 9;

/** Bytes that are written one value after another. Numbers are little-endian or of variable length. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Room for `more` bytes; call before {@link put}. */
  reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const wider = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + more));
    wider.set(this.#bytes.subarray(0, this.length));
    this.#bytes = wider;
    this.#view = new DataView(wider.buffer);
  }

  byte(value: number): void {
    this.reserve(1);
    this.#bytes[this.length++] = value;
  }

  f64(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A whole number from 0 to 2^53, seven bits a byte, low ones first. */
  varint(value: number): void {
    if (this.length + 8 > this.#bytes.length) this.reserve(8);
    const bytes = this.#bytes;
    let at = this.length;
    let rest = value;
    while (rest >= 0x80000000) {
      bytes[at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    let small = rest | 0;
    while (small > 127) {
      bytes[at++] = (small & 127) | 128;
      small >>>= 7;
    }
    bytes[at++] = small;
    this.length = at;
  }

  /**
   * The numbers `values[from, to)` as differences to the number before: 0 stands for NaN, 1 for a number of eight
   * bytes, and from 2 on for a whole difference, its sign in the lowest bit; numbers that repeat the one before
   * are a run. Exact for every number, but for the sign of a zero.
   */
  column(values: Float64Array, from: number, to: number): void {
    // One number more than there are: none of them moves the bytes that are held here.
    this.reserve((to - from + 1) * WIDEST_NUMBER);
    const bytes = this.#bytes;
    let at = this.length;
    let before = 0;
    for (let i = from; i < to; ) {
      const value = values[i++]!;
      const delta = value - before;
      if (delta < SMALL_DELTA && delta > -SMALL_DELTA && before + delta === value && delta === (delta | 0)) {
        let code = delta >= 0 ? delta * 2 + 2 : delta * -2 + 1;
        while (code > 127) {
          bytes[at++] = (code & 127) | 128;
          code >>>= 7;
        }
        bytes[at++] = code;
        before = value;
      } else {
        this.length = at;
        before = this.#farNumber(value, before);
        at = this.length;
      }
      let next = i;
      if (value === before) while (next < to && values[next] === value) next++;
      else if (Number.isNaN(value)) while (next < to && Number.isNaN(values[next])) next++;
      while (next - i >= LEAST_RUN) {
        const run = Math.min(next - i, LONGEST_RUN);
        bytes[at++] = run | 128;
        bytes[at++] = 0;
        i += run;
      }
    }
    this.length = at;
  }

  /** Writes a number that is no small step from the one before; what the next one is counted from. */
  #farNumber(value: number, before: number): number {
    const delta = value - before;
    if (
      delta < LARGEST_DELTA &&
      delta > -LARGEST_DELTA &&
      before + delta === value &&
      Math.floor(delta) === delta
    ) {
      this.varint(delta >= 0 ? delta * 2 + 2 : delta * -2 + 1);
      return value;
    }
    if (Number.isNaN(value)) {
      this.varint(0);
      return before;
    }
    this.varint(1);
    this.f64(value);
    return Number.isInteger(value) ? value : 0;
  }

  /** Leaves room for the length of what is written from here on; {@link close} writes it there. */
  open(): number {
    this.reserve(1);
    return this.length++;
  }

  /** Ends what {@link open} began: the number of its bytes stands in front of it. Inner ones are closed first. */
  close(opened: number): void {
    const from = opened + 1;
    const to = this.length;
    const length = to - from;
    // One byte is there for it; longer ones move what they are the length of.
    let more = 0;
    for (let rest = length; rest > 127; rest >>>= 7) more++;
    if (more > 0) {
      this.reserve(more);
      this.#bytes.copyWithin(from + more, from, to);
    }
    this.length = opened;
    this.varint(length);
    this.length = to + more;
  }

  /** Forgets what was written, and keeps the room. */
  clear(): void {
    this.length = 0;
  }

  /** What was written, without a copy: valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  /** What was written, as bytes of their own. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }
}

/** Reads what a {@link ByteWriter} wrote, in the same order. Reading past the end throws. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    // Never a Buffer: its slice() would not copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.at++];
    if (value === undefined) throw new RangeError('bytes end too early');
    return value;
  }

  f64(): number {
    const value = this.#view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  raw(length: number): Uint8Array {
    const end = this.at + length;
    if (end > this.#bytes.length) throw new RangeError('bytes end too early');
    const bytes = this.#bytes.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  varint(): number {
    const bytes = this.#bytes;
    let at = this.at;
    let byte = bytes[at++]!;
    if (byte < 128) {
      this.at = at;
      return byte;
    }
    let value = byte & 127;
    for (let shift = 7; shift < 28; shift += 7) {
      byte = bytes[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) {
        this.at = at;
        return value;
      }
    }
    let unit = 2 ** 28;
    do {
      byte = bytes[at++]!;
      if (byte === undefined) throw new RangeError('bytes end too early');
      value += (byte & 127) * unit;
      unit *= 128;
    } while (byte > 127);
    this.at = at;
    return value;
  }

  /** Reads the numbers that {@link ByteWriter.column} wrote to `into[from, to)`. */
  column(into: Float64Array, from: number, to: number): void {
    const bytes = this.#bytes;
    let at = this.at;
    let before = 0;
    for (let i = from; i < to; ) {
      let code = bytes[at++]!;
      if (code > 127) {
        // Read in place: this is what opening a segment consists of.
        const second = bytes[at++]!;
        if (second === 0) {
          const run = code & 127;
          into.fill(into[i - 1]!, i, i + run);
          i += run;
          continue;
        }
        code = (code & 127) | ((second & 127) << 7);
        if (second > 127) {
          const third = bytes[at++]!;
          code |= (third & 127) << 14;
          if (third > 127) {
            this.at = at - 3;
            code = this.varint();
            at = this.at;
          }
        }
      }
      if (code > 1) {
        before += code % 2 === 0 ? (code - 2) / 2 : (1 - code) / 2;
        into[i++] = before;
      } else if (code === 0) into[i++] = Number.NaN;
      else {
        const value = this.#view.getFloat64(at, true);
        at += 8;
        into[i++] = value;
        before = Number.isInteger(value) ? value : 0;
      }
    }
    if (at > bytes.length) throw new RangeError('bytes end too early');
    this.at = at;
  }
}
