import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter } from '../core/bytes.ts';
import { InputError } from '../core/errors.ts';
import type { EventBatch } from '../events/batch.ts';
import { EVENT_KINDS } from '../events/registry.ts';
import { unsqueeze } from './compress.ts';
import type { StoredKind, Vocabulary } from './vocabulary.ts';

/**
 * Events of a segment. Small, because one event of a page is read by opening its segment: a sixth less time than with
 * segments of twice the size, which make a case a sixteenth smaller (measured on base-cow-big).
 */
export const SEGMENT_EVENTS = 1024;
/** Events of a segment of any case: older ones have larger segments. */
const MOST_EVENTS = 2048;

/** The columns of a segment as they are stored. */
export interface StoredColumns {
  readonly columns: Uint8Array;
  /** 1 in older cases. To deflate columns of differences and runs took half of the time of packing them and a third of opening them, for a case an eighth smaller. */
  readonly deflated: number;
  /** CRC-32 of the columns as they are when they are not deflated. */
  readonly checksum: number;
}

/** A segment as it is stored. */
export interface PackedSegment extends StoredColumns {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly minNs: number;
  readonly maxNs: number;
  readonly firstRecord: number;
  readonly lastRecord: number;
}

const scratch = new Float64Array(MOST_EVENTS);
const order = new Uint32Array(MOST_EVENTS);
const places = new Uint32Array(SEGMENT_EVENTS);
const starts = new Uint32Array(257);

/** Events of one kind stand together: those of a code are the `starts[code]`-th up to the `starts[code + 1]`-th. */
function countKinds(kind: Uint8Array, from: number, count: number): void {
  starts.fill(0);
  for (let i = 0; i < count; i++) starts[kind[from + i]! + 1]!++;
  for (let code = 0; code < 256; code++) starts[code + 1]! += starts[code]!;
}

/** The events of one kind in order: `order[starts[code] ..]` are their positions. */
function groupByKind(kind: Uint8Array, from: number, count: number): void {
  countKinds(kind, from, count);
  const next = starts.slice();
  for (let i = 0; i < count; i++) order[next[kind[from + i]!]!++] = i;
}

/** Numbers of a block of a column: who wants one of them reads its block only. */
const BLOCK = 128;
const whole = new ByteWriter(SEGMENT_EVENTS * 32);

/** Writes `count` numbers of {@link scratch} in blocks, the length of each in front of it. */
function writeBlocks(out: ByteWriter, count: number): void {
  for (let from = 0; from < count; from += BLOCK) {
    const opened = out.open();
    out.column(scratch, from, Math.min(count, from + BLOCK));
    out.close(opened);
  }
}

/** Reads all numbers of a column into {@link scratch}. */
function readBlocks(input: ByteReader, count: number): void {
  for (let from = 0; from < count; from += BLOCK) {
    input.varint();
    input.column(scratch, from, Math.min(count, from + BLOCK));
  }
}

/** Reads the blocks of a column that hold these positions, which are in order, into {@link scratch}. */
function pickBlocks(input: ByteReader, count: number, positions: readonly number[]): void {
  let next = 0;
  for (let from = 0; from < count; from += BLOCK) {
    const length = input.varint();
    const to = Math.min(count, from + BLOCK);
    const end = input.at + length;
    if (next < positions.length && positions[next]! < to) {
      while (next < positions.length && positions[next]! < to) next++;
      // Each number is counted from the one before: those behind the last wanted one are not needed.
      input.column(scratch, from, positions[next - 1]! + 1);
    }
    input.at = end;
  }
}

const HEADERS = ['ns', 'cpu', 'pid', 'ctx', 'record'] as const;

/** Packs all events of a batch. */
export function packBatch(batch: EventBatch): PackedSegment[] {
  const segments: PackedSegment[] = [];
  for (let from = 0; from < batch.count; from += SEGMENT_EVENTS)
    segments.push(packSegment(batch, from, Math.min(from + SEGMENT_EVENTS, batch.count)));
  return segments;
}

