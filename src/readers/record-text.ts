import type { ReaderFacts } from './facts.ts';
import type { InternedNames } from './names.ts';

const BLANK = 32;
const OPEN = 40;
const DASH = 45;
const COLON = 58;
const LESS = 60;
const GREATER = 62;

/** Name of the records of the function tracer, whose text is `symbol <-caller`. */
export const FUNCTION_NAME = 'function';
/** Name of records whose text names no event. */
export const NO_NAME = '(no event name)';
/** Name of records that exist and could not be printed. */
export const UNPRINTABLE_NAME = '(not printed)';

/** Splits the text of a record into event name and payload. */
export class RecordText {
  /** First byte of the payload that belongs to the name last read. */
  start = 0;
  readonly #names: InternedNames;
  readonly #facts: ReaderFacts;

  constructor(names: InternedNames, facts: ReaderFacts) {
    this.#names = names;
    this.#facts = facts;
  }

  /**
   * Id of the event that the text in `b[from, to)` states. `page_ref_mod: pfn=..` is the rule; syscalls have
   * no colon: `sys_madvise(start: 7f..)` is `sys_madvise`, `sys_madvise -> 0x0` is `sys_madvise->`.
   */
  name(b: Buffer, from: number, to: number): number {
    let p = from;
    let c = b[p]!;
    // Names hold none of blank ! " # $ % & ' ( ) : <
    while (c > 41 && c !== COLON && c !== LESS) c = b[++p]!;
    if (c === COLON && p > from && p < to) {
      const next = b[p + 1]!;
      if (next === BLANK) {
        let start = p + 2;
        // trace-cmd pads names to 20 columns.
        while (b[start] === BLANK && start < to) start++;
        this.start = start > to ? to : start;
        return this.#names.idOfBytes(b, from, p);
      }
      if (p + 1 === to) {
        this.start = to;
        return this.#names.idOfBytes(b, from, p);
      }
    }
    return this.#other(b, from, to, p);
  }

  #other(b: Buffer, from: number, to: number, at: number): number {
    if (b[from] === 115 && b[from + 1] === 121 && b[from + 2] === 115 && b[from + 3] === 95) {
      if (b[at] === OPEN && at < to) {
        this.start = at + 1;
        return this.#names.idOfBytes(b, from, at);
      }
      if (b[at] === BLANK && b[at + 1] === DASH && b[at + 2] === GREATER && at + 3 <= to) {
        this.start = Math.min(to, at + 4);
        return this.#names.idOfBytes(b, from, at + 3);
      }
    }
    this.start = from;
    if (b.subarray(from, to).includes(' <-', 1, 'latin1')) return this.#names.id(FUNCTION_NAME);
    const text = b.toString('latin1', from, Math.min(to, from + 32));
    if (text === '<stack trace>' || text === '<user stack trace>') return this.#names.id(text);
    if (text.startsWith('[LINE TOO BIG]')) {
      this.#facts.count('line-too-big');
      return this.#names.id(UNPRINTABLE_NAME);
    }
    if (text.startsWith('[FAILED TO PARSE]') || text.startsWith('Unknown type ')) {
      this.#facts.count('failed-to-parse');
      return this.#names.id(UNPRINTABLE_NAME);
    }
    this.#facts.count('records-without-name');
    return this.#names.id(NO_NAME);
  }
}
