/** What the events of a perf.data are, and how their samples are laid out (include/uapi/linux/perf_event.h). */
import type { ByteCursor } from './random-access.ts';

/** perf_event_attr.type of tracepoints. */
const TYPE_TRACEPOINT = 2;

/** Bits of sample_type. */
export const SAMPLE_IP = 1 << 0;
export const SAMPLE_TID = 1 << 1;
export const SAMPLE_TIME = 1 << 2;
export const SAMPLE_ADDR = 1 << 3;
export const SAMPLE_READ = 1 << 4;
export const SAMPLE_CALLCHAIN = 1 << 5;
export const SAMPLE_ID = 1 << 6;
export const SAMPLE_CPU = 1 << 7;
export const SAMPLE_PERIOD = 1 << 8;
export const SAMPLE_STREAM_ID = 1 << 9;
export const SAMPLE_RAW = 1 << 10;
export const SAMPLE_IDENTIFIER = 1 << 16;

/** Bits of read_format. */
const READ_ENABLED = 1;
const READ_RUNNING = 2;
const READ_ID = 4;
const READ_GROUP = 8;
const READ_LOST = 16;

/** Bits of the flags of an attr. */
const SAMPLE_ID_ALL = 1n << 18n;
const USE_CLOCKID = 1n << 25n;

/** Clocks by clockid_t. */
const CLOCKS: Readonly<Record<number, string>> = { 1: 'mono', 4: 'mono_raw', 7: 'boot', 11: 'tai' };

/** One event that was recorded. */
export interface PerfAttr {
  readonly tracepoint: boolean;
  readonly sampleType: number;
  readonly readFormat: number;
  /** Records that are no samples end with a part of what samples begin with. */
  readonly idAll: boolean;
  readonly clock: string;
}

/** Reads a perf_event_attr of `size` bytes. */
export function readAttr(cursor: ByteCursor, size: number): PerfAttr {
  const end = cursor.at + size;
  const type = cursor.u32();
  cursor.at += 4 + 8 + 8;
  const sampleType = Number(cursor.u64() & 0xffffffffn);
  const readFormat = Number(cursor.u64() & 0xffn);
  const flags = cursor.u64();
  cursor.at += 92 - 48;
  const clockid = size >= 96 ? cursor.u32() : 0;
  cursor.at = end;
  return {
    tracepoint: type === TYPE_TRACEPOINT,
    sampleType,
    readFormat,
    idAll: (flags & SAMPLE_ID_ALL) !== 0n,
    clock: (flags & USE_CLOCKID) === 0n ? 'perf' : (CLOCKS[clockid] ?? 'perf'),
  };
}

/** Where the parts of a sample are that matter here; -1 where it has none. */
export interface SampleParts {
  tid: number;
  time: number;
  cpu: number;
  /** First byte of the raw record, and its length. */
  raw: number;
  rawLength: number;
}

/** Finds the parts of a sample in `[at, end)`; false if it is shorter than it should be. */
export function sampleParts(
  attr: PerfAttr,
  view: DataView,
  at: number,
  end: number,
  little: boolean,
  into: SampleParts,
): boolean {
  const { sampleType: type, readFormat } = attr;
  let p = at;
  const take = (bit: number): number => {
    if (!(type & bit)) return -1;
    p += 8;
    return p - 8;
  };
  take(SAMPLE_IDENTIFIER);
  take(SAMPLE_IP);
  into.tid = take(SAMPLE_TID);
  into.time = take(SAMPLE_TIME);
  take(SAMPLE_ADDR);
  take(SAMPLE_ID);
  take(SAMPLE_STREAM_ID);
  into.cpu = take(SAMPLE_CPU);
  take(SAMPLE_PERIOD);
  into.raw = -1;
  const count = (): number => {
    if (p + 8 > end) return -1;
    const low = view.getUint32(little ? p : p + 4, little);
    p += 8;
    return low;
  };
  if (type & SAMPLE_READ) {
    const extra = (readFormat & READ_ENABLED ? 8 : 0) + (readFormat & READ_RUNNING ? 8 : 0);
    const each = 8 + (readFormat & READ_ID ? 8 : 0) + (readFormat & READ_LOST ? 8 : 0);
    const values = readFormat & READ_GROUP ? count() : 1;
    if (values < 0) return false;
    p += extra + values * each;
  }
  if (type & SAMPLE_CALLCHAIN) {
    const depth = count();
    if (depth < 0) return false;
    p += depth * 8;
  }
  if (type & SAMPLE_RAW) {
    if (p + 4 > end) return false;
    into.rawLength = view.getUint32(p, little);
    into.raw = p + 4;
    p += 4 + into.rawLength;
  }
  return p <= end;
}

/** Finds time, thread and CPU at the end of a record that is no sample; false if it has none. */
export function trailerParts(attr: PerfAttr, at: number, end: number, into: SampleParts): boolean {
  if (!attr.idAll) return false;
  const { sampleType: type } = attr;
  let p = end;
  const take = (bit: number): number => {
    if (!(type & bit)) return -1;
    p -= 8;
    return p;
  };
  take(SAMPLE_IDENTIFIER);
  into.cpu = take(SAMPLE_CPU);
  take(SAMPLE_STREAM_ID);
  take(SAMPLE_ID);
  into.time = take(SAMPLE_TIME);
  into.tid = take(SAMPLE_TID);
  return p >= at && into.time >= 0;
}
