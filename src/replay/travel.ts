import { type Input, inputName } from '../core/input.ts';
import type { EventBatch } from '../events/batch.ts';
import { Cursor } from '../state/cursor.ts';
import { FOLDS } from '../state/folds/index.ts';
import { MmState } from '../state/state.ts';
import { CaseReader } from '../store/reader.ts';
import { rewriteSnapshots } from '../store/rewrite.ts';
import { checkDeclared, eventsOf, isCase, stoppedText } from './case-source.ts';
import type { Ingested, IngestOptions } from './ingest.ts';
import { InputFacts, type TaskFact } from './input-facts.ts';
import type { Moment } from './span.ts';

/** Where in a trace: after an event, at a time, or at either end. */
export type At = Moment | 'start' | 'end';

/** What a reader of a moment has to know of the trace. */
export interface TripFacts {
  /** The input as it was given. */
  readonly path: string;
  readonly originNs: bigint;
  readonly ticks: boolean;
  readonly tasks: readonly TaskFact[];
  /** Events of the trace, null where only its beginning was read. */
  readonly events: number | null;
  /** What the case does not hold, or null. */
  readonly stopped: string | null;
}

/** The state at a moment. */
export interface Visit {
  readonly facts: TripFacts;
  readonly state: MmState;
  /** Where the state stands: after this event. 0: before the first one. */
  readonly seq: number;
  /** The record of that event as it was written, where the input holds it. */
  readonly record: string | null;
  /** The moment lies behind the end of the trace. */
  readonly beyond: boolean;
}

/** A case that is gone about in. */
export class Traveller {
  readonly reader: CaseReader;
  readonly facts: TripFacts;

  constructor(path: string) {
    this.reader = new CaseReader(path);
    const { head } = this.reader;
    this.facts = {
      path,
      originNs: head.originNs,
      ticks: head.ticks,
      tasks: this.reader.tasks(),
      events: head.events,
      stopped: head.complete ? null : stoppedText(head),
    };
  }

  /** Opens a case; one whose snapshots are those of other slices gets new ones, where it can be written. */
  static open(path: string): Traveller {
    const first = new Traveller(path);
    if (first.reader.hasSnapshots(new MmState(FOLDS)) || first.reader.head.events === 0) return first;
    first.close();
    rewriteSnapshots(path, () => new MmState(FOLDS));
    return new Traveller(path);
  }

  close(): void {
    this.reader.close();
  }

  /** Seq of a moment: at a time, that of the event before the first later one. */
  seqOf(at: At): number {
    if (at === 'start') return Math.min(1, this.reader.head.events);
    if (at === 'end') return this.reader.head.events;
    if ('seq' in at) return at.seq;
    return this.reader.seqAt(Number(at.ns - this.facts.originNs));
  }

  /** The state after an event: the nearest snapshot before it, and the events from there on. */
  stateAt(seq: number): MmState {
    const state = new MmState(FOLDS);
    this.reader.restoreBefore(state, seq);
    if (state.seq < seq)
      for (const batch of this.reader.segments(state.seq + 1, seq)) foldUpTo(state, batch, seq);
    return state;
  }
}

/** Folds the events of a batch that the state has not had, up to a seq. */
function foldUpTo(state: MmState, batch: EventBatch, seq: number): void {
  const e = new Cursor();
  const to = Math.min(batch.count, seq + 1 - batch.firstSeq);
  for (let i = Math.max(0, state.seq + 1 - batch.firstSeq); i < to; i++) {
    e.seek(batch, i);
    state.apply(e);
  }
}

/** How an input is read that is no case. */
export interface TripOptions extends IngestOptions {
  /** Where events come from; what the input's own reader gives if absent. */
  readonly source?: (input: Input, options: IngestOptions) => AsyncIterable<Ingested>;
}

/** Goes to a moment of a case, or reads a trace up to it. Throws InputError. */
export async function visit(input: Input, at: At, options: TripOptions = {}): Promise<Visit> {
  if (!isCase(input)) return visitTrace(input, at, options);
  const traveller = Traveller.open(input);
  try {
    checkDeclared(input, traveller.reader.head, options.decode ?? {});
    const wanted = traveller.seqOf(at);
    const seq = Math.min(wanted, traveller.reader.head.events);
    const event = seq === 0 ? null : traveller.reader.segmentOf(seq);
    return {
      facts: traveller.facts,
      state: traveller.stateAt(seq),
      seq,
      record: event === null ? null : traveller.reader.record(event.record[seq - event.firstSeq]!),
      beyond: wanted > seq,
    };
  } finally {
    traveller.close();
  }
}

async function visitTrace(input: Input, at: At, options: TripOptions): Promise<Visit> {
  const state = new MmState(FOLDS);
  const facts = new InputFacts();
  const last = at === 'start' ? 1 : at !== 'end' && 'seq' in at ? at.seq : Number.MAX_SAFE_INTEGER;
  let ended = false;
  let total = 0;
  const how = options.decode === undefined ? {} : { decode: options.decode };
  for await (const message of (options.source ?? eventsOf)(input, how)) {
    facts.apply(message.facts);
    let to = Math.min(last, message.events.firstSeq + message.events.count - 1);
    if (typeof at === 'object' && 'ns' in at) {
      const ns = Number(at.ns - message.facts.originNs);
      const later = message.events.ns.findIndex((time) => time > ns);
      if (later >= 0) to = message.events.firstSeq + later - 1;
    }
    foldUpTo(state, message.events, to);
    ended = message.last;
    total = message.events.firstSeq + message.events.count - 1;
    if (to < message.events.firstSeq + message.events.count - 1) break;
  }
  const beyond = ended && last !== Number.MAX_SAFE_INTEGER && state.seq < last;
  return {
    facts: {
      path: inputName(input),
      originNs: facts.whole?.originNs ?? 0n,
      ticks: facts.whole?.ticks ?? false,
      tasks: [...facts.tasks.values()].sort((a, b) => a.pid - b.pid),
      events: ended ? total : null,
      stopped: null,
    },
    state,
    seq: state.seq,
    record: null,
    beyond,
  };
}
