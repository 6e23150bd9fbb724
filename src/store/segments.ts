import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter, writeColumn } from '../core/bytes.ts';
import { InputError } from '../core/errors.ts';
import type { EventBatch } from '../events/batch.ts';
import { EVENT_KINDS } from '../events/registry.ts';
import { squeeze, unsqueeze } from './compress.ts';
import type { Vocabulary } from './vocabulary.ts';

/**
 * Events of a segment. Small, because one event of a page is read by opening its segment: half a millisecond each,
 * and a tenth larger than segments of four times the size (measured on base-cow-big).
 */
export const SEGMENT_EVENTS = 2048;

/** A segment as it is stored. */
export interface PackedSegment {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly minNs: number;
  readonly maxNs: number;
  readonly firstRecord: number;
  readonly lastRecord: number;
  readonly checksum: number;
  readonly columns: Uint8Array;
}

const scratch = new Float64Array(SEGMENT_EVENTS);
const order = new Uint32Array(SEGMENT_EVENTS);
const starts = new Uint32Array(257);

/** Events of one kind stand together, in order: `order[starts[code] ..]` are their positions. */
function groupByKind(kind: Uint8Array, from: number, count: number): void {
  starts.fill(0);
  for (let i = 0; i < count; i++) starts[kind[from + i]! + 1]!++;
  for (let code = 0; code < 256; code++) starts[code + 1]! += starts[code]!;
  const next = starts.slice();
  for (let i = 0; i < count; i++) order[next[kind[from + i]!]!++] = i;
}

const HEADERS = ['ns', 'cpu', 'pid', 'ctx', 'record'] as const;

/** Packs events `from` up to `to` of a batch, at most {@link SEGMENT_EVENTS}. */
export function packSegment(batch: EventBatch, from: number, to: number): PackedSegment {
  const count = to - from;
  const out = new ByteWriter(count * 16 + 64);
  out.varint(count);
  out.raw(batch.kind.subarray(from, to));
  for (const name of HEADERS) {
    const column = batch[name];
    for (let i = 0; i < count; i++) scratch[i] = column[from + i]!;
    writeColumn(out, scratch, count);
  }
  groupByKind(batch.kind, from, count);
  for (let code = 0; code < EVENT_KINDS.length; code++) {
    const first = starts[code]!;
    const many = starts[code + 1]! - first;
    if (many === 0) continue;
    const part = new ByteWriter(many * 16 + 64);
    for (let argument = 0; argument < EVENT_KINDS[code]!.width; argument++) {
      for (let k = 0; k < many; k++) scratch[k] = batch.args[batch.at[from + order[first + k]!]! + argument]!;
      writeColumn(part, scratch, many);
    }
    // Told in front, so that a reader of one event passes over the kinds that it is not.
    out.varint(part.length);
    out.raw(part.view());
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
    columns: squeeze(bytes),
  };
}

/** Today's kind of each event, and where its arguments stand. */
function place(
  stored: Uint8Array,
  vocabulary: Vocabulary,
  path: string,
): { readonly kind: Uint8Array; readonly at: Uint32Array; readonly end: number } {
  const codes = new Uint8Array(256);
  const widths = new Uint8Array(256);
  for (let code = 0; code < 256; code++) {
    if (starts[code + 1] === starts[code]) continue;
    const known = vocabulary[code];
    if (known === undefined)
      throw new InputError(
        `${path} holds events of a kind that this faultline does not know; use the one that recorded it, or a newer one`,
      );
    codes[code] = known.kind.code;
    widths[code] = known.kind.width;
  }
  const kind = new Uint8Array(stored.length);
  const at = new Uint32Array(stored.length);
  let end = 0;
  for (let i = 0; i < stored.length; i++) {
    const code = stored[i]!;
    kind[i] = codes[code]!;
    at[i] = end;
    end += widths[code]!;
  }
  return { kind, at, end };
}

/**
 * The events of a segment; with `wanted`, the arguments of these positions' kinds only: those of the others are left
 * out.
 */
export function unpackSegment(
  columns: Uint8Array,
  firstSeq: number,
  vocabulary: Vocabulary,
  path: string,
  wanted?: readonly number[],
): EventBatch {
  const input = new ByteReader(unsqueeze(columns));
  const count = input.varint();
  const read = (): Float64Array => {
    input.column(scratch, count);
    return scratch.subarray(0, count);
  };
  const stored = input.raw(count);
  const ns = read().slice();
  const cpu = Int16Array.from(read());
  const pid = Int32Array.from(read());
  const ctx = Uint16Array.from(read());
  const record = read().slice();
  groupByKind(stored, 0, count);
  const { kind, at, end } = place(stored, vocabulary, path);
  const args = new Float64Array(end);
  for (let code = 0; code < vocabulary.length; code++) {
    const first = starts[code]!;
    const many = starts[code + 1]! - first;
    if (many === 0) continue;
    const length = input.varint();
    if (wanted !== undefined && !wanted.some((position) => stored[position] === code)) {
      input.raw(length);
      continue;
    }
    const { kind: today, width, places } = vocabulary[code]!;
    if (places !== null)
      for (let k = first; k < first + many; k++)
        args.fill(Number.NaN, at[order[k]!]!, at[order[k]!]! + today.width);
    for (let argument = 0; argument < width; argument++) {
      input.column(scratch, many);
      const target = places === null ? argument : places[argument]!;
      if (target < 0) continue;
      for (let k = 0; k < many; k++) args[at[order[first + k]!]! + target] = scratch[k]!;
    }
  }
  return { count, firstSeq, kind, at, args, ns, cpu, pid, ctx, record };
}
