import type { Inputs } from '../state/decision.ts';

/**
 * A step of a decision procedure that a kernel takes: what it looks at, what it concludes. Evaluated over three
 * values: a step whose inputs are unknown makes the result unknown unless every way of filling them agrees.
 */
export interface Ruling {
  readonly outcome: 'reuse' | 'copy' | 'wait' | 'noop' | 'unknown';
  /** Which step decided: a short closed word, the same in every variant. */
  readonly reason: string;
  /** Inputs that would have been needed where the outcome is unknown. */
  readonly missing: readonly string[];
}

/** A row of the printed decision table. */
export interface RuleText {
  readonly when: string;
  readonly does: string;
}

/** One value of the `cow` axis: the decision procedure of do_wp_page on an anon page in some kernels. */
export interface CowRule {
  readonly id: string;
  /** Kernels that had it. */
  readonly era: string;
  /** Commits or mails, as domain.md cites them. */
  readonly source: string;
  readonly table: readonly RuleText[];
  decide(inputs: Inputs): Ruling;
}

/** A named set of axis values. */
export interface Variant {
  readonly id: string;
  readonly cow: CowRule;
  /** A released kernel: `auto` chooses only among these. */
  readonly released: boolean;
  /** Orders presets of released kernels in time. */
  readonly rank: number;
}

/** A ruling that is certain. */
export function rule(outcome: Ruling['outcome'], reason: string): Ruling {
  return { outcome, reason, missing: [] };
}

/** A ruling that hangs on inputs that are not known. */
export function open(...missing: string[]): Ruling {
  return { outcome: 'unknown', reason: 'unknown', missing };
}
