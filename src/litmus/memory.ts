import { ACCESS_CPU } from '../events/access.ts';
import {
  access,
  dirtySet,
  lockRelease,
  lockTry,
  lruAdd,
  lruDrain,
  lruInsert,
  lruIsolate,
  lruPutback,
  pageAlloc,
  pageFree,
  pteClearFlush,
  pteSet,
  pteWrite,
  ptlLock,
  ptlUnlock,
  refAdd,
  refSet,
  rmapAdd,
  rmapDel,
  rmapNew,
  swapcacheDel,
  swapSlotFree,
} from '../events/index.ts';
import { flagsOf, mmOf, pfnOf, ptepOf, pteWord, sampleOf, slotOf, vaOf, wordOf } from './addresses.ts';
import { LRU_BATCH, LRU_OFF, LRU_ON, NONE, PRESENT } from './layout.ts';
import type { Machine } from './machine.ts';
import { isSharedWritable } from './predicates.ts';
import { FRESH_PAGES } from './program.ts';
import { dropCached } from './tlb.ts';

const NOT_TOLD = Number.NaN;

/** Takes or drops references: the atomic change, its event, and the free at zero. */
export function addRef(m: Machine, page: number, delta: number): void {
  const live = m.page(page, 'live') === 1;
  const count = m.add(m.at.page(page, 'ref'), delta);
  if (!live && delta > 0) m.flag('use-after-free-page');
  if (count < 0) m.flag('refcount-underflow');
  const zero = delta > 0 ? NOT_TOLD : count === 0 ? 1 : 0;
  if (m.sink !== null) m.emit(refAdd, pfnOf(page), delta, zero, NOT_TOLD, ...sampleOf(m, page));
  if (count === 0 && delta < 0 && live) freePage(m, page);
}

/** The page goes back to the allocator. */
export function freePage(m: Machine, page: number): void {
  if (m.page(page, 'map') > 0) m.flag('free-while-mapped');
  m.setPage(page, 'live', 0);
  m.setPage(page, 'lru', LRU_OFF);
  m.setPage(page, 'ae', 0);
  m.emit(pageFree, pfnOf(page), 0);
}

/** A fresh page of the thread's own, refcount 1, with this content. */
export function allocPage(m: Machine, content: number): number {
  const fresh = m.at.thread(m.self, 'fresh');
  const n = m.cells[fresh]!;
  m.cells[fresh] = n + 1;
  const page = m.program.fresh + m.self * FRESH_PAGES + (n % FRESH_PAGES);
  m.setPage(page, 'live', 1);
  m.setPage(page, 'ref', 1);
  m.setPage(page, 'map', 0);
  m.setPage(page, 'sc', 0);
  m.setPage(page, 'lock', 0);
  m.setPage(page, 'dirty', 0);
  m.setPage(page, 'content', content);
  if (m.sink !== null) {
    m.emit(refSet, pfnOf(page), 1, ...sampleOf(m, page));
    m.emit(pageAlloc, pfnOf(page), 0);
  }
  return page;
}

/** The first mapping of a new page. */
export function mapNew(m: Machine, page: number, mm: number, va: number): void {
  const ae = m.rules.exclusive ? 1 : 0;
  m.emit(rmapNew, pfnOf(page), mmOf(mm), vaOf(va), ae);
  m.setPage(page, 'map', 1);
  m.setPage(page, 'ae', ae);
  m.setPage(page, 'lru', LRU_ON);
  m.emit(lruAdd, pfnOf(page));
  m.emit(lruInsert, pfnOf(page), 0, 1, 0, ae);
}

/** A page gains a mapping. */
export function addMap(m: Machine, page: number, mm: number, va: number, exclusive: boolean): void {
  const ae = m.rules.exclusive ? (exclusive ? 1 : 0) : NOT_TOLD;
  m.emit(rmapAdd, pfnOf(page), pfnOf(page), 1, mmOf(mm), vaOf(va), 1, ae);
  m.add(m.at.page(page, 'map'), 1);
  if (exclusive && m.rules.exclusive) m.setPage(page, 'ae', 1);
}

