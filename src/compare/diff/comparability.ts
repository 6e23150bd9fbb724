import { DECISION_KINDS, type DecisionKind } from '../occasion.ts';
import type { Matching } from './match.ts';
import type { Side, SideFacts } from './side.ts';

/** One respect in which two traces cannot be compared as they are. */
export type Limit =
  | { readonly about: 'kernel' | 'arch' | 'clock'; readonly a: string | null; readonly b: string | null }
  | { readonly about: 'cpus'; readonly a: readonly number[]; readonly b: readonly number[] }
  | { readonly about: 'duration' | 'lost' | 'unreadable'; readonly a: number; readonly b: number }
  | { readonly about: 'truncated'; readonly a: string | null; readonly b: string | null }
  /** Events recorded in one of the two only, by name, most frequent first. */
  | {
      readonly about: 'events';
      readonly a: ReadonlyArray<readonly [name: string, count: number]>;
      readonly b: ReadonlyArray<readonly [name: string, count: number]>;
    }
  /** Tasks that decided something in one of the two only. */
  | { readonly about: 'tasks'; readonly a: readonly string[]; readonly b: readonly string[] }
  /** Decisions without a partner. */
  | { readonly about: 'workload'; readonly a: number; readonly b: number; readonly low: boolean }
  /** Kinds of decision that only one of the two tells. */
  | { readonly about: 'decisions'; readonly a: readonly DecisionKind[]; readonly b: readonly DecisionKind[] }
  /** An input of a kind of decision that only one of the two tells. */
  | { readonly about: 'input'; readonly kind: DecisionKind; readonly name: string; readonly told: 'a' | 'b' };

/** How far two traces can be compared. */
export interface Comparability {
  /** Matched decisions over all, 0 to 1; null where neither trace tells one. */
  readonly score: number | null;
  /** Kinds of decision that both traces tell. */
  readonly kinds: readonly DecisionKind[];
  readonly limits: readonly Limit[];
  /** Whether an answer is possible at all: without one nothing is said to be the same. */
  readonly possible: boolean;
}

/** Of traces of which fewer decisions match than this the workloads may differ: worth a word. */
const LOW_SCORE = 0.5;

/** Spans further apart than this factor are worth a word. */
const SPAN_FACTOR = 2;

function spanNs({ firstNs, lastNs }: SideFacts): number {
  return firstNs === null || lastNs === null ? 0 : lastNs - firstNs;
}

function lostOf({ lost }: SideFacts): number {
  return lost.reduce((sum, { count }) => sum + (count ?? 1), 0);
}

function only(of: SideFacts, other: SideFacts): Array<readonly [string, number]> {
  return [...of.histogram]
    .filter(([name]) => !other.histogram.has(name))
    .sort(([x, m], [y, n]) => n - m || (x < y ? -1 : 1));
}

function kindsOf({ decisions }: Side): DecisionKind[] {
  return DECISION_KINDS.filter((kind) =>
    decisions.some((decision) => decision.kind === kind && decision.observed !== 'unknown'),
  );
}

/** Names of the inputs of a kind that at least one decision has. */
function toldInputs({ decisions }: Side, kind: DecisionKind): Set<string> {
  const told = new Set<string>();
  for (const decision of decisions)
    if (decision.kind === kind)
      for (const [name, value] of Object.entries(decision.inputs)) if (value !== null) told.add(name);
  return told;
}

/** Inputs that say what happened after the decision began, not what it rested on. */
const NO_INPUTS = ['device_freed_seq'];

function inputLimits(a: Side, b: Side, kinds: readonly DecisionKind[]): Limit[] {
  const limits: Limit[] = [];
  for (const kind of kinds) {
    const [inA, inB] = [toldInputs(a, kind), toldInputs(b, kind)];
    for (const name of new Set([...inA, ...inB])) {
      if (NO_INPUTS.includes(name) || inA.has(name) === inB.has(name)) continue;
      limits.push({ about: 'input', kind, name, told: inA.has(name) ? 'a' : 'b' });
    }
  }
  return limits;
}

function factLimits(a: SideFacts, b: SideFacts): Limit[] {
  const limits: Limit[] = [];
  const text = (about: 'kernel' | 'arch' | 'clock', x: string | null, y: string | null): void => {
    if (x !== y) limits.push({ about, a: x, b: y });
  };
  text('kernel', a.kernel?.release ?? null, b.kernel?.release ?? null);
  text('arch', a.arch, b.arch);
  text('clock', a.clock, b.clock);
  if (a.cpus.join() !== b.cpus.join()) limits.push({ about: 'cpus', a: a.cpus, b: b.cpus });
  const [spanA, spanB] = [spanNs(a), spanNs(b)];
  if (!a.ticks && !b.ticks && Math.max(spanA, spanB) > SPAN_FACTOR * Math.min(spanA, spanB))
    limits.push({ about: 'duration', a: spanA, b: spanB });
  if (lostOf(a) + lostOf(b) > 0) limits.push({ about: 'lost', a: lostOf(a), b: lostOf(b) });
  if (a.parseErrorCount + b.parseErrorCount > 0)
    limits.push({ about: 'unreadable', a: a.parseErrorCount, b: b.parseErrorCount });
  if (a.truncated !== null || b.truncated !== null)
    limits.push({ about: 'truncated', a: a.truncated, b: b.truncated });
  const [eventsA, eventsB] = [only(a, b), only(b, a)];
  if (eventsA.length + eventsB.length > 0) limits.push({ about: 'events', a: eventsA, b: eventsB });
  return limits;
}

/** Whether any check judged both traces. */
function judgedBoth(a: Side, b: Side): boolean {
  return a.coverage.some(
    ({ check, judged }) =>
      judged > 0 && b.coverage.some((other) => other.check === check && other.judged > 0),
  );
}

/** How far two traces can be compared, and what stands against it. */
export function comparability(a: Side, b: Side, matching: Matching): Comparability {
  const [kindsA, kindsB] = [kindsOf(a), kindsOf(b)];
  const kinds = kindsA.filter((kind) => kindsB.includes(kind));
  const limits = factLimits(a.trace, b.trace);
  const { tasks, unmatched, score } = matching;
  if (tasks.a.length + tasks.b.length > 0) limits.push({ about: 'tasks', a: tasks.a, b: tasks.b });
  if (unmatched.a + unmatched.b > 0)
    limits.push({ about: 'workload', a: unmatched.a, b: unmatched.b, low: (score ?? 0) < LOW_SCORE });
  const [onlyA, onlyB] = [
    kindsA.filter((kind) => !kinds.includes(kind)),
    kindsB.filter((kind) => !kinds.includes(kind)),
  ];
  if (onlyA.length + onlyB.length > 0) limits.push({ about: 'decisions', a: onlyA, b: onlyB });
  limits.push(...inputLimits(a, b, kinds));
  const none = kindsA.length + kindsB.length === 0;
  return {
    score,
    kinds,
    limits,
    possible: none ? judgedBoth(a, b) : kinds.length > 0 && matching.pairs.length > 0,
  };
}
