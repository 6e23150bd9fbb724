import type { EventField, EventFormat } from './event-format.ts';
import type { KernelSymbols } from './kernel-symbols.ts';
import type { Expression } from './print-format.ts';
import { dynamicField, fieldBounds, isNumeric, numberOf, type RecordBytes } from './print-value.ts';

/** What texts are made from beside the record. */
export interface TextSources {
  readonly symbols: KernelSymbols;
  /** Strings of the kernel that records point at, by address in hexadecimal. */
  readonly strings: ReadonlyMap<string, string>;
}

/** Longest text that one value becomes. */
const MAX_VALUE = 4096;

/** Whether the text that an expression stands for can be told from a record alone. */
export function isTextual(of: Expression, format: EventFormat): boolean {
  switch (of.kind) {
    case 'string':
      return true;
    case 'field': {
      const field = format.fields.get(of.name);
      return field !== undefined && (isCharacters(field) || field.type.includes('char *'));
    }
    case 'choice':
      return isNumeric(of.test, format) && isTextual(of.yes, format) && isTextual(of.no, format);
    case 'cast':
      return isTextual(of.of, format);
    case 'call': {
      const table = tableOf(of, format);
      if (table !== null) return isNumeric(table.value, format) && table.complete;
      return /^__get_(rel_)?(str|bitmask|cpumask)$/.test(of.name)
        ? dynamicField(of, format) !== null
        : /^__print_(hex|hex_str|array)$/.test(of.name) && arrayOf(of, format) !== null;
    }
    default:
      return false;
  }
}

function isCharacters(field: EventField): boolean {
  return /\bchar$/.test(field.type) && (field.array || field.place !== 'fixed');
}

/** The table of __print_flags or __print_symbolic. */
export interface NameTable {
  readonly value: Expression;
  /** What joins the names of flags; null where one name stands for the whole number. */
  readonly joint: string | null;
  readonly entries: ReadonlyArray<readonly [value: bigint, name: string]>;
  /** The number of every entry is known: kernels leave some as names of enum members. */
  readonly complete: boolean;
}

const tables = new WeakMap<Expression, NameTable>();

/** The table that an expression names values by, or null. */
export function tableOf(of: Expression, format: EventFormat): NameTable | null {
  if (of.kind === 'choice' && of.no.kind === 'string') return tableOf(of.yes, format);
  if (of.kind !== 'call') return null;
  const flags = /^__print_flags(_u64)?$/.test(of.name);
  if (!flags && !/^__print_symbolic(_u64)?$/.test(of.name)) return null;
  const known = tables.get(of);
  if (known) return known;
  const [value, ...rest] = of.args;
  if (!value) return null;
  const joint = flags ? rest.shift() : undefined;
  const entries: Array<readonly [bigint, string]> = [];
  let complete = true;
  const nothing: RecordBytes = {
    bytes: new Uint8Array(0),
    view: new DataView(new ArrayBuffer(0)),
    start: 0,
    end: 0,
    little: true,
    longSize: 8,
  };
  for (const entry of rest) {
    const [number, name] = entry.kind === 'braces' ? entry.items : [];
    if (name?.kind === 'string' && number && isNumeric(number, format))
      entries.push([numberOf(number, format, nothing), name.value]);
    else if (name?.kind === 'string') complete = false;
  }
  const table = {
    value,
    joint: joint?.kind === 'string' ? joint.value : flags ? '|' : null,
    entries,
    complete,
  };
  tables.set(of, table);
  return table;
}

/** As trace_print_flags_seq() and trace_print_symbols_seq() print a number. */
function named(table: NameTable, number: bigint): string {
  if (table.joint === null) {
    for (const [value, name] of table.entries) if (value === number) return name;
    return `0x${BigInt.asUintN(64, number).toString(16)}`;
  }
  let left = BigInt.asUintN(64, number);
  const names: string[] = [];
  for (const [value, name] of table.entries) {
    const mask = BigInt.asUintN(64, value);
    if (mask === 0n ? left !== 0n || names.length > 0 : (left & mask) !== mask) continue;
    names.push(name);
    left &= ~mask;
  }
  if (left !== 0n) names.push(`0x${left.toString(16)}`);
  return names.join(table.joint);
}

