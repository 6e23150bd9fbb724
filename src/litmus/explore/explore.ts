import type { Variant } from '../../variants/variant.ts';
import { Machine } from '../machine.ts';
import type { Program } from '../program.ts';
import { rulesOf } from '../rules.ts';
import { pct, random } from './chance.ts';
import { exhaustive } from './graph.ts';
import type { Outcome, StrategyName } from './outcome.ts';
import { bounded, brute, reduced } from './search.ts';

export interface ExploreOptions {
  readonly strategy: StrategyName;
  /** States held at most. */
  readonly states: number;
  /** Interleavings run at most. */
  readonly runs: number;
  readonly seed: number;
  /** Preemptions of `bounded`, depth of `pct`. */
  readonly bound: number;
}

export const DEFAULTS: ExploreOptions = {
  strategy: 'auto',
  states: 200_000,
  runs: 1_000_000,
  seed: 1,
  bound: 3,
};

/** Runs of the strategies that draw lots, where no number is asked for. */
const SAMPLES = 10_000;

/** Explores the interleavings of a program under a variant. */
export function explore(program: Program, variant: Variant, options: ExploreOptions = DEFAULTS): Outcome {
  const fresh = (): Machine => new Machine(program, rulesOf(variant));
  const { strategy, states, runs, seed, bound } = options;
  switch (strategy) {
    case 'brute':
      return brute(fresh(), { runs });
    case 'por':
      return reduced(fresh(), { runs });
    case 'bounded':
      return bounded(fresh(), bound, states);
    case 'random':
      return random(fresh(), seed, Math.min(runs, SAMPLES));
    case 'pct':
      return pct(fresh(), seed, Math.min(runs, SAMPLES), bound);
    case 'exhaustive':
    case 'auto':
      // More states than fit: few preemptions find most of what there is, and it is said that not all was seen.
      return exhaustive(fresh(), states) ?? { ...bounded(fresh(), bound, states), exhausted: false };
  }
}
