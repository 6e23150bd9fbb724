import { PAGE_FLAG_NAMES, PG_UNNAMED } from '../core/pageflags.ts';
import { ByteStrings } from './byte-strings.ts';

const BLANK = 32;
/** Texts that are remembered: a trace has some dozen. */
const MAX_TEXTS = 2048;
/** No text of flags is longer; what is, is read without being remembered. */
const MAX_LENGTH = 256;

const BITS: ReadonlyMap<string, number> = new Map(PAGE_FLAG_NAMES);

/**
 * Reads texts like `uptodate|lru|swapbacked`. A trace repeats few of them a million times, so a text is taken
 * apart once and recognised by its bytes afterwards.
 */
export class PageFlagTexts {
  /** PG_* bits of the text last read. */
  flags = 0;
  /** Whether the text last read names flags: a bare number does not. */
  readable = false;
  readonly #texts = new ByteStrings(MAX_TEXTS);
  readonly #flags: number[] = [];
  readonly #readable: boolean[] = [];

  /** Reads the text at `b[p, ...)` up to a blank or `end`; returns where it ends. */
  read(b: Uint8Array, p: number, end: number): number {
    let at = p;
    while (at < end && b[at] !== BLANK) at++;
    const known = this.#texts.find(b, p, at);
    if (known >= 0) {
      this.flags = this.#flags[known]!;
      this.readable = this.#readable[known]!;
      return at;
    }
    this.#parse(Buffer.from(b.subarray(p, at)).toString('latin1'));
    if (at - p <= MAX_LENGTH && this.#texts.add(b, p, at) >= 0) {
      this.#flags.push(this.flags);
      this.#readable.push(this.readable);
    }
    return at;
  }

  /** `uptodate|lru`, `none`, `uptodate|0x4000` with a remainder that the kernel has no name for. */
  #parse(text: string): void {
    this.flags = 0;
    this.readable = text !== '' && !/^(0x[0-9a-f]+|\d+|\(.*)$/i.test(text);
    if (!this.readable || text === 'none') return;
    for (const name of text.split('|')) this.flags |= BITS.get(name) ?? PG_UNNAMED;
  }
}
