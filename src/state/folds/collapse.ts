import { PG_LOCKED } from '../../core/pageflags.ts';
import {
  collapseBegin,
  collapseCheck,
  collapseCopied,
  collapseCopy,
  collapseEnd,
  collapseIsolate,
  collapseIsolateEnd,
  collapseScan,
  folioMapcount,
  refAdd,
  splitFolio,
  splitFolioEnd,
} from '../../events/index.ts';
import { type CollapseBracket, newCollapse } from '../collapse.ts';
import type { Cursor } from '../cursor.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import { splitParts } from './large.ts';

/** Whether a record of a step belongs to this collapse, as far as it says. */
function isOf(collapse: CollapseBracket, mm: number, va: number): boolean {
  return (Number.isNaN(mm) || mm === collapse.mm) && (Number.isNaN(va) || va === collapse.va);
}

/** The only address at which an mm maps a page, NaN if there are none or several. */
function addressIn(s: MmState, mm: number, pfn: number): number {
  const owner = s.ptes.mms.find(mm);
  const slot = owner < 0 ? -1 : s.ptes.onlySlotOf(owner, pfn);
  return slot < 0 ? Number.NaN : s.ptes.address(slot);
}

/** Whether another task may have changed the number of mappings of a page since a moment, as far as rmap is told. */
function mapsChange(s: MmState, row: number, since: number): boolean {
  const c = s.pages.col;
  if (!s.tellsMappings || c.mapSeq[row]! > since) return true;
  // Announced at its entry, and perhaps not done by then.
  return c.mapSeq[row] !== 0 && s.tasks.peek(c.mapPid[row]!)?.lastSeq === c.mapSeq[row];
}

/**
 * A change of the refcount by a task that is collapsing. The first +1 on a locked page is the isolation, right
 * behind the check; what is read behind the copy tells whether others still held the page.
 */
export function sampleCollapse(
  s: MmState,
  e: Cursor,
  collapse: CollapseBracket,
  pfn: number,
  row: number,
  change: number,
  changedBefore: number,
): void {
  const a = e.args;
  const printed = a[e.at + refAdd.at.count]!;
  const page = collapse.pages.get(pfn);
  if (collapse.commitSeq > 0) {
    if (page !== undefined && !Number.isNaN(printed)) {
      page.countAfter = printed;
      page.countAfterSeq = e.seq;
    }
    return;
  }
  const flags = a[e.at + refAdd.at.flags]!;
  if (collapse.isolateSeq === 0 || collapse.isolatedSeq > 0 || change !== 1 || page !== undefined) return;
  if (!(flags & PG_LOCKED)) return;
  collapse.pages.set(pfn, {
    pfn,
    va: addressIn(s, collapse.mm, pfn),
    gen: s.pages.col.gen[row]!,
    seq: e.seq,
    ns: e.ns,
    cpu: e.cpu,
    count: printed - 1,
    mapcount: a[e.at + refAdd.at.mapcount]!,
    flags,
    quiet: changedBefore < collapse.isolateSeq ? s.pages.count(row) - 1 : Number.NaN,
    mapQuiet: !mapsChange(s, row, collapse.isolateSeq),
    copySeq: 0,
    countAfter: Number.NaN,
    countAfterSeq: 0,
  });
}

export const collapseFolds: readonly Fold[] = [
  fold(collapseBegin, (_s, e, task) => {
    const { mm, va } = collapseBegin.at;
    task.collapse = newCollapse(e.args[e.at + mm]!, e.args[e.at + va]!, e.seq, task.pid);
  }),
  fold(collapseScan, (_s, _e, task) => {
    // It scans again: the return of its last collapse was not told.
    task.collapse = null;
  }),
  fold(collapseIsolate, (_s, e, task) => {
    const mm = e.args[e.at + collapseIsolate.at.mm]!;
    const va = e.args[e.at + collapseIsolate.at.va]!;
    // Another range, or a second time: the begin of this collapse was not told.
    if (task.collapse !== null && (!isOf(task.collapse, mm, va) || task.collapse.isolateSeq > 0))
      task.collapse = newCollapse(mm, va, e.seq, task.pid);
    if (task.collapse !== null) task.collapse.isolateSeq = e.seq;
  }),
  fold(collapseCheck, (s, e, task) => {
    const collapse = task.collapse;
    const pfn = e.args[e.at + collapseCheck.at.pfn]!;
    if (collapse === null || !(pfn >= 0)) return;
    const row = s.pages.ensure(pfn, e.seq);
    collapse.pages.set(pfn, {
      pfn,
      va: addressIn(s, collapse.mm, pfn),
      gen: s.pages.col.gen[row]!,
      seq: e.seq,
      ns: e.ns,
      cpu: e.cpu,
      count: e.args[e.at + collapseCheck.at.count]!,
      mapcount: e.args[e.at + collapseCheck.at.mapcount]!,
      flags: s.pages.col.flagsSeq[row] === 0 ? Number.NaN : s.pages.col.flags[row]!,
      // The kernel itself read it, at the check.
      quiet: e.args[e.at + collapseCheck.at.count]!,
      mapQuiet: true,
      copySeq: 0,
      countAfter: Number.NaN,
      countAfterSeq: 0,
    });
  }),
  fold(collapseIsolateEnd, (_s, e, task) => {
    if (task.collapse !== null && e.args[e.at + collapseIsolateEnd.at.ok] === 1)
      task.collapse.isolatedSeq = e.seq;
  }),
  fold(collapseCopy, (_s, e, task) => {
    const page = task.collapse?.pages.get(e.args[e.at + collapseCopy.at.pfn]!);
    if (page !== undefined) page.copySeq = e.seq;
  }),
  fold(collapseCopied, (_s, e, task) => {
    const mm = e.args[e.at + collapseCopied.at.mm]!;
    const va = e.args[e.at + collapseCopied.at.va]!;
    if (task.collapse === null) return;
    if (!isOf(task.collapse, mm, va) || task.collapse.commitSeq > 0) task.collapse = null;
    else task.collapse.commitSeq = e.seq;
  }),
  fold(collapseEnd, (_s, _e, task) => {
    task.collapse = null;
  }),
  fold(folioMapcount, (s, e) => {
    const head = e.args[e.at + folioMapcount.at.pfn]!;
    if (!(head >= 0)) return;
    const folio = s.machines.folio(head);
    folio.total = e.args[e.at + folioMapcount.at.value]!;
    folio.totalSeq = e.seq;
  }),
  fold(splitFolio, (s, e, task) => {
    const pfn = e.args[e.at + splitFolio.at.pfn]!;
    if (!(pfn >= 0)) return;
    const row = s.pages.find(pfn);
    if (row >= 0) s.pages.forget(row);
    s.machines.splits.set(task.pid, {
      pfn,
      order: e.args[e.at + splitFolio.at.order]!,
      pid: task.pid,
      seq: e.seq,
    });
  }),
  fold(splitFolioEnd, (s, e, task) => {
    task.split = null;
    const split = s.machines.splits.get(task.pid);
    s.machines.splits.delete(task.pid);
    if (split !== undefined && e.args[e.at + splitFolioEnd.at.ret] === 0) splitParts(s, split);
  }),
];
