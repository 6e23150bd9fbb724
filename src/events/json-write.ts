import { ascii, Line, remembered } from '../core/line.ts';
import { entryHex, entryType, PTE_KIND, PTE_SWAP } from '../core/pte.ts';
import { CTX_KNOWN, CTX_PREEMPT_SHIFT, EVENT_LINES_SCHEMA } from '../core/records.ts';
import type { EventBatch } from './batch.ts';
import type { ArgType, EventKind } from './declare.ts';
import {
  CONTEXT_NAMES,
  FLAG_NAMES,
  type LineEvent,
  type Names,
  PTE_FLAG_NAMES,
  PTE_KIND_NAMES,
} from './json-lines.ts';
import { EVENT_KINDS } from './registry.ts';

const LINE_FEED = 10;
/** Lines that are wanted as text one by one are written here. */
const scratch = new Line();

/** An event as a line, without its line feed. */
export function encodeEvent({ kind, ns, cpu, pid, ctx, args }: LineEvent, seq?: number): string {
  writeLine(scratch, kind, args, 0, ns, cpu, pid, ctx, seq);
  return scratch.take();
}

/** Writes event `i` of a batch as a line, with its line feed. */
export function writeEvent(to: Line, batch: EventBatch, i: number, seq?: number): void {
  const kind = EVENT_KINDS[batch.kind[i]!]!;
  const at = batch.at[i]!;
  writeLine(to, kind, batch.args, at, batch.ns[i]!, batch.cpu[i]!, batch.pid[i]!, batch.ctx[i]!, seq);
  to.byte(LINE_FEED);
}

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/** What a trace of event lines tells in its first line. Null: not known, and left out. */
export interface LinesHead {
  readonly originNs: bigint;
  readonly ticks: boolean;
  readonly kernel: string | null;
  readonly arch: string | null;
  readonly clock: string | null;
  readonly tasks: ReadonlyArray<{ readonly pid: number; readonly comm: string }>;
  /** More keys, which readers pass over. */
  readonly about: Readonly<Record<string, Json>>;
}

/** The first line of a trace, without its line feed. */
export function encodeHead(head: LinesHead): string {
  const { kernel, arch, clock } = head;
  const told = Object.entries({ kernel, arch, clock }).filter(([, value]) => value !== null);
  const first = {
    schema: EVENT_LINES_SCHEMA,
    origin_ns: String(head.originNs),
    ...Object.fromEntries(told),
    ...(head.ticks ? { ticks: true } : {}),
    tasks: head.tasks.map(({ pid, comm }) => ({ pid, comm })),
    ...head.about,
  };
  return JSON.stringify(first);
}

/** A trace as text that every command reads: a line that tells what it is, and a line for each event. */
export function encodeTrace(head: LinesHead, events: EventBatch): string {
  const line = new Line();
  let text = `${encodeHead(head)}\n`;
  for (let i = 0; i < events.count; i++) {
    writeEvent(line, events, i, events.firstSeq + i);
    if (line.full) text += line.take();
  }
  return text + line.take();
}

/** An argument of a kind, and how its value is written. */
interface ArgWriter {
  /** `"pfn":` */
  readonly key: Uint8Array;
  readonly at: number;
  readonly write: (to: Line, value: number, second: number) => void;
}

/** What stands before the time of an event of each kind, and its arguments; made when first needed. */
const WRITERS = new Map<EventKind, { readonly head: Uint8Array; readonly args: readonly ArgWriter[] }>();

function writerOf(kind: EventKind): { readonly head: Uint8Array; readonly args: readonly ArgWriter[] } {
  let writer = WRITERS.get(kind);
  if (writer === undefined) {
    const args = Object.entries(kind.args).map(([name, type]) => ({
      key: ascii(`${JSON.stringify(name)}:`),
      at: kind.at[name]!,
      write: argWriter(type),
    }));
    writer = { head: ascii(`"event":${JSON.stringify(kind.name)},"ns":`), args };
    WRITERS.set(kind, writer);
  }
  return writer;
}

const [OPEN, SEQ, CPU, PID, CTX, ARGS, COMMA, CLOSE] = [
  '{',
  '"seq":',
  ',"cpu":',
  ',"pid":',
  ',"ctx":',
  ',"args":{',
  ',',
  '}}',
].map(ascii) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

