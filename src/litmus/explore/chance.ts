import { flagBit } from '../flags.ts';
import type { Machine } from '../machine.ts';
import { Gathered, type Outcome } from './outcome.ts';

/** A generator of numbers from a seed (xorshift32): the same seed, the same numbers, for ever. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    // Spread small seeds; the state must not be 0.
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  }

  /** A whole number from 0 up to and without `n`. */
  below(n: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % n;
  }
}

/** Picks the thread of the next step among those that can take one. */
type Pick = (ready: readonly number[], step: number) => number;

/** Runs one interleaving. */
function runOnce(
  m: Machine,
  start: Int16Array,
  pick: Pick,
): { readonly flags: number; readonly path: number[] } {
  m.cells = start.slice();
  m.flags = 0;
  const path: number[] = [];
  for (;;) {
    const ready: number[] = [];
    for (let thread = 0; thread < m.program.threads.length; thread++) if (m.ready(thread)) ready.push(thread);
    if (ready.length === 0) break;
    const thread = pick(ready, path.length);
    m.step(thread);
    path.push(thread);
  }
  return { flags: m.done ? m.flags : m.flags | flagBit('deadlock'), path };
}

function sample(m: Machine, runs: number, name: string, picker: (steps: number) => Pick): Outcome {
  const start = m.cells.slice();
  const gathered = new Gathered();
  let steps = 1;
  for (let run = 0; run < runs; run++) {
    const { flags, path } = runOnce(m, start, picker(steps));
    steps = Math.max(steps, path.length);
    gathered.add(flags, () => path);
  }
  return {
    strategy: name,
    exhausted: false,
    states: 0,
    interleavings: BigInt(runs),
    classes: null,
    found: gathered.found,
    witnesses: gathered.witnesses,
  };
}

/** Any thread that can go on, with equal chance, at every step. */
export function random(m: Machine, seed: number, runs: number): Outcome {
  const dice = new Dice(seed);
  return sample(m, runs, `random, seed ${seed}`, () => (ready) => ready[dice.below(ready.length)]!);
}

/**
 * Probabilistic concurrency testing (Burckhardt and others, 2010): threads have random priorities, the highest runs,
 * and at depth - 1 random steps the running one falls to the bottom. Finds a bug of that depth with a known chance.
 */
export function pct(m: Machine, seed: number, runs: number, depth: number): Outcome {
  const dice = new Dice(seed);
  const threads = m.program.threads.length;
  return sample(m, runs, `PCT of depth ${depth}, seed ${seed}`, (steps) => {
    const priority = Array.from({ length: threads }, (_, i) => depth + i);
    for (let i = threads - 1; i > 0; i--) {
      const j = dice.below(i + 1);
      [priority[i], priority[j]] = [priority[j]!, priority[i]!];
    }
    const changes = Array.from({ length: depth - 1 }, () => dice.below(steps));
    return (ready, step) => {
      const highest = (): number => ready.reduce((a, b) => (priority[b]! > priority[a]! ? b : a));
      const change = changes.indexOf(step);
      if (change >= 0) priority[highest()] = change;
      return highest();
    };
  });
}
