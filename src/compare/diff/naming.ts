import type { Decision } from './decision-log.ts';
import type { Life } from './lineage.ts';
import type { Side } from './side.ts';

/** By what tasks and pages are named: by what both traces tell. */
export interface Basis {
  readonly execs: boolean;
  readonly maps: boolean;
}

export function basisOf(a: Side, b: Side): Basis {
  const [inA, inB] = [a.lineage.tells, b.lineage.tells];
  return { execs: inA.execs && inB.execs, maps: inA.maps && inB.maps };
}

/** The names that the tasks and pages of a trace have in the other run too: no pid, no address, no pfn, no time. */
export class Naming {
  readonly #lives: ReadonlyMap<Life, string>;
  readonly #maps: boolean;

  constructor({ lineage, trace }: Side, { execs, maps }: Basis) {
    const comms = new Map(trace.tasks.map(({ pid, comm }) => [pid, comm]));
    this.#lives = lineage.names((pid) => comms.get(pid) ?? null, execs);
    this.#maps = maps;
  }

  /** The task of a decision: "wl#1/wl-reclaim#1". */
  task({ life }: Decision): string {
    return this.#lives.get(life) ?? '?';
  }

  /** The page of a decision: "mmap 2 of wl#1 +5", "area 3 +12". Empty where no address is told. */
  place({ page }: Decision): string {
    if (page === null) return '';
    if (this.#maps && page.region !== null) {
      const { maker, ordinal } = page.region;
      return `mmap ${ordinal} of ${this.#lives.get(maker) ?? '?'} +${page.offset}`;
    }
    const { area, offset } = page.layout.find(page.page);
    return `area ${area} +${offset}`;
  }
}
