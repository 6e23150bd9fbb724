import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import type { WriteFault } from '../checks/write-fault.ts';
import type { Plain } from '../core/image.ts';
import { filesOf, type Input, inputName } from '../core/input.ts';
import type { MmState } from '../state/state.ts';
import type { StoredDecision } from '../store/findings.ts';
import { packBatch } from '../store/segments.ts';
import { packText } from '../store/texts.ts';
import { CaseWriter } from '../store/writer.ts';
import type { Analysis } from './analysis.ts';
import type { AnalyzeOptions } from './analyze.ts';
import type { Ingested } from './ingest.ts';
import { engineVersion, question } from './question.ts';

/** Where an analysis is recorded. */
export interface RecordTo {
  readonly path: string;
  /** Version of the program, for the case's own word. */
  readonly program: string;
}

function stored(fault: WriteFault): StoredDecision {
  const { d } = fault;
  return {
    seq: d.seq,
    endSeq: d.endSeq,
    outcomeSeq: d.outcomeSeq,
    ns: d.ns,
    cpu: d.cpu,
    pid: d.pid,
    mm: d.mm,
    va: d.va,
    pfn: d.pfn,
    newPfn: d.newPfn,
    outcome: d.outcome,
    outcomeBy: d.outcomeBy,
    page: d.page,
    exclusive: d.inputs.exclusive,
    refcount: d.inputs.count,
    mapcount: d.inputs.mappings,
    swapcache: d.inputs.swapcache,
    locked: d.inputs.locked,
    cause: fault.cause,
  };
}

/** Of several files: of their bytes one behind the other. */
async function sha256(input: Input): Promise<string> {
  const hash = createHash('sha256');
  for (const path of filesOf(input)) {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
      hash.update(chunk as Uint8Array);
  }
  return hash.digest('hex');
}

/** Bytes of all files; null where that cannot be said. */
function sizeOf(input: Input): number | null {
  let size = 0;
  for (const path of filesOf(input)) {
    const stat = path === '-' ? undefined : statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    size += stat.size;
  }
  return size;
}

/** Writes what an analysis reads and finds into a case, on the way. */
export class Recorder {
  readonly #input: Input;
  readonly #options: AnalyzeOptions;
  readonly #to: RecordTo;
  readonly #size: number | null;
  #writer: CaseWriter | null = null;
  #decisions: StoredDecision[] = [];

  constructor(input: Input, options: AnalyzeOptions, to: RecordTo) {
    this.#input = input;
    this.#options = options;
    this.#to = to;
    this.#size = sizeOf(input);
  }

  decided(fault: WriteFault): void {
    this.#decisions.push(stored(fault));
  }

  /** Stores a message whose events the state has just taken in. The case is made with the first one: an input that is no trace leaves none. */
  add(message: Ingested, state: MmState): void {
    const { facts } = message;
    this.#writer ??= this.#open();
    this.#writer.add(
      {
        events: message.events,
        segments: message.segments ?? packBatch(message.events),
        facts: facts as unknown as Plain,
        texts: message.texts.map(packText),
        tasks: facts.changedTasks,
        decisions: this.#decisions,
        origin: { ns: facts.originNs, ticks: facts.ticks, format: facts.format, records: facts.records },
      },
      state,
    );
    this.#decisions = [];
  }

  #open(): CaseWriter {
    const { kernel, arch, clock, clockSkewNs, vmemmapBase } = this.#options;
    return CaseWriter.open(this.#to.path, {
      name: inputName(this.#input),
      size: this.#size,
      program: this.#to.program,
      options: { kernel, arch, clock, clockSkewNs, vmemmapBase },
    });
  }

  /** Completes the case. Without this it can be gone on with. */
  async finish(analysis: Analysis): Promise<void> {
    if (this.#writer === null) return;
    // A file that grew while it was read is not the one that was read.
    const whole = this.#size !== null && sizeOf(this.#input) === this.#size;
    this.#writer.finish(
      {
        divergences: analysis.divergences,
        coverage: analysis.coverage,
        counters: analysis.trace.counters,
        histogram: analysis.trace.histogram,
        unknownEvents: analysis.trace.unknownEvents,
        analysis: {
          question: question(this.#options),
          version: engineVersion(),
          result: analysis as unknown as Plain,
        },
      },
      whole ? await sha256(this.#input) : null,
    );
  }

  close(): void {
    this.#writer?.close();
    this.#writer = null;
  }
}
