import { PG_DIRTY, PG_OWNER_PRIV_1, PG_SWAPBACKED, PG_WRITEBACK } from '../core/pageflags.ts';
import {
  siGet,
  siGot,
  siRange,
  swapAdd,
  swapAddEnd,
  swapAlloc,
  swapcacheAdd,
  swapcacheDel,
  swapDup,
  swapDupEnd,
  swapEntriesFreeEnd,
  swapEntryFree,
  swapEntryFreeEnd,
  swapFree,
  swapFreeCache,
  swapFreeCacheEnd,
  swapFreeFolio,
  swapFreeFolioEnd,
  swapPutFolio,
  swapReclaim,
  swapReclaimEnd,
  swapSlotFree,
} from '../events/index.ts';
import type { Kernel } from './kernel.ts';

/** The cache bit of a map byte (SWAP_HAS_CACHE, include/linux/swap.h 6.12). */
export const HAS_CACHE = 0x40;
const NOT_TOLD = Number.NaN;

/** A slot of the device leaves the free pool; -1: none is left, or swapoff has begun. */
function allocSlot(k: Kernel): number {
  const { mem, tape } = k;
  const slot = mem.swapOn ? mem.freeSlots.pop() : undefined;
  if (slot === undefined) return -1;
  tape.emit(siRange, slot, 1, mem.inuse, 1);
  mem.inuse++;
  mem.swapCached[slot] = 1;
  tape.emit(swapAlloc, slot);
  return slot;
}

/** A slot that nobody counts and no folio is cached under goes back (swap_entry_range_free). */
export function releaseSlot(k: Kernel, slot: number): void {
  const { mem, tape } = k;
  tape.emit(swapSlotFree, slot, 1);
  tape.emit(siRange, slot, 1, mem.inuse, 0);
  mem.inuse--;
  mem.freeSlots.push(slot);
}

/** add_to_swap: a locked page gets a slot and enters the swap cache. */
export function addToSwap(k: Kernel, page: number): boolean {
  const { mem, tape } = k;
  tape.emit(swapAdd, mem.pfn(page), mem.ref[page]!);
  const slot = allocSlot(k);
  if (slot >= 0) {
    tape.emit(swapcacheAdd, mem.pfn(page), slot, NOT_TOLD);
    cache(k, page, slot);
    // Without a copy on disk it has to be written.
    mem.flags[page]! |= PG_DIRTY;
  }
  tape.emit(swapAddEnd, slot >= 0 ? 1 : 0);
  return slot >= 0;
}

/** The swap cache takes a reference; the flag of the folio is set behind it. */
export function cache(k: Kernel, page: number, slot: number): void {
  const { mem } = k;
  mem.flags[page]! |= PG_SWAPBACKED;
  k.ref(page, 1);
  mem.flags[page]! |= PG_OWNER_PRIV_1;
  mem.slot[page] = slot;
  mem.swapPage[slot] = page;
}

/** swap_duplicate: one more user of a slot. */
export function duplicate(k: Kernel, slot: number): void {
  k.tape.emit(swapDup, slot, 1, 1);
  k.mem.swapCount[slot]!++;
  k.tape.emit(swapDupEnd, NOT_TOLD, 0);
}

/** swap_free_nr: one user less. */
export function freeUser(k: Kernel, slot: number): void {
  const { mem } = k;
  k.tape.emit(swapFree, slot, 1);
  mem.swapCount[slot]!--;
  if (mem.swapCount[slot] === 0 && mem.swapCached[slot] === 0) releaseSlot(k, slot);
}

/** __delete_from_swap_cache and put_swap_folio of a locked folio; the cache's reference is the caller's to drop. */
export function uncache(k: Kernel, page: number): void {
  const { mem, tape } = k;
  const slot = mem.slot[page]!;
  tape.emit(swapcacheDel, mem.pfn(page), slot);
  mem.flags[page]! &= ~PG_OWNER_PRIV_1;
  mem.slot[page] = -1;
  mem.swapPage[slot] = -1;
  tape.emit(swapPutFolio, mem.pfn(page), slot);
  mem.swapCached[slot] = 0;
  if (mem.swapCount[slot] === 0) releaseSlot(k, slot);
}

/** delete_from_swap_cache: what leaves the cache has no copy on disk any more and is dirty. */
export function deleteFromCache(k: Kernel, page: number): void {
  uncache(k, page);
  k.ref(page, -1, false);
}

/** folio_free_swap of a locked folio: whether it left the swap cache, because nobody else needs the slot. */
export function tryFreeSwap(k: Kernel, page: number): boolean {
  const { mem, tape } = k;
  const slot = mem.slot[page]!;
  tape.emit(swapFreeFolio, mem.pfn(page), slot < 0 ? NOT_TOLD : slot, mem.ref[page]!);
  const ok = slot >= 0 && !mem.has(page, PG_WRITEBACK) && mem.swapCount[slot] === 0;
  if (ok) {
    deleteFromCache(k, page);
    mem.flags[page]! |= PG_DIRTY;
  }
  tape.emit(swapFreeFolioEnd, NOT_TOLD, ok ? 1 : 0);
  return ok;
}

/** free_swap_cache: a page that nobody maps any more gives its swap back, if its lock is free. */
export function freeSwapCache(k: Kernel, page: number): void {
  const { mem } = k;
  if (mem.slot[page]! < 0 || mem.maps[page]! > 0 || !k.trylock(page)) return;
  tryFreeSwap(k, page);
  k.unlock(page);
}

/** __try_to_reclaim_swap: a cached folio that no PTE refers to leaves the cache, if its lock is free. */
function reclaimSlot(k: Kernel, slot: number): void {
  const { mem, tape } = k;
  tape.emit(swapReclaim, slot, mem.inuse);
  const page = mem.swapPage[slot]!;
  let reclaimed = 0;
  if (page >= 0 && mem.ref[page]! > 0) {
    k.ref(page, 1);
    if (k.trylock(page)) {
      if (mem.maps[page] === 0 && !mem.has(page, PG_WRITEBACK) && mem.swapCount[slot] === 0) {
        deleteFromCache(k, page);
        mem.flags[page]! |= PG_DIRTY;
        reclaimed = 1;
      }
      k.unlock(page);
    }
    k.put(page);
  }
  tape.emit(swapReclaimEnd, reclaimed);
}

/** free_swap_and_cache_nr of one slot, under the page-table lock: the unmapping of a swap PTE. */
export function freeSwapAndCache(k: Kernel, slot: number, protect = true): void {
  const { mem, tape } = k;
  tape.emit(swapFreeCache, slot, 1);
  if (protect) {
    tape.emit(siGet, slot);
    tape.emit(siGot, NOT_TOLD, 1);
  }
  tape.emit(swapEntryFree, slot, 1, 1);
  mem.swapCount[slot]!--;
  const cached = mem.swapCached[slot] === 1;
  const left = mem.swapCount[slot]! | (cached ? HAS_CACHE : 0);
  tape.emit(swapEntryFreeEnd, left);
  tape.emit(swapEntriesFreeEnd, cached ? 1 : 0);
  if (left === 0) releaseSlot(k, slot);
  else if (left === HAS_CACHE) reclaimSlot(k, slot);
  tape.emit(swapFreeCacheEnd);
}
