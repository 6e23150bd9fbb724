import type { Inputs } from '../state/decision.ts';
import type { Axes } from './axes.ts';
import type { AnonPage } from './page.ts';

/** What do_wp_page may do. */
export type CowOutcome = 'reuse' | 'copy' | 'wait' | 'noop';

/**
 * What a decision procedure says of one decision. `unknown`: the inputs that are known allow several answers.
 */
export interface Ruling<Outcome extends string = CowOutcome> {
  readonly outcome: Outcome | 'unknown';
  /** Which step decided: a short closed word, the same in every variant. */
  readonly reason: string;
  /** Inputs that would have been needed where the outcome is unknown. */
  readonly missing: readonly string[];
  /** The procedure takes the page out of the swap cache on its way, and marks it dirty. */
  readonly uncaches?: boolean;
}

/** A row of the printed decision table. */
export interface RuleText {
  readonly when: string;
  readonly does: string;
}

/** One value of an axis: what some kernels do at one place. */
export interface AxisValue {
  readonly id: string;
  /** Kernels that do it. */
  readonly era: string;
  /** Commits or mails. */
  readonly source: string;
  /** What it does, in the order of its steps. */
  readonly table: readonly RuleText[];
}

/** One value of the `cow` axis: the decision procedure of do_wp_page on an anon page in some kernels. */
export interface CowRule extends AxisValue {
  /** The procedure for an anon page that is not KSM, over known inputs at one instant. */
  readonly procedure: (page: AnonPage) => Ruling;
  /** What the same kernels do with a KSM page. */
  readonly ksm: (page: AnonPage) => Ruling;
  /** A lock that is not free is waited for: the decision comes after it was released. */
  readonly waits: boolean;
  /** The procedure over what is known of the inputs; an outcome other than `unknown` holds for every way to fill the gaps. */
  decide(inputs: Inputs): Ruling;
}

/** A named set of axis values. */
export interface Variant {
  /** As it is written: PRESET, or PRESET+axis=value,... */
  readonly id: string;
  /** The preset or mutant that it departs from. */
  readonly preset: string;
  readonly axes: Axes;
  /** do_wp_page of this variant: the value of the `cow` axis, with that of the `ksm` axis for KSM pages. */
  readonly cow: CowRule;
  /** A released kernel: `auto` chooses only among these. */
  readonly released: boolean;
  /** Orders presets in time: major * 100 + minor; 2.6.26 is 206.26. */
  readonly rank: number;
}

/** A ruling that is certain. */
export function rule<Outcome extends string>(outcome: Outcome, reason: string): Ruling<Outcome> {
  return { outcome, reason, missing: [] };
}

/** A ruling that hangs on inputs that are not known. */
export function open(...missing: string[]): Ruling<never> {
  return { outcome: 'unknown', reason: 'unknown', missing };
}
