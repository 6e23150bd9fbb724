import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../core/errors.ts';
import type { ByteSource } from './source.ts';

/** Bytes of an input that cannot be sought in (a pipe, a compressed file) are held in memory, up to this many. */
const MAX_HELD = 1 << 28;

/** What is read ahead where little is asked for. */
const WINDOW = 1 << 16;

/** Bytes that are read by position. */
export interface RandomBytes {
  readonly size: number;
  /** `length` bytes at `at`; fewer where the end comes first. The result may be kept. */
  read(at: number, length: number): Buffer;
  close(): void;
}

/** Bytes in memory. */
export function memoryBytes(bytes: Buffer): RandomBytes {
  return {
    size: bytes.length,
    read: (at, length) => bytes.subarray(Math.min(at, bytes.length), Math.min(at + length, bytes.length)),
    close: () => undefined,
  };
}

/** Bytes of a file; `note` is told how many were read that had not been read before, in windows. */
function fileBytes(path: string, note: (bytes: number) => void): RandomBytes {
  const file = openSync(path, 'r');
  const size = fstatSync(file).size;
  const seen = new Uint8Array(Math.ceil(size / WINDOW));
  return {
    size,
    read(at, length) {
      const wanted = Math.max(0, Math.min(length, size - at));
      const buffer = Buffer.allocUnsafeSlow(wanted);
      let filled = 0;
      while (filled < wanted) {
        const got = readSync(file, buffer, filled, wanted - filled, at + filled);
        if (got === 0) break;
        filled += got;
      }
      for (let i = Math.floor(at / WINDOW); i * WINDOW < at + filled; i++) {
        if (seen[i] === 0) note(Math.min(WINDOW, size - i * WINDOW));
        seen[i] = 1;
      }
      return buffer.subarray(0, filled);
    },
    close: () => closeSync(file),
  };
}

/** The whole of a source by position: its file, or what a pipe or a decompressor gives, held in memory. */
export async function randomBytes(source: ByteSource, what: string): Promise<RandomBytes> {
  if (source.path !== null) return fileBytes(source.path, (bytes) => source.noteRead?.(bytes));
  const held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source.chunks()) {
    held.push(chunk);
    size += chunk.length;
    if (size > MAX_HELD) {
      throw new InputError(
        `${source.label} is ${what} of more than ${MAX_HELD >> 20} MiB, which is read by position; give it as a plain file`,
      );
    }
  }
  return memoryBytes(Buffer.concat(held, size));
}

/** Reads numbers and texts one behind the other. Throws InputError where the bytes end too early. */
export class ByteCursor {
  at: number;
  readonly #bytes: RandomBytes;
  readonly #little: boolean;
  /** What an error message calls the bytes. */
  readonly #label: string;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;

  constructor(bytes: RandomBytes, at: number, little: boolean, label: string) {
    this.#bytes = bytes;
    this.at = at;
    this.#little = little;
    this.#label = label;
  }

  /** Bytes from here to the end. */
  get left(): number {
    return Math.max(0, this.#bytes.size - this.at);
  }

  /** Position in the window of the next `length` bytes, which are then in it. */
  #take(length: number): number {
    const from = this.at - this.#windowAt;
    if (from >= 0 && from + length <= this.#window.length) {
      this.at += length;
      return from;
    }
    if (length > this.left) throw this.#ends();
    this.#window = this.#bytes.read(this.at, Math.max(length, WINDOW));
    this.#windowAt = this.at;
    if (this.#window.length < length) throw this.#ends();
    this.at += length;
    return 0;
  }

  #ends(): InputError {
    return new InputError(`${this.#label} ends at byte ${this.#bytes.size}, in the middle of its header`);
  }

  u8(): number {
    const from = this.#take(1);
    return this.#window[from]!;
  }

  u16(): number {
    const from = this.#take(2);
    return this.#little ? this.#window.readUInt16LE(from) : this.#window.readUInt16BE(from);
  }

  u32(): number {
    const from = this.#take(4);
    return this.#little ? this.#window.readUInt32LE(from) : this.#window.readUInt32BE(from);
  }

  u64(): bigint {
    const from = this.#take(8);
    return this.#little ? this.#window.readBigUInt64LE(from) : this.#window.readBigUInt64BE(from);
  }

  /** A length or a position in the file: what no file can have becomes infinite, and fails where it is used. */
  size(): number {
    const value = this.u64();
    return value > 0xfffffffffffffn ? Number.POSITIVE_INFINITY : Number(value);
  }

  /** `length` bytes, copied out of the window only where they are large. */
  bytes(length: number): Buffer {
    if (length > this.left) throw this.#ends();
    if (length > WINDOW) {
      const bytes = this.#bytes.read(this.at, length);
      if (bytes.length < length) throw this.#ends();
      this.at += length;
      return bytes;
    }
    const from = this.#take(length);
    return this.#window.subarray(from, from + length);
  }

  text(length: number): string {
    const bytes = this.bytes(length);
    const end = bytes.indexOf(0);
    return bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  }

  /** A text that ends with a NUL, of at most `limit` bytes. */
  string(limit = 4096): string {
    let text = '';
    for (;;) {
      const c = this.u8();
      if (c === 0) return text;
      if (text.length === limit) throw new InputError(`${this.#label} is damaged: a name in it has no end`);
      text += String.fromCharCode(c);
    }
  }
}
