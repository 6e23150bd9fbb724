/**
 * Events as lines of JSON: the synthetic form of a trace, which `synth` and `export` write (json-write.ts) and the
 * reader reads. One event a line, in order; what is not known is absent (or null when read). The forms of arguments
 * derive from the declarations of the events.
 */
import { PAGE_FLAG_NAMES, PG_UNNAMED } from '../core/pageflags.ts';
import {
  entryOf,
  PTE_DIRTY,
  PTE_EXCLUSIVE,
  PTE_GLOBAL,
  PTE_HUGE,
  PTE_MIGRATION,
  PTE_NONE,
  PTE_NX,
  PTE_OTHER,
  PTE_PRESENT,
  PTE_PROTNONE,
  PTE_SOFT_DIRTY,
  PTE_SPECIAL,
  PTE_SWAP,
  PTE_UFFD_WP,
  PTE_USER,
  PTE_WRITE,
  PTE_YOUNG,
} from '../core/pte.ts';
import {
  CTX_HARDIRQ,
  CTX_IRQS_OFF,
  CTX_KNOWN,
  CTX_NMI,
  CTX_PREEMPT_SHIFT,
  CTX_SOFTIRQ,
} from '../core/records.ts';
import type { EventBatch } from './batch.ts';
import type { ArgType, EventKind } from './declare.ts';
import {
  FAULT_INSTRUCTION,
  FAULT_REMOTE,
  FAULT_UNSHARE,
  FAULT_USER,
  FAULT_WRITE,
  FOLL_FORCE,
  FOLL_GET,
  FOLL_LONGTERM,
  FOLL_PIN,
  FOLL_REMOTE,
  FOLL_WRITE,
} from './flags.ts';
import { EVENT_KINDS, eventKind } from './registry.ts';

export type Names = ReadonlyArray<readonly [name: string, bit: number]>;

export const PTE_KIND_NAMES: Names = [
  ['none', PTE_NONE],
  ['present', PTE_PRESENT],
  ['swap', PTE_SWAP],
  ['migration', PTE_MIGRATION],
  ['other', PTE_OTHER],
];
export const PTE_FLAG_NAMES: Names = [
  ['write', PTE_WRITE],
  ['dirty', PTE_DIRTY],
  ['young', PTE_YOUNG],
  ['soft_dirty', PTE_SOFT_DIRTY],
  ['uffd_wp', PTE_UFFD_WP],
  ['user', PTE_USER],
  ['huge', PTE_HUGE],
  ['exclusive', PTE_EXCLUSIVE],
  ['nx', PTE_NX],
  ['global', PTE_GLOBAL],
  ['protnone', PTE_PROTNONE],
  ['special', PTE_SPECIAL],
];
export const CONTEXT_NAMES: Names = [
  ['irqs_off', CTX_IRQS_OFF],
  ['hardirq', CTX_HARDIRQ],
  ['softirq', CTX_SOFTIRQ],
  ['nmi', CTX_NMI],
];
/** Flags by the type of the argument that holds them. */
export const FLAG_NAMES: Readonly<Record<'pageflags' | 'gupflags' | 'faultflags', Names>> = {
  pageflags: [...PAGE_FLAG_NAMES.filter(([name]) => name !== 'mappedtodisk'), ['unnamed', PG_UNNAMED]],
  gupflags: [
    ['write', FOLL_WRITE],
    ['get', FOLL_GET],
    ['pin', FOLL_PIN],
    ['force', FOLL_FORCE],
    ['longterm', FOLL_LONGTERM],
    ['remote', FOLL_REMOTE],
  ],
  faultflags: [
    ['write', FAULT_WRITE],
    ['user', FAULT_USER],
    ['remote', FAULT_REMOTE],
    ['unshare', FAULT_UNSHARE],
    ['instruction', FAULT_INSTRUCTION],
  ],
};

/** Deepest preemption that a context tells. */
const MAX_PREEMPT = 15;

/** One event outside of a batch. Arguments in storage order, NaN where not known. */
export interface LineEvent {
  readonly kind: EventKind;
  readonly ns: number;
  /** -1: not known. */
  readonly cpu: number;
  readonly pid: number;
  /** CTX_* bits. */
  readonly ctx: number;
  readonly args: readonly number[];
}

/** Event `i` of a batch. */
export function eventOf(batch: EventBatch, i: number): LineEvent {
  const kind = EVENT_KINDS[batch.kind[i]!]!;
  const at = batch.at[i]!;
  return {
    kind,
    ns: batch.ns[i]!,
    cpu: batch.cpu[i]!,
    pid: batch.pid[i]!,
    ctx: batch.ctx[i]!,
    args: [...batch.args.subarray(at, at + kind.width)],
  };
}

/** A line is not an event; {@link key} is the key whose value is wrong, '' for the line as a whole. */
export class EventLineError extends Error {
  readonly key: string;
  constructor(key: string, message: string) {
    super(message);
    this.key = key;
  }
}

function wrong(key: string, expected: string): never {
  throw new EventLineError(key, `"${key}" must be ${expected}`);
}

type Parsed = { readonly [key: string]: unknown };

/** Keys of a line, of a context and of a page-table entry, as they come. */
interface LineKeys {
  readonly seq?: unknown;
  readonly event?: unknown;
  readonly ns?: unknown;
  readonly cpu?: unknown;
  readonly pid?: unknown;
  readonly ctx?: unknown;
  readonly args?: unknown;
  readonly preempt?: unknown;
  readonly kind?: unknown;
  readonly pfn?: unknown;
  readonly entry?: unknown;
  readonly flags?: unknown;
}

