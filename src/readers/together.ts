import { statSync } from 'node:fs';
import { InputError } from '../core/errors.ts';
import type { FieldSpec } from '../core/fields.ts';
import { type Input, inputName } from '../core/input.ts';
import type { LineWriter } from '../core/line-writer.ts';
import {
  EVENT_LINE_NAME,
  type FieldExtractor,
  type RecordBatch,
  ROW_CPU_STARTED,
  ROW_CUT,
  ROW_LOST,
  ROW_RECORD,
  ROW_SEGMENT,
} from '../core/records.ts';
import { ReaderFacts } from './facts.ts';
import { type JoinedBatch, JoinedRows } from './joined-rows.ts';
import { InternedNames } from './names.ts';
import { type OpenOptions, type OpenTrace, openTrace } from './open.ts';
import { Part } from './part.ts';
import type { ByteSource } from './source.ts';

/** CPUs that a record can name. */
const CPUS = 0x8000;
/** Each is open, with a batch of its own: about a megabyte. */
const MAX_PARTS = 1024;
/** Rows that may wait for the next record of their file. */
const MAX_WAITING = 4096;

/** Opens a trace, or several files as one. Throws {@link InputError}, also while batches are read. */
export function openInput(input: Input, options: OpenOptions = {}): Promise<OpenTrace> {
  return typeof input === 'string' ? openTrace(input, options) : openTogether(input);
}

/**
 * Several files of one capture as one trace: those of single CPUs (`per_cpu/cpu*`), those that a log was rotated
 * into, or both. Records come by their stamps; within a file they stay in their order, equal stamps stand in the
 * order of the files' beginnings. A file that goes on where another one ended begins a new segment if it has a
 * header of its own: nobody can say what happened between two captures.
 */
async function openTogether(paths: readonly string[]): Promise<OpenTrace> {
  if (paths.length > MAX_PARTS)
    throw new InputError(`${paths.length} files are too many to read together; ${MAX_PARTS} can be`);
  for (const [i, path] of paths.entries()) {
    if (path === '-')
      throw new InputError('standard input cannot be read together with files; save it first');
    if (paths.indexOf(path) !== i) throw new InputError(`${path} is given twice`);
  }
  const parts: Part[] = [];
  let idle = 0;
  try {
    for (const path of paths) {
      if (statSync(path, { throwIfNoEntry: false })?.size === 0) {
        idle++;
        continue;
      }
      const part = new Part(await openTrace(path));
      parts.push(part);
      if (await part.start()) continue;
      idle++;
      await parts.pop()!.close();
    }
    if (parts.length === 0) throw new InputError(`none of the ${paths.length} files holds a record`);
    parts.sort(byBeginning);
    const joined = new JoinedTrace(inputName(paths), parts);
    if (idle > 0) joined.facts.count('empty-files', idle);
    return joined;
  } catch (error) {
    for (const part of parts) await part.close();
    throw error;
  }
}

/** Of files that begin at once the shorter one was rotated away first; CPUs come by their numbers. */
function byBeginning(a: Part, b: Part): number {
  const [ofA, ofB] = [a.trace.facts.originNs, b.trace.facts.originNs];
  if (ofA !== ofB) return ofA < ofB ? -1 : 1;
  return a.knownEnd - b.knownEnd || a.onlyCpu - b.onlyCpu;
}

/** Refuses two files that cannot be of one capture. */
function refuseStrangers(a: Part, b: Part): void {
  const differ = (what: string, ofA: string, ofB: string): InputError =>
    new InputError(
      `${b.label} is no part of the capture in ${a.label}: its ${what} is ${ofB}, not ${ofA}; give them without --together`,
    );
  if (a.trace.format !== b.trace.format) throw differ('format', a.trace.format, b.trace.format);
  const [ofA, ofB] = [a.trace.facts, b.trace.facts];
  if (ofA.ticks !== ofB.ticks)
    throw differ('unit of time', ofA.ticks ? 'ticks' : 'ns', ofB.ticks ? 'ticks' : 'ns');
  for (const what of ['clock', 'kernel', 'arch'] as const) {
    const [one, other] = [ofA[what], ofB[what]];
    if (one !== null && other !== null && one !== other) throw differ(what, one, other);
  }
  if (ofB.originNs - ofA.originNs > BigInt(Number.MAX_SAFE_INTEGER))
    throw differ('first stamp', String(ofA.originNs), String(ofB.originNs));
}

