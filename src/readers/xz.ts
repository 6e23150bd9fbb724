import { ReadableStream } from 'node:stream/web';

/** Decompresses xz data piece by piece. Throws where it is cut or damaged, after what could be decompressed. */
export async function* xzPieces(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { default: xz } = await import('xz-decompress');
  yield* new xz.XzReadableStream(ReadableStream.from(compressed));
}
