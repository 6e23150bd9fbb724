import { InputError } from '../core/errors.ts';
import type { ByteCursor } from './random-access.ts';

/** Where the records of one CPU lie in the file. */
export interface CpuRegion {
  readonly cpu: number;
  readonly at: number;
  readonly size: number;
}

/** One ring buffer of the file: the top one has no name, instances have theirs. */
export interface DatBuffer {
  readonly name: string;
  readonly clock: string | null;
  /** Bytes of a page of this buffer. */
  readonly pageSize: number;
  /** The pages of each CPU are in compressed chunks. */
  readonly compressed: boolean;
  readonly cpus: readonly CpuRegion[];
}

/** Texts of one event format, with the system that it belongs to. */
export interface FormatText {
  readonly system: string;
  readonly text: string;
}

/** A conversion of ticks to nanoseconds: `ns = (ticks * mult) >> shift`. */
export interface TicksToNs {
  readonly mult: number;
  readonly shift: number;
}

/** What per_cpu/stats said of one CPU when the recording ended. */
export interface CpuStatistics {
  readonly cpu: number;
  /** Records that were overwritten by newer ones. */
  readonly overrun: number;
  /** Records that were in the buffer or had been read from it. */
  readonly kept: number;
  /** Records that found no room and were not written. */
  readonly dropped: number;
}

/** Everything but the records of a trace.dat file. */
export interface DatMeta {
  readonly version: number;
  readonly little: boolean;
  readonly longSize: number;
  readonly pageSize: number;
  headerPage: string;
  readonly formats: FormatText[];
  kallsyms: Buffer;
  /** `0xffffffff81951a8f : "rcu_preempt"` by line: strings that records point at. */
  printk: string;
  /** `pid comm` by line. */
  cmdlines: Buffer;
  clock: string | null;
  uname: string | null;
  /** Nanoseconds to add to all stamps (`trace-cmd record --ts-offset`). */
  offsetNs: bigint;
  ticks: TicksToNs | null;
  readonly statistics: CpuStatistics[];
  readonly buffers: DatBuffer[];
  /** Text of the latency tracers in place of records. */
  latency: boolean;
  /** Options and sections that this reader does not know, by number. */
  unknownOptions: number;
}

/** What is known before anything but the first bytes was read. */
export function emptyMeta(version: number, little: boolean, longSize: number, pageSize: number): DatMeta {
  return {
    version,
    little,
    longSize,
    pageSize,
    headerPage: '',
    formats: [],
    kallsyms: Buffer.alloc(0),
    printk: '',
    cmdlines: Buffer.alloc(0),
    clock: null,
    uname: null,
    offsetNs: 0n,
    ticks: null,
    statistics: [],
    buffers: [],
    latency: false,
    unknownOptions: 0,
  };
}

export const OPTION_DONE = 0;
const OPTION_CPUSTAT = 2;
export const OPTION_BUFFER = 3;
export const OPTION_TRACECLOCK = 4;
const OPTION_UNAME = 5;
const OPTION_OFFSET = 7;
export const OPTION_CPUCOUNT = 8;
const OPTION_TSC2NSEC = 14;
const OPTION_LAST_KNOWN = 25;

/** A trace has some thousand events; more in a file is damage. */
const MAX_FORMATS = 1 << 17;
const MAX_CPUS = 1 << 15;
/** The layout of a page is told in four lines. */
const MAX_HEADER_PAGE = 4096;

/** The file, from here on, is not what it says it is. */
export function damaged(label: string, what: string): InputError {
  return new InputError(`${label} is a damaged trace.dat: ${what}`);
}

/** Checks a number of CPUs. */
export function cpuCount(count: number, label: string): number {
  if (count > MAX_CPUS) throw damaged(label, `it names ${count} CPUs`);
  return count;
}

/** Checks the size of a ring buffer's page. */
export function pageSizeOf(size: number, label: string): number {
  if (size < 64 || size > 1 << 24 || size % 4 !== 0) throw damaged(label, `a page of ${size} bytes`);
  return size;
}

/** Item 1 and 2 of the header: layout of pages and of record headers. */
export function readHeaderInfo(cursor: ByteCursor, meta: DatMeta, label: string): void {
  if (cursor.string(32) !== 'header_page') throw damaged(label, 'no header_page');
  meta.headerPage = cursor.text(cursor.size()).slice(0, MAX_HEADER_PAGE);
  if (cursor.string(32) !== 'header_event') throw damaged(label, 'no header_event');
  cursor.bytes(cursor.size());
}

/** Formats of ftrace's own records. */
export function readFtraceFormats(cursor: ByteCursor, meta: DatMeta, label: string): void {
  readFormatList(cursor, meta, 'ftrace', label);
}

/** Formats by system. */
export function readEventFormats(cursor: ByteCursor, meta: DatMeta, label: string): void {
  const systems = cursor.u32();
  for (let i = 0; i < systems; i++) {
    const system = cursor.string(256);
    readFormatList(cursor, meta, system, label);
  }
}

function readFormatList(cursor: ByteCursor, meta: DatMeta, system: string, label: string): void {
  const count = cursor.u32();
  if (meta.formats.length + count > MAX_FORMATS) throw damaged(label, `it names ${count} events`);
  for (let i = 0; i < count; i++) meta.formats.push({ system, text: cursor.text(cursor.size()) });
}

/** Takes in one option that v6 and v7 share; others are left to the caller. */
export function takeOption(id: number, cursor: ByteCursor, size: number, meta: DatMeta): void {
  switch (id) {
    case OPTION_CPUSTAT: {
      const statistics = cpuStatistics(cursor.text(size));
      if (statistics) meta.statistics.push(statistics);
      return;
    }
    case OPTION_UNAME:
      meta.uname = cursor.text(size);
      return;
    case OPTION_OFFSET: {
      const text = cursor.text(size).trim();
      if (/^(-?\d{1,19}|0x[0-9a-f]{1,16})$/i.test(text)) meta.offsetNs = BigInt(text);
      return;
    }
    case OPTION_TSC2NSEC:
      if (size >= 8) meta.ticks = { mult: cursor.u32(), shift: cursor.u32() & 63 };
      return;
    default:
      if (id > OPTION_LAST_KNOWN) meta.unknownOptions++;
  }
}

function cpuStatistics(text: string): CpuStatistics | null {
  const number = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  const cpu = /^CPU: (\d+)/m.exec(text);
  if (!cpu) return null;
  return {
    cpu: Number(cpu[1]),
    overrun: number('overrun'),
    kept: number('entries') + number('read events'),
    dropped: number('dropped events'),
  };
}

/** The bracketed one of `local global [mono] boot`; a lone name stands for itself. */
export function activeClock(text: string): string | null {
  const bracketed = /\[([\w-]+)\]/.exec(text)?.[1];
  if (bracketed !== undefined) return bracketed;
  const lone = text.trim();
  return /^[\w-]+$/.test(lone) ? lone : null;
}
