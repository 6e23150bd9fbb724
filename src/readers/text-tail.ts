import type { NameTable } from '../core/records.ts';
import { COMM_WIDTH, findHead, LATENCY_COMM_WIDTH, LineHead } from './line-head.ts';

const LINE_FEED = 10;
const DASH = 45;
/** A marker holds at most 4096 bytes, and so does a file name. */
const MAX_TAIL = 4096;
/** A head stands within so many bytes of a line. */
const HEAD_BYTES = 512;

/**
 * Events whose text a user chooses, and may hold line feeds. The value is the key that the kernel prints
 * behind that text: until it has been seen, whatever looks like a record is a part of the text, however well
 * it is forged. Markers have none: their text ends at the next line that is a record.
 */
const CLOSING_KEY: ReadonlyMap<string, string> = new Map([
  ['tracing_mark_write', ''],
  ['print', ''],
  ['bprint', ''],
  ['sched_process_exec', ' old_pid='],
  ['sched_prepare_exec', ' comm='],
  ['sched_process_fork', ' child_pid='],
  ['sched_process_exit', ' prio='],
  ['sched_process_free', ' prio='],
  ['sched_switch', ' next_prio='],
  ['sched_wakeup', ' target_cpu='],
  ['task_newtask', ' oom_score_adj='],
  ['task_rename', ' oom_score_adj='],
]);

/** Finds where the text of a record ends that may go on behind a line feed. */
export class TextTail {
  /** Lines that the text last followed has, beyond the first. */
  lines = 0;
  /** Heads are those of the latency format. */
  latency = false;
  readonly #names: NameTable;
  readonly #head = new LineHead();
  /** By name id: undefined not looked up yet, null an event without free text. */
  readonly #closing: Array<Buffer | null> = [];

  constructor(names: NameTable) {
    this.#names = names;
  }

  mayGoOn(name: number): boolean {
    while (this.#closing.length <= name) {
      const key = CLOSING_KEY.get(this.#names.names[this.#closing.length]!);
      this.#closing.push(key === undefined ? null : Buffer.from(key, 'latin1'));
    }
    return this.#closing[name] !== null;
  }

  /**
   * Start of the first line behind the text that begins at `start` and whose first line ends at `feed`; -1 if
   * what is there up to `limit` does not tell, and more may come.
   */
  follow(
    b: Buffer,
    name: number,
    start: number,
    feed: number,
    limit: number,
    final: boolean,
    decimals: number,
  ): number {
    this.lines = 0;
    const key = this.#closing[name]!;
    if (key.length > 0) {
      if (b.subarray(start, feed).includes(key)) return feed + 1;
      return this.#untilKey(b, key, start, feed, limit, final, decimals);
    }
    return this.#untilRecord(b, feed, limit, final, decimals);
  }

  #untilKey(
    b: Buffer,
    key: Buffer,
    start: number,
    feed: number,
    limit: number,
    final: boolean,
    decimals: number,
  ): number {
    const bound = Math.min(limit, start + MAX_TAIL);
    const found = b.subarray(feed, bound).indexOf(key);
    if (found >= 0) {
      const end = b.indexOf(LINE_FEED, feed + found);
      if (end < limit) {
        for (let p = feed; p < end; p = b.indexOf(LINE_FEED, p + 1)) this.lines++;
        return end + 1;
      }
    }
    if (!final && limit < start + MAX_TAIL) return -1;
    return this.#untilRecord(b, feed, limit, final, decimals);
  }

  #untilRecord(b: Buffer, feed: number, limit: number, final: boolean, decimals: number): number {
    let at = feed + 1;
    for (;;) {
      const end = b.indexOf(LINE_FEED, at);
      if (end >= limit && !final && limit - at < HEAD_BYTES) return -1;
      if (end >= limit || end - feed > MAX_TAIL || this.#ends(b, at, end, decimals)) return at;
      this.lines++;
      at = end + 1;
    }
  }

  /** Whether the line in `b[at, end)` is no continuation. */
  #ends(b: Buffer, at: number, end: number, decimals: number): boolean {
    if (end - at > COMM_WIDTH && b[at + COMM_WIDTH] === DASH && this.#head.match(b, at + COMM_WIDTH))
      return true;
    if (this.latency)
      return b[at + LATENCY_COMM_WIDTH] === DASH && this.#head.matchLatency(b, at + LATENCY_COMM_WIDTH);
    const text = b.toString('latin1', at, Math.min(end, at + 32));
    if (text.startsWith('# tracer:') || /^(CPU:\d+ \[|##### CPU | => )/.test(text)) return true;
    // Without a decimal point a head that is out of its column cannot be told from text.
    return decimals > 0 && findHead(this.#head, b, at, end) >= 0;
  }
}
