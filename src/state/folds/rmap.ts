import { EXACT, SAMPLED, UNKNOWN } from '../../core/knowledge.ts';
import { PTE_EXCLUSIVE, PTE_NONE, PTE_PRESENT, PTE_SWAP, PTE_USER } from '../../core/pte.ts';
import { MAPPING_ANON, MAPPING_FILE, MAPPING_KSM } from '../../events/flags.ts';
import {
  pteSet,
  pteWrite,
  rmapAdd,
  rmapAddPmd,
  rmapDel,
  rmapDelPmd,
  rmapMove,
  rmapNew,
  unmapBegin,
  unmapEnd,
} from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import { LIFE_FREE, LIFE_UNKNOWN, TRI_FALSE, TRI_TRUE, TRI_UNKNOWN } from '../pages.ts';
import { SLOT_KNOWN, SLOT_UNKNOWN, SLOT_WRITE_UNKNOWN } from '../ptes.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import type { Task } from '../tasks.ts';
import { wpFor } from './brackets.ts';
import { mapEntire, mapNewLarge, mapParts, unmapParts } from './large.ts';
import { changeMap } from './mapcounts.ts';
import { decide } from './watch.ts';

/** Whether PTE writes are told by probes of their own; else mappings are inferred from rmap. */
export function tellsPtes(s: MmState): boolean {
  return s.sources.seen[pteSet.code] === 1 || s.sources.seen[pteWrite.code] === 1;
}

function onNew(s: MmState, e: Cursor, task: Task): void {
  const { pfn, mm, va, exclusive } = rmapNew.at;
  const page = e.args[e.at + pfn]!;
  if (!(page >= 0)) return;
  const row = s.pages.ensure(page, e.seq);
  const c = s.pages.col;
  if (c.life[row] === LIFE_FREE) s.pages.begin(row, e.seq, LIFE_UNKNOWN);
  c.map[row] = 1;
  c.mapGrade[row] = c.mapGrade[row] === EXACT ? EXACT : SAMPLED;
  c.mapOff[row] = 0;
  c.mapPid[row] = task.pid;
  c.mapSeq[row] = e.seq;
  c.mapDelta[row] = 1;
  const wasAnon = c.mapping[row] === MAPPING_ANON + 1;
  c.mapping[row] = MAPPING_ANON + 1;
  const told = e.args[e.at + exclusive]!;
  const fresh =
    task.forkPtes !== null ||
    (task.fault !== null && (task.fault.kind === 'anon' || task.fault.kind === 'wp'));
  // Pins of what the page was before: their puts were not told, as where page_ref is filtered.
  if ((fresh || !wasAnon) && c.hold[row] !== 0) s.holds.dropAll(row, true);
  c.exclusive[row] =
    told === 1 || (Number.isNaN(told) && fresh) ? TRI_TRUE : told === 0 ? TRI_FALSE : TRI_UNKNOWN;
  // Known to be large by its allocation; if that was not told, by what comes.
  if (c.order[row]! > 0) mapNewLarge(s, e.seq, row, task.pid);
  else c.large[row] = 0;
  if (task.forkPtes !== null) task.forkPtes.copied = page;
  const wp = wpFor(s, task, Number.NaN, e.args[e.at + va]!, false);
  if (wp !== null) {
    wp.newPfn = page;
    wp.newSeq = e.seq;
    decide(wp, e.seq);
  }
  if (!tellsPtes(s)) mapWithoutPte(s, e.args[e.at + mm]!, e.args[e.at + va]!, page, e.seq);
}

/** rmap tells that a page is mapped at an address, but not the PTE: its write bit is not known. */
function mapWithoutPte(s: MmState, mm: number, va: number, pfn: number, seq: number): void {
  const owner = s.ptes.mm(mm, seq);
  if (owner < 0 || Number.isNaN(va)) return;
  s.ptes.write(s.ptes.ensureAt(owner, va), PTE_PRESENT | PTE_USER, pfn, seq, SLOT_WRITE_UNKNOWN);
}

/** AnonExclusive of a page as far as known (TRI_*). */
export function exclusiveOf(s: MmState, pfn: number): number {
  const row = pfn >= 0 ? s.pages.find(pfn) : -1;
  return row < 0 ? TRI_UNKNOWN : s.pages.col.exclusive[row]!;
}

/** Whether pages that an rmap call is about are of a large folio. */
function isPart(s: MmState, head: number, first: number, count: number): boolean {
  if (count > 1 || (head >= 0 && head !== first)) return true;
  const row = s.pages.find(first);
  return row >= 0 && s.pages.col.large[row] === 1;
}

function onAdd(s: MmState, e: Cursor, task: Task): void {
  const { pfn, folio, nr, mm, va, anon, exclusive } = rmapAdd.at;
  const first = e.args[e.at + pfn]!;
  if (!(first >= 0)) return;
  const head = e.args[e.at + folio]!;
  const count = Number.isNaN(e.args[e.at + nr]!) ? 1 : e.args[e.at + nr]!;
  const told = e.args[e.at + exclusive]!;
  if (isPart(s, head, first, count)) mapParts(s, e.seq, head, first, count);
  for (let k = 0; k < count; k++) {
    const row = s.pages.ensure(first + k, e.seq);
    const c = s.pages.col;
    if (c.life[row] === LIFE_FREE) s.pages.begin(row, e.seq, LIFE_UNKNOWN);
    changeMap(s, e.seq, row, 1, task.pid);
    if (e.args[e.at + anon] === 1) {
      // KSM pages are mapped by the same function.
      if (c.mapping[row] !== MAPPING_KSM + 1) c.mapping[row] = MAPPING_ANON + 1;
      if (!Number.isNaN(told)) s.sources.rmapExclusive = true;
      if (told === 1) c.exclusive[row] = TRI_TRUE;
      // Found through a swap or migration entry that was not exclusive, KSM's, or of a huge PMD that is split and was
      // not: all callers (AE2, AE3; mm/rmap.c:folio_add_anon_rmap_ptes warns of a bit that is set all the same).
      else if (told === 0) c.exclusive[row] = TRI_FALSE;
      else if (Number.isNaN(told)) c.exclusive[row] = TRI_UNKNOWN;
    }
    // Mapped as file memory: it was freed and taken anew where neither was told.
    else if (e.args[e.at + anon] === 0) {
      s.sources.fileRmap = true;
      c.mapping[row] = MAPPING_FILE + 1;
    }
    if (!tellsPtes(s) && e.args[e.at + anon] === 1)
      mapWithoutPte(s, e.args[e.at + mm]!, e.args[e.at + va]! + k * 4096, first + k, e.seq);
  }
}

