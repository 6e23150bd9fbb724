import {
  PTE_HUGE,
  PTE_KIND,
  PTE_NONE,
  PTE_PRESENT,
  PTE_PROTNONE,
  PTE_SWAP,
  PTE_USER,
} from '../../core/pte.ts';
import {
  moveTables,
  pmdClear,
  pmdSet,
  pteAccess,
  pteClear,
  pteClearFlush,
  pteMap,
  pteSet,
  splitPmd,
  zapBegin,
  zapEnd,
  zapRangeBegin,
  zapRangeEnd,
} from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import { clearNonPresent, weakenRange } from '../pte-ranges.ts';
import { SLOT_KNOWN, SLOT_UNKNOWN, SLOT_WRITE_UNKNOWN } from '../ptes.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import type { Task } from '../tasks.ts';
import { wpOf } from './brackets.ts';
import { mapInChild, undoForkPmd } from './fork.ts';
import { tellEntire } from './large.ts';
import { decide } from './watch.ts';

/** Index of a page within its page table. */
function indexOf(va: number): number {
  return Math.floor(va / 4096) % 512;
}

/** Address that a pte.set of this task must be about: that of an open bracket which writes one PTE only (P7). */
function onlyAddress(task: Task, mm: number, index: number): number {
  const fault = task.fault;
  if (fault !== null && fault.kind !== 'fault' && fault.mm === mm && indexOf(fault.va) === index)
    return fault.va;
  if (task.unmap !== null && task.unmap.mm === mm && indexOf(task.unmap.va) === index) return task.unmap.va;
  return Number.NaN;
}

function onSet(s: MmState, e: Cursor, task: Task): void {
  const { mm, ptep, value, nr } = pteSet.at;
  const a = e.args;
  const o = e.at;
  const bits = a[o + value]!;
  // Kernel mappings go through the same function: a present entry without the user bit is none of a process.
  if (!Number.isNaN(bits) && (bits & PTE_KIND) === PTE_PRESENT && (bits & (PTE_USER | PTE_PROTNONE)) === 0)
    return;
  const pointer = a[o + mm]!;
  let owner = s.ptes.mm(pointer, e.seq);
  if (owner < 0) return;
  if (s.ptes.mms.col.dying[owner] === 1 && (bits & PTE_KIND) === PTE_PRESENT && task.exitMm !== pointer) {
    s.ptes.renew(pointer, e.seq);
    owner = s.ptes.mm(pointer, e.seq);
  }
  const at = a[o + ptep]!;
  let slot = s.ptes.slotOf(at, owner);
  const index = slot % 512;
  const count = Number.isNaN(a[o + nr]!) ? 1 : Math.min(a[o + nr]!, 512 - index);
  const va = count === 1 ? onlyAddress(task, pointer, index) : Number.NaN;
  if (!Number.isNaN(va)) {
    s.ptes.bind(at, owner, va);
    slot = s.ptes.slotOf(at, owner);
  } else if (task.split !== null && task.split.mm === pointer && index === 0 && count === 512) {
    s.ptes.bind(at, owner, task.split.va);
    slot = s.ptes.slotOf(at, owner);
  } else slot = s.ptes.loosen(slot);
  const frame = a[o + value + 1]!;
  const present = (bits & PTE_KIND) === PTE_PRESENT;
  for (let k = 0; k < count; k++)
    s.ptes.write(slot + k, bits, present ? frame + k : frame, e.seq, SLOT_KNOWN);
  // Inside copy_present_ptes only the child's PTEs are set (the parent's are write-protected without a word), so a
  // probe that does not tell the child's mm tells it all the same.
  const child = task.forkMm === pointer || (task.forkPtes !== null && Number.isNaN(task.forkPtes.child));
  if (present && child) mapInChild(s, e, task, frame, count, bits);
}

/** Slot that a pte.clear must be about, or -1; consumes the bracket that tells. */
function clearedSlot(s: MmState, task: Task, owner: number, pointer: number, pfn: number): number {
  const flush = task.clearFlush;
  if (flush !== null && flush.mm === pointer && flush.seq === task.lastSeq) {
    task.clearFlush = null;
    return s.ptes.slotAt(owner, flush.va);
  }
  const zap = task.zap;
  if (zap !== null && zap.mm === pointer) {
    const va = zap.va + zap.cleared * 4096;
    zap.cleared++;
    return s.ptes.slotAt(owner, va);
  }
  const unmap = task.unmap;
  if (unmap !== null && unmap.mm === pointer && (unmap.pfn === pfn || Number.isNaN(unmap.pfn))) {
    const slot = s.ptes.slotAt(owner, unmap.va);
    if (slot >= 0) return slot;
  }
  return -1;
}

