import { inflateSync } from 'node:zlib';
import { InputError } from '../core/errors.ts';
import type { RandomBytes } from './random-access.ts';
import type { CpuRegion, DatBuffer } from './trace-dat-meta.ts';
import { type ZstdFrame, zstdFrames } from './zstd.ts';

/** Bytes that are read at once where pages are not compressed. */
const READ_BYTES = 1 << 18;
/** Real files shrink to a tenth; what claims to have shrunk more than this is made to fill memory or time. */
const MAX_RATIO = 200;
/** On top of the ratio, for files that are small or nearly empty. */
const SPARE_BYTES = 1 << 26;
/** trace-cmd compresses 10 pages at once, and metadata as a whole: kallsyms of a large kernel take 20 MiB. */
const MAX_CHUNK = 1 << 27;

/** Decompresses the chunks of one file, and keeps account of how much came out of it. */
export class DatCompression {
  readonly #kind: string;
  readonly #zstd: ZstdFrame | null;
  #left: number;

  private constructor(kind: string, zstd: ZstdFrame | null, fileSize: number) {
    this.#kind = kind;
    this.#zstd = zstd;
    this.#left = fileSize * MAX_RATIO + SPARE_BYTES;
  }

  /** Makes ready for a compression that a header names. */
  static async named(kind: string, fileSize: number, label: string): Promise<DatCompression> {
    if (kind !== 'none' && kind !== 'zlib' && kind !== 'zstd') {
      throw new InputError(
        `${label} is compressed with ${/^\w{1,16}$/.test(kind) ? kind : 'something'}, which this version does not know; run: trace-cmd convert --compression zstd`,
      );
    }
    return new DatCompression(kind, kind === 'zstd' ? await zstdFrames() : null, fileSize);
  }

  /** Decompresses a chunk; null if it is damaged or larger than can be true. */
  inflate(compressed: Buffer, size: number): Buffer | null {
    this.#left -= size;
    if (size > MAX_CHUNK || this.#left < 0) return null;
    try {
      const bytes = this.#zstd
        ? this.#zstd(compressed, size)
        : this.#kind === 'zlib'
          ? inflateSync(compressed, { maxOutputLength: Math.max(1, size) })
          : compressed;
      if (bytes.length !== size) return null;
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    } catch (error) {
      // Damage is what decompressors throw for; anything else is not theirs.
      if (error instanceof Error) return null;
      throw error;
    }
  }
}

/** The pages of one CPU, some at a time. */
export interface PageChunks {
  /** The next pages, a whole number of them unless the file ends; null at the end. */
  next(): Buffer | null;
  /** Set when the pages ended before the header said. */
  readonly failure: string | null;
}

/** The pages of one CPU in the order of the file. */
export function pageChunks(
  file: RandomBytes,
  buffer: DatBuffer,
  region: CpuRegion,
  little: boolean,
  compression: DatCompression,
): PageChunks {
  return buffer.compressed
    ? new CompressedPages(file, region, little, compression)
    : new PlainPages(file, region, buffer.pageSize);
}

class PlainPages implements PageChunks {
  failure: string | null = null;
  readonly #file: RandomBytes;
  readonly #piece: number;
  #at: number;
  #left: number;

  constructor(file: RandomBytes, region: CpuRegion, pageSize: number) {
    this.#file = file;
    this.#piece = Math.max(1, Math.floor(READ_BYTES / pageSize)) * pageSize;
    this.#at = region.at;
    this.#left = region.size;
  }

  next(): Buffer | null {
    if (this.#left <= 0) return null;
    const wanted = Math.min(this.#piece, this.#left);
    const bytes = this.#file.read(this.#at, wanted);
    this.#at += wanted;
    this.#left -= wanted;
    if (bytes.length < wanted) {
      this.failure = `the file ends at byte ${this.#file.size}, before the records of all CPUs`;
      this.#left = 0;
    }
    return bytes.length === 0 ? null : bytes;
  }
}

class CompressedPages implements PageChunks {
  failure: string | null = null;
  readonly #file: RandomBytes;
  readonly #little: boolean;
  readonly #compression: DatCompression;
  #at: number;
  #chunks: number;

  constructor(file: RandomBytes, region: CpuRegion, little: boolean, compression: DatCompression) {
    this.#file = file;
    this.#little = little;
    this.#compression = compression;
    const count = file.read(region.at, 4);
    this.#at = region.at + 4;
    this.#chunks = count.length === 4 ? this.#u32(count, 0) : 0;
    if (count.length < 4) this.#fail('the file ends before the records of all CPUs');
  }

  #u32(bytes: Buffer, at: number): number {
    return this.#little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }

  #fail(what: string): null {
    this.failure = `${what} (byte ${this.#at})`;
    this.#chunks = 0;
    return null;
  }

  next(): Buffer | null {
    if (this.#chunks === 0) return null;
    this.#chunks--;
    const sizes = this.#file.read(this.#at, 8);
    if (sizes.length < 8) return this.#fail('the file ends before the records of all CPUs');
    // The size of the region leaves out the number of chunks in front, and so does not bound them.
    const size = this.#u32(sizes, 0);
    if (size > this.#file.size - this.#at - 8) return this.#fail('the file ends in a compressed chunk');
    const bytes = this.#file.read(this.#at + 8, size);
    if (bytes.length < size) return this.#fail('the file ends in a compressed chunk');
    const pages = this.#compression.inflate(bytes, this.#u32(sizes, 4));
    if (pages === null) return this.#fail('a compressed chunk is damaged');
    this.#at += 8 + size;
    return pages;
  }
}
