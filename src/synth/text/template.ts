import { ascii, type Line } from '../../core/line.ts';
import type { ArgType, EventKind } from '../../events/declare.ts';
import {
  decimal,
  faultFlags,
  flagNames,
  gupFlags,
  mapping,
  pageAddress,
  pageDigits,
  pageFlags,
  pte,
  type Show,
  swapEntry,
  vma,
  vmfFlags,
  word,
} from './values.ts';

/** Writes the record that states an event, given its arguments from `i` on: the record's name, and what follows it. */
export type Print = (to: Line, args: Float64Array, i: number) => void;

/** How an argument is printed where a template does not say it. A pte takes two numbers and is dealt with apart. */
const USUAL: Partial<Record<ArgType, Show>> = {
  pfn: pageAddress,
  mm: word,
  ptr: word,
  va: word,
  entry: swapEntry,
  pageflags: pageFlags,
  gupflags: gupFlags,
  faultflags: vmfFlags,
};

/** What a template may ask for. */
const SHOWS: Readonly<Record<string, Show>> = {
  hex: word,
  /** Hexadecimal without 0x. */
  bare: (to, value) => to.word(value),
  /** A page's address as %p of a kernel with raw pointers prints it: without 0x. */
  digits: pageDigits,
  /** The address of the VMA of an mm. */
  vma,
  /** Page flags by name. */
  names: flagNames,
  mapping,
  /** Fault flags before the PTE was read. */
  early: faultFlags,
};

interface Part {
  /** What stands before the value. */
  readonly before: Uint8Array;
  readonly at: number;
  /** Null: a page-table entry. */
  readonly show: Show | null;
}

/** `page={pfn:digits} order={order}`: arguments of a kind by name, with how to print them where that is not usual. */
export function template(kind: EventKind, text: string): Print {
  const parts: Part[] = [];
  let last = 0;
  for (const match of text.matchAll(/\{(\w+)(?::(\w+))?\}/g)) {
    const [whole, name, how] = match;
    const at = kind.at[name!];
    if (at === undefined) throw new Error(`${kind.name} has no argument ${name}`);
    const type = kind.args[name!]!;
    const show = type === 'pte' ? null : how === undefined ? (USUAL[type] ?? decimal) : SHOWS[how]!;
    parts.push({ before: ascii(text.slice(last, match.index)), at, show });
    last = match.index + whole.length;
  }
  const rest = ascii(text.slice(last));
  return (to, args, i) => {
    for (const { before, at, show } of parts) {
      to.put(before);
      const value = args[i + at]!;
      if (show === null) pte(to, value, args[i + at + 1]!);
      else show(to, value);
    }
    to.put(rest);
  };
}

/** A probe at the entry of a function. */
export function entry(event: string, func: string, fields = ''): string {
  return `${event}: (${func}+0x4/0x290)${fields === '' ? '' : ` ${fields}`}`;
}

/** A probe at the return of a function. */
export function exit(event: string, func: string, fields = ''): string {
  return `${event}: (do_syscall_64+0x3b/0xc0 <- ${func})${fields === '' ? '' : ` ${fields}`}`;
}
