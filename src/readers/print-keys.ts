import { isDeepStrictEqual } from 'node:util';
import type { EventFormat } from './event-format.ts';
import type { Expression } from './print-format.ts';
import { type Conversion, type PrintPlan, printPlan } from './print-record.ts';

/** What a key of a record's text stands for: the conversions behind `key=`, up to the next blank or comma. */
export interface KeyedValue {
  readonly conversions: readonly Conversion[];
}

/** A format with its text taken apart, made once per event. */
export interface ReadFormat {
  readonly format: EventFormat;
  readonly plan: PrintPlan | null;
  /** Values by the keys that the text prints them with. */
  value(key: string): KeyedValue | null;
  /** The text has no keys: then they are the names of the fields. */
  readonly keyless: boolean;
}

/** The key that ends a text, in front of the value's conversion, by what stands between them. */
const KEYS = {
  '=': /([A-Za-z_][\w.>[\]-]*)=(?:0x|#)?$/,
  ':': /([A-Za-z_][\w.>[\]-]*): *(?:0x|#)?$/,
  ' ': /([A-Za-z_][\w.>[\]-]*) (?:0x|#)?$/,
} as const;

/** Longest key, with what stands behind it. */
const MAX_KEY = 256;

/** Takes the text of a format apart. */
export function readFormat(format: EventFormat): ReadFormat {
  const plan = printPlan(format);
  const keyed = (separator: keyof typeof KEYS): ReadonlyMap<string, KeyedValue> => {
    const found = new Map<string, KeyedValue>();
    const conversions = plan?.conversions ?? [];
    for (const [i, { before }] of conversions.entries()) {
      const key = KEYS[separator].exec(before.slice(-MAX_KEY))?.[1];
      if (key === undefined || found.has(key)) continue;
      let end = i + 1;
      while (end < conversions.length && !/[ ,]/.test(conversions[end]!.before)) end++;
      found.set(key, { conversions: conversions.slice(i, end) });
    }
    return found;
  };
  let byEquals: ReadonlyMap<string, KeyedValue> | null = null;
  let others: readonly ReadonlyMap<string, KeyedValue>[] = [];
  return {
    format,
    plan,
    get keyless() {
      return this.value('') === null && byEquals?.size === 0 && others.every((map) => map.size === 0);
    },
    value(key) {
      if (byEquals === null) {
        byEquals = keyed('=');
        // Texts without an equals sign: `pages:-1 reason:..`, `pfn 521948 rmap_item ..`.
        if (byEquals.size === 0) others = [keyed(':'), keyed(' ')];
      }
      return (
        byEquals.get(key) ?? others.map((map) => map.get(key)).find((value) => value !== undefined) ?? null
      );
    },
  };
}

/** Names of the fields that an expression depends on: beside `known`, where its value is known. */
export function fieldsIn(
  of: Expression,
  known: Expression | null = null,
  into: Set<string> = new Set(),
): Set<string> {
  if (known !== null && isDeepStrictEqual(of, known)) return into;
  if (of.kind === 'field') into.add(of.name);
  if (of.kind === 'call') for (const arg of of.args) if (arg.kind === 'name') into.add(arg.name);
  for (const part of operandsOf(of)) fieldsIn(part, known, into);
  return into;
}

function operandsOf(of: Expression): readonly Expression[] {
  switch (of.kind) {
    case 'unary':
    case 'cast':
      return [of.of];
    case 'binary':
      return [of.left, of.right];
    case 'choice':
      return [of.test, of.yes, of.no];
    case 'call':
      return of.args;
    case 'braces':
      return of.items;
    case 'index':
      return [of.of, of.at];
    default:
      return [];
  }
}