class JoinedTrace implements OpenTrace {
  readonly format: string;
  readonly lines?: boolean;
  readonly printRecord?: (batch: RecordBatch, row: number, out: LineWriter) => void;
  readonly names = new InternedNames();
  readonly facts = new ReaderFacts(this.names);
  readonly source: ByteSource;
  readonly #parts: readonly Part[];
  readonly #rows: JoinedRows;
  /** Ordinal of the part that the last record of a CPU came from. */
  readonly #partOfCpu = new Int16Array(CPUS).fill(-1);
  /** Parts whose first segment was stated. */
  readonly #stated = new Set<Part>();

  constructor(label: string, parts: readonly Part[]) {
    this.#parts = parts;
    const first = parts[0]!;
    const { trace } = first;
    this.format = trace.format;
    if (trace.lines) this.lines = true;
    if (trace.printRecord)
      this.printRecord = (batch, row, out) =>
        parts[(batch as JoinedBatch).file[row]!]!.trace.printRecord?.(batch, row, out);
    this.#rows = new JoinedRows(this.facts, trace.lines === true);
    this.source = sourceOf(label, parts);
    const { facts } = this;
    facts.originNs = trace.facts.originNs;
    facts.ticks = trace.facts.ticks;
    for (const part of parts) {
      const own = part.trace.facts;
      if (part.trace.names.names.includes(EVENT_LINE_NAME))
        throw new InputError(`${part.label} holds events and not records; join such files with cat`);
      if (part !== first) refuseStrangers(first, part);
      part.shift = Number(own.originNs - facts.originNs);
      facts.resolution = Math.max(facts.resolution, own.resolution);
      facts.clock ??= own.clock;
      facts.kernel ??= own.kernel;
      facts.arch ??= own.arch;
      facts.tracer ??= own.tracer;
      facts.cpusOnline ??= own.cpusOnline;
      facts.entriesInBuffer ??= own.entriesInBuffer;
      facts.entriesWritten ??= own.entriesWritten;
      part.tell(facts);
    }
  }

  extractor(nameId: number, specs: readonly FieldSpec[]): FieldExtractor {
    const name = this.names.names[nameId]!;
    const ofPart: FieldExtractor[] = [];
    return (batch, row, into) => {
      const file = (batch as JoinedBatch).file[row]!;
      let extract = ofPart[file];
      if (extract === undefined) {
        const { trace } = this.#parts[file]!;
        extract = trace.extractor(trace.names.id(name), specs);
        ofPart[file] = extract;
      }
      extract(batch, row, into);
    };
  }

  async *batches(): AsyncGenerator<RecordBatch> {
    try {
      yield* this.#merge();
    } finally {
      await this.source.close();
    }
  }

  async *#merge(): AsyncGenerator<RecordBatch> {
    const parts = this.#parts;
    for (;;) {
      let next = 0;
      let bound = Number.POSITIVE_INFINITY;
      let bounding = -1;
      for (let p = 1; p < parts.length; p++) {
        const { ns } = parts[p]!;
        if (ns < parts[next]!.ns) {
          bound = parts[next]!.ns;
          bounding = next;
          next = p;
        } else if (ns < bound) {
          bound = ns;
          bounding = p;
        }
      }
      const part = parts[next]!;
      if (part.batch === null) break;
      if (!part.begun) this.#begin(part);
      // Rows of the part up to the next row of another one.
      while (part.batch !== null && (part.ns < bound || (part.ns === bound && next < bounding))) {
        if (part.row === 0) part.tellTasks(this.facts);
        if (!this.#take(part, next)) {
          yield this.#rows.take();
          continue;
        }
        part.row++;
        if (part.row === part.batch.count) {
          await part.pull();
          part.tell(this.facts);
          while (part.batch === null && !this.#mark(part)) yield this.#rows.take();
        }
      }
    }
    if (this.#rows.waiting > 0) yield this.#rows.take();
  }

  /** States what the beginning of a part means for what is known. */
  #begin(part: Part): void {
    const begun = this.#parts.filter((other) => other.begun);
    part.begun = true;
    const { ns, onlyCpu } = part;
    if (begun.length === 0) {
      // The header of one CPU's file counts the records of all CPUs.
      const overwritten = this.#parts.filter(({ headed }) => headed).map((each) => each.overwritten);
      const cpus = Math.max(...this.#parts.map((each) => each.cpus));
      this.#segment(ns, cpus, overwritten.length === 0 ? Number.NaN : Math.max(...overwritten));
      return;
    }
    const ofNewCpu = onlyCpu >= 0 && this.#partOfCpu[onlyCpu] === -1;
    if (!ofNewCpu && begun.every(({ batch }) => batch === null)) this.#goOn(part);
    else if (ofNewCpu && part.overwritten > 0) this.#rows.mark(ROW_CPU_STARTED, ns, onlyCpu, Number.NaN);
  }

  /** A part goes on with CPUs that others have held: after a pause, if it has a header of its own. */
  #goOn(part: Part): void {
    if (!part.headed || part.goesOn) return;
    part.goesOn = true;
    this.#segment(part.ns, part.cpus, part.overwritten);
  }

