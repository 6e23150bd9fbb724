import { tlbDefer, tlbFlush } from '../events/index.ts';
import { mmOf, vaOf } from './addresses.ts';
import type { Machine } from './machine.ts';

/** Eras of the `tlb` axis that know a thing only from a later one on; mutants break one line of the newest. */
const BEFORE_PENDING = ['at-once', 'batched'];
const BEFORE_MOVE = ['batched', 'batched+pending'];
const BEFORE_UFFD = ['at-once', 'batched', 'batched+pending', 'batched+move'];

/** Reclaim puts flushes off. */
export const defersFlush = (m: Machine): boolean => !m.rules.is('tlb', 'at-once');
/** mprotect and its like look for flushes that were put off. */
export const looksForDeferred = (m: Machine): boolean => !m.rules.is('tlb', ...BEFORE_PENDING);
/** mremap flushes before it drops the lock of the new place. */
export const flushesMoved = (m: Machine): boolean => !m.rules.is('tlb', ...BEFORE_MOVE);
/** A write fault looks for a flush that userfaultfd still owes. */
export const looksForProtected = (m: Machine): boolean => !m.rules.is('tlb', ...BEFORE_UFFD);

/** No CPU has a translation of the address any more. */
export function dropCached(m: Machine, mm: number, va: number): void {
  if (!m.program.tlb) return;
  m.set(m.at.pte(mm, va, 'tlb'), 0);
  m.set(m.at.pte(mm, va, 'tlbw'), 0);
  m.set(m.at.pte(mm, va, 'late'), 0);
}

/** The address is flushed on every CPU. Steps that every scenario may have do so only where a scenario tells of TLBs. */
export function flushTlb(m: Machine, mm: number, va: number): void {
  dropCached(m, mm, va);
  m.emit(tlbFlush, mmOf(mm), vaOf(va), vaOf(va) + 4096, 1);
}

/** The flush of a cleared PTE is put off. */
export function deferFlush(m: Machine, mm: number, va: number): void {
  m.set(m.at.pte(mm, va, 'late'), 1);
  m.emit(tlbDefer, mmOf(mm), vaOf(va));
}

/** flush_tlb_batched_pending: a flush that was put off is done now. */
export function flushDeferred(m: Machine, mm: number, va: number): void {
  if (looksForDeferred(m) && m.pte(mm, va, 'late') === 1) flushTlb(m, mm, va);
}
