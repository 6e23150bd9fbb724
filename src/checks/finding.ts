/**
 * Findings are data: which check, how sure, which events play which role. Prose is written in report/.
 */
export type Severity = 'critical' | 'high' | 'warning' | 'info';
/** Worst first. */
export const SEVERITIES: readonly Severity[] = ['critical', 'high', 'warning', 'info'];
export type Verdict = 'proven' | 'suspect';

/** One event that supports a finding. `text` is a short statement of fact made from values, e.g. "PTE 0x7fd7e -> 0xae52". */
export interface Evidence {
  readonly seq: number;
  readonly role: 'cause' | 'decision' | 'harm' | 'context';
  readonly text: string;
}

/** A check that fires on the same moment as the divergence it is a consequence in. */
export interface Consequence {
  readonly check: string;
  readonly severity: Severity;
  readonly verdict: Verdict;
  readonly evidence: readonly Evidence[];
}

/** Where and on what a divergence was seen. What is not known is null. Times are ns since the trace's origin. */
export interface Place {
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number | null;
  readonly pid: number | null;
  /** Kernel pointer of the mm (core/pointer.ts). */
  readonly mm: number | null;
  /** Page-aligned user address. */
  readonly address: number | null;
  readonly pfn: number | null;
  readonly newPfn: number | null;
  readonly entry: number | null;
}

/** What one check says of one moment. Findings of the same `moment` become one divergence (product.md). */
export interface Finding {
  readonly check: string;
  readonly severity: Severity;
  readonly verdict: Verdict;
  /** Why it happened: the key under which equal divergences are grouped. A short closed word, e.g. `page-lock`. */
  readonly cause: string;
  /** Identity of the moment: findings with the same one belong together (the decision's seq, usually). */
  readonly moment: number;
  readonly place: Place;
  /** Values that the summary names, by name; what is not known is null. Numbers are plain; hex is left to the report. */
  readonly values: Readonly<Record<string, number | string | boolean | null>>;
  readonly evidence: readonly Evidence[];
  /** One sentence that says what is missing where the verdict is suspect, or null. */
  readonly missing: string | null;
}

/** How far a check could judge the trace. */
export interface Coverage {
  readonly check: string;
  readonly judged: number;
  readonly cannotJudge: number;
  /** Event kinds or facts that would have been needed, sorted. */
  readonly missing: readonly string[];
}

/** Findings of one moment folded into one divergence, and equal divergences into one group. */
export interface Divergence {
  /** d1, d2, ... in order of first seq. */
  readonly id: string;
  readonly check: string;
  readonly severity: Severity;
  readonly verdict: Verdict;
  readonly cause: string;
  readonly count: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** The first thousand places. */
  readonly members: readonly Place[];
  /** The first member's. */
  readonly place: Place;
  readonly values: Finding['values'];
  readonly evidence: readonly Evidence[];
  readonly missing: string | null;
  readonly consequences: readonly Consequence[];
  /** Stable over runs, pids, pfns and times: of check, verdict-free cause, site and input class. */
  readonly fingerprint: string;
}
