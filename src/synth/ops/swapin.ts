import { PG_LOCKED, PG_LRU, PG_SWAPBACKED, PG_UPTODATE } from '../../core/pageflags.ts';
import { PTE_DIRTY, PTE_EXCLUSIVE, PTE_WRITE } from '../../core/pte.ts';
import { MAPPING_NONE } from '../../events/flags.ts';
import {
  ksmMightCopy,
  lockWait,
  siGet,
  siGot,
  swapcacheAdd,
  swapcacheFound,
  swapDup,
  swapDupEnd,
  swapinBegin,
  swapinEnd,
  swapPrepare,
  swapPrepareEnd,
  swapRead,
  swapReadAsync,
  swapReadAsyncEnd,
} from '../../events/index.ts';
import { type Kernel, READ_ONLY, type Steps } from '../kernel.ts';
import type { Mm } from '../memory.ts';
import { cache, freeUser, HAS_CACHE, tryFreeSwap } from '../swap.ts';
import { type Decide, faultFlags, writeProtected } from './fault.ts';

const NOT_TOLD = Number.NaN;

/** A lookup in the swap cache: the page with a reference, -1 none. */
function lookup(k: Kernel, slot: number): number {
  const page = k.mem.swapPage[slot]!;
  // A page that reclaim has frozen is as good as gone.
  if (page < 0 || k.mem.ref[page] === 0) return -1;
  k.ref(page, 1);
  return page;
}

/** swap_cache_get_folio: the page with a reference, -1 none. */
export function getFromCache(k: Kernel, slot: number): number {
  const page = lookup(k, slot);
  k.tape.emit(swapcacheFound, page < 0 ? NOT_TOLD : k.mem.pfn(page));
  return page;
}

/**
 * __read_swap_cache_async and the read itself: the page with a reference. The read of a device like zram is done when
 * swap_read_folio returns.
 */
export function* readIn(k: Kernel, slot: number): Steps<number> {
  const { mem, tape } = k;
  tape.emit(swapReadAsync, slot);
  tape.emit(siGet, slot);
  tape.emit(siGot, NOT_TOLD, 1);
  const found = lookup(k, slot);
  if (found >= 0) {
    tape.emit(swapReadAsyncEnd, mem.pfn(found));
    return found;
  }
  const page = k.alloc();
  tape.emit(swapPrepare, slot);
  tape.emit(swapDup, slot, HAS_CACHE, 1);
  mem.swapCached[slot] = 1;
  tape.emit(swapDupEnd, NOT_TOLD, 0);
  tape.emit(swapPrepareEnd, 0);
  k.trylock(page);
  mem.flags[page]! |= PG_SWAPBACKED;
  tape.emit(swapcacheAdd, mem.pfn(page), slot, NOT_TOLD);
  cache(k, page, slot);
  k.addToLru(page);
  tape.emit(swapReadAsyncEnd, mem.pfn(page));
  tape.emit(swapRead, mem.pfn(page), slot);
  yield;
  mem.flags[page]! |= PG_UPTODATE;
  mem.content[page] = -1 - slot;
  k.unlock(page);
  return page;
}

/** Waits until the page lock is ours; whoever finds it taken says so. */
function* lockFound(k: Kernel, page: number, va: number): Steps {
  if (k.mem.has(page, PG_LOCKED)) k.tape.emit(lockWait, k.mem.pfn(page), va);
  yield* k.lock(page);
}

/**
 * do_swap_page (6.12). The slot loses its user before the page gains the mapping; a page that is exclusive by its PTE,
 * or that nobody else holds, is mapped writable where the PTE may be.
 */
export function* swapIn(k: Kernel, mm: Mm, index: number, write: boolean, decide?: Decide): Steps {
  const { mem, tape } = k;
  const va = mem.va(mm, index);
  const flags = faultFlags(write);
  const orig = mm.bits[index]!;
  const slot = mm.frame[index]!;
  tape.emit(swapinBegin, mm.addr, va, flags, orig, slot);
  tape.emit(siGet, slot);
  tape.emit(siGot, NOT_TOLD, 1);
  let page = getFromCache(k, slot);
  if (page < 0) page = yield* readIn(k, slot);
  yield* lockFound(k, page, va);
  const unchanged = mm.bits[index] === orig && mm.frame[index] === slot && mem.slot[page] === slot;
  if (!unchanged) {
    k.unlock(page);
    k.put(page);
    tape.emit(swapinEnd, 0);
    return;
  }
  tape.emit(ksmMightCopy, mem.pfn(page), va);
  if (write && !mem.has(page, PG_LRU)) k.drain();
  k.lockTable();
  const nested = mapIn(k, mm, index, page, write);
  k.unlockTable();
  k.unlock(page);
  if (nested) yield* writeProtected(k, mm, index, flags, decide);
  tape.emit(swapinEnd, 0);
}

/** The part of do_swap_page under the page-table lock: whether the write is still to be decided by do_wp_page. */
function mapIn(k: Kernel, mm: Mm, index: number, page: number, write: boolean): boolean {
  const { mem } = k;
  const slot = mm.frame[index]!;
  const marked = (mm.bits[index]! & PTE_EXCLUSIVE) !== 0;
  freeUser(k, slot);
  // should_try_to_free_swap: a write, and nobody but us and the cache.
  if (write && mem.ref[page] === 2) tryFreeSwap(k, page);
  const exclusive = marked || mem.ref[page] === 1;
  let bits = READ_ONLY;
  if (exclusive) bits |= PTE_WRITE | (write ? PTE_DIRTY : 0);
  k.ref(page, 0, false);
  if (mem.kind[page] === MAPPING_NONE) k.mapNew(page, mm, index, exclusive);
  else k.mapAnon(page, mm, index, exclusive);
  k.setPte(mm, index, bits, page);
  return write && !exclusive;
}
