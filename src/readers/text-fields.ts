import { FIELD_ABSENT, FIELD_OK, type FieldSpec, type FieldValues } from '../core/fields.ts';
import type { FieldExtractor, RecordBatch } from '../core/records.ts';
import { viewOf } from './byte-strings.ts';
import { learnPlan, type TextPlan } from './text-plan.ts';
import { behindLocation, isFreeText, type Separator, type Token, tokens } from './text-tokens.ts';
import { readValue } from './text-values.ts';

/** Pseudo key: the name of the function that a probe sits on. */
export const KEY_FUNCTION = '@func';
/** Pseudo key: the whole payload. */
export const KEY_TEXT = '@text';
/** Pseudo key: the value that a syscall returned, of events named `sys_madvise->`. */
export const KEY_RETURN = 'ret';

/** Shapes of one event that are remembered: kernels print some fields only sometimes. */
const MAX_PLANS = 4;

/**
 * Reads the wanted fields of one event from its text. The order of keys is learned from the first text and
 * verified on every other, byte by byte: a text that differs is read in the careful way and learned in turn, so
 * a value can never be taken for that of another key.
 */
export function textExtractor(eventName: string, specs: readonly FieldSpec[]): FieldExtractor {
  const event = new EventText(eventName, specs);
  return (batch, row, into) => event.extract(batch, row, into);
}

class EventText {
  readonly #specs: readonly FieldSpec[];
  /** Positions of ordinary keys in the specs; the others are pseudo keys. */
  readonly #keyed: readonly number[];
  readonly #functionAt: number;
  readonly #textAt: number;
  readonly #returnAt: number;
  readonly #syscall: boolean;
  readonly #plans: TextPlan[] = [];
  /** Texts of this event need the careful way always. */
  #careful = false;

  constructor(eventName: string, specs: readonly FieldSpec[]) {
    this.#specs = specs;
    this.#syscall = eventName.startsWith('sys_');
    const returns = this.#syscall && eventName.endsWith('->');
    this.#functionAt = specs.findIndex((spec) => spec.key === KEY_FUNCTION);
    this.#textAt = specs.findIndex((spec) => spec.key === KEY_TEXT);
    this.#returnAt = returns ? specs.findIndex((spec) => spec.key === KEY_RETURN) : -1;
    this.#keyed = specs.flatMap((spec, i) => (spec.key.startsWith('@') || returns ? [] : [i]));
    this.#careful = this.#syscall;
  }

  extract(batch: RecordBatch, row: number, into: FieldValues): void {
    const b = batch.bytes;
    const from = batch.start[row]!;
    const end = batch.end[row]!;
    into.bytes = b;
    if (this.#functionAt >= 0) this.#function(b, from, end, into);
    if (this.#textAt >= 0) {
      into.start[this.#textAt] = from;
      into.end[this.#textAt] = end;
      into.state[this.#textAt] = FIELD_OK;
    }
    if (this.#returnAt >= 0) readValue(this.#specs[this.#returnAt]!.form, b, from, end, into, this.#returnAt);
    if (this.#keyed.length === 0) return;
    if (!this.#careful) {
      const plans = this.#plans;
      const view = viewOf(b);
      for (let k = 0; k < plans.length; k++) {
        const plan = plans[k]!;
        if (!plan.run(b, view, from, end, into)) continue;
        if (k > 0) {
          plans[k] = plans[0]!;
          plans[0] = plan;
        }
        return;
      }
    }
    this.#read(b, from, end, into);
  }

  /** The careful way. */
  #read(b: Uint8Array, from: number, textEnd: number, into: FieldValues): void {
    const end = this.#syscall && b[textEnd - 1] === 41 ? textEnd - 1 : textEnd;
    const buffer = Buffer.from(b.buffer, b.byteOffset, b.byteLength);
    for (const i of this.#keyed) into.state[i] = FIELD_ABSENT;
    const first = behindLocation(b, from, end);
    let separator: Separator = this.#syscall ? ':' : '=';
    let found = tokens(buffer, first, end, separator);
    if (!this.#syscall && found.length === 0) {
      separator = ':';
      found = tokens(buffer, first, end, separator);
      if (!this.#fill(b, found, into)) {
        separator = ' ';
        found = tokens(buffer, first, end, separator);
      }
    }
    this.#fill(b, found, into);
    if (this.#careful || separator === ' ') return;
    if (found.some((token) => isFreeText(token.key))) {
      this.#careful = true;
      return;
    }
    const plan = learnPlan(buffer, from, first, found, this.#specs, this.#keyed);
    if (!plan) return;
    if (this.#plans.length === MAX_PLANS) this.#plans.pop();
    this.#plans.unshift(plan);
  }

  /** Fills the wanted fields from tokens; false if there was none of them. */
  #fill(b: Uint8Array, found: readonly Token[], into: FieldValues): boolean {
    let any = false;
    for (const i of this.#keyed) {
      const spec = this.#specs[i]!;
      const token = found.find((candidate) => candidate.key === spec.key);
      if (!token) continue;
      readValue(spec.form, b, token.start, token.end, into, i);
      any = true;
    }
    return any;
  }

  /** `(func+0x4/0x190)`, `(caller+0x75/0x100 <- func)`, with ` [module]` behind a symbol of a module. */
  #function(b: Uint8Array, from: number, end: number, into: FieldValues): void {
    const i = this.#functionAt;
    into.state[i] = FIELD_ABSENT;
    if (b[from] !== 40) return;
    let start = from + 1;
    let close = start;
    while (close < end && b[close] !== 41) {
      if (b[close] === 60 && b[close + 1] === 45) start = close + 3;
      close++;
    }
    let stop = start;
    while (stop < close && b[stop] !== 43 && b[stop] !== 32) stop++;
    // Tools outside the kernel print addresses.
    if (stop === close && isAddress(b, start, stop)) return;
    into.start[i] = start;
    into.end[i] = stop;
    into.state[i] = FIELD_OK;
  }
}

/** Whether `b[from, to)` is a bare number in hexadecimal of the length of an address. */
function isAddress(b: Uint8Array, from: number, to: number): boolean {
  if (to - from < 8) return false;
  for (let p = from; p < to; p++) {
    const c = b[p]!;
    if (!((c >= 48 && c <= 57) || (c >= 97 && c <= 102))) return false;
  }
  return true;
}