/** Packs events `from` up to `to` of a batch, at most {@link SEGMENT_EVENTS}. */
export function packSegment(batch: EventBatch, from: number, to: number): PackedSegment {
  const count = to - from;
  const { args } = batch;
  const out = whole;
  out.clear();
  out.varint(count);
  out.raw(batch.kind.subarray(from, to));
  for (const name of HEADERS) {
    scratch.set(batch[name].subarray(from, to));
    writeBlocks(out, count);
  }
  groupByKind(batch.kind, from, count);
  for (let code = 0; code < EVENT_KINDS.length; code++) {
    const first = starts[code]!;
    const many = starts[code + 1]! - first;
    if (many === 0) continue;
    // Its length stands in front, so that a reader of one event passes over the kinds that it is not.
    const opened = out.open();
    for (let k = 0; k < many; k++) places[k] = batch.at[from + order[first + k]!]!;
    for (let argument = 0; argument < EVENT_KINDS[code]!.width; argument++) {
      for (let k = 0; k < many; k++) scratch[k] = args[places[k]! + argument]!;
      writeBlocks(out, many);
    }
    out.close(opened);
  }
  const bytes = out.view();
  let minNs = Number.POSITIVE_INFINITY;
  let maxNs = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i++) {
    const ns = batch.ns[i]!;
    if (ns < minNs) minNs = ns;
    if (ns > maxNs) maxNs = ns;
  }
  return {
    firstSeq: batch.firstSeq + from,
    lastSeq: batch.firstSeq + to - 1,
    minNs,
    maxNs,
    firstRecord: batch.record[from]!,
    lastRecord: batch.record[to - 1]!,
    checksum: crc32(bytes),
    columns: bytes.slice(),
    deflated: 0,
  };
}

/** The columns of a segment, to be read. Throws InputError where they are not what was stored: SQLite does not look. */
function openColumns(stored: StoredColumns, firstSeq: number, path: string): ByteReader {
  const bytes = plainColumns(stored);
  if (bytes !== null && crc32(bytes) === stored.checksum) return new ByteReader(bytes);
  throw new InputError(
    `${path} is damaged: the events from ${firstSeq} on are not what was recorded; record the case again from its trace`,
  );
}

/** Columns that are not deflated any more; null where they cannot be inflated. */
function plainColumns({ columns, deflated }: StoredColumns): Uint8Array | null {
  if (deflated === 0) return columns;
  try {
    return unsqueeze(columns);
  } catch {
    return null;
  }
}

/** Today's kind behind a stored code. Throws InputError where there is none. */
function today(code: number, vocabulary: Vocabulary, path: string): StoredKind {
  const known = vocabulary[code];
  if (known === undefined)
    throw new InputError(
      `${path} holds events of a kind that this faultline does not know; use the one that recorded it, or a newer one`,
    );
  return known;
}

/** The events of a segment. */
export function unpackSegment(
  stored: StoredColumns,
  firstSeq: number,
  vocabulary: Vocabulary,
  path: string,
): EventBatch {
  const input = openColumns(stored, firstSeq, path);
  const count = input.varint();
  const kinds = input.raw(count);
  const read = (): Float64Array => {
    readBlocks(input, count);
    return scratch.subarray(0, count);
  };
  const ns = new Float64Array(read());
  const cpu = new Int16Array(read());
  const pid = new Int32Array(read());
  const ctx = new Uint16Array(read());
  const record = new Float64Array(read());
  groupByKind(kinds, 0, count);
  const codes = new Uint8Array(256);
  const widths = new Uint8Array(256);
  for (let code = 0; code < 256; code++) {
    if (starts[code + 1] === starts[code]) continue;
    const { kind } = today(code, vocabulary, path);
    codes[code] = kind.code;
    widths[code] = kind.width;
  }
  const kind = new Uint8Array(count);
  const at = new Uint32Array(count);
  let end = 0;
  for (let i = 0; i < count; i++) {
    const code = kinds[i]!;
    kind[i] = codes[code]!;
    at[i] = end;
    end += widths[code]!;
  }
  const args = new Float64Array(end);
  for (let code = 0; code < vocabulary.length; code++) {
    const first = starts[code]!;
    const many = starts[code + 1]! - first;
    if (many === 0) continue;
    input.varint();
    const { width, places } = vocabulary[code]!;
    if (places !== null)
      for (let k = first; k < first + many; k++)
        args.fill(Number.NaN, at[order[k]!]!, at[order[k]!]! + widths[code]!);
    for (let argument = 0; argument < width; argument++) {
      readBlocks(input, many);
      const target = places === null ? argument : places[argument]!;
      if (target < 0) continue;
      for (let k = 0; k < many; k++) args[at[order[first + k]!]! + target] = scratch[k]!;
    }
  }
  return { count, firstSeq, kind, at, args, ns, cpu, pid, ctx, record };
}

