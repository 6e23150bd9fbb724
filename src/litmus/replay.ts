import type { Divergence, Severity, Verdict } from '../checks/finding.ts';
import { CHECKS } from '../checks/index.ts';
import { Runner } from '../checks/runner.ts';
import type { EventBatch } from '../events/batch.ts';
import { FOLDS } from '../state/folds/index.ts';
import { MmState } from '../state/state.ts';
import type { Variant } from '../variants/variant.ts';
import type { Schedule } from './explore/outcome.ts';
import { flagBit } from './flags.ts';
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

/** What the checks say of an interleaving. */
export interface Judged {
  readonly state: MmState;
  readonly divergences: readonly Divergence[];
  /** Every check that fired, as itself or as a consequence, with its best verdict. */
  readonly fired: ReadonlyMap<string, { readonly verdict: Verdict; readonly severity: Severity }>;
}

/** Judges the events of a run: the same fold and the same checks as for any trace. */
export function judge(run: Run, variant: Variant): Judged {
  const state = new MmState(FOLDS);
  const runner = new Runner(state, CHECKS, {
    declared: variant,
    kernel: () => Math.floor(variant.rank),
    skewNs: () => 0,
  });
  runner.run(run.events);
  const { divergences } = runner.finish();
  const fired = new Map<string, { verdict: Verdict; severity: Severity }>();
  for (const found of divergences)
    for (const { check, verdict, severity } of [found, ...found.consequences])
      if (fired.get(check)?.verdict !== 'proven') fired.set(check, { verdict, severity });
  return { state, divergences, fired };
}