function isObject(value: unknown): value is Parsed & LineKeys {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuseUnknown(object: Parsed, known: readonly string[], what: string): void {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) throw new EventLineError(key, `"${key}" is no key of ${what}`);
  }
}

/** The event that the value of a line states. Throws {@link EventLineError}. */
export function decodeEvent(value: unknown): LineEvent {
  if (!isObject(value)) throw new EventLineError('', 'a line must be one object');
  refuseUnknown(value, ['seq', 'event', 'ns', 'cpu', 'pid', 'ctx', 'args'], 'an event line');
  const name = value.event;
  const kind = typeof name === 'string' ? eventKind(name) : undefined;
  if (kind === undefined) {
    throw new EventLineError(
      'event',
      `"event" must name a kind of event, of those that \`faultline events\` lists`,
    );
  }
  if (value.seq != null) integer(value, 'seq', 1, Number.MAX_SAFE_INTEGER);
  const argsValue = value.args ?? {};
  if (!isObject(argsValue)) wrong('args', 'an object');
  refuseUnknown(argsValue, Object.keys(kind.args), `the arguments of ${kind.name}`);
  const args = new Array<number>(kind.width).fill(Number.NaN);
  for (const [arg, type] of Object.entries(kind.args)) {
    if (argsValue[arg] == null) continue;
    const at = kind.at[arg]!;
    if (type === 'pte') [args[at], args[at + 1]] = decodePte(arg, argsValue[arg]);
    else args[at] = decodeArg(type, argsValue, arg);
  }
  return {
    kind,
    ns: integer(value, 'ns', -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    cpu: value.cpu == null ? -1 : integer(value, 'cpu', 0, 0x7fff),
    pid: value.pid == null ? -1 : integer(value, 'pid', 0, 0x7fffffff),
    ctx: decodeContext(value.ctx),
    args,
  };
}

function integer(from: Parsed, key: string, least: number, most: number): number {
  const value = from[key];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    wrong(key, least >= 0 ? `an integer from ${least}` : 'an integer');
  return value;
}

function decodeContext(value: unknown): number {
  if (value == null) return 0;
  if (!isObject(value)) wrong('ctx', 'an object');
  const known = CONTEXT_NAMES.map(([name]) => name);
  refuseUnknown(value, [...known, 'preempt'], '"ctx"');
  let ctx = CTX_KNOWN;
  for (const [name, bit] of CONTEXT_NAMES) {
    if (value[name] == null) continue;
    if (typeof value[name] !== 'boolean') wrong(name, 'true or false');
    if (value[name]) ctx |= bit;
  }
  if (value.preempt != null) ctx |= integer(value, 'preempt', 0, MAX_PREEMPT) << CTX_PREEMPT_SHIFT;
  return ctx;
}

function decodeArg(type: ArgType, from: Parsed, key: string): number {
  const value = from[key];
  switch (type) {
    case 'bool':
      if (typeof value !== 'boolean') wrong(key, 'true or false');
      return value ? 1 : 0;
    case 'pfn':
    case 'mm':
    case 'ptr':
    case 'va':
      return Number(BigInt.asIntN(64, hexWord(key, value)));
    case 'entry':
      return decodeEntry(key, value);
    case 'pageflags':
    case 'gupflags':
    case 'faultflags':
      return decodeNames(key, value, FLAG_NAMES[type]);
    default:
      if (typeof value !== 'number' || !Number.isInteger(value)) wrong(key, 'an integer');
      return value;
  }
}

function hexWord(key: string, value: unknown): bigint {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{1,16}$/i.test(value))
    wrong(key, 'a hexadecimal number in quotes, "0x.."');
  return BigInt(value);
}

function decodeEntry(key: string, value: unknown): number {
  const word = hexWord(key, value);
  const offset = word & ((1n << 58n) - 1n);
  if (offset >> 44n) wrong(key, 'a swap entry: its type in bits 58 and up, its offset below 2^44');
  return entryOf(Number(word >> 58n), Number(offset));
}

function decodeNames(key: string, value: unknown, names: Names): number {
  if (!Array.isArray(value)) wrong(key, 'a list of flags');
  let flags = 0;
  for (const name of value as readonly unknown[]) {
    const bit = names.find(([known]) => known === name)?.[1];
    if (bit === undefined) wrong(key, `a list of flags of ${names.map(([known]) => known).join(', ')}`);
    flags |= bit;
  }
  return flags;
}

function decodePte(key: string, value: unknown): readonly [bits: number, frame: number] {
  if (!isObject(value)) wrong(key, 'an object with "kind"');
  refuseUnknown(value, ['kind', 'pfn', 'entry', 'flags'], `"${key}"`);
  const kind = PTE_KIND_NAMES.find(([name]) => name === value.kind)?.[1];
  if (kind === undefined) wrong('kind', `one of ${PTE_KIND_NAMES.map(([name]) => name).join(', ')}`);
  const bits = kind | (value.flags == null ? 0 : decodeNames('flags', value.flags, PTE_FLAG_NAMES));
  if (value.entry != null && kind !== PTE_SWAP) wrong('entry', 'absent where the kind is not swap');
  if (value.pfn != null && kind === PTE_SWAP) wrong('pfn', 'absent where the kind is swap');
  if (value.entry != null) return [bits, decodeEntry('entry', value.entry)];
  return [bits, value.pfn == null ? Number.NaN : Number(BigInt.asIntN(64, hexWord('pfn', value.pfn)))];
}
