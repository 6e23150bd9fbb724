import { PAGE_FLAG_NAMES, PG_UNNAMED } from '../core/pageflags.ts';

const BLANK = 32;
const SLOTS = 4096;
/** Texts that are remembered: a trace has some dozen. */
const MAX_TEXTS = 2048;
/** No text of flags is longer; what is, is read without being remembered. */
const MAX_LENGTH = 256;

const BITS = new Map<string, number>(PAGE_FLAG_NAMES.map(([name, bit]) => [name, bit]));

/**
 * Reads texts like `uptodate|lru|swapbacked`. A trace repeats few of them a million times, so a text is taken
 * apart once and recognised by its bytes afterwards.
 */
export class PageFlagTexts {
  /** PG_* bits of the text last read. */
  flags = 0;
  /** Whether the text last read names flags: a bare number does not. */
  readable = false;
  /** Open addressing by hash: position in the lists + 1. */
  readonly #slots = new Int32Array(SLOTS);
  readonly #texts: Uint8Array[] = [];
  readonly #flags: number[] = [];
  readonly #readable: boolean[] = [];

  /** Reads the text at `b[p, ...)` up to a blank or `end`; returns where it ends. */
  read(b: Uint8Array, p: number, end: number): number {
    let at = p;
    let hash = 0;
    let c = b[at];
    while (at < end && c !== BLANK) {
      hash = (Math.imul(hash, 31) + c!) | 0;
      c = b[++at];
    }
    let slot = (hash ^ (hash >>> 13)) & (SLOTS - 1);
    for (;;) {
      const entry = this.#slots[slot]! - 1;
      if (entry < 0) break;
      if (this.#same(this.#texts[entry]!, b, p, at)) {
        this.flags = this.#flags[entry]!;
        this.readable = this.#readable[entry]!;
        return at;
      }
      slot = (slot + 1) & (SLOTS - 1);
    }
    this.#parse(Buffer.from(b.subarray(p, at)).toString('latin1'));
    if (this.#texts.length < MAX_TEXTS && at - p <= MAX_LENGTH) {
      this.#slots[slot] = this.#texts.push(b.slice(p, at));
      this.#flags.push(this.flags);
      this.#readable.push(this.readable);
    }
    return at;
  }

  #same(text: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
    const length = to - from;
    if (text.length !== length) return false;
    for (let i = 0; i < length; i++) if (text[i] !== b[from + i]) return false;
    return true;
  }

  /** `uptodate|lru`, `none`, `uptodate|0x4000` with a remainder that the kernel has no name for. */
  #parse(text: string): void {
    this.flags = 0;
    this.readable = text !== '' && !/^(0x[0-9a-f]+|\d+|\(.*)$/i.test(text);
    if (!this.readable || text === 'none') return;
    for (const name of text.split('|')) this.flags |= BITS.get(name) ?? PG_UNNAMED;
  }
}
