import { InputError } from '../core/errors.ts';
import type { Inflated } from './inflate.ts';

/**
 * Bytes of a decompressor that is pulled. Everything up to a cut or damaged place is delivered, and then
 * {@link failure} tells; damage is never thrown.
 */
export class Decompressed implements Inflated {
  failure: string | null = null;
  readonly #pieces: AsyncIterable<Uint8Array>;
  readonly #kind: string;

  constructor(pieces: AsyncIterable<Uint8Array>, kind: string) {
    this.#pieces = pieces;
    this.#kind = kind;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#pieces;
    } catch (error) {
      if (error instanceof InputError || !(error instanceof Error)) throw error;
      this.failure = `the ${this.#kind} data is damaged or ends in the middle (${error.message})`;
    }
  }
}

/** Traces shrink to a tenth or, where they repeat themselves, a hundredth. */
const MAX_RATIO = 400;
/** On top of the ratio. */
const SPARE_BYTES = 1 << 26;

/** Passes on what comes out of decompression, as long as it can be a trace and not a trap. */
export class Bounded implements Inflated {
  failure: string | null = null;
  readonly #pieces: AsyncIterable<Uint8Array>;
  readonly #consumed: () => number;

  /** `consumed` tells how many compressed bytes were read. */
  constructor(pieces: AsyncIterable<Uint8Array>, consumed: () => number) {
    this.#pieces = pieces;
    this.#consumed = consumed;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    let length = 0;
    for await (const piece of this.#pieces) {
      length += piece.length;
      if (length > this.#consumed() * MAX_RATIO + SPARE_BYTES) {
        this.failure = `the data inflates to more than ${MAX_RATIO} times its size, which no trace does`;
        return;
      }
      yield piece;
    }
  }
}
