import type { Machine } from '../machine.ts';

/** Where a planted divergence happened, as its truth tells it. */
export interface Planted {
  readonly pid: number;
  readonly mm: number | null;
  readonly va: number | null;
  readonly pfn: number | null;
  readonly entry: number | null;
}

/** A kind of divergence that can be planted. */
export interface PlantKind {
  /** How it is asked for. */
  readonly id: string;
  /** Checks that must find it, the one that tells most first. */
  readonly checks: readonly string[];
  /** What those checks can say of it with full evidence. */
  readonly verdict: 'proven' | 'suspect';
  /** What goes wrong, in one sentence. */
  readonly what: string;
  /** Tracers of a kernel tell enough of it: it can be planted in ftrace text. */
  readonly tellable: boolean;
  /** Its story turns the swap device off: it takes the longer the more is in swap. */
  readonly emptiesSwap: boolean;
  /** Plants it while no task is in the middle of anything. */
  plant(machine: Machine): Planted;
}
