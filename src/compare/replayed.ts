import type { AxisValue, Variant } from '../variants/variant.ts';
import {
  DECISION_KINDS,
  type DecisionFacts,
  type DecisionKind,
  factsOf,
  type InputValues,
  type Occasion,
  type Vote,
} from './occasion.ts';

/** A decision with what several rules say of it. */
export interface ReplayedDecision extends DecisionFacts {
  /** By axis value: variants that share it share the answer. */
  readonly votes: ReadonlyMap<AxisValue, Vote>;
  /** Checks that would fire, by outcome. */
  readonly fires: ReadonlyMap<string, readonly string[]>;
}

/** What a variant says of the decisions of one kind. */
export interface KindSummary {
  readonly outcomes: ReadonlyMap<string, number>;
  /** Decisions with an unknown outcome. */
  readonly unknown: number;
  /** Decisions of which it waits for the page lock first. */
  readonly waits: number;
  readonly compared: number;
  readonly agreed: number;
  /** First decision that contradicts it, 0 if none. */
  readonly firstSeq: number;
  /** Checks that its outcomes would fire, and how often. */
  readonly fires: ReadonlyMap<string, number>;
}

const NO_CHECKS: readonly string[] = [];

/** Gathers decisions with the rulings of some variants: every axis value is asked once per decision. */
export class Replayed {
  readonly decisions: ReplayedDecision[] = [];
  readonly #variants: readonly Variant[];

  constructor(variants: readonly Variant[]) {
    this.#variants = variants;
  }

  add(occasion: Occasion): void {
    const { axis, observed } = occasion;
    const votes = new Map<AxisValue, Vote>();
    const fires = new Map<string, readonly string[]>();
    const fire = (outcome: string): void => {
      if (outcome !== 'unknown' && !fires.has(outcome)) fires.set(outcome, occasion.fires(outcome));
    };
    for (const variant of this.#variants) {
      const value = variant.axes[axis];
      if (votes.has(value)) continue;
      const vote = occasion.vote(value);
      votes.set(value, vote);
      fire(vote.outcome);
    }
    fire(observed);
    this.decisions.push({ ...factsOf(occasion), votes, fires });
  }

  /** Kinds of decision that occurred, in their order. */
  kinds(): DecisionKind[] {
    return DECISION_KINDS.filter((kind) => this.decisions.some((decision) => decision.kind === kind));
  }

  summary(variant: Variant, kind: DecisionKind): KindSummary {
    const outcomes = new Map<string, number>();
    const fires = new Map<string, number>();
    let unknown = 0;
    let waits = 0;
    let compared = 0;
    let agreed = 0;
    let firstSeq = 0;
    for (const decision of this.decisions) {
      if (decision.kind !== kind) continue;
      const vote = voteIn(decision, variant);
      if (vote.outcome === 'unknown') unknown++;
      else outcomes.set(vote.outcome, (outcomes.get(vote.outcome) ?? 0) + 1);
      if (vote.waits === true) waits++;
      if (vote.agreement !== 'unknown') compared++;
      if (vote.agreement === 'agrees') agreed++;
      if (vote.agreement === 'differs') firstSeq ||= decision.seq;
      for (const check of firesIn(decision, vote.outcome)) fires.set(check, (fires.get(check) ?? 0) + 1);
    }
    return { outcomes, unknown, waits, compared, agreed, firstSeq, fires };
  }
}

/** What a variant said of a decision. It must be one of those that were asked. */
export function voteIn(decision: ReplayedDecision, variant: Variant): Vote {
  const vote = decision.votes.get(variant.axes[decision.axis]);
  if (vote === undefined) throw new Error(`${variant.id} was not asked about seq ${decision.seq}`);
  return vote;
}

/** Checks that an outcome of a decision fires. */
export function firesIn(decision: ReplayedDecision, outcome: string): readonly string[] {
  return decision.fires.get(outcome) ?? NO_CHECKS;
}

/** Variants that say the same of a decision, and why. */
export interface Side {
  readonly variants: readonly string[];
  readonly outcome: string;
  readonly reason: string;
  readonly fires: readonly string[];
}

/** Decisions on which variants disagree in the same way, with each other or with the kernel of the trace. */
export interface Disagreement {
  readonly kind: DecisionKind;
  readonly observed: string;
  /** The inputs in a few words. */
  readonly inputs: string;
  readonly sides: readonly Side[];
  readonly count: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** Inputs as words, each once: what makes two decisions alike. */
export function classWords(inputs: InputValues): string[] {
  const words = new Set<string>();
  for (const [name, value] of Object.entries(inputs)) {
    if (value === null || value === false) continue;
    if (value === true) words.add(name.replaceAll('_', ' '));
    else if (name === 'refcount')
      words.add(value >= 1024 ? 'pinned' : value > 1 ? 'referenced' : 'one reference');
    else if (name === 'mapcount' && value > 1) words.add('shared');
    else if (name === 'swapcount' && value > 1) words.add('slot shared');
  }
  return [...words];
}

function sidesOf(decision: ReplayedDecision, variants: readonly Variant[]): Side[] {
  const sides = new Map<string, { -readonly [K in keyof Side]: Side[K] }>();
  for (const variant of variants) {
    const { outcome, reason } = voteIn(decision, variant);
    const key = `${outcome}: ${reason}`;
    const side = sides.get(key);
    if (side === undefined)
      sides.set(key, { variants: [variant.id], outcome, reason, fires: firesIn(decision, outcome) });
    else side.variants = [...side.variants, variant.id];
  }
  return [...sides.values()];
}

/** Groups of decisions on which outcomes differ, most frequent first. What is unknown disagrees with nobody. */
export function disagreements(replayed: Replayed, variants: readonly Variant[]): Disagreement[] {
  const groups = new Map<string, { -readonly [K in keyof Disagreement]: Disagreement[K] }>();
  for (const decision of replayed.decisions) {
    const votes = variants.map((variant) => voteIn(decision, variant));
    const outcomes = new Set(votes.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'unknown'));
    if (outcomes.size < 2 && !votes.some(({ agreement }) => agreement === 'differs')) continue;
    const sides = sidesOf(decision, variants);
    const inputs = classWords(decision.inputs).join(', ');
    const key = JSON.stringify([decision.kind, decision.observed, inputs, sides]);
    const group = groups.get(key);
    if (group === undefined)
      groups.set(key, {
        kind: decision.kind,
        observed: decision.observed,
        inputs,
        sides,
        count: 1,
        firstSeq: decision.seq,
        lastSeq: decision.seq,
      });
    else {
      group.count++;
      group.lastSeq = decision.seq;
    }
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || a.firstSeq - b.firstSeq);
}
