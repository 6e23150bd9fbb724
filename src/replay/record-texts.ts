import {
  CTX_HARDIRQ,
  CTX_IRQS_OFF,
  CTX_KNOWN,
  CTX_NMI,
  CTX_PREEMPT_SHIFT,
  CTX_SOFTIRQ,
  type RecordBatch,
  ROW_RECORD,
} from '../core/records.ts';
import type { OpenTrace } from '../readers/open.ts';
import { packText, type RecordText } from '../store/texts.ts';

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
    const starts = new Float64Array(batch.count - from);
    const ends = new Float64Array(batch.count - from);
    // The line of the first record begins behind the line feed before its payload.
    const begin = batch.bytes.lastIndexOf(LINE_FEED, batch.start[from]! - 1) + 1;
    let count = 0;
    let row = from;
    for (; row < batch.count; row++) {
      if (batch.row[row] !== ROW_RECORD) continue;
      if (batch.record[row] !== firstRecord + count) break;
      starts[count] = batch.start[row]! - begin;
      ends[count++] = batch.end[row]! - begin;
    }
    texts.push(
      packText(
        firstRecord,
        starts.subarray(0, count),
        ends.subarray(0, count),
        batch.bytes.subarray(begin, begin + ends[count - 1]!),
      ),
    );
    from = row;
  }
  return texts;
}

/** The lines that the kernel would have printed for the records of a batch that are bytes. */
export function renderedTexts(batch: RecordBatch, trace: OpenTrace): RecordText[] {
  const lines: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  let firstRecord = 0;
  for (let row = 0; row < batch.count; row++) {
    if (batch.row[row] !== ROW_RECORD) continue;
    if (lines.length === 0) firstRecord = batch.record[row]!;
    const head = lineHead(batch, row, trace);
    const line = head + (trace.recordText?.(batch, row) ?? '').replaceAll('\n', ' ');
    const length = Buffer.byteLength(line);
    lines.push(line);
    starts.push(at + Buffer.byteLength(head));
    ends.push(at + length);
    at += length + 1;
  }
  if (lines.length === 0) return [];
  const text = Buffer.from(`${lines.join('\n')}\n`);
  return [packText(firstRecord, Float64Array.from(starts), Float64Array.from(ends), text)];
}

/** `            init-1       [000] d..1.    62.808845805: ` */
function lineHead(batch: RecordBatch, row: number, trace: OpenTrace): string {
  const pid = batch.pid[row]!;
  const { facts } = trace;
  const comm = (facts.tasks.get(pid)?.comm ?? '<...>').padStart(16);
  const cpu = String(batch.cpu[row]!).padStart(3, '0');
  const stamp = facts.originNs + BigInt(batch.ns[row]!);
  const digits = String(stamp).padStart(10, '0');
  const time = facts.ticks ? digits : `${digits.slice(0, -9)}.${digits.slice(-9)}`;
  return `${comm}-${String(pid).padEnd(7)} [${cpu}] ${flagLetters(batch.ctx[row]!)} ${time.padStart(15)}: `;
}

function flagLetters(ctx: number): string {
  if (!(ctx & CTX_KNOWN)) return '.....';
  const irq = ctx & CTX_IRQS_OFF ? 'd' : '.';
  const hard = ctx & CTX_HARDIRQ;
  const inside =
    ctx & CTX_NMI
      ? hard
        ? 'Z'
        : 'z'
      : hard
        ? ctx & CTX_SOFTIRQ
          ? 'H'
          : 'h'
        : ctx & CTX_SOFTIRQ
          ? 's'
          : '.';
  const depth = ctx >> CTX_PREEMPT_SHIFT;
  return `${irq}.${inside}${depth === 0 ? '.' : depth.toString(16)}.`;
}
