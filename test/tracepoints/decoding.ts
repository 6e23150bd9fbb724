import { pageFlagText } from '../../src/core/pageflags.ts';
import { parseHex } from '../../src/core/pointer.ts';
import {
  entryOffset,
  entryType,
  PTE_DIRTY,
  PTE_EXCLUSIVE,
  PTE_HUGE,
  PTE_KIND,
  PTE_MIGRATION,
  PTE_NONE,
  PTE_OTHER,
  PTE_PRESENT,
  PTE_PROTNONE,
  PTE_SOFT_DIRTY,
  PTE_SWAP,
  PTE_UFFD_WP,
  PTE_WRITE,
  PTE_YOUNG,
} from '../../src/core/pte.ts';
import type { FieldExtractor, NameTable, RecordBatch } from '../../src/core/records.ts';
import { EventBatchBuilder } from '../../src/events/batch.ts';
import type { EventKind } from '../../src/events/declare.ts';
import { EVENT_KINDS } from '../../src/events/registry.ts';
import { textExtractor } from '../../src/readers/text-fields.ts';
import { type DecodeOptions, TraceDecoder } from '../../src/tracepoints/decode.ts';

/** The machine of most lines in these tests: 6.12 on x86-64, without KASLR and with 4-level paging. */
export const BASE = parseHex('ffffea0000000000');
export const MACHINE: DecodeOptions = { kernel: '6.12.117', arch: 'x86-64', vmemmapBase: BASE };

export class Names implements NameTable {
  readonly names: string[] = [];
  id(name: string): number {
    const known = this.names.indexOf(name);
    return known >= 0 ? known : this.names.push(name) - 1;
  }
}

/** Splits `sys_madvise -> 0x0`, `sys_madvise(start: ..` and `event: payload`. */
function nameAndPayload(text: string): readonly [name: string, payload: string] {
  const returns = /^(sys_\w+) -> (.*)$/.exec(text);
  if (returns) return [`${returns[1]}->`, returns[2]!];
  const call = /^(sys_\w+)\((.*)$/.exec(text);
  if (call) return [call[1]!, call[2]!];
  const named = /^([^\s:()]+): ?(.*)$/.exec(text);
  if (!named) throw new Error(`not a record: ${text}`);
  return [named[1]!, named[2]!];
}

/** Records in one batch: a line each, by task 100 on CPU 0, or by the task in front of `>`. */
export function recordsOf(lines: string, names: NameTable): RecordBatch {
  const texts = lines.split('\n').filter((line) => line.trim() !== '');
  const count = texts.length;
  const batch = {
    count,
    row: new Uint8Array(count),
    ns: Float64Array.from({ length: count }, (_, i) => i * 1000),
    cpu: new Int16Array(count),
    pid: new Int32Array(count),
    ctx: new Uint16Array(count),
    name: new Int32Array(count),
    record: Float64Array.from({ length: count }, (_, i) => i + 1),
    start: new Int32Array(count),
    end: new Int32Array(count),
    aux: new Float64Array(count),
    bytes: Buffer.alloc(0),
  };
  let bytes = '';
  for (const [i, line] of texts.entries()) {
    const [, pid, text] = /^\s*(?:(\d+)> )?(.*)$/.exec(line)!;
    const [name, payload] = nameAndPayload(text!);
    batch.pid[i] = Number(pid ?? 100);
    batch.name[i] = names.id(name);
    batch.start[i] = bytes.length;
    bytes += payload;
    batch.end[i] = bytes.length;
    bytes += '\n';
  }
  return { ...batch, lines: texts.length, bytes: Buffer.from(`${bytes}${' '.repeat(64)}`, 'latin1') };
}

/** A decoder that has decoded these records, and the events that they state, one a line. */
export function decodeAll(lines: string, options: DecodeOptions = MACHINE) {
  const names = new Names();
  const extractor = (id: number, specs: Parameters<typeof textExtractor>[1]): FieldExtractor =>
    textExtractor(names.names[id]!, specs);
  const decoder = new TraceDecoder(names, extractor, options);
  const out = new EventBatchBuilder();
  decoder.push(recordsOf(lines, names), out);
  decoder.finish(out);
  const batch = out.take();
  const events = Array.from({ length: batch.count }, (_, i) =>
    eventText(EVENT_KINDS[batch.kind[i]!]!, batch.args.subarray(batch.at[i]!)),
  );
  return { decoder, events, facts: decoder.facts };
}

/** The events that these records state. */
export function decode(lines: string, options: DecodeOptions = MACHINE): string[] {
  return decodeAll(lines, options).events;
}

const HEXADECIMAL = new Set(['pfn', 'mm', 'ptr', 'va']);

/** `wp.test pfn=0x1dba count=3 flags=uptodate|swapbacked`: what is not known is left out. */
function eventText(kind: EventKind, args: Float64Array): string {
  const words = [kind.name];
  for (const [arg, type] of Object.entries(kind.args)) {
    const value = args[kind.at[arg]!]!;
    if (Number.isNaN(value)) continue;
    if (type === 'pte') words.push(`${arg}=${pteText(value, args[kind.at[arg]! + 1]!)}`);
    else if (type === 'entry') words.push(`${arg}=${entryType(value)}:${entryOffset(value)}`);
    else if (type === 'pageflags') words.push(`${arg}=${pageFlagText(value)}`);
    else if (HEXADECIMAL.has(type)) words.push(`${arg}=${hexText(value)}`);
    else words.push(`${arg}=${value}`);
  }
  return words.join(' ');
}

function hexText(value: number): string {
  return `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;
}

const KIND_NAMES: Readonly<Record<number, string>> = {
  [PTE_NONE]: 'none',
  [PTE_PRESENT]: 'page',
  [PTE_SWAP]: 'swap',
  [PTE_MIGRATION]: 'migration',
  [PTE_OTHER]: 'other',
};
const LETTERS: ReadonlyArray<readonly [bit: number, letter: string]> = [
  [PTE_WRITE, 'W'],
  [PTE_DIRTY, 'D'],
  [PTE_YOUNG, 'A'],
  [PTE_SOFT_DIRTY, 's'],
  [PTE_UFFD_WP, 'u'],
  [PTE_EXCLUSIVE, 'E'],
  [PTE_HUGE, 'H'],
  [PTE_PROTNONE, 'P'],
];

/** `page:0x1df7:WD`, `swap:0:5:E`, `migration:0x15e8a`, `none`. */
export function pteText(bits: number, frame: number): string {
  if (Number.isNaN(bits)) return '?';
  const kind = bits & PTE_KIND;
  const words = [KIND_NAMES[kind]!];
  if (kind === PTE_SWAP) words.push(`${entryType(frame)}:${entryOffset(frame)}`);
  else if (!Number.isNaN(frame)) words.push(hexText(frame));
  const letters = LETTERS.filter(([bit]) => bits & bit).map(([, letter]) => letter);
  if (letters.length > 0) words.push(letters.join(''));
  return words.join(':');
}
