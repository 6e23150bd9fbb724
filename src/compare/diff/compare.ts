import { type Behaviour, behaviours } from './behaviour.ts';
import { type Comparability, comparability } from './comparability.ts';
import { type Difference, differences, gainedAndLost, type OneSided } from './differences.ts';
import { type Matching, match } from './match.ts';
import type { Side } from './side.ts';

/** Two traces, and how the second one behaves differently from the first. */
export interface Comparison {
  readonly a: Side;
  readonly b: Side;
  readonly comparability: Comparability;
  readonly matching: Matching;
  /** What is surest and worst first. */
  readonly differences: readonly Difference[];
  readonly gained: readonly OneSided[];
  readonly lost: readonly OneSided[];
  readonly behaviours: readonly Behaviour[];
  /** Null: nothing differs in what could be compared, and that is too little to call them the same. */
  readonly same: boolean | null;
}

/** Compares two traces: first whether they can be compared, then how they behave. */
export function compare(a: Side, b: Side): Comparison {
  const matching = match(a, b);
  const found = differences(a, b, matching);
  const able = comparability(a, b, matching);
  return {
    a,
    b,
    comparability: able,
    matching,
    differences: found,
    ...gainedAndLost(a, b),
    behaviours: behaviours(a, b),
    same: found.length > 0 ? false : able.possible ? true : null,
  };
}
