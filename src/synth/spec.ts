import type { PlantKind } from './plants/plant.ts';

/** How often each thing happens in a workload: weights against each other, 0 never. */
export const RATES = {
  /** Faults of tasks on addresses of their own: first touches, reads and writes. */
  fault: 100,
  fork: 6,
  /** A task is torn down; another one is forked in its place when there are too few. */
  exit: 4,
  /** MADV_DONTNEED on some pages. */
  unmap: 6,
  /** mprotect to read-only and back: exclusive pages get read-only PTEs. */
  protect: 4,
  /** MADV_PAGEOUT of another task, and kswapd. */
  reclaim: 12,
  /** Faults that bring pages back from swap. */
  swap: 30,
  pin: 5,
  ksm: 3,
  collapse: 1,
  /** swapoff, and swapon after it. */
  swapoff: 0.3,
} as const;

export type RateName = keyof typeof RATES;
export type Rates = Readonly<Record<RateName, number>>;

/** A kind of divergence, and how often it is to be planted. */
export interface Wanted {
  readonly kind: PlantKind;
  readonly times: number;
}

/** What a synthetic trace is to be. The same specification gives the same events. */
export interface SynthSpec {
  readonly seed: number;
  /** Events, exactly. */
  readonly events: number;
  /** Processes at one time, at most. */
  readonly tasks: number;
  readonly cpus: number;
  /** Memory, in pages. */
  readonly pages: number;
  /** Swap, in slots. */
  readonly slots: number;
  readonly rates: Rates;
  readonly plants: readonly Wanted[];
  /** Events that no tracer of a kernel tells are stated too: tries of page locks. */
  readonly beyondTracers: boolean;
}

export const DEFAULTS = { seed: 1, events: 100_000, tasks: 6, cpus: 4, pages: 4096, slots: 2048 } as const;

/** Least memory that a workload and what is planted in it can live in, in pages. */
export const LEAST_PAGES = 1024;
/** Most memory: pfns stay below 2^24 (64 GiB). */
export const MOST_PAGES = 2 ** 22;