function writeLine(
  to: Line,
  kind: EventKind,
  args: readonly number[] | Float64Array,
  at: number,
  ns: number,
  cpu: number,
  pid: number,
  ctx: number,
  seq: number | undefined,
): void {
  const writer = writerOf(kind);
  to.put(OPEN);
  if (seq !== undefined) {
    to.put(SEQ);
    to.decimal(seq);
    to.put(COMMA);
  }
  to.put(writer.head);
  to.decimal(ns);
  if (cpu >= 0) {
    to.put(CPU);
    to.decimal(cpu);
  }
  if (pid >= 0) {
    to.put(PID);
    to.decimal(pid);
  }
  if (ctx & CTX_KNOWN) {
    to.put(CTX);
    writeContext(to, ctx);
  }
  to.put(ARGS);
  let isFirst = true;
  for (const arg of writer.args) {
    const value = args[at + arg.at]!;
    if (Number.isNaN(value)) continue;
    if (!isFirst) to.put(COMMA);
    isFirst = false;
    to.put(arg.key);
    arg.write(to, value, args[at + arg.at + 1]!);
  }
  to.put(CLOSE);
}

const writeContext = remembered((ctx) => {
  const preempt = ctx >> CTX_PREEMPT_SHIFT;
  const context: Record<string, boolean | number> = {};
  for (const [name, bit] of CONTEXT_NAMES) if (ctx & bit) context[name] = true;
  return JSON.stringify(preempt > 0 ? { ...context, preempt } : context);
});

function namesOf(value: number, names: Names): string[] {
  return names.filter(([, bit]) => value & bit).map(([name]) => name);
}

const flagWriter = (names: Names): ArgWriter['write'] =>
  remembered((flags) => JSON.stringify(namesOf(flags, names)));
const FLAG_WRITERS = {
  pageflags: flagWriter(FLAG_NAMES.pageflags),
  gupflags: flagWriter(FLAG_NAMES.gupflags),
  faultflags: flagWriter(FLAG_NAMES.faultflags),
};
const writeBool = remembered((value) => (value !== 0 ? 'true' : 'false'));

const [QUOTE_HEX, QUOTE] = ['"0x', '"'].map(ascii) as [Uint8Array, Uint8Array];
function writeWord(to: Line, value: number): void {
  to.put(QUOTE_HEX);
  to.word(value);
  to.put(QUOTE);
}

/** An entry as the kernel's word: its type stands in bits 58 and up. */
function writeEntry(to: Line, entry: number): void {
  if (entryType(entry) === 0) writeWord(to, entry);
  else to.put(ascii(`"${entryHex(entry)}"`));
}

function argWriter(type: ArgType): ArgWriter['write'] {
  switch (type) {
    case 'bool':
      return writeBool;
    case 'pfn':
    case 'mm':
    case 'ptr':
    case 'va':
      return writeWord;
    case 'entry':
      return writeEntry;
    case 'pageflags':
    case 'gupflags':
    case 'faultflags':
      return FLAG_WRITERS[type];
    case 'pte':
      return writePte;
    default:
      return (to, value) => to.decimal(value);
  }
}

/** Up to the frame of an entry, and behind it. */
const writePteKind = remembered((bits) => {
  const kind = PTE_KIND_NAMES.find(([, code]) => code === (bits & PTE_KIND))?.[0] ?? 'other';
  return `{"kind":"${kind}"`;
});
const writePteFlags = remembered((bits) => {
  const flags = namesOf(bits & ~PTE_KIND, PTE_FLAG_NAMES);
  return flags.length > 0 ? `,"flags":${JSON.stringify(flags)}}` : '}';
});
const [ENTRY_KEY, PFN_KEY] = [',"entry":', ',"pfn":'].map(ascii) as [Uint8Array, Uint8Array];

function writePte(to: Line, bits: number, frame: number): void {
  writePteKind(to, bits);
  if (!Number.isNaN(frame)) {
    const isSwap = (bits & PTE_KIND) === PTE_SWAP;
    to.put(isSwap ? ENTRY_KEY : PFN_KEY);
    if (isSwap) writeEntry(to, frame);
    else writeWord(to, frame);
  }
  writePteFlags(to, bits);
}
