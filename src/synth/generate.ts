import type { EventBatch } from '../events/batch.ts';
import { Chance } from './chance.ts';
import { Machine } from './machine.ts';
import { EVENTS_PER_SLOT } from './ops/swapoff.ts';
import { OVERTURE_EVENTS, overture } from './overture.ts';
import type { Planted, PlantKind } from './plants/plant.ts';
import type { SynthSpec } from './spec.ts';
import { Workload } from './workload.ts';

/** A divergence that a trace holds: what, where, and between which events. */
export interface Truth extends Planted {
  readonly kind: PlantKind;
  /** Seqs of the first and the last event of its story. */
  readonly from: number;
  readonly to: number;
  /** Times of these events, in nanoseconds. */
  readonly fromNs: number;
  readonly toNs: number;
}

/** Events that are planned for one planted divergence and the settling before it. */
export const EVENTS_PER_PLANT = 900;
/** Share of the trace before the first planted divergence, and behind the last. */
const QUIET_HEAD = 0.15;
const QUIET_TAIL = 0.15;

/** Least events of a trace with so many planted divergences. */
export function leastEvents(plants: number): number {
  if (plants === 0) return 1;
  return OVERTURE_EVENTS + Math.ceil((plants * EVENTS_PER_PLANT) / (1 - QUIET_HEAD - QUIET_TAIL));
}

/** Makes the events of a synthetic trace, batch by batch; bounded memory, whatever its length. */
export class Synthesis {
  readonly #spec: SynthSpec;
  readonly #machine: Machine;
  readonly #workload: Workload;
  readonly #due: Array<{ readonly at: number; readonly kind: PlantKind }>;
  /** What was planted so far. */
  readonly truth: Truth[] = [];

  constructor(spec: SynthSpec) {
    this.#spec = spec;
    const chance = new Chance(spec.seed);
    this.#machine = new Machine(spec, chance);
    this.#workload = new Workload(this.#machine, spec);
    this.#due = this.#schedule(chance);
  }

  /** Names of the tasks so far, by pid. */
  get tasks(): ReadonlyMap<number, { readonly comm: string; readonly tgid: number }> {
    return this.#machine.names;
  }

  /**
   * Every divergence gets a stretch of its own; which comes first is left to chance. Those that empty the swap device
   * come first, before the workload has put anything in it, where their stretch might be too short for it.
   */
  #schedule(chance: Chance): Array<{ readonly at: number; readonly kind: PlantKind }> {
    const { plants, slots, events } = this.#spec;
    const kinds = plants.flatMap(({ kind, times }) => new Array<PlantKind>(times).fill(kind));
    for (let i = kinds.length - 1; i > 0; i--) {
      const j = chance.below(i + 1);
      [kinds[i], kinds[j]] = [kinds[j]!, kinds[i]!];
    }
    const free = events - OVERTURE_EVENTS;
    const stretch = (free * (1 - QUIET_HEAD - QUIET_TAIL)) / Math.max(kinds.length, 1);
    const slack = Math.max(1, Math.floor(stretch - EVENTS_PER_PLANT));
    const hurried = stretch < EVENTS_PER_PLANT + slots * EVENTS_PER_SLOT;
    const isHurried = (kind: PlantKind): boolean => hurried && kind.emptiesSwap;
    const first = kinds.filter(isHurried).map((kind) => ({ at: 0, kind }));
    const rest = kinds.filter((kind) => !isHurried(kind));
    const head = OVERTURE_EVENTS + free * QUIET_HEAD + first.length * stretch;
    return [
      ...first,
      ...rest.map((kind, i) => ({ at: Math.floor(head + i * stretch) + chance.below(slack), kind })),
    ];
  }

  *batches(): Batches {
    const { tape } = this.#machine.k;
    if (this.#due.length > 0) overture(this.#machine);
    while (!tape.full) {
      const next = this.#due[0];
      if (next !== undefined && tape.count >= next.at) {
        this.#due.shift();
        this.#plant(next.kind);
      } else this.#workload.step(next === undefined ? Number.POSITIVE_INFINITY : next.at - tape.count);
      if (tape.out.full) yield tape.out.take();
    }
    if (tape.out.count > 0) yield tape.out.take();
  }

  #plant(kind: PlantKind): void {
    const { tape } = this.#machine.k;
    this.#workload.settle();
    const from = tape.count + 1;
    const fromNs = tape.ns;
    const planted = kind.plant(this.#machine);
    this.truth.push({ ...planted, kind, from, to: tape.count, fromNs, toNs: tape.ns });
  }
}

type Batches = Generator<EventBatch, void, undefined>;
