import type { OpenTrace } from '../readers/open.ts';
import type { DecodeFacts, TraceDecoder } from '../tracepoints/decode.ts';

/** A line that could not be read. */
export interface LineError {
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

/** A task as the trace prints it. */
export interface TaskFact {
  readonly pid: number;
  readonly comm: string;
  /** Null where the trace does not tell. */
  readonly tgid: number | null;
}

/** How far the reading has come, for progress. */
export interface IngestProgress {
  readonly records: number;
  /** Bytes of the file consumed, before decompression. */
  readonly bytes: number;
  /** Null for a stream. */
  readonly totalBytes: number | null;
}

/** Facts that a later message states anew, in full. */
interface WholeFacts {
  readonly format: string;
  readonly label: string;
  readonly originNs: bigint;
  readonly ticks: boolean;
  /** Smallest unit of stamps, in ns or ticks. */
  readonly resolution: number;
  readonly firstNs: number | null;
  readonly lastNs: number | null;
  readonly records: number;
  readonly segments: number;
  readonly entriesWritten: number | null;
  readonly entriesInBuffer: number | null;
  readonly clock: string | null;
  /** Release from a header. */
  readonly kernel: string | null;
  readonly tracer: string | null;
  readonly cpus: readonly number[];
  readonly parseErrors: readonly LineError[];
  readonly parseErrorCount: number;
  /** By name of the counter (readers/counters.ts). */
  readonly counters: ReadonlyMap<string, number>;
  readonly truncated: string | null;
  /** What the decoder knows of the machine so far. */
  readonly decoding: DecodeFacts;
  /** Set in the last message: records by event name, and those of events that no tracepoint knows. */
  readonly histogram: ReadonlyMap<string, number>;
  readonly unknownEvents: ReadonlyMap<string, number>;
}

/** What became known of an input since the message before. */
export interface FactsDelta extends WholeFacts {
  readonly changedTasks: readonly TaskFact[];
}

/** What is known of an input: the sum of the deltas that were applied. */
export class InputFacts {
  readonly tasks = new Map<number, TaskFact>();
  #whole: WholeFacts | null = null;

  apply(delta: FactsDelta): void {
    const { changedTasks, ...whole } = delta;
    this.#whole = whole;
    for (const task of changedTasks) this.tasks.set(task.pid, task);
  }

  /** Everything but the tasks. Null before the first message. */
  get whole(): WholeFacts | null {
    return this.#whole;
  }
}

const NONE: ReadonlyMap<string, number> = new Map();

/** What is to be told of a trace now; `last`: at its end. */
export function factsDelta(trace: OpenTrace, decoder: TraceDecoder, last: boolean): FactsDelta {
  const facts = trace.facts;
  const changedTasks: TaskFact[] = [];
  for (const pid of facts.changedTasks) {
    const note = facts.tasks.get(pid);
    if (note) changedTasks.push({ pid, comm: note.comm, tgid: note.tgid });
  }
  facts.changedTasks.clear();
  return {
    format: trace.format,
    label: trace.source.label,
    originNs: facts.originNs,
    ticks: facts.ticks,
    resolution: facts.resolution,
    firstNs: facts.firstNs,
    lastNs: facts.lastNs,
    records: facts.records,
    segments: facts.segments,
    entriesWritten: facts.entriesWritten,
    entriesInBuffer: facts.entriesInBuffer,
    clock: facts.clock,
    kernel: facts.kernel,
    tracer: facts.tracer,
    cpus: [...facts.cpus].sort((a, b) => a - b),
    parseErrors: [...facts.parseErrors],
    parseErrorCount: facts.parseErrorCount,
    counters: new Map(facts.counters),
    truncated: facts.truncated,
    decoding: decoder.facts,
    histogram: last ? facts.histogram() : NONE,
    unknownEvents: last ? decoder.unknownEvents : NONE,
    changedTasks,
  };
}