/** The text that an expression stands for. Only where {@link isTextual} says so. */
export function textOf(
  of: Expression,
  format: EventFormat,
  record: RecordBytes,
  sources: TextSources,
): string {
  switch (of.kind) {
    case 'string':
      return of.value;
    case 'choice':
      return textOf(numberOf(of.test, format, record) !== 0n ? of.yes : of.no, format, record, sources);
    case 'cast':
      return textOf(of.of, format, record, sources);
    case 'field': {
      const field = format.fields.get(of.name)!;
      return isCharacters(field) ? characters(field, record) : pointedAt(of, format, record, sources);
    }
    case 'call': {
      const table = tableOf(of, format);
      if (table !== null) return named(table, numberOf(table.value, format, record));
      if (/^__print_/.test(of.name)) return arrayText(of, format, record);
      const field = dynamicField(of, format);
      if (!field) return '';
      return isCharacters(field) || /str$/.test(of.name) ? characters(field, record) : bitmask(field, record);
    }
    default:
      return '';
  }
}

/** Characters up to the first NUL, as latin1: one character is one byte. */
function characters(field: EventField, record: RecordBytes): string {
  const bounds = fieldBounds(field, record);
  if (!bounds) return '';
  let text = '';
  for (let at = bounds[0]; at < bounds[1] && text.length < MAX_VALUE; at++) {
    const c = record.bytes[at]!;
    if (c === 0) break;
    text += String.fromCharCode(c);
  }
  return text;
}

/** A `const char *`: an address of one of the kernel's strings. */
function pointedAt(of: Expression, format: EventFormat, record: RecordBytes, sources: TextSources): string {
  const address = `0x${BigInt.asUintN(64, numberOf(of, format, record)).toString(16)}`;
  return sources.strings.get(address) ?? address;
}

/** The array that __print_hex, __print_hex_str and __print_array print. */
function arrayOf(of: Expression & { kind: 'call' }, format: EventFormat): EventField | null {
  const [array, count] = of.args;
  if (!array || !count || !isNumeric(count, format)) return null;
  const inner = array.kind === 'cast' ? array.of : array;
  return (
    dynamicField(inner, format) ?? (inner.kind === 'field' ? (format.fields.get(inner.name) ?? null) : null)
  );
}

function arrayText(of: Expression & { kind: 'call' }, format: EventFormat, record: RecordBytes): string {
  const field = arrayOf(of, format);
  const bounds = field ? fieldBounds(field, record) : null;
  if (!bounds) return '';
  const count = Number(BigInt.asUintN(32, numberOf(of.args[1]!, format, record)));
  const wanted =
    of.args[2] && isNumeric(of.args[2], format) ? Number(numberOf(of.args[2], format, record)) : 1;
  const size = of.name === '__print_array' && [1, 2, 4, 8].includes(wanted) ? wanted : 1;
  const items: string[] = [];
  for (let at = bounds[0]; at + size <= bounds[1] && items.length < Math.min(count, MAX_VALUE); at += size) {
    let value = 0n;
    for (let i = 0; i < size; i++) {
      const from = record.little ? at + size - 1 - i : at + i;
      value = (value << 8n) | BigInt(record.bytes[from]!);
    }
    items.push(value.toString(16));
  }
  if (of.name === '__print_array') return `{${items.map((item) => `0x${item}`).join(',')}}`;
  return items.map((item) => item.padStart(2, '0')).join(of.name === '__print_hex' ? ' ' : '');
}

/** A bitmask in hexadecimal, the highest word first, as %*pb prints it. */
function bitmask(field: EventField, record: RecordBytes): string {
  const bounds = fieldBounds(field, record);
  if (!bounds) return '';
  let text = '';
  for (let at = bounds[0]; at < bounds[1] && text.length < MAX_VALUE; at++) {
    text = record.bytes[at]!.toString(16).padStart(2, '0') + text;
  }
  return text.replace(/(.{8})(?=.)/g, '$1,');
}
