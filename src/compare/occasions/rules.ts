import { AXES } from '../../variants/axes.ts';
import type { CollapseRule } from '../../variants/collapse.ts';
import type { ForkRule } from '../../variants/fork.ts';
import type { KsmRule } from '../../variants/ksm.ts';
import type { SwapinRule } from '../../variants/swapin-reuse.ts';
import type { SwapoffRule } from '../../variants/swapoff.ts';
import type { AxisValue, CowRule } from '../../variants/variant.ts';

/** The value of one axis that this is; another axis's is a mistake of the caller. */
function find<V extends AxisValue>(values: readonly V[], value: AxisValue, axis: string): V {
  const found = values.find((other) => other === value);
  if (found === undefined) throw new Error(`${value.id} is no value of ${axis}`);
  return found;
}

export const cowRuleOf = (value: AxisValue): CowRule => find(AXES.cow.values, value, 'cow');
export const ksmRuleOf = (value: AxisValue): KsmRule => find(AXES.ksm.values, value, 'ksm');
export const swapinRuleOf = (value: AxisValue): SwapinRule =>
  find(AXES['swapin-reuse'].values, value, 'swapin-reuse');
export const collapseRuleOf = (value: AxisValue): CollapseRule =>
  find(AXES.collapse.values, value, 'collapse');
export const swapoffRuleOf = (value: AxisValue): SwapoffRule => find(AXES.swapoff.values, value, 'swapoff');
export const forkRuleOf = (value: AxisValue): ForkRule => find(AXES.fork.values, value, 'fork');