/** A page loses a mapping. */
export function delMap(m: Machine, page: number, mm: number): void {
  if (m.sink !== null) {
    const [count, mapcount, flags] = sampleOf(m, page);
    m.emit(rmapDel, pfnOf(page), pfnOf(page), 1, mmOf(mm), mapcount, count, flags);
  }
  if (m.add(m.at.page(page, 'map'), -1) < 0) m.flag('mapcount-negative');
}

/** Writes a PTE. */
export function setPte(
  m: Machine,
  mm: number,
  va: number,
  to: { readonly kind: number; readonly frame?: number; readonly write?: number; readonly excl?: number },
): void {
  const { kind, frame = 0, write = 0, excl = 0 } = to;
  if (m.sink !== null) {
    const old = pteWord(m, mm, va);
    const value = wordOf(kind, frame, write, excl);
    m.emit(pteWrite, mmOf(mm), vaOf(va), ...old, ...value);
    m.emit(pteSet, mmOf(mm), ptepOf(mm, va), ...old, ...value, 1);
  }
  m.set(m.at.pte(mm, va, 'kind'), kind);
  m.set(m.at.pte(mm, va, 'frame'), frame);
  m.set(m.at.pte(mm, va, 'write'), write);
  m.set(m.at.pte(mm, va, 'excl'), excl);
}

/** Whether the page-table lock is free. */
export function ptlFree(m: Machine, mm: number): boolean {
  return m.get(m.at.mm(mm, 'ptl')) === 0;
}

export function lockPtl(m: Machine, mm: number, va: number): void {
  m.set(m.at.mm(mm, 'ptl'), m.self + 1);
  m.emit(ptlLock, mmOf(mm), vaOf(va));
}

/** Drops the page-table lock of an address; what the section left behind is looked at. */
export function unlockPtl(m: Machine, mm: number, va: number): void {
  m.emit(ptlUnlock, mmOf(mm), vaOf(va));
  m.set(m.at.mm(mm, 'ptl'), 0);
  leaveRcu(m);
  if (m.pte(mm, va, 'kind') === PRESENT && isSharedWritable(m, m.pte(mm, va, 'frame')))
    m.flag('writable-pte-shared-anon');
}

/** A held spinlock is an RCU read-side section: a grace period that began during it ends with it. */
function leaveRcu(m: Machine): void {
  const grace = m.at.si('grace');
  const bit = 1 << m.self;
  if (m.get(grace) & bit) m.set(grace, m.get(grace) & ~bit);
}

/** folio_trylock. */
export function trylock(m: Machine, page: number): boolean {
  const free = m.page(page, 'lock') === 0;
  if (free) m.setPage(page, 'lock', m.self + 1);
  m.emit(lockTry, pfnOf(page), free ? 1 : 0);
  return free;
}

export function unlockPage(m: Machine, page: number): void {
  if (m.page(page, 'lock') === 0) m.flag('page-unlock-not-locked');
  if (m.sink !== null) m.emit(lockRelease, pfnOf(page), m.cells[m.at.page(page, 'ref')]!, flagsOf(m, page));
  m.setPage(page, 'lock', 0);
}

/** Takes a page off its LRU list; false if it is on none. */
export function isolate(m: Machine, page: number): boolean {
  const on = m.page(page, 'lru') === LRU_ON;
  m.emit(lruIsolate, pfnOf(page), on ? 1 : 0);
  if (!on) return false;
  m.setPage(page, 'lru', LRU_OFF);
  m.setPage(page, 'iso', m.self + 1);
  addRef(m, page, 1);
  return true;
}

/** Puts an isolated page back on its list. */
export function putback(m: Machine, page: number): void {
  m.setPage(page, 'lru', LRU_ON);
  m.setPage(page, 'iso', 0);
  m.emit(lruPutback, pfnOf(page));
  addRef(m, page, -1);
}

