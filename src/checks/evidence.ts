import type { Truth } from '../core/knowledge.ts';
import { FOLL_WRITE } from '../events/flags.ts';
import { refAdd } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import type { MmState } from '../state/state.ts';
import { type Task, Tasks } from '../state/tasks.ts';
import type { Place } from './finding.ts';

/** A reference that GUP took on a page and that may still be held. */
export interface Held {
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  readonly pid: number;
  /** mm and user page through which it was taken, NaN unknown. */
  readonly mm: number;
  readonly va: number;
  readonly pin: boolean;
  readonly write: boolean;
  /** A put may have ended it already. */
  readonly doubtful: boolean;
}

/** GUP references on a page, newest first. */
export function heldOn(s: MmState, pfn: number): Held[] {
  const row = s.pages.find(pfn);
  if (row < 0 || s.pages.col.hold[row] === 0) return [];
  const c = s.holds.col;
  return [...s.holds.of(row)].map((hold) => ({
    seq: c.seq[hold]!,
    ns: c.ns[hold]!,
    cpu: c.cpu[hold]!,
    pid: c.pid[hold]!,
    mm: c.mm[hold]!,
    va: c.va[hold]!,
    pin: s.holds.isPin(hold),
    write: c.flags[hold]! >= 0 && (c.flags[hold]! & FOLL_WRITE) !== 0,
    doubtful: c.doubtful[hold] === 1,
  }));
}

/** Whether a reference was taken through this mm; the same pointer in an earlier life is another mm. */
export function isThrough(s: MmState, held: Held, mm: number): Truth {
  if (Number.isNaN(held.mm) || Number.isNaN(mm)) return undefined;
  const row = s.ptes.mms.find(mm);
  return held.mm === mm && (row < 0 || s.ptes.mms.col.since[row]! <= held.seq);
}

/**
 * Whether whoever took a reference may be taken to keep it: the walk is over, or its task has gone on. The fast walk
 * takes first, looks at the PTE again, and may give back (mm/gup.c:gup_fast_pte_range).
 */
export function isKept(s: MmState, held: Held): boolean {
  const task = s.tasks.peek(held.pid);
  return task === undefined || (task.gup === null && task.lastSeq > held.seq);
}

/** No record is known to be missing. */
export function isWhole(s: MmState): boolean {
  return !s.lossy && !s.blind;
}

/** Whether the end of a page's life is told, so that what is known of it is not that of an earlier one. */
export function tellsLives(s: MmState): boolean {
  return s.sources.free || s.sources.seen[refAdd.code] === 1;
}

/** The task that an event is by, as it is before the event is folded. */
export function actorOf(s: MmState, e: Cursor): Task | undefined {
  return s.tasks.peek(Tasks.actor(e));
}

/** Where and on what an event was, as far as the check names it. */
export function placeOn(
  e: Cursor,
  on: {
    readonly mm?: number;
    readonly va?: number;
    readonly pfn?: number;
    readonly newPfn?: number;
    readonly entry?: number;
  },
): Place {
  const told = (value: number | undefined): number | null =>
    value === undefined || Number.isNaN(value) ? null : value;
  return {
    seq: e.seq,
    ns: e.ns,
    cpu: e.cpu < 0 ? null : e.cpu,
    pid: e.inInterrupt ? null : e.pid,
    mm: told(on.mm),
    address: on.va === undefined || Number.isNaN(on.va) ? null : Math.floor(on.va / 4096) * 4096,
    pfn: told(on.pfn),
    newPfn: told(on.newPfn),
    entry: told(on.entry),
  };
}

/** A pfn or an address in evidence. */
export function hexText(value: number): string {
  return Number.isNaN(value) ? '?' : `0x${value.toString(16)}`;
}
