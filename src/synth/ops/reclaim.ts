import { PG_DIRTY, PG_LOCKED, PG_OWNER_2, PG_OWNER_PRIV_1, PG_WRITEBACK } from '../../core/pageflags.ts';
import { PTE_DIRTY, PTE_EXCLUSIVE, PTE_SOFT_DIRTY, PTE_SWAP } from '../../core/pte.ts';
import { MAPPING_ANON } from '../../events/flags.ts';
import {
  pageout,
  pageoutEnd,
  reclaimBegin,
  reclaimEnd,
  reclaimPages,
  reclaimWrite,
  refFreeze,
  removeMapping,
  removeMappingEnd,
  swapWrite,
  unmapBegin,
  unmapEnd,
} from '../../events/index.ts';
import { RECLAIM_LIST } from '../../events/reclaim.ts';
import { type Kernel, MN_CLEAR, type Steps } from '../kernel.ts';
import { LRU_ON, type Mapper } from '../memory.ts';
import { addToSwap, duplicate, freeUser, tryFreeSwap, uncache } from '../swap.ts';

const NOT_TOLD = Number.NaN;
/** Returns of pageout (mm/vmscan.c, pageout_t). */
const PAGE_KEEP = 0;
const PAGE_SUCCESS = 2;

/** try_to_unmap_one of a page in the swap cache: whether the mapping is gone. */
function unmapOne(k: Kernel, page: number, { mm, index }: Mapper): boolean {
  const { mem, tape } = k;
  const va = mem.va(mm, index);
  const slot = mem.slot[page]!;
  tape.emit(unmapBegin, mem.pfn(page), mm.addr, va, mem.ref[page]!, mem.mapcount(page));
  k.notify(mm, va, va + 4096, MN_CLEAR);
  k.lockTable();
  const was = mm.bits[index]!;
  k.clearFlush(mm, index);
  if (was & PTE_DIRTY) mem.flags[page]! |= PG_DIRTY;
  duplicate(k, slot);
  const exclusive = mem.isExclusive(page);
  const pinned = exclusive && k.maybePinned(page);
  if (pinned) {
    freeUser(k, slot);
    k.setPte(mm, index, was, page);
  } else {
    mem.flags[page]! &= ~PG_OWNER_2;
    k.setPte(mm, index, PTE_SWAP | PTE_SOFT_DIRTY | (exclusive ? PTE_EXCLUSIVE : 0), slot);
    k.unmap(page, mm, index);
  }
  k.unlockTable();
  k.notified(mm, va, va + 4096, MN_CLEAR);
  if (!pinned) k.ref(page, -1);
  tape.emit(unmapEnd, pinned ? 0 : 1);
  return !pinned;
}

/** pageout and swap_writepage of a locked, dirty page: whether it was written, and so unlocked. */
function writeOut(k: Kernel, page: number): boolean {
  const { mem, tape } = k;
  tape.emit(pageout, mem.pfn(page), mem.ref[page]!);
  // is_page_cache_freeable: the isolation and the cache, and nobody else.
  if (mem.ref[page] !== 2) {
    tape.emit(pageoutEnd, PAGE_KEEP);
    return false;
  }
  mem.flags[page]! &= ~PG_DIRTY;
  tape.emit(swapWrite, mem.pfn(page), NOT_TOLD);
  if (!tryFreeSwap(k, page)) k.startIo(page);
  k.unlock(page);
  tape.emit(reclaimWrite, mem.pfn(page));
  tape.emit(pageoutEnd, PAGE_SUCCESS);
  return true;
}

/** __remove_mapping of a locked page: whether its count could be frozen at the isolation's and the cache's. */
function remove(k: Kernel, page: number): boolean {
  const { mem, tape } = k;
  const pfn = mem.pfn(page);
  tape.emit(removeMapping, pfn, mem.ref[page]!);
  const ok = mem.ref[page] === 2;
  if (ok) mem.ref[page] = 0;
  tape.emit(
    refFreeze,
    pfn,
    2,
    ok ? 1 : 0,
    mem.ref[page]!,
    mem.mapcount(page),
    mem.flags[page]!,
    mem.kind[page]!,
  );
  if (ok) uncache(k, page);
  tape.emit(removeMappingEnd, pfn, ok ? 1 : 0);
  return ok;
}

/** One turn of shrink_folio_list on a page whose lock it holds: whether the page is free to go. */
function* shrink(k: Kernel, page: number): Steps<boolean> {
  const { mem } = k;
  if (mem.has(page, PG_WRITEBACK)) {
    k.unlock(page);
    return false;
  }
  if (!mem.has(page, PG_OWNER_PRIV_1) && (k.maybePinned(page) || !addToSwap(k, page))) {
    k.unlock(page);
    return false;
  }
  for (const mapper of [...mem.mappers[page]!]) unmapOne(k, page, mapper);
  yield;
  if (mem.maps[page]! > 0 || k.maybePinned(page)) {
    k.unlock(page);
    return false;
  }
  if (mem.has(page, PG_DIRTY)) {
    if (!writeOut(k, page)) k.unlock(page);
    return false;
  }
  if (!remove(k, page)) {
    k.unlock(page);
    return false;
  }
  k.unlock(page);
  return true;
}

/** Whether reclaim may begin with a page: anonymous, small, on its list. */
export function isReclaimable(k: Kernel, page: number): boolean {
  const { mem } = k;
  return mem.kind[page] === MAPPING_ANON && mem.lru[page] === LRU_ON && !mem.has(page, PG_LOCKED);
}

/** reclaim_pages, as MADV_PAGEOUT comes to it: isolates pages and shrinks them. */
export function* reclaim(k: Kernel, candidates: readonly number[]): Steps {
  const { mem, tape } = k;
  const isolated = candidates.filter((page) => mem.kind[page] === MAPPING_ANON && k.isolate(page));
  tape.emit(reclaimPages);
  if (isolated.length === 0) return;
  tape.emit(reclaimBegin, RECLAIM_LIST);
  const gone: number[] = [];
  const kept: number[] = [];
  for (const page of isolated) {
    yield;
    if (!k.trylock(page)) {
      kept.push(page);
      continue;
    }
    yield;
    if (yield* shrink(k, page)) gone.push(page);
    else kept.push(page);
  }
  k.freeAll(gone);
  tape.emit(reclaimEnd, RECLAIM_LIST);
  for (const page of kept) k.putback(page);
}
