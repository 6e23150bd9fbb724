import { flagBit } from '../flags.ts';
import type { Machine } from '../machine.ts';
import { Gathered, type Outcome, type Schedule } from './outcome.ts';

/** A step that could be taken: where it leads, and which cells it looked at and wrote. */
interface Step {
  readonly thread: number;
  readonly cells: Int16Array;
  readonly flags: number;
  readonly reads: Int32Array;
  readonly writes: Int32Array;
}

/** Every step that can be taken from a state, tried out. */
function stepsFrom(m: Machine, cells: Int16Array, flags: number): Step[] {
  const steps: Step[] = [];
  for (let thread = 0; thread < m.program.threads.length; thread++) {
    m.cells = cells;
    m.flags = flags;
    m.clearFootprint();
    if (!m.ready(thread)) continue;
    m.cells = cells.slice();
    m.step(thread);
    steps.push({ thread, cells: m.cells, flags: m.flags, reads: m.reads.slice(), writes: m.writes.slice() });
  }
  return steps;
}

/** Whether the order of two steps of different threads can matter: one writes what the other touches. */
export function dependent(a: Footprint, b: Footprint): boolean {
  for (let i = 0; i < a.reads.length; i++) {
    if ((a.writes[i]! & (b.reads[i]! | b.writes[i]!)) !== 0 || (a.reads[i]! & b.writes[i]!) !== 0)
      return true;
  }
  return false;
}

interface Footprint {
  readonly reads: Int32Array;
  readonly writes: Int32Array;
}

function isDone(m: Machine, cells: Int16Array): boolean {
  m.cells = cells;
  return m.done;
}

/** How far a search without memory of states may go. */
export interface Limits {
  /** Complete interleavings. */
  readonly runs: number;
}

/**
 * Depth first over interleavings. With sleep sets, two interleavings that differ only in the order of independent
 * steps are run once: a thread sleeps as long as nothing happened that its next step depends on. Footprints are
 * those of the steps as they ran, so a step that depends on the state is treated as what it did in this state.
 */
function search(
  m: Machine,
  limits: Limits,
  reduced: boolean,
  onRun?: (trail: readonly Step[], path: Schedule) => void,
): Outcome {
  const gathered = new Gathered();
  const path: number[] = [];
  const trail: Step[] = [];
  let runs = 0;
  let states = 0;
  let cut = false;

  const visit = (cells: Int16Array, flags: number, sleeping: readonly Step[]): void => {
    if (runs >= limits.runs) {
      cut = true;
      return;
    }
    states++;
    const steps = stepsFrom(m, cells, flags);
    if (steps.length === 0) {
      runs++;
      gathered.add(isDone(m, cells) ? flags : flags | flagBit('deadlock'), () => [...path]);
      if (onRun !== undefined) onRun(trail, path);
      return;
    }
    const asleep = [...sleeping];
    for (const step of steps) {
      if (asleep.some((other) => other.thread === step.thread)) continue;
      path.push(step.thread);
      trail.push(step);
      visit(step.cells, step.flags, reduced ? asleep.filter((other) => !dependent(other, step)) : []);
      path.pop();
      trail.pop();
      if (reduced) asleep.push(step);
    }
  };
  visit(m.cells.slice(), m.flags, []);
  return {
    strategy: reduced ? 'partial-order reduction, sleep sets' : 'every interleaving',
    exhausted: !cut,
    states,
    interleavings: BigInt(runs),
    classes: reduced ? runs : null,
    found: gathered.found,
    witnesses: gathered.witnesses,
  };
}

/** Foata's normal form: each step stands one level above the last earlier step it depends on. Equal for equivalent interleavings only. */
function classKey(trail: readonly Step[]): string {
  const levels: string[][] = [];
  const levelOf: number[] = [];
  const ordinal = new Map<number, number>();
  for (const [i, step] of trail.entries()) {
    let level = 0;
    for (let j = 0; j < i; j++) {
      const other = trail[j]!;
      if (levelOf[j]! >= level && (other.thread === step.thread || dependent(other, step)))
        level = levelOf[j]! + 1;
    }
    levelOf.push(level);
    const n = (ordinal.get(step.thread) ?? 0) + 1;
    ordinal.set(step.thread, n);
    const here = levels[level];
    if (here === undefined) levels[level] = [`${step.thread}.${n}`];
    else here.push(`${step.thread}.${n}`);
  }
  return levels.map((level) => level.sort().join(' ')).join('|');
}

/** Every interleaving, one by one; counts the classes as well. For small programs, and to check the others. */
export function brute(m: Machine, limits: Limits): Outcome {
  const classes = new Set<string>();
  const outcome = search(m, limits, false, (trail) => classes.add(classKey(trail)));
  return { ...outcome, classes: classes.size };
}

/** One interleaving of each class. */
export function reduced(m: Machine, limits: Limits): Outcome {
  return search(m, limits, true);
}

/** Visits one interleaving of each class; false if there are more than the limits allow. The schedule is lent only. */
export function eachClass(m: Machine, limits: Limits, visit: (schedule: Schedule) => void): boolean {
  return search(m, limits, true, (_trail, path) => visit(path)).exhausted;
}

/**
 * Interleavings with at most `bound` preemptions: switches away from a thread that could have gone on. It covers all there
 * are only where no interleaving has more.
 */
export function bounded(m: Machine, bound: number, limit: number): Outcome {
  const gathered = new Gathered();
  const seen = new Set<string>();
  const path: number[] = [];
  let runs = 0n;
  let cut = false;
  const visit = (cells: Int16Array, flags: number, last: number, left: number): void => {
    const key = `${last} ${left} ${flags} ${String.fromCharCode.apply(null, cells as unknown as number[])}`;
    if (seen.has(key)) return;
    if (seen.size >= limit) {
      cut = true;
      return;
    }
    seen.add(key);
    const steps = stepsFrom(m, cells, flags);
    if (steps.length === 0) {
      runs++;
      gathered.add(isDone(m, cells) ? flags : flags | flagBit('deadlock'), () => [...path]);
      return;
    }
    const goesOn = steps.some((step) => step.thread === last);
    for (const step of steps) {
      const preempts = goesOn && step.thread !== last;
      if (preempts && left === 0) {
        cut = true;
        continue;
      }
      path.push(step.thread);
      visit(step.cells, step.flags, step.thread, preempts ? left - 1 : left);
      path.pop();
    }
  };
  visit(m.cells.slice(), m.flags, -1, bound);
  return {
    strategy: `at most ${bound} preemptions, states hashed`,
    exhausted: !cut,
    states: seen.size,
    interleavings: runs,
    classes: null,
    found: gathered.found,
    witnesses: gathered.witnesses,
  };
}
