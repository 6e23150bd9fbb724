import zlib from 'node:zlib';
import { ZSTDDecoder } from 'zstddec/stream';

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

/** Decompresses one zstd frame whose decompressed size is known. Damage throws or gives another size. */
export type ZstdFrame = (compressed: Uint8Array, size: number) => Uint8Array;

/** Makes ready to decompress zstd frames. */
export async function zstdFrames(): Promise<ZstdFrame> {
  if (native !== undefined) {
    return (compressed, size) => native.call(zlib, compressed, { maxOutputLength: Math.max(1, size) });
  }
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return (compressed, size) => (size === 0 ? new Uint8Array(0) : decoder.decode(compressed, size));
}

/**
 * Decompresses zstd frames that are in memory, piece by piece. Throws where they are cut or damaged, after
 * what could be decompressed.
 */
export async function* zstdPieces(compressed: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  let handedOver = 0;
  let empty = 0;
  function* input(): Generator<Uint8Array> {
    for (const piece of compressed) {
      handedOver++;
      yield piece;
    }
  }
  let before = 0;
  for (const piece of decoder.decodeStreaming(input())) {
    if (piece.length > 0) {
      empty = 0;
      yield piece;
      continue;
    }
    // Damaged input makes no progress and gives nothing, for ever.
    empty = handedOver === before ? empty + 1 : 0;
    before = handedOver;
    if (empty > 2) throw new Error('damaged');
  }
}
