import type { AxisId } from '../variants/axes.ts';
import type { AxisValue, Variant } from '../variants/variant.ts';

/** Kinds of decision that variants differ in. */
export const DECISION_KINDS = [
  'write-fault',
  'ksm-reuse',
  'swap-in',
  'collapse',
  'swap-free',
  'fork',
] as const;
export type DecisionKind = (typeof DECISION_KINDS)[number];

/** Axes that decide them. */
export type DecidingAxis = Extract<AxisId, 'cow' | 'ksm' | 'swapin-reuse' | 'collapse' | 'swapoff' | 'fork'>;

/** What one axis value says of a decision, and whether that can be squared with what was observed. */
export interface Vote {
  readonly outcome: string;
  readonly reason: string;
  /** Inputs that would have been needed where the outcome is unknown. */
  readonly missing: readonly string[];
  readonly agreement: 'agrees' | 'differs' | 'unknown';
  /** It waits for the page lock first. */
  readonly waits?: boolean;
}

/** A value of an input, by name; null is unknown. */
export type InputValues = Readonly<Record<string, number | boolean | null>>;

/** One decision that the kernel of the trace made: where, on what, with which inputs, and what became of it. */
export interface Occasion {
  readonly kind: DecisionKind;
  readonly axis: DecidingAxis;
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  readonly pid: number;
  /** NaN: not known, or there is none. */
  readonly mm: number;
  readonly va: number;
  readonly pfn: number;
  readonly entry: number;
  readonly inputs: InputValues;
  /** What was observed; `unknown` where the trace does not tell. */
  readonly observed: string;
  /** What a value of the axis says. */
  vote(value: AxisValue): Vote;
  /** Ids of the checks that an outcome, had it come about, would have fired. */
  fires(outcome: string): readonly string[];
}

/** What was decided, without what rules say of it: what is kept of a decision. */
export type DecisionFacts = Omit<Occasion, 'vote' | 'fires'>;

/** The facts of a decision alone. */
export function factsOf(occasion: Occasion): DecisionFacts {
  const { kind, axis, seq, ns, cpu, pid, mm, va, pfn, entry, inputs, observed } = occasion;
  return { kind, axis, seq, ns, cpu, pid, mm, va, pfn, entry, inputs, observed };
}

/** What a variant says of a decision. */
export function voteOf(variant: Variant, occasion: Occasion): Vote {
  return occasion.vote(variant.axes[occasion.axis]);
}

/** NaN and undefined as null. */
export function told<T extends number | boolean>(value: T | undefined): T | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

/** The outcome of a ruling against what was observed. */
export function voteFor(
  ruling: { readonly outcome: string; readonly reason: string; readonly missing: readonly string[] },
  observed: string,
): Vote {
  const open = ruling.outcome === 'unknown' || observed === 'unknown';
  return {
    outcome: ruling.outcome,
    reason: ruling.reason,
    missing: ruling.missing,
    agreement: open ? 'unknown' : ruling.outcome === observed ? 'agrees' : 'differs',
  };
}
