import { type Flag, flagBit, flagNames } from '../flags.ts';
import type { Often } from '../program.ts';

/** A schedule: which thread takes each step. */
export type Schedule = readonly number[];

/** How interleavings were chosen. */
export const STRATEGIES = ['auto', 'exhaustive', 'brute', 'por', 'bounded', 'random', 'pct'] as const;
export type StrategyName = (typeof STRATEGIES)[number];

/** What an exploration found. */
export interface Outcome {
  /** The strategy as it was run, with its bounds and seed. */
  readonly strategy: string;
  /** Whether every interleaving was covered. */
  readonly exhausted: boolean;
  readonly states: number;
  /** Complete interleavings: all there are where exhausted, else those that were run. */
  readonly interleavings: bigint;
  /** Interleavings that differ by more than the order of independent steps; null where it was not counted. */
  readonly classes: number | null;
  readonly found: ReadonlyMap<string, Often>;
  /** For each divergence the shortest bad interleaving: fewest switches between threads, then fewest steps. */
  readonly witnesses: ReadonlyMap<string, Schedule>;
}

/** Gathers what complete interleavings showed. */
export class Gathered {
  #some = 0;
  #all = -1;
  #seen = false;
  readonly witnesses = new Map<Flag, Schedule>();

  add(flags: number, schedule: () => Schedule): void {
    this.#seen = true;
    this.#some |= flags;
    this.#all &= flags;
    for (const flag of flagNames(flags)) {
      const before = this.witnesses.get(flag);
      const now = schedule();
      if (before === undefined || cost(now) < cost(before)) this.witnesses.set(flag, now);
    }
  }

  get found(): Map<Flag, Often> {
    const all = this.#seen ? this.#all : 0;
    return new Map(flagNames(this.#some).map((flag) => [flag, all & flagBit(flag) ? 'all' : 'some']));
  }
}

/** Switches between threads. */
export function switches(schedule: Schedule): number {
  return schedule.filter((thread, i) => i > 0 && thread !== schedule[i - 1]).length;
}

/** Shorter is better: fewest switches, then fewest steps. */
export function cost(schedule: Schedule): number {
  return switches(schedule) * 1000 + schedule.length;
}
