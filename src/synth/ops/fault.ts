import { PG_LRU, PG_OWNER_2, PG_OWNER_PRIV_1 } from '../../core/pageflags.ts';
import { PTE_NONE, PTE_WRITE } from '../../core/pte.ts';
import { FAULT_USER, FAULT_WRITE, MAPPING_KSM } from '../../events/flags.ts';
import {
  anonBegin,
  anonEnd,
  faultBegin,
  faultEnd,
  faultTrap,
  pteAccess,
  rmapMove,
  wpBegin,
  wpCopied,
  wpCopy,
  wpEnd,
  wpReuse,
  wpTest,
  wpTested,
} from '../../events/index.ts';
import { type Kernel, MN_CLEAR, type Steps, WRITABLE } from '../kernel.ts';
import type { Mm } from '../memory.ts';
import { freeSwapCache, tryFreeSwap } from '../swap.ts';
import { swapIn } from './swapin.ts';

const NOT_TOLD = Number.NaN;
/** Contents that tasks write: so few that KSM finds equal pages. */
const CONTENTS = 64;

/** How do_wp_page decides on an anonymous page: whether it is reused. A rule other than 6.12's is a planted one. */
export type Decide = (k: Kernel, page: number) => boolean;

export function faultFlags(write: boolean): number {
  return FAULT_USER | (write ? FAULT_WRITE : 0);
}

/** What a task fills a page with. */
export function someContent(k: Kernel): number {
  return 1 + k.chance.below(CONTENTS);
}

/**
 * wp_can_reuse_anon_folio (6.12): the cheap test, a drain of this CPU's batch, the count without the swap cache, and
 * all of it again under the page lock.
 */
export function soleUser(k: Kernel, page: number): boolean {
  const { mem, tape } = k;
  if (mem.kind[page] === MAPPING_KSM || mem.ref[page]! > 3) return false;
  if (!mem.has(page, PG_LRU)) k.drain();
  if (mem.ref[page]! > 1 + (mem.has(page, PG_OWNER_PRIV_1) ? 1 : 0)) return false;
  if (!k.trylock(page)) return false;
  if (mem.slot[page]! >= 0) tryFreeSwap(k, page);
  if (mem.ref[page] !== 1) {
    k.unlock(page);
    return false;
  }
  tape.emit(rmapMove, mem.pfn(page), NOT_TOLD);
  k.unlock(page);
  return true;
}

/** The sole-user test in its bracket; do_wp_page marks the page exclusive behind it. */
export function askSoleUser(k: Kernel, page: number): boolean {
  const { mem, tape } = k;
  tape.emit(wpTest, mem.pfn(page), mem.ref[page]!, mem.mapcount(page), mem.flags[page]!);
  const ok = soleUser(k, page);
  tape.emit(wpTested, ok ? 1 : 0);
  if (ok) mem.flags[page]! |= PG_OWNER_2;
  return ok;
}

/** The rule of 6.12 for small folios: AnonExclusive settles it, else the sole user. */
export const RULE_6_12: Decide = (k, page) => k.mem.isExclusive(page) || askSoleUser(k, page);

/** wp_page_reuse, under the page-table lock. */
function reuse(k: Kernel, mm: Mm, index: number, page: number): void {
  const { mem, tape } = k;
  const va = mem.va(mm, index);
  tape.emit(wpReuse, mm.addr, va, mem.pfn(page), mem.ref[page]!, mem.mapcount(page), mem.flags[page]!);
  const pfn = mem.pfn(page);
  tape.emit(pteAccess, mm.addr, va, mem.ptep(mm, index), NOT_TOLD, NOT_TOLD, WRITABLE, pfn);
  k.writePte(mm, index, WRITABLE, page);
  mem.content[page] = someContent(k);
}

/** wp_page_copy: begins under the page-table lock with a reference on the old page, and drops both. */
function* copy(k: Kernel, mm: Mm, index: number, old: number): Steps {
  const { mem, tape } = k;
  const va = mem.va(mm, index);
  const orig = mm.bits[index]!;
  k.ref(old, 1);
  k.unlockTable();
  const pfn = mem.pfn(old);
  tape.emit(wpCopy, mm.addr, va, pfn, orig, pfn, mem.ref[old]!, mem.mapcount(old), mem.flags[old]!);
  yield;
  const page = k.allocAnon(someContent(k));
  yield;
  k.notify(mm, va, va + 4096, MN_CLEAR);
  k.lockTable();
  const same = mm.bits[index] === orig && mm.frame[index] === old;
  if (same) {
    k.clearFlush(mm, index);
    k.mapNew(page, mm, index);
    k.addToLru(page);
    k.setPte(mm, index, WRITABLE, page);
    k.unmap(old, mm, index);
  }
  k.unlockTable();
  k.notified(mm, va, va + 4096, MN_CLEAR);
  if (same) {
    // The mapping's reference, then what the fault held.
    k.ref(old, -1);
    freeSwapCache(k, old);
  } else k.put(page);
  k.put(old);
  tape.emit(wpCopied, 0);
}

/** do_wp_page on a present, read-only PTE of anonymous memory: the decision is taken under the page-table lock. */
export function* writeProtected(
  k: Kernel,
  mm: Mm,
  index: number,
  flags: number,
  decide: Decide = RULE_6_12,
): Steps {
  const { mem, tape } = k;
  const page = mm.frame[index]!;
  k.lockTable();
  tape.emit(wpBegin, mm.addr, mem.va(mm, index), flags, mm.bits[index]!, mem.pfn(page));
  if (decide(k, page)) {
    reuse(k, mm, index, page);
    k.unlockTable();
  } else yield* copy(k, mm, index, page);
  tape.emit(wpEnd, 0);
}

/** do_anonymous_page of a write: a fresh page. */
function* anonymous(k: Kernel, mm: Mm, index: number, flags: number): Steps {
  const { mem, tape } = k;
  tape.emit(anonBegin, mm.addr, mem.va(mm, index), flags);
  const page = k.allocAnon(someContent(k));
  yield;
  k.lockTable();
  k.ref(page, 0);
  k.mapNew(page, mm, index);
  k.addToLru(page);
  k.setPte(mm, index, WRITABLE, page);
  k.unlockTable();
  tape.emit(anonEnd, 0);
}

/** A task touches one of its addresses, and takes the fault that this needs, if any. */
export function* touch(k: Kernel, mm: Mm, index: number, write: boolean, decide?: Decide): Steps {
  const { mem, tape } = k;
  const bits = mm.bits[index]!;
  const present = mem.isPresent(mm, index);
  if (present && (!write || bits & PTE_WRITE)) {
    if (write) mem.content[mm.frame[index]!] = someContent(k);
    return;
  }
  if (bits === PTE_NONE && !write) return;
  const flags = faultFlags(write);
  const va = mem.va(mm, index);
  tape.emit(faultTrap, va, present ? 1 : 0, write ? 1 : 0, 1);
  tape.emit(faultBegin, mm.addr, va, flags);
  yield;
  // What others did meanwhile counts: the PTE is read here.
  if (mm.bits[index] === PTE_NONE) yield* anonymous(k, mm, index, flags);
  else if (mem.isSwap(mm, index)) yield* swapIn(k, mm, index, write, decide);
  else if (write && !(mm.bits[index]! & PTE_WRITE)) yield* writeProtected(k, mm, index, flags, decide);
  tape.emit(faultEnd, 0);
}
