import type { Divergence } from '../../checks/finding.ts';
import type { EventBatch } from '../../events/batch.ts';
import type { EventList } from '../../events/event-list.ts';
import { type Subject, subjectOf } from '../../events/row.ts';
import { type JudgeFacts, judgeEvents } from '../judge.ts';
import { ddmin } from './ddmin.ts';
import { concerned, concernOf, evidenceSeqs } from './relevance.ts';

/** A divergence by fewest events. */
export interface Sequence {
  /** Seqs of the events in their trace, in order. */
  readonly seqs: readonly number[];
  /** The events as a trace of their own: seqs from 1. */
  readonly events: EventBatch;
  /** The divergence as these events show it; its seqs are those of `events`. */
  readonly found: Divergence;
  /** Sequences that were judged to find this one. */
  readonly judged: number;
}

/** Whether every check that fired on the moment fired on it here too, as sure as there. */
function hasConsequences(found: Divergence, wanted: Divergence): boolean {
  return wanted.consequences.every(({ check, verdict, severity }) =>
    found.consequences.some(
      (other) => other.check === check && other.verdict === verdict && other.severity === severity,
    ),
  );
}

/** The divergence among others: the same checks, verdicts and cause, at the same event. */
function among(
  divergences: readonly Divergence[],
  wanted: Divergence,
  seqOf: (seq: number) => number,
): Divergence | undefined {
  return divergences.find(
    (found) =>
      found.check === wanted.check &&
      found.verdict === wanted.verdict &&
      found.severity === wanted.severity &&
      found.fingerprint === wanted.fingerprint &&
      hasConsequences(found, wanted) &&
      found.members.some((member) => seqOf(member.seq) === wanted.place.seq),
  );
}

/** How many events behind its last evidence a finding may need: brackets that close, the end of the trace. */
const MARGINS = [0, 64, 4096];

/** Parts of the events that may do, smallest first. */
function* narrowed(list: EventList, found: Divergence): Generator<number[]> {
  const { whole, seqs } = list;
  const position = new Map(seqs.map((seq, i) => [seq, i]));
  const concern = concernOf(found);
  const here = evidenceSeqs(found).flatMap((seq) => position.get(seq) ?? []);
  const marks = concerned(whole, { ...concern, seqs: new Set(here.map((i) => i + 1)) });
  const all = seqs.map((_seq, i) => i);
  const last = here.at(-1) ?? 0;
  for (const margin of MARGINS) yield all.slice(0, last + 1 + margin).filter((i) => marks[i] === 1);
  for (const margin of MARGINS) yield all.slice(0, last + 1 + margin);
  yield all.filter((i) => marks[i] === 1);
  yield all;
}

/** Positions with the same key together, in the order of the keys' first ones. */
function grouped(positions: readonly number[], key: (position: number) => string): number[][] {
  const groups = new Map<string, number[]>();
  for (const position of positions) {
    const name = key(position);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [position]);
    else group.push(position);
  }
  return [...groups.values()];
}

/** By what events are left out together: those of a task, of a page or slot or address, of a kind, then each by itself. */
function chunkings(batch: EventBatch): ReadonlyArray<(position: number) => string> {
  const subject: Subject = { pfn: 0, mm: 0, address: 0, entry: 0 };
  return [
    (i) => `task ${batch.pid[i]!}`,
    (i) => {
      subjectOf(batch, i, subject);
      const { pfn, entry, address, mm } = subject;
      if (!Number.isNaN(pfn)) return `page ${pfn}`;
      if (!Number.isNaN(entry)) return `slot ${entry}`;
      return Number.isNaN(address) ? `mm ${mm}` : `address ${address}`;
    },
    (i) => `kind ${batch.kind[i]!}`,
    (i) => `event ${i}`,
  ];
}

/**
 * Reduces events to fewest that still show a divergence: the same check, consequences, verdicts, severity and cause, at
 * the same event. Leaving out any single one of them loses it. Null if not even all of them show it.
 */
export function shrink(list: EventList, wanted: Divergence, facts: JudgeFacts): Sequence | null {
  let judged = 0;
  const shown = (positions: readonly number[]): Divergence | undefined => {
    judged++;
    const { divergences } = judgeEvents(list.part(positions), facts);
    return among(divergences, wanted, (seq) => list.seqs[positions[seq - 1]!]!);
  };
  const holds = (positions: readonly number[]): boolean => shown(positions) !== undefined;
  const order = (groups: readonly (readonly number[])[]): number[] => groups.flat().sort((a, b) => a - b);
  let kept: readonly number[] | null = null;
  for (const part of narrowed(list, wanted)) {
    if (!holds(part)) continue;
    kept = part;
    break;
  }
  if (kept === null) return null;
  for (const key of chunkings(list.whole))
    kept = order(ddmin(grouped(kept, key), (groups) => holds(order(groups))));
  return {
    seqs: kept.map((position) => list.seqs[position]!),
    events: list.part(kept),
    found: shown(kept)!,
    judged,
  };
}
