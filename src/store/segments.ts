import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter, readColumn, writeColumn } from '../core/bytes.ts';
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

const HEADERS = ['kind', 'ns', 'cpu', 'pid', 'ctx', 'record'] as const;

/** Packs events `from` up to `to` of a batch, at most {@link SEGMENT_EVENTS}. */
export function packSegment(batch: EventBatch, from: number, to: number): PackedSegment {
  const count = to - from;
  const out = new ByteWriter(count * 16 + 64);
  out.varint(count);
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
    for (let argument = 0; argument < EVENT_KINDS[code]!.width; argument++) {
      for (let k = 0; k < many; k++) scratch[k] = batch.args[batch.at[from + order[first + k]!]! + argument]!;
      writeColumn(out, scratch, many);
    }
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

/** The events of a segment. */
export function unpackSegment(
  columns: Uint8Array,
  firstSeq: number,
  vocabulary: Vocabulary,
  path: string,
): EventBatch {
  const input = new ByteReader(unsqueeze(columns));
  const count = input.varint();
  const read = <T extends Uint8Array | Float64Array | Int16Array | Int32Array | Uint16Array>(into: T): T => {
    readColumn(input, scratch, count);
    for (let i = 0; i < count; i++) into[i] = scratch[i]!;
    return into;
  };
  const stored = read(new Uint8Array(count));
  const ns = read(new Float64Array(count));
  const cpu = read(new Int16Array(count));
  const pid = read(new Int32Array(count));
  const ctx = read(new Uint16Array(count));
  const record = read(new Float64Array(count));
  const kind = new Uint8Array(count);
  const at = new Uint32Array(count);
  let end = 0;
  for (let i = 0; i < count; i++) {
    const known = vocabulary[stored[i]!];
    if (known === undefined)
      throw new InputError(
        `${path} holds events of a kind that this faultline does not know; use the one that recorded it, or a newer one`,
      );
    kind[i] = known.kind.code;
    at[i] = end;
    end += known.kind.width;
  }
  const args = new Float64Array(end);
  groupByKind(stored, 0, count);
  for (let code = 0; code < vocabulary.length; code++) {
    const first = starts[code]!;
    const many = starts[code + 1]! - first;
    if (many === 0) continue;
    const { kind: today, width, places } = vocabulary[code]!;
    if (places !== null)
      for (let k = 0; k < many; k++)
        args.fill(Number.NaN, at[order[first + k]!]!, at[order[first + k]!]! + today.width);
    for (let argument = 0; argument < width; argument++) {
      readColumn(input, scratch, many);
      const place = places === null ? argument : places[argument]!;
      if (place < 0) continue;
      for (let k = 0; k < many; k++) args[at[order[first + k]!]! + place] = scratch[k]!;
    }
  }
  return { count, firstSeq, kind, at, args, ns, cpu, pid, ctx, record };
}