function onClear(s: MmState, e: Cursor, task: Task): void {
  const pointer = e.args[e.at + pteClear.at.mm]!;
  const bits = e.args[e.at + pteClear.at.value]!;
  const frame = e.args[e.at + pteClear.at.value + 1]!;
  if (Number.isNaN(bits) || (bits & PTE_KIND) !== PTE_PRESENT || (bits & (PTE_USER | PTE_PROTNONE)) === 0)
    return;
  const owner = s.ptes.mm(pointer, e.seq);
  if (owner < 0) return;
  let slot = clearedSlot(s, task, owner, pointer, frame);
  if (slot < 0 || (s.ptes.know[slot] !== SLOT_UNKNOWN && s.ptes.frame[slot] !== frame)) {
    const known = slot;
    slot = s.ptes.onlySlotOf(owner, frame);
    if (slot === -2) {
      const row = s.pages.find(frame);
      if (row >= 0) forgetIn(s, row, owner, e.seq);
    }
    if (known >= 0 && slot < 0) slot = known;
  }
  if (slot >= 0) s.ptes.write(slot, PTE_NONE, 0, e.seq, SLOT_KNOWN);
}

/** Every slot of one mm that holds the page becomes unknown: one of them was cleared, nobody said which. */
function forgetIn(s: MmState, pageRow: number, owner: number, seq: number): void {
  for (let at = s.pages.col.slot[pageRow]!; at !== 0; ) {
    const next = s.ptes.next[at - 1]!;
    if (s.ptes.owner(at - 1) === owner) s.ptes.write(at - 1, Number.NaN, 0, seq, SLOT_UNKNOWN);
    at = next;
  }
}

function onAccess(s: MmState, e: Cursor, task: Task): void {
  const { mm, va, ptep, value } = pteAccess.at;
  const owner = s.ptes.mm(e.args[e.at + mm]!, e.seq);
  if (owner < 0) return;
  const address = e.args[e.at + va]!;
  const at = e.args[e.at + ptep]!;
  if (!Number.isNaN(at)) s.ptes.bind(at, owner, address);
  const bits = e.args[e.at + value]!;
  if (!Number.isNaN(bits))
    s.ptes.write(s.ptes.ensureAt(owner, address), bits, e.args[e.at + value + 1]!, e.seq, SLOT_KNOWN);
  const wp = wpOf(task);
  if (wp !== null && wp.va === Math.floor(address / 4096) * 4096) {
    wp.accessSeq = e.seq;
    decide(wp, e.seq);
  }
}

/** A mapping or PTE as sampled by a fault that starts on it. */
export function samplePte(
  s: MmState,
  seq: number,
  pointer: number,
  va: number,
  bits: number,
  frame: number,
): void {
  if (Number.isNaN(bits)) return;
  const owner = s.ptes.mm(pointer, seq);
  if (owner < 0) return;
  const slot = s.ptes.ensureAt(owner, va);
  if (s.ptes.know[slot] === SLOT_KNOWN && s.ptes.bits[slot] === bits && s.ptes.frame[slot] === frame) return;
  s.ptes.write(slot, bits, frame, seq, SLOT_KNOWN);
}