/** No kind of event has more arguments than this (events/registry.ts). */
const WIDEST = 8;

/** Columns of picked events, used again for every segment. */
const picked = {
  kind: new Uint8Array(MOST_EVENTS),
  at: Uint32Array.from({ length: MOST_EVENTS }, (_, i) => i * WIDEST),
  args: new Float64Array(MOST_EVENTS * WIDEST),
  ns: new Float64Array(MOST_EVENTS),
  cpu: new Int16Array(MOST_EVENTS),
  pid: new Int32Array(MOST_EVENTS),
  ctx: new Uint16Array(MOST_EVENTS),
  record: new Float64Array(MOST_EVENTS),
};

/**
 * Some events of a segment, by their positions in order. The batch holds these events only, and only until the next
 * call: opening a segment for one of its events costs a fifth of opening it for all.
 */
export function pickFrom(
  stored: StoredColumns,
  firstSeq: number,
  vocabulary: Vocabulary,
  path: string,
  positions: readonly number[],
): EventBatch {
  const input = openColumns(stored, firstSeq, path);
  const count = input.varint();
  const kinds = input.raw(count);
  for (const name of HEADERS) {
    pickBlocks(input, count, positions);
    const column = picked[name];
    for (const position of positions) column[position] = scratch[position]!;
  }
  countKinds(kinds, 0, count);
  for (let code = 0; code < vocabulary.length; code++) {
    const many = starts[code + 1]! - starts[code]!;
    if (many === 0) continue;
    const length = input.varint();
    const mine = ofCode(kinds, code, positions);
    if (mine.length === 0) {
      input.at += length;
      continue;
    }
    const { kind, width, places } = today(code, vocabulary, path);
    for (const position of mine) {
      picked.kind[position] = kind.code;
      if (places !== null) picked.args.fill(Number.NaN, position * WIDEST, (position + 1) * WIDEST);
    }
    const ranks = ranksOf(kinds, code, mine);
    for (let argument = 0; argument < width; argument++) {
      pickBlocks(input, many, ranks);
      const target = places === null ? argument : places[argument]!;
      if (target < 0) continue;
      for (let k = 0; k < mine.length; k++) picked.args[mine[k]! * WIDEST + target] = scratch[ranks[k]!]!;
    }
  }
  return { count, firstSeq, ...picked };
}

const NONE: readonly number[] = [];

/** Those of some positions whose events have a code. */
function ofCode(kinds: Uint8Array, code: number, positions: readonly number[]): readonly number[] {
  let found: number[] | null = null;
  for (let k = 0; k < positions.length; k++) {
    if (kinds[positions[k]!] !== code) continue;
    found ??= [];
    found.push(positions[k]!);
  }
  return found ?? NONE;
}

/** Which ones of their kind the events at these positions are, in order. */
function ranksOf(kinds: Uint8Array, code: number, positions: readonly number[]): number[] {
  let rank = 0;
  let at = 0;
  return positions.map((position) => {
    for (; at < position; at++) if (kinds[at] === code) rank++;
    return rank;
  });
}
