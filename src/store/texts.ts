import { ByteReader, ByteWriter } from '../core/bytes.ts';
import { squeeze, squeezeText, unsqueeze } from './compress.ts';

const LINE_FEED = 10;

/** Consecutive records. */
interface Records {
  readonly firstRecord: number;
  readonly lastRecord: number;
  /** Where each record stands in the text; empty where each is a line and nothing stands between them. */
  readonly places: Uint8Array;
}

/** Consecutive records as they were written. */
export interface RecordLines extends Records {
  readonly lines: Uint8Array;
}

/** Consecutive records as they are stored. */
export interface RecordText extends Records {
  readonly text: Uint8Array;
}

/** `count` lines of which each is a record. */
export function linesOf(firstRecord: number, count: number, lines: Uint8Array): RecordLines {
  return { firstRecord, lastRecord: firstRecord + count - 1, places: NO_PLACES, lines };
}

/** Lines some of which hold records: `starts` and `ends` bound their payloads in the text. */
export function placedLines(
  firstRecord: number,
  starts: Float64Array,
  ends: Float64Array,
  lines: Uint8Array,
): RecordLines {
  return {
    firstRecord,
    lastRecord: firstRecord + starts.length - 1,
    places: packPlaces(starts, ends),
    lines,
  };
}

const NO_PLACES = new Uint8Array(0);

/** Packs records that are not packed yet. */
export function packText(records: RecordLines | RecordText): RecordText {
  if ('text' in records) return records;
  const { lines, ...others } = records;
  return { ...others, text: squeezeText(lines) };
}

/** Bounds of the payloads of consecutive records in their text. */
function packPlaces(starts: Float64Array, ends: Float64Array): Uint8Array {
  const out = new ByteWriter(starts.length * 4 + 16);
  out.varint(starts.length);
  out.column(starts, 0, starts.length);
  const lengths = new Float64Array(starts.length);
  for (let i = 0; i < lengths.length; i++) lengths[i] = ends[i]! - starts[i]!;
  out.column(lengths, 0, lengths.length);
  return squeeze(out.view());
}

/** The n-th record (from 0) of a text: its line, or its lines. */
export function recordIn(text: Buffer, places: Uint8Array, n: number): string {
  if (places.length === 0) return lineOf(text, n);
  const input = new ByteReader(unsqueeze(places));
  const count = input.varint();
  const starts = new Float64Array(count);
  const lengths = new Float64Array(count);
  input.column(starts, 0, count);
  input.column(lengths, 0, count);
  const start = starts[n]!;
  const line = start === 0 ? 0 : text.lastIndexOf(LINE_FEED, start - 1) + 1;
  return text.toString('utf8', line, start + lengths[n]!);
}

/** The n-th line (from 0), without its line feed. */
function lineOf(text: Buffer, n: number): string {
  let start = 0;
  for (let i = 0; i < n; i++) start = text.indexOf(LINE_FEED, start) + 1;
  const feed = text.indexOf(LINE_FEED, start);
  return text.toString('utf8', start, feed < 0 ? text.length : feed);
}