  #segment(ns: number, cpus: number, overwritten: number): void {
    this.facts.segments++;
    this.#rows.mark(ROW_SEGMENT, ns, cpus, overwritten);
  }

  /** Takes a row of a part; false if the rows so far must be taken before. */
  #take(part: Part, ordinal: number): boolean {
    const batch = part.batch!;
    const { row, ns } = part;
    const kind = batch.row[row]!;
    const cpu = batch.cpu[row]!;
    if (kind === ROW_RECORD) {
      if (cpu >= 0 && this.#partOfCpu[cpu] !== ordinal) this.#change(cpu, part, ordinal);
      if (!this.#mark(part, ns)) return false;
      return this.#rows.add(batch, row, ordinal, ns, part.nameIn(this.facts, batch.name[row]!));
    }
    if (kind === ROW_CUT) {
      if (!this.#mark(part) || this.#rows.full) return false;
      const last = !this.#parts.some((other) => other !== part && other.batch !== null);
      this.#rows.mark(last ? ROW_CUT : ROW_LOST, ns, -1, Number.NaN);
      return true;
    }
    if (part.waiting.length === MAX_WAITING && !this.#mark(part)) return false;
    // The first segment of a part was stated when it began.
    if (kind === ROW_SEGMENT && !this.#stated.has(part)) this.#stated.add(part);
    else part.waiting.push({ kind, ns, cpu, aux: batch.aux[row]! });
    return true;
  }

  /**
   * States what waits in front of a part's record at `ns`, or of its end: what a CPU lost, it lost up to its next
   * record, whatever the records of others state before. False if the rows so far must be taken before.
   */
  #mark(part: Part, at?: number): boolean {
    const { waiting } = part;
    if (waiting.length === 0) return true;
    let done = 0;
    for (; done < waiting.length && !this.#rows.full; done++) {
      const { kind, ns, cpu, aux } = waiting[done]!;
      if (kind === ROW_SEGMENT) this.#segment(at ?? ns, cpu, aux);
      else this.#rows.mark(kind, at ?? ns, cpu, aux);
    }
    waiting.splice(0, done);
    return waiting.length === 0;
  }

  /** Another part goes on with the records of a CPU. */
  #change(cpu: number, part: Part, ordinal: number): void {
    const before = this.#parts[this.#partOfCpu[cpu]!];
    if (part.left.has(cpu)) {
      throw new InputError(
        `${before!.label} and ${part.label} both hold records of CPU ${cpu} from the same time: give the records of a CPU once`,
      );
    }
    if (before) {
      before.left.add(cpu);
      this.#goOn(part);
    }
    this.#partOfCpu[cpu] = ordinal;
  }
}

/** The bytes of all parts, as far as anybody asks for them. */
function sourceOf(label: string, parts: readonly Part[]): ByteSource {
  const sources = parts.map(({ trace }) => trace.source);
  return {
    label,
    path: null,
    live: false,
    prefix: sources[0]!.prefix,
    chunks: () => sources[0]!.chunks(),
    get consumed() {
      return sources.reduce((sum, { consumed }) => sum + consumed, 0);
    },
    size: sources.reduce<number | null>(
      (sum, { size }) => (sum === null || size === null ? null : sum + size),
      0,
    ),
    get truncated() {
      return sources.find(({ truncated }) => truncated !== null)?.truncated ?? null;
    },
    async close() {
      for (const part of parts) await part.close();
    },
  };
}
