import type { Generation, LifeEvent } from '../../state/life.ts';
import type { Decision } from './decision-log.ts';

/** Events of a page before a decision on it that are shown, and from it on. */
const BEFORE = 3;
const FROM_THERE = 8;

/** What happened to the page of a decision just before it, in it and behind it. */
export function around(generations: readonly Generation[], decision: Decision): LifeEvent[] {
  for (const { events } of generations) {
    const at = events.findIndex(({ seq }) => seq >= decision.seq);
    if (at >= 0 && events[0]!.seq <= decision.seq)
      return events.slice(Math.max(0, at - BEFORE), at + FROM_THERE);
  }
  return [];
}

/** Events of two pages that are alike stand beside each other; null: the other one has none like it. */
export interface LaneRow {
  readonly a: LifeEvent | null;
  readonly b: LifeEvent | null;
}

/** One page, with the decision on it. */
export interface Lane {
  readonly decision: Decision;
  readonly events: readonly LifeEvent[];
}

/** What makes two events alike: what happened, by the task of the decision or by another one. */
function likeness({ decision }: Lane, { kind, change, purpose, pid }: LifeEvent): string {
  return `${kind.name} ${change} ${purpose ?? ''} ${pid === decision.pid}`;
}

/** The longest sequence that two lists of events have in common, and what each has between. */
function aligned(laneA: Lane, a: readonly LifeEvent[], laneB: Lane, b: readonly LifeEvent[]): LaneRow[] {
  const inA = a.map((event) => likeness(laneA, event));
  const inB = b.map((event) => likeness(laneB, event));
  // common[i][j]: length of what is left in common from event i of a and event j of b on.
  const common = Array.from({ length: inA.length + 1 }, () => new Array<number>(inB.length + 1).fill(0));
  for (let i = inA.length - 1; i >= 0; i--)
    for (let j = inB.length - 1; j >= 0; j--)
      common[i]![j] =
        inA[i] === inB[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
  const rows: LaneRow[] = [];
  for (let i = 0, j = 0; i < inA.length || j < inB.length; ) {
    if (i < inA.length && inA[i] === inB[j]) rows.push({ a: a[i++]!, b: b[j++]! });
    else if (j >= inB.length || (i < inA.length && common[i + 1]![j]! >= common[i]![j + 1]!))
      rows.push({ a: a[i++]!, b: null });
    else rows.push({ a: null, b: b[j++]! });
  }
  return rows;
}

/** Two lanes side by side: the decisions stand beside each other, and like events on either side of them do. */
export function pageLanes(a: Lane, b: Lane): LaneRow[] {
  const split = ({ events, decision }: Lane): readonly [LifeEvent[], LifeEvent[]] => [
    events.filter(({ seq }) => seq < decision.seq),
    events.filter(({ seq }) => seq >= decision.seq),
  ];
  const [beforeA, fromA] = split(a);
  const [beforeB, fromB] = split(b);
  return [...aligned(a, beforeA, b, beforeB), ...aligned(a, fromA, b, fromB)];
}
