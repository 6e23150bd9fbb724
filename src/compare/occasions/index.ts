import type { CheckRun } from '../../checks/check.ts';
import type { MmState } from '../../state/state.ts';
import { Counterfactual } from '../counterfactual.ts';
import type { Occasion } from '../occasion.ts';
import { watchCollapses } from './collapse.ts';
import { watchForks } from './fork.ts';
import { watchSwapFrees } from './swap-free.ts';
import { watchSwapins } from './swap-in.ts';
import { writeFaultOccasion } from './write-fault.ts';

/** Every watch of decisions. A further kind of decision: its file, one line here, its name in occasion.ts. */
const WATCHES = [watchSwapins, watchCollapses, watchSwapFrees, watchForks];

/** Raises every decision that variants differ in, as the state is folded. */
export function watchOccasions(
  state: MmState,
  kernel: () => number | null,
  raise: (occasion: Occasion) => void,
): CheckRun[] {
  const asked = new Counterfactual(state, kernel);
  const faults: CheckRun = {
    decided(fault) {
      const occasion = writeFaultOccasion(fault, asked);
      if (occasion !== null) raise(occasion);
    },
  };
  return [faults, ...WATCHES.map((watch) => watch(state, raise))];
}
