import { type Flag, flagBit, flagNames } from '../flags.ts';
import type { Machine } from '../machine.ts';
import type { Often } from '../program.ts';
import type { Outcome, Schedule } from './outcome.ts';

/** A state that was reached: what is in it, and where each thread leads from it. */
interface Node {
  readonly cells: Int16Array;
  readonly flags: number;
  /** Next node by thread, -1 where the thread has no step. */
  readonly next: Int32Array;
}

/** States with the same key have the same future. */
function keyOf(cells: Int16Array, flags: number): string {
  return `${flags} ${String.fromCharCode.apply(null, cells as unknown as number[])}`;
}

/** Every state of a program under a variant, each once; null if there are more than `limit`. */
export function graphOf(m: Machine, limit: number): Node[] | null {
  const threads = m.program.threads.length;
  const nodes: Node[] = [];
  const ids = new Map<string, number>();
  const intern = (cells: Int16Array, flags: number): number => {
    const key = keyOf(cells, flags);
    const found = ids.get(key);
    if (found !== undefined) return found;
    nodes.push({ cells, flags, next: new Int32Array(threads).fill(-1) });
    ids.set(key, nodes.length - 1);
    return nodes.length - 1;
  };
  intern(m.cells.slice(), m.flags);
  for (let at = 0; at < nodes.length; at++) {
    if (nodes.length > limit) return null;
    const node = nodes[at]!;
    let moved = false;
    for (let thread = 0; thread < threads; thread++) {
      m.cells = node.cells.slice();
      m.flags = node.flags;
      if (!m.ready(thread)) continue;
      m.step(thread);
      moved = true;
      node.next[thread] = intern(m.cells, m.flags);
    }
    m.cells = node.cells;
    if (!moved && !m.done) nodes[at] = { ...node, flags: node.flags | flagBit('deadlock') };
  }
  return nodes;
}

const isEnd = (node: Node): boolean => node.next.every((to) => to < 0);

/** Complete interleavings from the first state; null where the states have a cycle. */
function countPaths(nodes: readonly Node[]): bigint | null {
  const counts: Array<bigint | undefined> = new Array(nodes.length);
  const open = new Uint8Array(nodes.length);
  const stack = [0];
  while (stack.length > 0) {
    const at = stack.at(-1)!;
    if (counts[at] !== undefined) {
      stack.pop();
      continue;
    }
    const next = [...nodes[at]!.next].filter((to) => to >= 0);
    const waiting = next.filter((to) => counts[to] === undefined);
    if (waiting.length === 0) {
      counts[at] = next.length === 0 ? 1n : next.reduce((sum, to) => sum + counts[to]!, 0n);
      open[at] = 0;
      stack.pop();
    } else {
      open[at] = 1;
      if (waiting.some((to) => open[to] === 1)) return null;
      stack.push(...waiting);
    }
  }
  return counts[0]!;
}

/** Shortest schedule to an end that has the flag: fewest switches, then fewest steps. A search over (state, last thread). */
function shortest(nodes: readonly Node[], bit: number): Schedule {
  const threads = nodes[0]!.next.length;
  const width = threads + 1;
  const from = new Int32Array(nodes.length * width).fill(-2);
  const by = new Int8Array(nodes.length * width);
  let level: number[] = [threads];
  from[threads] = -1;
  while (level.length > 0) {
    // One level: all that can be reached with as many switches as before, breadth first.
    const later: number[] = [];
    for (let i = 0; i < level.length; i++) {
      const place = level[i]!;
      const at = Math.floor(place / width);
      const last = place % width;
      const node = nodes[at]!;
      if (isEnd(node) && node.flags & bit) return trace(from, by, place);
      for (let thread = 0; thread < threads; thread++) {
        const to = node.next[thread]!;
        if (to < 0) continue;
        const next = to * width + thread;
        if (from[next] !== -2) continue;
        if (thread === last || last === threads) {
          from[next] = place;
          by[next] = thread;
          level.push(next);
        } else later.push(place * threads + thread);
      }
    }
    level = [];
    for (const packed of later) {
      const place = Math.floor(packed / threads);
      const thread = packed % threads;
      const next = nodes[Math.floor(place / width)]!.next[thread]! * width + thread;
      if (from[next] !== -2) continue;
      from[next] = place;
      by[next] = thread;
      level.push(next);
    }
  }
  throw new Error('a divergence that was found cannot be reached');
}

function trace(from: Int32Array, by: Int8Array, end: number): Schedule {
  const schedule: number[] = [];
  for (let place = end; from[place] !== -1; place = from[place]!) schedule.push(by[place]!);
  return schedule.reverse();
}

/** Explores everything by its states. */
export function exhaustive(m: Machine, limit: number): Outcome | null {
  const nodes = graphOf(m, limit);
  if (nodes === null) return null;
  let some = 0;
  let all = -1;
  for (const node of nodes) {
    if (!isEnd(node)) continue;
    some |= node.flags;
    all &= node.flags;
  }
  const found = new Map<Flag, Often>(
    flagNames(some).map((flag) => [flag, all & flagBit(flag) ? 'all' : 'some']),
  );
  return {
    strategy: 'exhaustive, states hashed',
    exhausted: true,
    states: nodes.length,
    interleavings: countPaths(nodes) ?? -1n,
    classes: null,
    found,
    witnesses: new Map([...found.keys()].map((flag) => [flag, shortest(nodes, flagBit(flag))])),
  };
}
