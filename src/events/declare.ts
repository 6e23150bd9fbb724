import { PTE_KIND } from '../core/pte.ts';
import { recordOf } from '../core/record-of.ts';

/**
 * Types of event arguments. Each argument is one exact number (NaN: not known), but for `pte`, which is two:
 * canonical bits and frame (core/pte.ts).
 * - pfn, order, count (a signed number of references, pages or so), ns, code (a small closed number that the
 *   declaration explains), bool (0/1), pid, cpu
 * - mm, ptr: signed 64-bit words (core/pointer.ts); va: a virtual address in bytes
 * - entry: a swap entry (core/pte.ts entryOf); pageflags: core/pageflags.ts bits
 * - gupflags, faultflags: canonical FOLL_* and FAULT_FLAG_* bits (events/flags.ts)
 */
export type ArgType =
  | 'pfn'
  | 'order'
  | 'count'
  | 'code'
  | 'bool'
  | 'pid'
  | 'cpu'
  | 'mm'
  | 'ptr'
  | 'va'
  | 'pte'
  | 'entry'
  | 'pageflags'
  | 'gupflags'
  | 'faultflags'
  | 'long';

/** Names of the arguments of a kind, in storage order, with their types. */
export type ArgTypes = Readonly<Record<string, ArgType>>;

/** One kind of event: its name, its meaning in a line, and its arguments. */
export interface EventKind<A extends ArgTypes = ArgTypes> {
  readonly name: string;
  /** Position in the registry: the number stored in batches. Set once, by the registry. */
  code: number;
  readonly meaning: string;
  readonly args: A;
  /** Offset of each argument within the event's numbers. A pte takes two: bits at the offset, frame behind it. */
  readonly at: { readonly [K in keyof A]: number };
  /** How many numbers an event of this kind has. */
  readonly width: number;
}

/** Declares a kind of event. List the result in events/index.ts: that is all it takes. */
export function kind<const A extends ArgTypes>(name: string, meaning: string, args: A): EventKind<A> {
  let width = 0;
  const at = recordOf(Object.keys(args), (arg) => {
    const offset = width;
    width += args[arg] === 'pte' ? 2 : 1;
    return offset;
  });
  return { name, code: -1, meaning, args, at: at as { readonly [K in keyof A]: number }, width };
}

/** Kind of a decoded PTE given its bits; NaN stays NaN. */
export function pteKind(bits: number): number {
  return Number.isNaN(bits) ? Number.NaN : bits & PTE_KIND;
}
