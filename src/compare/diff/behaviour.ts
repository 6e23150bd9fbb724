import { DECISION_KINDS, type DecisionKind } from '../occasion.ts';
import type { Decision } from './decision-log.ts';
import type { Side } from './side.ts';

/** Decisions by outcome, most first. */
export type Outcomes = ReadonlyMap<string, number>;

export function outcomesOf(decisions: readonly Decision[]): Outcomes {
  const counts = new Map<string, number>();
  for (const { observed } of decisions) counts.set(observed, (counts.get(observed) ?? 0) + 1);
  return new Map([...counts].sort(([x, m], [y, n]) => n - m || (x < y ? -1 : 1)));
}

/** What both traces decided on one class of inputs. */
export interface Behaviour {
  readonly kind: DecisionKind;
  /** Inputs in words. */
  readonly words: readonly string[];
  readonly a: Outcomes;
  readonly b: Outcomes;
}

/** Distributions of outcomes by kind and class of inputs, the classes with most decisions first. */
export function behaviours(a: Side, b: Side): Behaviour[] {
  const groups = new Map<
    string,
    { kind: DecisionKind; words: readonly string[]; a: Decision[]; b: Decision[] }
  >();
  for (const [name, side] of [['a', a] as const, ['b', b] as const])
    for (const decision of side.decisions) {
      const key = `${decision.kind}: ${decision.words.join(', ')}`;
      const group = groups.get(key) ?? { kind: decision.kind, words: decision.words, a: [], b: [] };
      group[name].push(decision);
      groups.set(key, group);
    }
  return [...groups.entries()]
    .sort(
      ([x, m], [y, n]) =>
        DECISION_KINDS.indexOf(m.kind) - DECISION_KINDS.indexOf(n.kind) ||
        n.a.length + n.b.length - m.a.length - m.b.length ||
        (x < y ? -1 : 1),
    )
    .map(([, group]) => ({
      kind: group.kind,
      words: group.words,
      a: outcomesOf(group.a),
      b: outcomesOf(group.b),
    }));
}

/** What a trace decided on inputs that were, as far as it has such, those of a decision of the other trace. */
export interface Likeness {
  /** Words of the class that its decisions have, and words that none of them has together with these. */
  readonly words: readonly string[];
  readonly lacking: readonly string[];
  readonly decisions: readonly Decision[];
}

/** Decisions of a kind with a class of inputs; a word that leaves none is left out. */
export function likest(side: Side, kind: DecisionKind, words: readonly string[]): Likeness {
  let decisions = side.decisions.filter(
    (decision) => decision.kind === kind && decision.observed !== 'unknown',
  );
  const kept: string[] = [];
  const lacking: string[] = [];
  for (const word of words) {
    const having = decisions.filter((decision) => decision.words.includes(word));
    if (having.length === 0) lacking.push(word);
    else {
      kept.push(word);
      decisions = having;
    }
  }
  return { words: kept, lacking, decisions };
}
