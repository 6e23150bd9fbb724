import type { EventBatch } from '../events/batch.ts';
import { Chance } from './chance.ts';

/** What of a trace does not come to its reader. */
export interface LossSpec {
  /** Share of events lost in runs, each said before the next event of its CPU. */
  readonly said: number;
  /** Share of events lost one by one, and nothing says so. */
  readonly unsaid: number;
  /** Events overwritten before the first one that is left; the header says so. */
  readonly overwritten: number;
}

export const NO_LOSS: LossSpec = { said: 0, unsaid: 0, overwritten: 0 };

/** Events lost in a row, at most. */
const LONGEST_RUN = 40;
const MEAN_RUN = (1 + LONGEST_RUN) / 2;
/** Chance of loss is apart from that of the events: what happened does not depend on what is told of it. */
const APART = 0x5eed_1055;

/** Takes events out of a trace as it goes by. */
export class Loss {
  readonly #spec: LossSpec;
  readonly #chance: Chance;
  /** Of each CPU: events of the present run still to be lost, and events lost since its last one. */
  readonly #left = new Map<number, number>();
  readonly #gone = new Map<number, number>();
  #seen = 0;

  constructor(spec: LossSpec, seed: number) {
    this.#spec = spec;
    this.#chance = new Chance(seed + APART);
  }

  /**
   * Whether event `i` of a batch is told: -1 if not, else how many events of its CPU must be said to have been lost
   * before it.
   */
  before(batch: EventBatch, i: number): number {
    const { said, unsaid, overwritten } = this.#spec;
    if (this.#seen++ < overwritten) return -1;
    if (unsaid > 0 && this.#chance.happens(unsaid)) return -1;
    if (said === 0) return 0;
    const cpu = batch.cpu[i]!;
    const left = this.#left.get(cpu) ?? 0;
    const gone = this.#gone.get(cpu) ?? 0;
    if (left > 0 || this.#chance.happens(said / (MEAN_RUN * (1 - said) + said))) {
      this.#left.set(cpu, left > 0 ? left - 1 : this.#chance.below(LONGEST_RUN));
      this.#gone.set(cpu, gone + 1);
      return -1;
    }
    if (gone > 0) this.#gone.set(cpu, 0);
    return gone;
  }
}
