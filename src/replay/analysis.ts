import type { Coverage, Divergence } from '../checks/finding.ts';
import type { AutoFit, Fit } from '../compare/fit.ts';
import type { Giver } from '../tracepoints/givers.ts';

export type { AutoFit, Giver };

/** One way in which an input disappointed: name, how often, how bad, what to do about it. */
export interface InputCounter {
  readonly name: string;
  readonly count: number;
  readonly severity: 'info' | 'notice' | 'data-loss' | 'error';
  /** What was lost and what to do, one sentence. */
  readonly advice: string;
}

/** What a trace is and holds, apart from any judgement. Times are ns (or ticks) since `originNs`. */
export interface TraceFacts {
  readonly path: string;
  /** E.g. "tracefs text", "trace.dat 7". */
  readonly format: string;
  /** Kernel release, with how it is known: "declared", "header", "inferred from owner_2 in page flags"; null if unknown. */
  readonly kernel: { readonly release: string; readonly how: string } | null;
  readonly arch: string | null;
  /** Trace clock, null if unknown. `ticks`: stamps are no nanoseconds. */
  readonly clock: string | null;
  readonly ticks: boolean;
  readonly originNs: bigint;
  readonly records: number;
  readonly events: number;
  readonly firstNs: number | null;
  readonly lastNs: number | null;
  readonly cpus: readonly number[];
  /** Tasks seen, by pid; comm is the last one printed, tgid null where not told. */
  readonly tasks: ReadonlyArray<{
    readonly pid: number;
    readonly comm: string;
    readonly tgid: number | null;
  }>;
  readonly lost: ReadonlyArray<{
    readonly cpu: number | null;
    readonly count: number | null;
    readonly afterSeq: number;
  }>;
  readonly segments: number;
  /** Records by event name, known ones. */
  readonly histogram: ReadonlyMap<string, number>;
  readonly unknownEvents: ReadonlyMap<string, number>;
  readonly parseErrors: ReadonlyArray<{
    readonly line: number;
    readonly text: string;
    readonly reason: string;
  }>;
  readonly parseErrorCount: number;
  readonly counters: readonly InputCounter[];
  /** The input ended early: what was cut, or null. */
  readonly truncated: string | null;
}

/** A count of comparisons between what was reconstructed and what the trace printed. */
export interface FidelityCounts {
  readonly compared: number;
  readonly agreed: number;
  readonly raced: number;
  /** Samples on values that were not known (nothing to compare). */
  readonly unknown: number;
}

/** Decisions of do_wp_page by outcome and reason. */
export interface DecisionSummary {
  readonly reuse: number;
  readonly copy: number;
  readonly wait: number;
  readonly unknown: number;
  readonly byReason: Readonly<Record<'reuse' | 'copy', Readonly<Record<string, number>>>>;
  /** Decisions by task (pid), outcome counts; most first. */
  readonly byTask: ReadonlyArray<{
    readonly pid: number;
    readonly reuse: number;
    readonly copy: number;
    readonly other: number;
  }>;
  /** Seen and not judged, by kind: huge-page write faults, hugetlb, private file pages, swap-in write faults, ... */
  readonly notJudged: Readonly<Record<string, number>>;
}

/** Everything that analyze says of one input: the one value that text, JSON and exit code are made from. */
export interface Analysis {
  readonly trace: TraceFacts;
  /** The variant judged against: its id, or null under `auto` without a fit. `auto` carries the fit as text parts. */
  readonly variant: string | null;
  readonly auto: AutoFit | null;
  /** Which rules the trace follows, whatever was declared. */
  readonly fit: Fit | null;
  readonly coverage: readonly Coverage[];
  /** What gives the kinds of event that the coverage misses, by kind. */
  readonly givers: Readonly<Record<string, Giver>>;
  readonly divergences: readonly Divergence[];
  readonly decisions: DecisionSummary;
  readonly fidelity: Readonly<
    Record<
      'refcount' | 'mapcount' | 'large_mapcount' | 'decision' | 'swapcount' | 'swapcache' | 'exclusive',
      FidelityCounts
    >
  >;
  /** Set where the run was interrupted: what was done so far is in the other fields. */
  readonly interrupted: boolean;
}
