import { PG_LRU } from '../../core/pageflags.ts';
import { FOLL_PIN, FOLL_REMOTE, MAPPING_ANON } from '../../events/flags.ts';
import { GUP_LOCKED } from '../../events/gup.ts';
import {
  gupBegin,
  gupEnd,
  gupFault,
  gupFollow,
  gupGrab,
  gupGrabFast,
  gupGrabFastEnd,
  gupPut,
} from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import { TRI_FALSE, TRI_TRUE, TRI_UNKNOWN } from '../pages.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import type { GupBracket, Task } from '../tasks.ts';

/**
 * References beyond mappings, swap cache and what else is known to hold the page; NaN if the counts are not known.
 * A page off the LRU list has one more reference, of the batch or of whoever isolated it (domain.md 3, residual).
 */
export function residual(s: MmState, row: number, count: number, mappings: number): number {
  const c = s.pages.col;
  if (Number.isNaN(count) || Number.isNaN(mappings) || c.flagsSeq[row] === 0) return Number.NaN;
  const offLru = c.flags[row]! & PG_LRU ? 0 : 1;
  const swapcache = c.swapcache[row] === TRI_TRUE ? 1 : c.swapcache[row] === TRI_FALSE ? 0 : Number.NaN;
  return count - mappings - swapcache - offLru;
}

/** After a put: FOLL_GET holds that the count has no room for any more are over. */
export function resolveGets(s: MmState, row: number): void {
  const room = s.pages.count(row) - s.pages.mappings(row) - (s.pages.col.swapcache[row] === TRI_TRUE ? 1 : 0);
  if (room <= 0) s.holds.dropAll(row, false);
}

/** Pages of a walk whose exclusivity is asked at its end; a longer walk proves nothing about the rest. */
const PINNED_KEPT = 1024;

/** Address that the n-th page of a walk stands for. */
function walkAddress(gup: GupBracket | null): number {
  return gup === null ? Number.NaN : gup.start + gup.taken * 4096;
}

/** The mm of a walk: told, or the caller's own unless the walk is remote. */
function walkMm(task: Task, flags: number): number {
  for (let gup = task.gup; gup !== null; gup = gup.outer) if (!Number.isNaN(gup.mm)) return gup.mm;
  return flags & FOLL_REMOTE || Number.isNaN(flags) ? Number.NaN : task.mm;
}

function took(s: MmState, e: Cursor, task: Task, pfn: number, refs: number, flags: number): void {
  const row = s.pages.ensure(pfn, e.seq);
  const known = Number.isNaN(flags) ? -1 : flags;
  s.holds.take(row, {
    pfn,
    mm: walkMm(task, flags),
    va: walkAddress(task.gup),
    pid: e.pid,
    seq: e.seq,
    ns: e.ns,
    cpu: e.cpu,
    flags: known,
    refs: Number.isNaN(refs) ? 1 : refs,
  });
  if (known >= 0 && known & FOLL_PIN) {
    s.pages.col.pins[row]! += refs;
    const unsure = s.sources.rmapExclusive && s.pages.col.exclusive[row] === TRI_UNKNOWN;
    if (unsure && task.gup !== null && task.gup.pinned.length < PINNED_KEPT) task.gup.pinned.push(pfn);
  }
  if (task.gup !== null) {
    task.gup.taken++;
    if (task.gup.outer !== null) task.gup.outer.taken++;
  }
}

/**
 * A walk ended, and keeps pins of anonymous pages of which it was not known whether they are exclusive: they are. Every
 * walk pins such a page only if the bit is set; the fast one looks at the PTE again and then at the bit, and drops its
 * pin otherwise (AE5, AE7; mm/gup.c:gup_must_unshare).
 */
function provedExclusive(s: MmState, gup: GupBracket, pid: number): void {
  const c = s.pages.col;
  for (const pfn of gup.pinned) {
    const row = s.pages.find(pfn);
    if (row < 0 || c.exclusive[row] !== TRI_UNKNOWN || c.mapping[row] !== MAPPING_ANON + 1) continue;
    for (const hold of s.holds.of(row)) {
      const { col } = s.holds;
      if (col.pid[hold] !== pid || col.seq[hold]! < gup.seq || col.doubtful[hold] === 1) continue;
      if (s.holds.isPin(hold)) c.exclusive[row] = TRI_TRUE;
    }
  }
}

