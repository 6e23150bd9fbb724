import { LineWriter } from '../core/line-writer.ts';
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
import type { TaskNote } from '../readers/facts.ts';
import type { OpenTrace } from '../readers/open.ts';
import { linesOf, placedLines, type RecordLines } from '../store/texts.ts';

const LINE_FEED = 10;
const NS_PER_SECOND = 1_000_000_000n;

/**
 * The lines of a batch as they were written, in its bytes: one text per stretch of records without a gap in their
 * numbers.
 */
export function textsOf(batch: RecordBatch): RecordLines[] {
  if (isLines(batch)) {
    const last = batch.count - 1;
    return [
      linesOf(batch.record[0]!, batch.count, batch.bytes.subarray(lineBegin(batch, 0), batch.end[last]!)),
    ];
  }
  const texts: RecordLines[] = [];
  let from = 0;
  while (from < batch.count) {
    if (batch.row[from] !== ROW_RECORD) {
      from++;
      continue;
    }
    const firstRecord = batch.record[from]!;
    const starts = new Float64Array(batch.count - from);
    const ends = new Float64Array(batch.count - from);
    const begin = lineBegin(batch, from);
    let count = 0;
    let row = from;
    for (; row < batch.count; row++) {
      if (batch.row[row] !== ROW_RECORD) continue;
      if (batch.record[row] !== firstRecord + count) break;
      starts[count] = batch.start[row]! - begin;
      ends[count++] = batch.end[row]! - begin;
    }
    texts.push(
      placedLines(
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

/** The line of a record begins behind the line feed before its payload. */
function lineBegin(batch: RecordBatch, row: number): number {
  const start = batch.start[row]!;
  return start === 0 ? 0 : batch.bytes.lastIndexOf(LINE_FEED, start - 1) + 1;
}

/** Whether each line that was read is a record with the next number, up to its end. */
function isLines(batch: RecordBatch): boolean {
  const { count, row, record, end, bytes } = batch;
  if (count === 0 || batch.lines !== count || record[count - 1] !== record[0]! + count - 1) return false;
  for (let i = 0; i < count; i++) if (row[i] !== ROW_RECORD || bytes[end[i]!] !== LINE_FEED) return false;
  return true;
}

/** Prints the lines that the kernel would have printed for records that are bytes. */
export class LinePrinter {
  readonly #trace: OpenTrace;
  readonly #out = new LineWriter();
  /** Task column of a pid, for the note of it that was made last. */
  readonly #tasks = new Map<number, { readonly note: TaskNote | undefined; readonly text: string }>();
  readonly #flags = new Map<number, string>();
  #originNs: bigint | null = null;
  #seconds = 0;
  #nanoseconds = 0;

  constructor(trace: OpenTrace) {
    this.#trace = trace;
  }

  /** The lines of a batch, in bytes that the next one is printed to. */
  print(batch: RecordBatch): RecordLines[] {
    const out = this.#out;
    let count = 0;
    let firstRecord = 0;
    out.clear();
    for (let row = 0; row < batch.count; row++) {
      if (batch.row[row] !== ROW_RECORD) continue;
      if (count === 0) firstRecord = batch.record[row]!;
      const from = out.length;
      this.#head(batch, row);
      this.#trace.printRecord?.(batch, row, out);
      out.endLine(from);
      count++;
    }
    return count === 0 ? [] : [linesOf(firstRecord, count, out.view())];
  }

  /** `            init-1       [000] d..1.    62.808845805: ` */
  #head(batch: RecordBatch, row: number): void {
    const out = this.#out;
    out.text(this.#task(batch.pid[row]!));
    out.text(' [');
    const cpu = batch.cpu[row]!;
    if (cpu >= 0 && cpu < 1000) out.padded(cpu, 3);
    else out.text(String(cpu).padStart(3, '0'));
    out.text('] ');
    out.text(this.#flagsOf(batch.ctx[row]!));
    out.text(' ');
    this.#stamp(batch.ns[row]!);
    out.text(': ');
  }

  #task(pid: number): string {
    const note = this.#trace.facts.tasks.get(pid);
    const known = this.#tasks.get(pid);
    if (known !== undefined && known.note === note) return known.text;
    const text = `${(note?.comm ?? '<...>').padStart(16)}-${String(pid).padEnd(7)}`;
    this.#tasks.set(pid, { note, text });
    return text;
  }

  #flagsOf(ctx: number): string {
    const known = this.#flags.get(ctx);
    if (known !== undefined) return known;
    const text = flagLetters(ctx);
    this.#flags.set(ctx, text);
    return text;
  }

  /** In 15 columns at least; below zero with a sign in front. */
  #stamp(ns: number): void {
    const out = this.#out;
    const { originNs, ticks } = this.#trace.facts;
    if (originNs !== this.#originNs) {
      this.#originNs = originNs;
      this.#seconds = Number(originNs / NS_PER_SECOND);
      this.#nanoseconds = Number(originNs % NS_PER_SECOND);
    }
    const low = this.#nanoseconds + ns;
    const over = Math.floor(low / 1e9);
    const seconds = this.#seconds + over;
    if (ticks || seconds < 0 || !Number.isSafeInteger(seconds) || !Number.isSafeInteger(low)) {
      const stamp = originNs + BigInt(ns);
      const digits = String(stamp < 0n ? -stamp : stamp).padStart(10, '0');
      const text = ticks ? digits : `${digits.slice(0, -9)}.${digits.slice(-9)}`;
      out.text((stamp < 0n ? `-${text}` : text).padStart(15));
      return;
    }
    if (seconds < 10_000)
      out.text(seconds < 10 ? '    ' : seconds < 100 ? '   ' : seconds < 1000 ? '  ' : ' ');
    out.decimal(seconds);
    out.text('.');
    out.padded(low - over * 1e9, 9);
  }
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
