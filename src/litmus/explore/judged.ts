import { CHECKS } from '../../checks/index.ts';
import type { Variant } from '../../variants/variant.ts';
import { Machine } from '../machine.ts';
import type { Often, Program } from '../program.ts';
import { judge, replay } from '../replay.ts';
import { rulesOf } from '../rules.ts';
import { cost, type Outcome, type Schedule } from './outcome.ts';
import { eachClass } from './search.ts';

/** Classes of interleavings that the checks are asked about at most. */
const CLASSES_JUDGED = 3000;

/**
 * Adds what the model does not see itself: the checks that a scenario's expectations name are asked about the events of
 * one interleaving of each class, like those of any trace.
 */
export function withJudged(program: Program, variant: Variant, outcome: Outcome): Outcome {
  if (program.judged.length === 0) return outcome;
  const checks = CHECKS.filter(({ id }) => program.judged.includes(id));
  const seen = new Map<string, number>();
  const witnesses = new Map<string, Schedule>(outcome.witnesses);
  let classes = 0;
  const whole = eachClass(new Machine(program, rulesOf(variant)), { runs: CLASSES_JUDGED }, (schedule) => {
    classes++;
    const { fired } = judge(replay(program, variant, schedule), variant, checks);
    for (const id of program.judged) {
      if (!fired.has(id)) continue;
      seen.set(id, (seen.get(id) ?? 0) + 1);
      const before = witnesses.get(id);
      if (before === undefined || cost(schedule) < cost(before)) witnesses.set(id, [...schedule]);
    }
  });
  const found = new Map<string, Often>(outcome.found);
  for (const [id, times] of seen) found.set(id, times === classes ? 'all' : 'some');
  return {
    ...outcome,
    strategy: `${outcome.strategy}; ${classes} classes judged`,
    exhausted: outcome.exhausted && whole,
    found,
    witnesses,
  };
}