/** Drains this CPU's LRU batches as far as this page is in them. */
export function drain(m: Machine, page: number): void {
  m.emit(lruDrain);
  if (m.page(page, 'lru') !== LRU_BATCH + m.thread.cpu) return;
  m.setPage(page, 'lru', LRU_ON);
  if (m.sink !== null) m.emit(lruInsert, pfnOf(page), 0, 1, m.cells[m.at.page(page, 'sc')]! ? 1 : 0);
  addRef(m, page, -1);
}

/** Takes a page out of the swap cache; a slot that nobody counts is given back. */
export function uncache(m: Machine, page: number): void {
  const slot = m.page(page, 'sc') - 1;
  m.emit(swapcacheDel, pfnOf(page), slotOf(slot));
  m.setPage(page, 'sc', 0);
  m.set(m.at.slot(slot, 'page'), 0);
  if (m.slot(slot, 'count') === 0) freeSlot(m, slot);
  addRef(m, page, -1);
}

/** A locked page leaves the swap cache and is unlocked; whoever removes it has a reference of its own meanwhile. */
export function removeLocked(
  m: Machine,
  page: number,
  remove: (m: Machine, page: number) => void = uncache,
): void {
  addRef(m, page, 1);
  remove(m, page);
  unlockPage(m, page);
  addRef(m, page, -1);
}

/** A page becomes the only copy of its content. */
export function setDirty(m: Machine, page: number): void {
  m.setPage(page, 'dirty', 1);
  m.emit(dirtySet, pfnOf(page));
}

/** A slot with no user and no cached page leaves the device's count. */
export function freeSlot(m: Machine, slot: number): void {
  m.emit(swapSlotFree, slotOf(slot), 1);
  m.add(m.at.si('inuse'), -1);
}

/** A CPU stores through a writable PTE. */
export function store(m: Machine, mm: number, va: number, value: number): void {
  const page = m.pte(mm, va, 'frame');
  m.setPage(page, 'content', value);
  m.setPage(page, 'dirty', 1);
  m.set(m.at.pte(mm, va, 'value'), value);
  m.emit(access, ACCESS_CPU, mmOf(mm), vaOf(va), pfnOf(page), 1, value);
}

/** A PTE is cleared and its translation flushed; `kind` is what others find meanwhile. */
export function clearFlush(m: Machine, mm: number, va: number, kind: number): void {
  if (m.sink !== null) {
    const old = pteWord(m, mm, va);
    m.emit(pteWrite, mmOf(mm), vaOf(va), ...old, 0, 0);
    m.emit(pteClearFlush, mmOf(mm), vaOf(va), ptepOf(mm, va), ...old);
  }
  dropCached(m, mm, va);
  m.set(m.at.pte(mm, va, 'kind'), kind);
}

/** A read-only PTE becomes writable, or a writable one read-only, in place. */
export function setWrite(m: Machine, mm: number, va: number, write: number): void {
  if (m.sink !== null) {
    const { frame, armed } = {
      frame: m.cells[m.at.pte(mm, va, 'frame')]!,
      armed: m.cells[m.at.pte(mm, va, 'armed')]!,
    };
    const value = wordOf(PRESENT, frame, write, 0, armed);
    m.emit(pteWrite, mmOf(mm), vaOf(va), ...pteWord(m, mm, va), ...value);
  }
  m.set(m.at.pte(mm, va, 'write'), write);
}

/** Whether a store through the PTE would need no fault. */
export function isWritable(m: Machine, mm: number, va: number): boolean {
  return m.get(m.at.mm(mm, 'pmd')) === 1 && m.pte(mm, va, 'kind') === PRESENT && m.pte(mm, va, 'write') === 1;
}

/** An empty PTE. */
export const EMPTY = { kind: NONE } as const;
