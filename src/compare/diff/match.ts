import type { Decision } from './decision-log.ts';
import { basisOf, Naming } from './naming.ts';
import type { Side } from './side.ts';

/** Identity of a decision but for its ordinal: kind, task, page. */
function keyOf(naming: Naming, decision: Decision): string {
  return `${decision.kind} | ${naming.task(decision)} | ${naming.place(decision)}`;
}

/** The same decision in both traces. */
export interface Pair {
  readonly a: Decision;
  readonly b: Decision;
}

/** Which decisions of two traces are the same ones. */
export interface Matching {
  readonly pairs: readonly Pair[];
  /** Decisions without a partner, by side. */
  readonly unmatched: { readonly a: number; readonly b: number };
  /** Of these: decisions of a task and page that made another number of them in the other trace. */
  readonly drifted: { readonly a: number; readonly b: number };
  /** Names of tasks that decided in both traces, and in one of them only. */
  readonly tasks: {
    readonly both: readonly string[];
    readonly a: readonly string[];
    readonly b: readonly string[];
  };
  /** Matched decisions over all, from 0 to 1; null where there are none. */
  readonly score: number | null;
  readonly names: { readonly a: Naming; readonly b: Naming };
  /** Decisions of the other trace on the same page by the same task. */
  alike(side: 'a' | 'b', decision: Decision): readonly Decision[];
}

function byKey(side: Side, naming: Naming): Map<string, Decision[]> {
  const found = new Map<string, Decision[]>();
  for (const decision of side.decisions) {
    const key = keyOf(naming, decision);
    const group = found.get(key);
    if (group === undefined) found.set(key, [decision]);
    else group.push(decision);
  }
  return found;
}

function taskNames(side: Side, naming: Naming): string[] {
  return [...new Set(side.decisions.map((decision) => naming.task(decision)))].sort();
}

/**
 * Matches decisions by identity. Interleaving makes ordinals drift: the n-th one of a task and page is paired with the
 * n-th one only where both traces have as many. What is left is counted, never paired by time.
 */
export function match(a: Side, b: Side): Matching {
  const basis = basisOf(a, b);
  const names = { a: new Naming(a, basis), b: new Naming(b, basis) };
  const [inA, inB] = [byKey(a, names.a), byKey(b, names.b)];
  const pairs: Pair[] = [];
  const drifted = { a: 0, b: 0 };
  for (const [key, ofA] of inA) {
    const ofB = inB.get(key);
    if (ofB === undefined) continue;
    if (ofA.length === ofB.length) for (const [i, one] of ofA.entries()) pairs.push({ a: one, b: ofB[i]! });
    else {
      drifted.a += ofA.length;
      drifted.b += ofB.length;
    }
  }
  const all = a.decisions.length + b.decisions.length;
  const [tasksA, tasksB] = [taskNames(a, names.a), taskNames(b, names.b)];
  return {
    pairs,
    unmatched: { a: a.decisions.length - pairs.length, b: b.decisions.length - pairs.length },
    drifted,
    tasks: {
      both: tasksA.filter((name) => tasksB.includes(name)),
      a: tasksA.filter((name) => !tasksB.includes(name)),
      b: tasksB.filter((name) => !tasksA.includes(name)),
    },
    score: all === 0 ? null : (2 * pairs.length) / all,
    names,
    alike: (side, decision) => (side === 'a' ? inB : inA).get(keyOf(names[side], decision)) ?? [],
  };
}
