import { decimal, type LineHead } from './line-head.ts';

const BLANK = 32;
const BAR = 124;

/** Whether a line of the function graph tracer holds an event, and where. */
export type GraphLine = 'no event' | 'event without time and task' | 'event';

/**
 * Lines of the function graph tracer are calls and returns; other events stand in comments between them, with
 * time and task only under options funcgraph-abstime and funcgraph-proc:
 * ` 143.787682 |   0)     init-1     |               |    /* mm_page_free: page=.. *\/`.
 * Fills `head` for an event; its payload ends at {@link GraphMatch.end}.
 */
export class GraphMatch {
  commStart = 0;
  commEnd = 0;
  /** End of the event's text, before the closing of the comment. */
  end = 0;

  match(head: LineHead, b: Buffer, from: number, lineEnd: number): GraphLine {
    const bar = b.lastIndexOf(BAR, lineEnd - 1);
    let p = bar < from ? from : bar + 1;
    while (b[p] === BLANK) p++;
    // "/* name: ... */", where a return value would be "/* = 0x86 */" or "/* func = 0x86 */".
    if (b[p] !== 47 || b[p + 1] !== 42 || b[lineEnd - 1] !== 47 || b[lineEnd - 2] !== 42) return 'no event';
    const text = p + 3;
    const nameEnd = b.indexOf(58, text);
    const blank = b.indexOf(BLANK, text);
    if (nameEnd < 0 || nameEnd > blank || nameEnd >= lineEnd) return 'no event';
    this.end = lineEnd - 3;
    head.payload = text;
    return this.#context(head, b, from, bar) ? 'event' : 'event without time and task';
  }

  /** ` 143.787682 |   0)     init-1     |`: time, CPU and task. */
  #context(head: LineHead, b: Buffer, from: number, bar: number): boolean {
    const stampEnd = b.indexOf(BAR, from);
    const cpuEnd = b.indexOf(41, stampEnd);
    const taskEnd = b.indexOf(BAR, cpuEnd);
    if (stampEnd < 0 || cpuEnd < 0 || taskEnd < 0 || taskEnd >= bar) return false;
    let p = from;
    while (b[p] === BLANK) p++;
    const dot = b.indexOf(46, p);
    if (dot < 0 || dot >= stampEnd || !digits(b, p, dot) || !digits(b, dot + 1, dot + 7)) return false;
    let cpuAt = stampEnd + 1;
    while (b[cpuAt] === BLANK) cpuAt++;
    if (!digits(b, cpuAt, cpuEnd) || cpuEnd - cpuAt > 4) return false;
    let comm = cpuEnd + 1;
    while (b[comm] === BLANK) comm++;
    let last = taskEnd - 1;
    while (b[last] === BLANK) last--;
    const dash = b.lastIndexOf(45, last);
    if (dash <= comm || !digits(b, dash + 1, last + 1) || last - dash > 9) return false;
    head.high = decimal(b, p, dot);
    head.low = decimal(b, dot + 1, dot + 7) * 1000;
    head.decimals = 6;
    head.cpu = decimal(b, cpuAt, cpuEnd);
    head.pid = decimal(b, dash + 1, last + 1);
    head.tgid = -1;
    head.ctx = 0;
    this.commStart = comm;
    this.commEnd = dash;
    return true;
  }
}

function digits(b: Buffer, from: number, to: number): boolean {
  if (to <= from || to - from > 15) return false;
  for (let p = from; p < to; p++) if (b[p]! < 48 || b[p]! > 57) return false;
  return true;
}
