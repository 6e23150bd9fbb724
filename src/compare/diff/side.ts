import type { CheckRun } from '../../checks/check.ts';
import type { Coverage, Divergence } from '../../checks/finding.ts';
import type { MmState } from '../../state/state.ts';
import type { AxisFit, Fit } from '../fit.ts';
import type { DecidingAxis, Occasion } from '../occasion.ts';
import { Activity, type ActivityCount } from './activity.ts';
import { type Decision, DecisionLog } from './decision-log.ts';
import { Lineage } from './lineage.ts';

/** What a trace is, as far as it matters for a comparison. Times are ns since its origin. */
export interface SideFacts {
  readonly path: string;
  readonly kernel: { readonly release: string } | null;
  readonly arch: string | null;
  readonly clock: string | null;
  readonly ticks: boolean;
  readonly originNs: bigint;
  readonly records: number;
  readonly firstNs: number | null;
  readonly lastNs: number | null;
  readonly cpus: readonly number[];
  readonly tasks: ReadonlyArray<{ readonly pid: number; readonly comm: string }>;
  readonly lost: ReadonlyArray<{ readonly count: number | null }>;
  /** Records by event name. */
  readonly histogram: ReadonlyMap<string, number>;
  readonly parseErrorCount: number;
  readonly truncated: string | null;
}

/** What was found in one of the two traces by itself. */
export interface Judged {
  readonly trace: SideFacts;
  readonly fit: Fit | null;
  readonly coverage: readonly Coverage[];
  readonly divergences: readonly Divergence[];
}

/** One of the two traces of a comparison. */
export interface Side extends Judged {
  readonly decisions: readonly Decision[];
  readonly lineage: Lineage;
  readonly activity: readonly ActivityCount[];
}

/** Gathers what a comparison needs, while a trace is folded once. Memory grows with decisions and tasks, not with events. */
export class Gatherer {
  readonly #lineage = new Lineage();
  readonly #log = new DecisionLog(this.#lineage);
  readonly #activity = new Activity();

  watches(state: MmState): readonly CheckRun[] {
    return [this.#lineage.watch(), this.#activity.watch(state)];
  }

  occasion(occasion: Occasion): void {
    this.#log.add(occasion);
  }

  side(judged: Judged): Side {
    const { trace, fit, coverage, divergences } = judged;
    return {
      trace,
      fit,
      coverage,
      divergences,
      decisions: this.#log.decisions,
      lineage: this.#lineage,
      activity: this.#activity.counts(),
    };
  }
}

/** The rule that a trace follows on an axis, or undefined where none of its decisions tells. */
export function ruleOf(side: Side, axis: DecidingAxis): AxisFit | undefined {
  return side.fit?.search.axes.find((fit) => fit.axis === axis);
}
