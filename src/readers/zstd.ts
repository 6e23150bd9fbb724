import zlib from 'node:zlib';
import type { ZSTDDecoder } from 'zstddec/stream';
import { InputError } from '../core/errors.ts';

declare global {
  // The declarations of zstddec name a type of the DOM library, which is not loaded here.
  namespace WebAssembly {
    interface WebAssemblyInstantiatedSource {
      readonly instance: object;
    }
  }
}

/** Node.js decompresses zstd itself from 22.15 on. */
const native = (zlib as { zstdDecompressSync?: (bytes: Uint8Array, options: object) => Buffer })
  .zstdDecompressSync;

/** Loads the decompressor, which most inputs do not need. */
async function loadDecoder(): Promise<ZSTDDecoder> {
  const { ZSTDDecoder } = await import('zstddec/stream');
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return decoder;
}

/** Decompresses one zstd frame whose decompressed size is known. Damage throws or gives another size. */
export type ZstdFrame = (compressed: Uint8Array, size: number) => Uint8Array;

/** Makes ready to decompress zstd frames. */
export async function zstdFrames(): Promise<ZstdFrame> {
  if (native !== undefined) {
    return (compressed, size) => native.call(zlib, compressed, { maxOutputLength: Math.max(1, size) });
  }
  const decoder = await loadDecoder();
  return (compressed, size) => (size === 0 ? new Uint8Array(0) : decoder.decode(compressed, size));
}

/** The decompressor pulls its input without waiting: what is compressed must be there, up to so many bytes. */
const MAX_COMPRESSED = 1 << 28;

/**
 * Decompresses a stream of zstd frames piece by piece, once all of it is there. Throws where it is cut or damaged,
 * after what could be decompressed.
 */
export async function* zstdPieces(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input: Uint8Array[] = [];
  let size = 0;
  for await (const piece of compressed) {
    input.push(piece);
    size += piece.length;
    if (size > MAX_COMPRESSED)
      throw new InputError('more than 256 MiB of zstd data; run: zstd -dc FILE | faultline ... -');
  }
  const decoder = await loadDecoder();
  let taken = 0;
  let before = 0;
  let idle = 0;
  function* pieces(): Generator<Uint8Array> {
    for (const piece of input) {
      taken++;
      yield piece;
    }
  }
  for (const piece of decoder.decodeStreaming(pieces())) {
    if (piece.length > 0) {
      idle = 0;
      yield piece;
      continue;
    }
    // Damaged input makes no progress and gives nothing, for ever.
    idle = taken === before ? idle + 1 : 0;
    before = taken;
    if (idle > 2) throw new Error('no progress');
  }
}

/** What is wrong with a compressed stream. */
export class ZstdDamage extends Error {
  override readonly name = 'ZstdDamage';
}

/**
 * Inflates the pieces of one zstd stream, as far as they go: whether the stream was ended is not told. Throws
 * {@link ZstdDamage}.
 */
export type ZstdStream = (pieces: Iterable<Uint8Array>) => Generator<Uint8Array>;

/** Real traces shrink to a tenth; what claims to have shrunk more than this is made to fill memory or time. */
const MAX_RATIO = 200;
const SPARE_BYTES = 1 << 26;
/** An empty block that is the last one of its frame: a stream that was only ever flushed ends with it. */
const LAST_BLOCK = Uint8Array.of(1, 0, 0);
/** Times that the decompressor may be called in vain. */
const MAX_IDLE = 8;

/** Makes ready to inflate a stream that is part of a file of so many bytes. */
export async function zstdStream(fileSize: number): Promise<ZstdStream> {
  const decoder = await loadDecoder();
  return function* (pieces) {
    let idle = 0;
    let closing = false;
    let left = fileSize * MAX_RATIO + SPARE_BYTES;
    function* fed(): Generator<Uint8Array> {
      for (const piece of pieces) {
        idle = 0;
        if (piece.length > 0) yield piece;
      }
      idle = 0;
      closing = true;
      yield LAST_BLOCK;
    }
    try {
      for (const piece of decoder.decodeStreaming(fed())) {
        idle = piece.length === 0 ? idle + 1 : 0;
        left -= piece.length;
        // A stream that was ended takes no further block.
        if (idle > MAX_IDLE && closing) return;
        if (idle > MAX_IDLE) throw new ZstdDamage('the stream cannot be inflated');
        if (left < 0) throw new ZstdDamage('it inflates to more than can be true');
        if (piece.length > 0) yield piece;
      }
    } catch (error) {
      // Thrown at the end of a stream that is not whole, and of one that had ended before the last block.
      if (!(error instanceof Error && error.message.startsWith('Incomplete stream'))) throw error;
    }
  };
}
