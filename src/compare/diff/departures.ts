import { AXES } from '../../variants/axes.ts';
import { PRESETS } from '../../variants/presets.ts';
import type { AxisValue } from '../../variants/variant.ts';
import type { DecidingAxis } from '../occasion.ts';
import { contradicts, type Decision } from './decision-log.ts';
import { ruleOf, type Side } from './side.ts';

/** A decision of one trace that the rule of the other one cannot explain. */
export interface Departure {
  readonly decision: Decision;
  /** No released rule that the other trace could be following explains it either, and no like decision of it does. */
  readonly proven: boolean;
}

function released(value: AxisValue, axis: DecidingAxis): boolean {
  return PRESETS.some((preset) => preset.released && preset.axes[axis] === value);
}

/** Rules of released kernels that no decision of a trace contradicts. */
function possible(side: Side, axis: DecidingAxis): readonly AxisValue[] {
  const own = side.decisions.filter((decision) => decision.axis === axis);
  const values: readonly AxisValue[] = AXES[axis].values;
  return values.filter(
    (value) => released(value, axis) && !own.some((decision) => contradicts(decision, value.id)),
  );
}

function signature({ kind, words, observed }: Decision): string {
  return `${kind}: ${words.join(', ')}: ${observed}`;
}

/**
 * Decisions of `of` that contradict the rule that explains `by`. What `by` itself decides against its rule in the same
 * way is no departure.
 */
export function departures(of: Side, by: Side, axis: DecidingAxis): Departure[] {
  const rule = ruleOf(by, axis);
  if (rule === undefined || rule.judged === 0) return [];
  const excused = new Set(
    by.decisions
      .filter((decision) => decision.axis === axis && contradicts(decision, rule.value))
      .map(signature),
  );
  const rules = possible(by, axis);
  return of.decisions
    .filter(
      (decision) =>
        decision.axis === axis && contradicts(decision, rule.value) && !excused.has(signature(decision)),
    )
    .map((decision) => ({
      decision,
      proven: rules.length > 0 && rules.every((value) => contradicts(decision, value.id)),
    }));
}
