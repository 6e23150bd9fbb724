import { InputError } from '../core/errors.ts';
import { type PerfAttr, readAttr, SAMPLE_IDENTIFIER, SAMPLE_TIME } from './perf-data-attrs.ts';
import { ByteCursor, type RandomBytes } from './random-access.ts';
import {
  type DatMeta,
  emptyMeta,
  readEventFormats,
  readFtraceFormats,
  readHeaderInfo,
} from './trace-dat-meta.ts';

const HEADER_SIZE = 104;
const MAX_ATTRS = 1 << 16;
/** Bits of the features (tools/perf/util/header.h). */
const FEATURE_TRACING_DATA = 1;
const FEATURE_OSRELEASE = 4;
const FEATURE_ARCH = 6;
const FEATURE_NRCPUS = 7;
const FEATURE_COMPRESSED = 27;

/** A part of the file. */
interface Section {
  readonly at: number;
  readonly size: number;
}

/** Everything but the records of a perf.data file. */
export interface PerfMeta {
  readonly little: boolean;
  readonly data: Section;
  readonly attrs: readonly PerfAttr[];
  readonly attrOfId: ReadonlyMap<bigint, PerfAttr>;
  /** All samples begin with the id of their event. */
  readonly identified: boolean;
  /** Records may be compressed. */
  readonly compressed: boolean;
  /** Formats and symbols, as in a trace.dat. */
  readonly tracing: DatMeta;
  readonly release: string | null;
  readonly arch: string | null;
  /** CPUs online; -1 not told. */
  readonly cpus: number;
}

/** What to run where this reader cannot read a file. */
export function perfScriptAdvice(label: string): string {
  return `run: perf script --ns --show-lost-events -F comm,pid,tid,cpu,time,event,trace -i ${label} | faultline ... -`;
}

/** Reads the header of a perf.data. Throws InputError. */
export function readPerfMeta(file: RandomBytes, label: string): PerfMeta {
  const little = file.read(0, 8).toString('latin1') === 'PERFILE2';
  const cursorAt = (at: number): ByteCursor => new ByteCursor(file, at, little, label);
  const cursor = cursorAt(8);
  const size = cursor.size();
  const refuse = (what: string): InputError =>
    new InputError(
      `${label} is a perf.data ${what}, which this version does not read; ${perfScriptAdvice(label)}`,
    );
  if (size === 16) throw refuse('written to a pipe');
  if (size < HEADER_SIZE) throw refuse('of an old version');
  const attrSize = cursor.size();
  const section = (from: ByteCursor): Section => ({ at: from.size(), size: from.size() });
  const attrsAt = section(cursor);
  const data = section(cursor);
  section(cursor);
  const features: number[] = [];
  for (let word = 0; word < 4; word++) {
    const bits = cursor.u64();
    for (let bit = 0n; bit < 64n; bit++) if ((bits >> bit) & 1n) features.push(word * 64 + Number(bit));
  }
  const table = cursorAt(data.at + data.size);
  const places = new Map<number, Section>();
  for (const feature of features) {
    if (table.left < 16) break;
    places.set(feature, section(table));
  }
  const attrs: PerfAttr[] = [];
  const attrOfId = new Map<bigint, PerfAttr>();
  const count = attrSize >= 80 ? Math.floor(attrsAt.size / attrSize) : 0;
  if (count > MAX_ATTRS) throw new InputError(`${label} is a damaged perf.data: it names ${count} events`);
  const list = cursorAt(attrsAt.at);
  for (let i = 0; i < count; i++) {
    const attr = readAttr(list, attrSize - 16);
    attrs.push(attr);
    const ids = section(list);
    const idCursor = cursorAt(ids.at);
    for (let n = 0; n < ids.size / 8 && attrOfId.size < MAX_ATTRS * 16; n++)
      attrOfId.set(idCursor.u64(), attr);
  }
  const tracepoints = attrs.filter(({ tracepoint }) => tracepoint);
  const tracing = places.get(FEATURE_TRACING_DATA);
  if (tracepoints.length === 0 || !tracing) {
    throw new InputError(
      `${label} is a perf.data without tracepoints; record them: perf record -a -e kmem:* -e pagemap:* ...`,
    );
  }
  if (tracepoints.some(({ sampleType }) => !(sampleType & SAMPLE_TIME)))
    throw new InputError(`${label} is a perf.data without times; record it with: perf record -T`);
  const identified = attrs.every(({ sampleType }) => sampleType & SAMPLE_IDENTIFIER);
  if (!identified && new Set(attrs.map(({ sampleType }) => sampleType)).size > 1)
    throw refuse('of mixed samples');
  const text = (feature: number): string | null => {
    const place = places.get(feature);
    if (!place) return null;
    const from = cursorAt(place.at);
    return from.text(from.u32());
  };
  const cpus = places.get(FEATURE_NRCPUS);
  const cpuCursor = cpus ? cursorAt(cpus.at) : null;
  if (cpuCursor) cpuCursor.u32();
  return {
    little,
    data,
    attrs,
    attrOfId,
    identified,
    compressed: places.has(FEATURE_COMPRESSED),
    tracing: readTracing(file, tracing, label),
    release: text(FEATURE_OSRELEASE),
    arch: text(FEATURE_ARCH),
    cpus: cpuCursor ? Math.min(cpuCursor.u32(), 0x7fff) : -1,
  };
}

/** The header of a trace.dat without records, as perf stores it. */
function readTracing(file: RandomBytes, { at }: Section, label: string): DatMeta {
  const head = new ByteCursor(file, at + 10, true, label);
  const version = head.string(16);
  const little = head.u8() === 0;
  const longSize = head.u8();
  const cursor = new ByteCursor(file, head.at, little, label);
  const meta = emptyMeta(0, little, longSize === 4 ? 4 : 8, cursor.u32());
  readHeaderInfo(cursor, meta, label);
  readFtraceFormats(cursor, meta, label);
  readEventFormats(cursor, meta, label);
  meta.kallsyms = cursor.bytes(cursor.u32());
  meta.printk = cursor.text(cursor.u32());
  if (Number(version) >= 0.6 && cursor.left >= 8) meta.cmdlines = cursor.bytes(cursor.size());
  return meta;
}