export const pteFolds: readonly Fold[] = [
  fold(pteSet, onSet),
  fold(pteClear, onClear),
  fold(pteAccess, onAccess),
  fold(pteClearFlush, (s, e, task) => {
    const { mm, va, ptep, old } = pteClearFlush.at;
    const owner = s.ptes.mm(e.args[e.at + mm]!, e.seq);
    const address = e.args[e.at + va]!;
    if (owner < 0) return;
    const at = e.args[e.at + ptep]!;
    if (!Number.isNaN(at)) s.ptes.bind(at, owner, address);
    // Where the old value is told the probe is at return: the PTE is gone. At entry the pte.clear that follows says so.
    if (!Number.isNaN(e.args[e.at + old]!)) {
      // Inside an unmap a swap or migration entry follows at once, and no probe of this pack shows it.
      const know = task.unmap !== null && task.unmap.mm === e.args[e.at + mm] ? SLOT_UNKNOWN : SLOT_KNOWN;
      s.ptes.write(s.ptes.ensureAt(owner, address), PTE_NONE, 0, e.seq, know);
      s.tlb.flush(e.args[e.at + mm]!, address, address + 4096);
    } else task.clearFlush = { mm: e.args[e.at + mm]!, va: address, seq: e.seq };
    const wp = wpOf(task);
    if (wp !== null && wp.va === Math.floor(address / 4096) * 4096) {
      wp.clearSeq = e.seq;
      decide(wp, e.seq);
    }
  }),
  fold(pteMap, (s, e) => {
    const { mm, va, pfn, nr } = pteMap.at;
    const owner = s.ptes.mm(e.args[e.at + mm]!, e.seq);
    const page = e.args[e.at + pfn]!;
    if (owner < 0 || !(page >= 0)) return;
    const count = Number.isNaN(e.args[e.at + nr]!) ? 1 : e.args[e.at + nr]!;
    for (let k = 0; k < count; k++) {
      s.ptes.write(
        s.ptes.ensureAt(owner, e.args[e.at + va]! + k * 4096),
        PTE_PRESENT | PTE_USER,
        page + k,
        e.seq,
        SLOT_WRITE_UNKNOWN,
      );
    }
  }),
  fold(zapRangeBegin, (s, e) => {
    const { mm, start, end } = zapRangeBegin.at;
    const owner = s.ptes.mm(e.args[e.at + mm]!, e.seq);
    if (s.machines.migrations.size > 0)
      s.machines.unmapped(e.args[e.at + mm]!, e.args[e.at + start]!, e.args[e.at + end]!);
    if (owner >= 0) clearNonPresent(s.ptes, owner, e.args[e.at + start]!, e.args[e.at + end]!, e.seq);
  }),
  fold(zapRangeEnd, () => {}),
  fold(zapBegin, (s, e, task) => {
    const { mm, va, ptep, value } = zapBegin.at;
    const pointer = e.args[e.at + mm]!;
    const owner = s.ptes.mm(pointer, e.seq);
    if (owner < 0) return;
    const address = e.args[e.at + va]!;
    const at = e.args[e.at + ptep]!;
    if (!Number.isNaN(at)) s.ptes.bind(at, owner, address);
    samplePte(s, e.seq, pointer, address, e.args[e.at + value]!, e.args[e.at + value + 1]!);
    task.zap = { mm: pointer, va: address, ptep: at, seq: e.seq, cleared: 0 };
  }),
  fold(zapEnd, (s, e, task) => {
    const zap = task.zap;
    task.zap = null;
    if (zap === null) return;
    const owner = s.ptes.mm(zap.mm, e.seq);
    const nr = e.args[e.at + zapEnd.at.nr]!;
    if (owner < 0 || Number.isNaN(nr)) return;
    for (let k = zap.cleared; k < nr; k++) {
      const slot = s.ptes.slotAt(owner, zap.va + k * 4096);
      if (slot >= 0) s.ptes.write(slot, PTE_NONE, 0, e.seq, SLOT_KNOWN);
    }
  }),
  fold(moveTables, (s, e) => {
    const { mm, from, to, length } = moveTables.at;
    const owner = s.ptes.mm(e.args[e.at + mm]!, e.seq);
    const size = e.args[e.at + length]!;
    // Migration entries go with the tables: they are removed at their new place.
    if (s.machines.migrations.size > 0)
      s.machines.unmapped(e.args[e.at + mm]!, e.args[e.at + from]!, e.args[e.at + from]! + size);
    if (owner < 0 || Number.isNaN(size)) return;
    weakenRange(s.ptes, owner, e.args[e.at + from]!, e.args[e.at + from]! + size);
    weakenRange(s.ptes, owner, e.args[e.at + to]!, e.args[e.at + to]! + size);
  }),
  fold(pmdSet, (s, e, task) => {
    const { mm, value } = pmdSet.at;
    const pointer = e.args[e.at + mm]!;
    const bits = e.args[e.at + value]!;
    const owner = s.ptes.mm(pointer, e.seq);
    if (owner < 0 || Number.isNaN(bits) || !(bits & PTE_HUGE)) return;
    if (task.collapse !== null && task.collapse.mm === pointer) task.collapse.pmdSetSeq = e.seq;
    const row = s.pages.find(e.args[e.at + value + 1]!);
    if (row >= 0) tellEntire(s, row, task.pid);
    const where = task.collapse ?? task.split ?? task.fault;
    if (where !== null && where.mm === pointer)
      s.ptes.setHuge(owner, where.va, bits, e.args[e.at + value + 1]!, e.seq);
  }),
  fold(pmdClear, (s, e, task) => {
    const { mm, value } = pmdClear.at;
    const pointer = e.args[e.at + mm]!;
    const bits = e.args[e.at + value]!;
    const owner = s.ptes.mm(pointer, e.seq);
    const collapse = task.collapse;
    // The one before the isolation, of a table: what it allocates for may unmap file memory of the same mm before.
    if (collapse !== null && collapse.mm === pointer && collapse.isolateSeq === 0 && !(bits & PTE_HUGE))
      collapse.pmdClearSeq = e.seq;
    if (owner < 0 || Number.isNaN(bits) || !(bits & PTE_HUGE)) return;
    const where = task.split ?? task.collapse;
    const va =
      where !== null && where.mm === pointer
        ? where.va
        : s.ptes.hugeRegionOf(owner, e.args[e.at + value + 1]!);
    if (va >= 0) s.ptes.setHuge(owner, va, 0, 0, e.seq);
  }),
  fold(splitPmd, (s, e, task) => {
    const pointer = e.args[e.at + splitPmd.at.mm]!;
    const va = e.args[e.at + splitPmd.at.va]!;
    task.split = { mm: pointer, va, seq: e.seq };
    if (task.forkPmd !== null && task.forkPmd.mm === pointer && task.forkPmd.va === va)
      undoForkPmd(s, e.seq, task);
    const owner = s.ptes.mm(pointer, e.seq);
    if (owner >= 0 && s.ptes.hugeAt(owner, va) >= 0) s.ptes.setHuge(owner, va, 0, 0, e.seq);
  }),
];

/** Whether an entry value in a PTE is a swap entry of a device. */
export function isSwap(bits: number): boolean {
  return !Number.isNaN(bits) && (bits & PTE_KIND) === PTE_SWAP;
}
