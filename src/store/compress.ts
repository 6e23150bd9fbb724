import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateRawSync,
  inflateRawSync,
} from 'node:zlib';

/** Room for what comes out: half as much, or an eighth, is enough as a rule, and more would be cleared in vain. */
const LEAST_CHUNK = 1 << 10;

/** Small pieces that are read often: quick to open. */
export function squeeze(bytes: Uint8Array): Buffer {
  return deflateRawSync(bytes, { level: 1, chunkSize: Math.max(LEAST_CHUNK, bytes.length >> 1) });
}

export function unsqueeze(bytes: Uint8Array): Buffer {
  // A segment comes in one piece.
  return inflateRawSync(bytes, { chunkSize: 1 << 15 });
}

/** Large pieces: the text of a trace as small as by deflate in half the time, which is what recording waits for (measured). */
export function squeezeText(bytes: Uint8Array): Buffer {
  return brotliCompressSync(bytes, {
    chunkSize: Math.max(LEAST_CHUNK, bytes.length >> 3),
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 0,
      [constants.BROTLI_PARAM_LGWIN]: 18,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}

export function unsqueezeText(bytes: Uint8Array): Buffer {
  return brotliDecompressSync(bytes);
}