export const gupFolds: readonly Fold[] = [
  fold(gupBegin, (_s, e, task) => {
    const { how, mm, start, nr, flags } = gupBegin.at;
    const outer = task.gup;
    const entered = e.args[e.at + how]!;
    // The slow walk behind pin_user_pages is one walk with it: the outer start counts pages from its own beginning.
    task.gup = {
      how: entered,
      mm: e.args[e.at + mm]!,
      start: e.args[e.at + start]!,
      nr: e.args[e.at + nr]!,
      flags: e.args[e.at + flags]!,
      seq: e.seq,
      taken: 0,
      pinned: [],
      outer: entered === GUP_LOCKED ? outer : null,
    };
    if (!Number.isNaN(task.gup.mm) && !(task.gup.flags & FOLL_REMOTE) && Number.isNaN(task.mm))
      task.mm = task.gup.mm;
  }),
  fold(gupEnd, (s, e, task) => {
    if (task.gup !== null && e.args[e.at + gupEnd.at.ret]! > 0) provedExclusive(s, task.gup, e.pid);
    task.gup = null;
    task.grabPfn = Number.NaN;
  }),
  fold(gupFault, (_s, e, task) => {
    const mm = e.args[e.at + gupFault.at.mm]!;
    if (task.gup !== null && Number.isNaN(task.gup.mm)) task.gup = { ...task.gup, mm };
  }),
  fold(gupFollow, (_s, e, task) => {
    const mm = e.args[e.at + gupFollow.at.mm]!;
    if (task.gup !== null && Number.isNaN(task.gup.mm)) task.gup = { ...task.gup, mm };
  }),
  fold(gupGrab, (s, e, task) => {
    const { pfn, refs, flags, ok } = gupGrab.at;
    const page = e.args[e.at + pfn]!;
    if (!(page >= 0) || e.args[e.at + ok] === 0) return;
    // Announced again before the count has changed: one grab, which two probes or two merged buffers tell.
    if (task.grabPfn === page && s.sources.seen[s.refAddCode] === 1) return;
    took(s, e, task, page, e.args[e.at + refs]!, e.args[e.at + flags]!);
    task.grabPfn = page;
  }),
  fold(gupGrabFast, (_s, e, task) => {
    task.grabPfn = e.args[e.at + gupGrabFast.at.pfn]!;
    task.grabHold = e.args[e.at + gupGrabFast.at.flags]!;
  }),
  fold(gupGrabFastEnd, (s, e, task) => {
    const { pfn, refs, flags } = gupGrabFastEnd.at;
    const page = e.args[e.at + pfn]!;
    const told = e.args[e.at + flags]!;
    const how = Number.isNaN(told) ? task.grabHold : told;
    task.grabPfn = Number.NaN;
    task.grabHold = Number.NaN;
    if (!(page >= 0)) return;
    const count = e.args[e.at + refs]!;
    took(s, e, task, page, Number.isNaN(count) ? 1 : count, how);
  }),
  fold(gupPut, (s, e, task) => {
    const { pfn, refs, flags } = gupPut.at;
    const row = s.pages.find(e.args[e.at + pfn]!);
    if (row < 0) return;
    const pin = (e.args[e.at + flags]! & FOLL_PIN) !== 0;
    const count = e.args[e.at + refs]!;
    // Where page_ref is recorded too, the -1024 that follows ends the pin; a large folio has one reference for each.
    if (pin && s.sources.seen[s.refAddCode] === 1 && s.pages.col.large[row] === 0) return;
    s.holds.put(row, pin, Number.isNaN(count) ? 1 : count, task.mm);
    if (pin) s.pages.col.pins[row] = Math.max(0, s.pages.col.pins[row]! - count);
  }),
];
