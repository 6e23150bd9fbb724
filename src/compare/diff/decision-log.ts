import { AXES } from '../../variants/axes.ts';
import type { AxisValue } from '../../variants/variant.ts';
import { type DecidingAxis, type DecisionFacts, factsOf, type Occasion } from '../occasion.ts';
import { classWords } from '../replayed.ts';
import type { Life, Lineage } from './lineage.ts';
import type { SpacePage } from './spaces.ts';

/** A decision that a kernel made, kept for comparison with those of another trace. */
export interface Decision extends DecisionFacts {
  readonly life: Life;
  /** Where it was made; null where no address is told. */
  readonly page: SpacePage<Life> | null;
  /** Inputs in words: what makes two decisions alike. */
  readonly words: readonly string[];
  /** Values of the axis that it agrees with and that it contradicts: bit i is the i-th. */
  readonly agrees: number;
  readonly differs: number;
}

function positionOf(axis: DecidingAxis, value: string): number {
  return AXES[axis].values.findIndex(({ id }) => id === value);
}

/** Whether a decision contradicts a value of its axis. */
export function contradicts(decision: Decision, value: string): boolean {
  return (decision.differs & (1 << positionOf(decision.axis, value))) !== 0;
}

/** Whether a value of its axis says yes or no to a decision. */
export function judges(decision: Decision, value: string): boolean {
  return ((decision.agrees | decision.differs) & (1 << positionOf(decision.axis, value))) !== 0;
}

/** Gathers the decisions of a trace with what every value of their axis says of them. */
export class DecisionLog {
  readonly decisions: Decision[] = [];
  readonly #lineage: Lineage;
  readonly #words = new Map<string, readonly string[]>();

  constructor(lineage: Lineage) {
    this.#lineage = lineage;
  }

  add(occasion: Occasion): void {
    const { axis, seq, pid, va, inputs } = occasion;
    const life = this.#lineage.of(pid, seq);
    let agrees = 0;
    let differs = 0;
    const values: readonly AxisValue[] = AXES[axis].values;
    for (const [i, value] of values.entries()) {
      const { agreement } = occasion.vote(value);
      if (agreement === 'agrees') agrees |= 1 << i;
      else if (agreement === 'differs') differs |= 1 << i;
    }
    this.decisions.push({
      ...factsOf(occasion),
      life,
      page: this.#lineage.page(life, va),
      words: this.#interned(classWords(inputs)),
      agrees,
      differs,
    });
  }

  /** One array for each class: there are few of them. */
  #interned(words: readonly string[]): readonly string[] {
    const key = words.join(', ');
    const known = this.#words.get(key);
    if (known !== undefined) return known;
    this.#words.set(key, words);
    return words;
  }
}
