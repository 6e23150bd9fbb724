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
