import { AXIS_IDS, type Axes, type AxisId } from './axes.ts';
import type { KsmRule } from './ksm.ts';
import { weigh } from './page.ts';
import type { CowRule, Variant } from './variant.ts';

/** Rules with a KSM axis of another kernel, each made once: equal variants share one rule. */
const composed = new Map<CowRule, Map<KsmRule, CowRule>>();

/** do_wp_page as two axes give it. */
function writeRule(cow: CowRule, ksm: KsmRule): CowRule {
  if (ksm.procedure === cow.ksm) return cow;
  const before = composed.get(cow)?.get(ksm);
  if (before !== undefined) return before;
  const { procedure } = cow;
  const rule: CowRule = {
    ...cow,
    ksm: (page) => ksm.procedure(page, procedure),
    decide: (inputs) =>
      weigh(inputs, (page) => (page.ksm ? ksm.procedure(page, procedure) : procedure(page))),
  };
  const mine = composed.get(cow) ?? new Map<KsmRule, CowRule>();
  composed.set(cow, mine.set(ksm, rule));
  return rule;
}

/** A variant of these axes. */
export function makeVariant(
  named: Pick<Variant, 'id' | 'preset' | 'rank' | 'released'>,
  axes: Axes,
): Variant {
  return { ...named, axes, cow: writeRule(axes.cow, axes.ksm) };
}

/** The axes in which two variants differ. */
export function differences(a: Variant, b: Variant): AxisId[] {
  return AXIS_IDS.filter((axis) => a.axes[axis] !== b.axes[axis]);
}

type Changing = { -readonly [Id in AxisId]: Axes[Id] };

function take<Id extends AxisId>(axes: Changing, axis: Id, from: Axes): void {
  axes[axis] = from[axis];
}

/** A variant with some axes as another one has them: PRESET+axis=value,... in the order of the axes. */
export function withAxes(base: Variant, root: Variant, from: Axes, which: readonly AxisId[]): Variant {
  const axes: Changing = { ...base.axes };
  for (const axis of which) take(axes, axis, from);
  const own = AXIS_IDS.filter((axis) => axes[axis] !== root.axes[axis]);
  if (own.length === 0) return root;
  const id = `${root.id}+${own.map((axis) => `${axis}=${axes[axis].id}`).join(',')}`;
  return makeVariant({ id, preset: root.id, rank: root.rank, released: false }, axes);
}
