import type { CheckRun } from '../checks/check.ts';
import { cowLeakThroughGupRef } from '../checks/cow-leak-through-gup-ref.ts';
import { gupPinBrokenByCow } from '../checks/gup-pin-broken-by-cow.ts';
import { missedCow } from '../checks/missed-cow.ts';
import { unexpectedCow } from '../checks/unexpected-cow.ts';
import { unexpectedCowUnderReclaim } from '../checks/unexpected-cow-under-reclaim.ts';
import type { WriteFault } from '../checks/write-fault.ts';
import type { MmState } from '../state/state.ts';

/** Checks that look at the outcome of a write fault alone. */
const CHECKS = [unexpectedCow, unexpectedCowUnderReclaim, gupPinBrokenByCow, missedCow, cowLeakThroughGupRef];

/** Asks the checks what they would have said of another outcome. They see the state as the decision left it. */
export class Counterfactual {
  readonly #runs: CheckRun[];
  #found: Set<string> = new Set();

  constructor(state: MmState, kernel: () => number | null) {
    this.#runs = CHECKS.map((check) =>
      check.start({
        state,
        declared: null,
        kernel,
        skewNs: () => 0,
        report: (finding) => this.#found.add(finding.check),
        judged: () => {},
        cannot: () => {},
      }),
    );
  }

  /** Ids of the checks that fire on this fault if it ends so. */
  fires(fault: WriteFault, outcome: string): string[] {
    if (outcome !== 'reuse' && outcome !== 'copy') return [];
    this.#found = new Set();
    const d = { ...fault.d, outcome, committed: outcome === 'copy' } as const;
    for (const run of this.#runs) run.decided?.({ ...fault, d });
    return [...this.#found].sort();
  }
}
