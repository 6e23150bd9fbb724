import type { AxisId } from '../variants/axes.ts';
import type { AnonPage } from '../variants/page.ts';
import type { Ruling, Variant } from '../variants/variant.ts';
import type { Condition } from './program.ts';

/** What the steps of the model ask of a variant. */
export interface Rules {
  readonly variant: Variant;
  /** Pages have AnonExclusive. */
  readonly exclusive: boolean;
  /** The sole-user test frees the swap slot first and looks at the count afterwards (5.18 on). */
  readonly freesFirst: boolean;
  /** Secondary MMUs are told by ranges, by single pages, or not at all. */
  readonly notifier: 'none' | 'page' | 'range';
  readonly decide: (page: AnonPage) => Ruling;
  /** Id of the value of an axis. */
  is(axis: AxisId, ...values: string[]): boolean;
}

/** Reads a variant for the model. */
export function rulesOf(variant: Variant): Rules {
  const { axes } = variant;
  const { cow, ksm } = axes;
  const marks = cow.id.includes('exclusive');
  const told = axes.notifier.id;
  return {
    variant,
    exclusive: marks,
    freesFirst: marks || cow.id === 'refcount-swap',
    notifier: told === 'none' ? 'none' : told.startsWith('range') ? 'range' : 'page',
    decide: (page) => (page.ksm ? ksm.procedure(page, cow.procedure) : cow.procedure(page)),
    is: (axis, ...values) => values.includes(axes[axis].id),
  };
}

/** Whether a variant has what all conditions ask for. */
export function holds(conditions: readonly Condition[], variant: Variant): boolean {
  return conditions.every(({ axis, values }) =>
    axis === 'variant' ? values.includes(variant.id) : values.includes(variant.axes[axis as AxisId].id),
  );
}
