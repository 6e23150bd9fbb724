import { type RecordBatch, ROW_RECORD } from '../core/records.ts';
import type { RecordText } from '../store/writer.ts';

const LINE_FEED = 10;

/** The lines of a batch as they were written: one text per stretch of records without a gap in their numbers. */
export function textsOf(batch: RecordBatch): RecordText[] {
  const texts: RecordText[] = [];
  let from = 0;
  while (from < batch.count) {
    if (batch.row[from] !== ROW_RECORD) {
      from++;
      continue;
    }
    const firstRecord = batch.record[from]!;
    const starts: number[] = [];
    const ends: number[] = [];
    let row = from;
    for (; row < batch.count; row++) {
      if (batch.row[row] !== ROW_RECORD) continue;
      if (batch.record[row] !== firstRecord + starts.length) break;
      starts.push(batch.start[row]!);
      ends.push(batch.end[row]!);
    }
    // The line of the first record begins behind the line feed before its payload.
    const begin = batch.bytes.lastIndexOf(LINE_FEED, starts[0]! - 1) + 1;
    texts.push({
      firstRecord,
      starts: Float64Array.from(starts, (at) => at - begin),
      ends: Float64Array.from(ends, (at) => at - begin),
      bytes: new Uint8Array(batch.bytes.subarray(begin, ends.at(-1)!)),
    });
    from = row;
  }
  return texts;
}
