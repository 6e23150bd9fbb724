import { InputError } from '../core/errors.ts';
import { EVENT_LINE_NAME, EVENT_LINES_SCHEMA } from '../core/records.ts';
import type { ReaderFacts } from './facts.ts';
import type { TraceFormat } from './format.ts';
import { type RecordHead, TextRows } from './text-rows.ts';
import { type TextBlock, type TextLines, TextTrace } from './text-trace.ts';

const LINE_FEED = 10;
const FORMAT = 'events as JSON lines';
/** Where a line tells its time and CPU: for the facts of the trace; the decoder reads the line itself. */
const STAMP = /"ns"\s*:\s*(-?\d{1,16})\s*[,}]/;
const CPU = /"cpu"\s*:\s*(\d{1,5})\s*[,}]/;

/** Events written as JSON, one a line: the synthetic form (`faultline events --schema`). */
export const jsonEvents: TraceFormat = {
  name: FORMAT,
  sniff(prefix) {
    const text = Buffer.from(prefix.buffer, prefix.byteOffset, Math.min(prefix.length, 4096)).toString(
      'latin1',
    );
    if (!/^(\xef\xbb\xbf)?\s*\{/.test(text)) return 0;
    const line = text.trimStart().split('\n', 1)[0]!;
    return line.includes(`"${EVENT_LINES_SCHEMA}"`) || (/"event"\s*:\s*"/.test(line) && STAMP.test(line))
      ? 92
      : 0;
  },
  open(source) {
    const trace = new TextTrace(source, { format: FORMAT, lines: (facts) => new JsonLines(facts) });
    const { prefix } = source;
    const end = prefix.indexOf(LINE_FEED);
    const line = Buffer.from(prefix.subarray(0, end < 0 ? prefix.length : end)).toString('utf8');
    if (line.includes(`"${EVENT_LINES_SCHEMA}"`)) readHeader(line, trace.facts, source.label);
    return trace;
  },
};

/** Keys of the first line and of a task in it, as they come. */
interface HeaderKeys {
  readonly ticks?: unknown;
  readonly tasks?: unknown;
  readonly pid?: unknown;
  readonly comm?: unknown;
  readonly tgid?: unknown;
}

/** `{"schema":"faultline.event-lines/1","origin_ns":"62808845805","kernel":"6.12.117","tasks":[..]}` */
function readHeader(line: string, facts: ReaderFacts, label: string): void {
  let value: unknown;
  try {
    value = JSON.parse(line.replace(/^\ufeff/, ''));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`${label}: line 1 is no JSON`);
  }
  const header = value as HeaderKeys & { readonly [key: string]: unknown };
  const text = (key: string): string | null => {
    const found = header[key];
    if (found == null) return null;
    if (typeof found !== 'string') throw new InputError(`${label}: line 1: "${key}" must be a string`);
    return found;
  };
  const origin = text('origin_ns');
  if (origin !== null) {
    if (!/^\d{1,20}$/.test(origin))
      throw new InputError(`${label}: line 1: "origin_ns" must be an integer in quotes`);
    facts.originNs = BigInt(origin);
  }
  facts.kernel = text('kernel');
  facts.arch = text('arch');
  facts.clock = text('clock');
  facts.ticks = header.ticks === true;
  const tasks = header.tasks ?? [];
  if (!Array.isArray(tasks)) throw new InputError(`${label}: line 1: "tasks" must be a list`);
  for (const task of tasks as ReadonlyArray<HeaderKeys | null>) {
    const { pid, comm, tgid } = task ?? {};
    if (typeof pid !== 'number' || typeof comm !== 'string')
      throw new InputError(`${label}: line 1: a task must have "pid" and "comm"`);
    facts.task(pid, comm, typeof tgid === 'number' ? tgid : null);
  }
}

/** Turns lines into rows whose ordinal is the number of the line. */
class JsonLines implements TextLines {
  readonly rows: TextRows;
  readonly #facts: ReaderFacts;
  readonly #name: number;

  constructor(facts: ReaderFacts) {
    this.#facts = facts;
    this.rows = new TextRows(facts);
    this.rows.asWritten();
    this.#name = facts.names.id(EVENT_LINE_NAME);
  }

  skipLine(_b: Buffer, _from: number, reason: string): void {
    throw new InputError(`line ${this.rows.line + 1} of the events is ${reason}`);
  }

  parse(block: TextBlock, from: number, limit: number, maxLine: number): number {
    const b = block.bytes;
    let at = from;
    while (!this.rows.full) {
      const feed = b.indexOf(LINE_FEED, at);
      if (feed >= limit) break;
      if (feed - at > maxLine) this.skipLine(b, at, 'longer than any event');
      this.#line(b, at, feed);
      at = feed + 1;
    }
    return at;
  }

  #line(b: Buffer, from: number, to: number): void {
    const text = b.toString('latin1', from, to);
    const header = this.rows.line === 0 && text.includes(`"${EVENT_LINES_SCHEMA}"`);
    if (header || text.trim() === '') {
      this.rows.line++;
      return;
    }
    const ns = Number(STAMP.exec(text)?.[1] ?? 0);
    const cpu = Number(CPU.exec(text)?.[1] ?? -1);
    const high = Math.floor(ns / 1e9);
    const head: RecordHead = {
      pid: -1,
      cpu: cpu <= 0x7fff ? cpu : -1,
      ctx: 0,
      high,
      low: ns - high * 1e9,
      decimals: 9,
    };
    // The ordinal of a record is that of its line.
    this.rows.record = this.rows.line;
    this.rows.add(head, this.#name, from, to);
    this.#facts.segments = 1;
  }
}
