import type { Divergence } from '../checks/finding.ts';
import { InputError } from '../core/errors.ts';
import { EventList } from '../events/event-list.ts';
import { encodeTrace } from '../events/json-write.ts';
import type { JudgeFacts } from '../litmus/judge.ts';
import { concerned, concernOf } from '../litmus/shrink/relevance.ts';
import { type Sequence, shrink } from '../litmus/shrink/shrink.ts';
import type { Analysis } from './analysis.ts';
import { type AnalyzeOptions, clockSkew } from './analyze.ts';
import type { Ingested } from './ingest.ts';
import { InputFacts } from './input-facts.ts';
import { kernelNumber } from './trace-facts.ts';

/** Events held in memory at most. Of a longer trace only those are held that concern the divergence. */
const EVENTS_HELD = 1_000_000;

/** A divergence of a trace, reduced. */
export interface Shrunk {
  readonly analysis: Analysis;
  /** The divergence as the whole trace shows it. */
  readonly whole: Divergence;
  readonly sequence: Sequence;
  readonly facts: JudgeFacts;
}

/** What is kept of a divergence. */
export interface ShrinkOptions extends Pick<AnalyzeOptions, 'variant' | 'clock' | 'clockSkewNs'> {
  /** What other checks say of the same moment may be lost. */
  readonly checkOnly: boolean;
}

/** Reduces a divergence that an analysis found, with the events read once more. Throws InputError where it cannot. */
export async function shrinkDivergence(
  analysis: Analysis,
  whole: Divergence,
  events: AsyncIterable<Ingested>,
  options: ShrinkOptions,
): Promise<Shrunk> {
  const isLong = analysis.trace.events > EVENTS_HELD;
  const concern = concernOf(whole);
  const list = new EventList();
  const inputFacts = new InputFacts();
  for await (const { events: batch, facts } of events) {
    inputFacts.apply(facts);
    const marks = isLong ? concerned(batch, concern) : null;
    for (let i = 0; i < batch.count; i++) if (marks === null || marks[i] === 1) list.add(batch, i);
  }
  const facts = {
    declared: options.variant,
    kernel: kernelNumber(inputFacts.whole),
    skewNs: clockSkew(options, inputFacts.whole),
  };
  const wanted = options.checkOnly ? { ...whole, consequences: [] } : whole;
  const sequence = shrink(list, wanted, facts);
  if (sequence === null)
    throw new InputError(
      isLong
        ? `${whole.id} needs more of the trace than the ${list.count} events of its own page, mm and tasks; cut the trace around seq ${whole.place.seq} and shrink it there`
        : `${whole.id} does not show in the trace's events alone: it rests on how records stand together in ${analysis.trace.path}`,
    );
  return { analysis, whole, sequence, facts };
}

/** The reduced events as a trace that every command reads, with what the whole trace tells of itself. */
export function shrunkLines({ analysis, whole, sequence, facts }: Shrunk): string {
  const { trace } = analysis;
  const { events, seqs } = sequence;
  const pids = new Set(events.pid);
  const kernel = facts.kernel === null ? null : `${Math.floor(facts.kernel / 100)}.${facts.kernel % 100}`;
  const { originNs, ticks, arch, clock } = trace;
  const tasks = trace.tasks.filter(({ pid }) => pids.has(pid));
  const about = {
    variant: analysis.variant ?? 'auto',
    shows: { check: whole.check, verdict: whole.verdict, fingerprint: whole.fingerprint },
    of: { events: trace.events, seqs },
  };
  return encodeTrace({ originNs, ticks, kernel, arch, clock, tasks, about }, events);
}
