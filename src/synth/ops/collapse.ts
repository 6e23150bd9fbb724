import { PG_HEAD, PG_LRU, PG_UPTODATE } from '../../core/pageflags.ts';
import {
  PTE_DIRTY,
  PTE_HUGE,
  PTE_NONE,
  PTE_PRESENT,
  PTE_USER,
  PTE_WRITE,
  PTE_YOUNG,
} from '../../core/pte.ts';
import { MAPPING_ANON } from '../../events/flags.ts';
import {
  collapseBegin,
  collapseCopied,
  collapseEnd,
  collapseIsolate,
  collapseIsolateEnd,
  collapseScan,
  collapseScanEnd,
  pageAlloc,
  pageFree,
  pmdClear,
  pmdSet,
  pteClear,
  refAdd,
  refSet,
  rmapDelPmd,
  rmapNew,
  sysEnter,
  sysExit,
} from '../../events/index.ts';
import { type Kernel, WRITABLE } from '../kernel.ts';
import { LRU_ISOLATED, LRU_ON, type Mm, TABLE_PTES } from '../memory.ts';
import { CALL } from './unmap.ts';

const NOT_TOLD = Number.NaN;
const MADV_COLLAPSE = 25;
const MADV_DONTNEED = 4;
const HUGE_ORDER = 9;
const HUGE_BYTES = TABLE_PTES * 4096;
/** enum scan_result, include/linux/khugepaged: SCAN_SUCCEED, SCAN_PAGE_COUNT. */
const SCAN_SUCCEED = 1;
const SCAN_PAGE_COUNT = 15;
const EAGAIN = 11;
/** pfns of huge pages lie above those of the small ones, aligned. */
const FIRST_HUGE_PFN = 0x800000;
const PMD_OFFSET = 0xae8;
/** The word of a PMD that points to a table. */
const PMD_TABLE = PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_YOUNG | PTE_DIRTY;

/** is_refcount_suitable of a small page: the mappings and the swap cache hold it, and nobody else. */
function suitable(k: Kernel, page: number): boolean {
  const { mem } = k;
  return mem.ref[page] === mem.maps[page]! + (mem.slot[page]! >= 0 ? 1 : 0);
}

/** Indices of a table that has something to collapse, and nothing that stands against it but references. */
export function collapsible(k: Kernel, mm: Mm): number[] | null {
  const { mem } = k;
  const found: number[] = [];
  for (let index = 0; index < TABLE_PTES; index++) {
    if (mm.bits[index] === PTE_NONE) continue;
    const page = mm.frame[index]!;
    if (!mem.isPresent(mm, index) || mem.kind[page] !== MAPPING_ANON || mem.maps[page] !== 1) return null;
    if (mem.lru[page] !== LRU_ON || mem.slot[page]! >= 0 || !mem.isExclusive(page)) return null;
    found.push(index);
  }
  return found.length > 0 ? found : null;
}

/**
 * MADV_COLLAPSE of a task on its table, given the PTEs that map something; nobody else runs meanwhile. `careless`
 * does not look at the references of the pages: a planted fault. The pfn of the huge page, -1 where it was given up.
 */
export function collapse(k: Kernel, mm: Mm, indices: readonly number[], careless = false): number {
  const { mem, tape } = k;
  const va = mem.va(mm, 0);
  const pages = indices.map((index) => mm.frame[index]!);
  tape.emit(sysEnter, CALL.madvise, va, HUGE_BYTES, MADV_COLLAPSE);
  tape.emit(collapseScan, mm.addr, va);
  if (!careless && !pages.every((page) => suitable(k, page))) {
    tape.emit(collapseScanEnd, SCAN_PAGE_COUNT);
    tape.emit(sysExit, CALL.madvise, -EAGAIN);
    return -1;
  }
  const huge = FIRST_HUGE_PFN + (tape.count % 4096) * TABLE_PTES;
  tape.emit(refSet, huge, 1, 1, -1, 0, 0);
  tape.emit(pageAlloc, huge, HUGE_ORDER);
  tape.emit(collapseBegin, mm.addr, va);
  const table = mem.pfn(mm.tablePage);
  tape.emit(pmdClear, mm.addr, PMD_TABLE, table);
  // With the PMD every translation of the table goes, before the flush; the PTEs themselves are cleared later.
  for (const index of indices) k.tellPte(mm, index, PTE_NONE, 0);
  k.flush(mm, va, va + HUGE_BYTES);
  tape.emit(collapseIsolate, mm.addr, va);
  k.lockTable();
  for (const page of pages) {
    k.trylock(page);
    mem.flags[page]! &= ~PG_LRU;
    mem.lru[page] = LRU_ISOLATED;
    k.ref(page, 1);
  }
  k.unlockTable();
  tape.emit(collapseIsolateEnd, 1);
  tape.emit(collapseCopied, mm.addr, va);
  for (const [i, page] of pages.entries()) release(k, mm, indices[i]!, page);
  install(k, mm, huge);
  tape.emit(collapseEnd, SCAN_SUCCEED);
  tape.emit(collapseScanEnd, SCAN_SUCCEED);
  tape.emit(sysExit, CALL.madvise, 0);
  return huge;
}

/** __collapse_huge_page_copy_succeeded: a small page that was copied goes. */
function release(k: Kernel, mm: Mm, index: number, page: number): void {
  k.unlock(page);
  k.putback(page);
  k.lockTable();
  k.tape.emit(pteClear, mm.addr, mm.bits[index]!, k.mem.pfn(page));
  k.mem.writePte(mm, index, PTE_NONE, 0);
  k.unmap(page, mm, index);
  k.unlockTable();
  k.put(page);
}

/** The huge page is mapped, and the table is kept for later. */
function install(k: Kernel, mm: Mm, huge: number): void {
  const { mem, tape } = k;
  tape.emit(rmapNew, huge, mm.addr, mem.va(mm, 0), 1);
  tape.emit(pmdSet, mm.addr, mm.table + PMD_OFFSET, WRITABLE | PTE_HUGE, huge);
}

/** MADV_DONTNEED of a task on its huge page, which nobody else maps. */
export function discardHuge(k: Kernel, mm: Mm, huge: number): void {
  const { mem, tape } = k;
  const va = mem.va(mm, 0);
  tape.emit(sysEnter, CALL.madvise, va, HUGE_BYTES, MADV_DONTNEED);
  tape.emit(pmdClear, mm.addr, WRITABLE | PTE_HUGE, huge);
  tape.emit(rmapDelPmd, huge, mm.addr);
  k.flush(mm, va, va + HUGE_BYTES);
  tape.emit(refAdd, huge, -1, 1, NOT_TOLD, 0, -1, PG_UPTODATE | PG_HEAD, MAPPING_ANON);
  tape.emit(pageFree, huge, HUGE_ORDER);
  tape.emit(sysExit, CALL.madvise, 0);
}
