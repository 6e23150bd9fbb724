import zlib from 'node:zlib';

/** Bytes that one call of the decompressor yields: large, since each call costs a trip to the thread pool. */
const OUTPUT_BYTES = 1 << 20;
/** Output that may wait for its reader: one piece being parsed, one being made. */
const MAX_WAITING = 2;

/** Bytes that came out of a decompressor, and what went wrong, if anything did. */
export interface Inflated {
  chunks(): AsyncGenerator<Uint8Array>;
  /** Set when {@link chunks} has ended early: what was cut or damaged. */
  readonly failure: string | null;
}

/** Decompressors that the running Node.js has. */
export function decompressor(kind: 'gzip' | 'zlib' | 'zstd'): (() => zlib.Gunzip) | null {
  if (kind === 'gzip') return () => zlib.createGunzip({ chunkSize: OUTPUT_BYTES });
  if (kind === 'zlib') return () => zlib.createInflate({ chunkSize: OUTPUT_BYTES });
  const create = (zlib as { createZstdDecompress?: unknown }).createZstdDecompress;
  if (typeof create !== 'function') return null;
  return () => create.call(zlib, { chunkSize: OUTPUT_BYTES }) as zlib.Gunzip;
}

/**
 * Decompresses in the thread pool while the caller works on the piece before. Everything up to a cut or
 * damaged place is delivered, and then {@link Inflated.failure} tells; it is never thrown.
 */
export class Inflater implements Inflated {
  failure: string | null = null;
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #stream: zlib.Gunzip;
  readonly #kind: string;
  readonly #ready: Uint8Array[] = [];
  #ended = false;
  #wake: (() => void) | null = null;
  #compressed = 0;

  constructor(source: AsyncIterable<Uint8Array>, stream: zlib.Gunzip, kind: string) {
    this.#source = source;
    this.#stream = stream;
    this.#kind = kind;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const stream = this.#stream;
    stream.on('data', (chunk: Uint8Array) => {
      this.#ready.push(chunk);
      if (this.#ready.length >= MAX_WAITING) stream.pause();
      this.#notify();
    });
    stream.on('end', () => this.#finish(null));
    stream.on('error', (error: Error) => this.#finish(this.#explain(error)));
    const feeding = this.#feed();
    try {
      for (;;) {
        const chunk = this.#ready.shift();
        if (chunk) {
          if (this.#ready.length < MAX_WAITING) stream.resume();
          yield chunk;
        } else if (this.#ended) break;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      await feeding;
    } finally {
      this.#ended = true;
      stream.destroy();
    }
  }

  /** Hands over compressed bytes one piece at a time, so that an error tells where it is. */
  async #feed(): Promise<void> {
    for await (const piece of this.#source) {
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#stream.once('close', resolve);
        this.#stream.write(piece, () => {
          this.#stream.off('close', resolve);
          resolve();
        });
      });
      this.#compressed += piece.length;
    }
    if (!this.#ended) this.#stream.end();
  }

  #explain(error: Error): string {
    const cut = error.message === 'unexpected end of file';
    const what = cut ? 'ends in the middle' : `is damaged (${error.message})`;
    const near = cut ? `after ${this.#compressed}` : `near byte ${this.#compressed}`;
    return `the ${this.#kind} data ${what}, ${near}${cut ? ' bytes' : ''}`;
  }

  #finish(failure: string | null): void {
    this.failure ??= failure;
    this.#ended = true;
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
