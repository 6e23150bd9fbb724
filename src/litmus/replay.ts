import type { Check } from '../checks/check.ts';
import type { EventBatch } from '../events/batch.ts';
import type { Variant } from '../variants/variant.ts';
import type { Schedule } from './explore/outcome.ts';
import { flagBit } from './flags.ts';
import { type Judged, judgeEvents } from './judge.ts';
import { Machine } from './machine.ts';
import { Preamble } from './preamble.ts';
import type { Program } from './program.ts';
import { Recorder } from './recorder.ts';
import { rulesOf } from './rules.ts';

/** One step of an interleaving as it was taken. */
export interface TakenStep {
  readonly thread: number;
  readonly phase: string;
  readonly text: string;
  /** Seqs of its events; count 0: it has none. */
  readonly first: number;
  readonly count: number;
  /** What the model saw in this step for the first time. */
  readonly flags: number;
}

/** An interleaving run: its steps, its events, and what the model saw. */
export interface Run {
  readonly steps: readonly TakenStep[];
  readonly events: EventBatch;
  readonly flags: number;
  /** A schedule that asks for a step which cannot be taken ends there. */
  readonly complete: boolean;
}

/** Runs a schedule. What it leaves open is run thread by thread, in their order. */
export function replay(program: Program, variant: Variant, schedule: Schedule): Run {
  const m = new Machine(program, rulesOf(variant));
  const recorder = new Recorder(program);
  new Preamble(m, recorder).write();
  m.sink = recorder;
  const taken: Array<Omit<TakenStep, 'first' | 'count'>> = [];
  const take = (thread: number): boolean => {
    if (!m.ready(thread)) return false;
    const before = m.flags;
    recorder.step();
    const { phase, text } = m.describe(thread);
    m.step(thread);
    taken.push({ thread, phase, text, flags: m.flags & ~before });
    return true;
  };
  let complete = schedule.every(take);
  while (complete && program.threads.some((_thread, i) => take(i)));
  if (!m.done) {
    m.flags |= flagBit('deadlock');
    complete = false;
  }
  recorder.endStep();
  return {
    steps: taken.map((step, i) => ({ ...step, ...recorder.steps[i]! })),
    events: recorder.take(),
    flags: m.flags,
    complete,
  };
}

/** Judges the events of a run by the rules that it ran under; their order is certain. */
export function judge(run: Run, variant: Variant, checks?: readonly Check[]): Judged {
  return judgeEvents(run.events, { declared: variant, kernel: Math.floor(variant.rank), skewNs: 0 }, checks);
}
