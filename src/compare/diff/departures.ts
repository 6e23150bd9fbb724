import { PRESETS } from '../../variants/presets.ts';
import type { AxisValue, Variant } from '../../variants/variant.ts';
import type { DecidingAxis } from '../occasion.ts';
import { contradicts, type Decision } from './decision-log.ts';
import { ruleOf, type Side } from './side.ts';

/** A decision of one trace that the rule of the other one cannot explain. */
export interface Departure {
  readonly decision: Decision;
  /** No rule of a released kernel that the other trace could be following explains it either. */
  readonly proven: boolean;
}

/**
 * Rules that a trace may follow on an axis: those of the released kernels that none of its decisions contradicts. A
 * patched kernel is like no released one as a whole; then the axis is looked at by itself.
 */
function possible(side: Side, axis: DecidingAxis): readonly AxisValue[] {
  const released = PRESETS.filter((preset) => preset.released);
  const explained = released.filter(({ id }) => side.fit?.explained.includes(id));
  const values = (presets: readonly Variant[]): AxisValue[] => [
    ...new Set(presets.map((preset): AxisValue => preset.axes[axis])),
  ];
  if (explained.length > 0) return values(explained);
  const own = side.decisions.filter((decision) => decision.axis === axis);
  return values(released).filter(({ id }) => !own.some((decision) => contradicts(decision, id)));
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