function onDel(s: MmState, e: Cursor, task: Task): void {
  const { pfn, folio, nr, mm, mapcount } = rmapDel.at;
  const first = e.args[e.at + pfn]!;
  if (!(first >= 0)) return;
  s.sources.rmap = true;
  const count = Number.isNaN(e.args[e.at + nr]!) ? 1 : e.args[e.at + nr]!;
  const raw = e.args[e.at + mapcount]!;
  const head = e.args[e.at + folio]!;
  if (isPart(s, head, first, count)) unmapParts(s, e.seq, head, first, count, raw, task.pid);
  for (let k = 0; k < count; k++) {
    const row = s.pages.find(first + k);
    if (row < 0) continue;
    const c = s.pages.col;
    if (k === 0 && c.mapGrade[row] === UNKNOWN && raw >= -1 && c.large[row] === 0) {
      c.map[row] = raw + 1;
      c.mapGrade[row] = SAMPLED;
    }
    changeMap(s, e.seq, row, -1, task.pid);
    if (task.unmap !== null && (!task.unmap.migrate || task.unmap.pfn >= 0)) c.exclusive[row] = TRI_FALSE;
    if (!tellsPtes(s)) {
      const owner = s.ptes.mm(e.args[e.at + mm]!, e.seq);
      const slot = owner < 0 ? -1 : s.ptes.onlySlotOf(owner, first + k);
      if (slot >= 0)
        s.ptes.write(
          slot,
          task.unmap === null ? PTE_NONE : Number.NaN,
          0,
          e.seq,
          task.unmap === null ? SLOT_KNOWN : SLOT_UNKNOWN,
        );
      else if (slot === -2) s.ptes.forgetPage(row, e.seq);
    }
  }
}

export const rmapFolds: readonly Fold[] = [
  fold(rmapNew, onNew),
  fold(rmapAdd, onAdd),
  fold(rmapDel, onDel),
  fold(rmapAddPmd, (s, e, task) => {
    const row = s.pages.ensure(e.args[e.at + rmapAddPmd.at.pfn]!, e.seq);
    mapEntire(s, e.seq, row, 1, task.pid);
  }),
  fold(rmapDelPmd, (s, e, task) => {
    const row = s.pages.find(e.args[e.at + rmapDelPmd.at.pfn]!);
    if (row >= 0) mapEntire(s, e.seq, row, -1, task.pid);
  }),
  fold(rmapMove, (s, e, task) => {
    const page = e.args[e.at + rmapMove.at.pfn]!;
    if (!(page >= 0)) return;
    const row = s.pages.ensure(page, e.seq);
    // It is given the mm's anon_vma, whatever its mapping was.
    s.pages.col.mapping[row] = MAPPING_ANON + 1;
    const wp = wpFor(s, task, page, Number.NaN, false);
    if (wp !== null) {
      wp.moved = true;
      decide(wp, e.seq);
    } else s.pages.col.exclusive[row] = TRI_TRUE;
  }),
  fold(unmapBegin, (s, e, task) => {
    const { pfn, mm, va } = unmapBegin.at;
    task.unmap = {
      pfn: e.args[e.at + pfn]!,
      mm: e.args[e.at + mm]!,
      va: e.args[e.at + va]!,
      seq: e.seq,
      migrate: false,
      exclusive: exclusiveOf(s, e.args[e.at + pfn]!),
    };
  }),
  fold(unmapEnd, (s, e, task) => {
    const unmap = task.unmap;
    task.unmap = null;
    if (unmap === null || tellsPtes(s) || e.args[e.at + unmapEnd.at.ok] !== 1) return;
    // An anon page in the swap cache leaves its swap entry behind (mm/rmap.c:try_to_unmap_one).
    const row = s.pages.find(unmap.pfn);
    const owner = s.ptes.mm(unmap.mm, e.seq);
    if (
      row < 0 ||
      owner < 0 ||
      s.pages.col.swapcache[row] !== TRI_TRUE ||
      Number.isNaN(s.pages.col.entry[row]!)
    )
      return;
    const slot = s.ptes.slotAt(owner, unmap.va);
    // The exclusive bit moves into the entry (AE3, AE6).
    const bits = PTE_SWAP | (unmap.exclusive === TRI_TRUE ? PTE_EXCLUSIVE : 0);
    const know = unmap.exclusive === TRI_UNKNOWN ? SLOT_WRITE_UNKNOWN : SLOT_KNOWN;
    if (slot >= 0 && s.ptes.know[slot] === SLOT_UNKNOWN)
      s.ptes.write(slot, bits, s.pages.col.entry[row]!, e.seq, know);
  }),
];
