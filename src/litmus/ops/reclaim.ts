import {
  reclaimBegin,
  reclaimEnd,
  refFreeze,
  removeMapping,
  removeMappingEnd,
  swapAlloc,
  swapcacheAdd,
  swapDup,
  swapWrite,
  unmapBegin,
  unmapEnd,
} from '../../events/index.ts';
import { RECLAIM_KSWAPD } from '../../events/reclaim.ts';
import { mmOf, pfnOf, sampleOf, slotOf, vaOf } from '../addresses.ts';
import { LRU_OFF, PRESENT, SWAPPED, UNMAPPING } from '../layout.ts';
import type { Machine } from '../machine.ts';
import {
  addRef,
  clearFlush,
  delMap,
  freePage,
  isolate,
  lockPtl,
  ptlFree,
  putback,
  removeLocked,
  setPte,
  trylock,
  unlockPage,
  unlockPtl,
} from '../memory.ts';
import { invalidatePage, rangeEnd, rangeStart } from '../notify.ts';
import { op, type Phase } from '../op.ts';

const page = (m: Machine): number => m.args[0]!;
const P = (m: Machine): string => m.program.pages[page(m)]!;

/** Puts an isolated page back, and leaves reclaim. */
export const putBack: Phase = {
  text: (m) => `puts ${P(m)} back`,
  run(m) {
    putback(m, page(m));
    m.emit(reclaimEnd, RECLAIM_KSWAPD);
    return null;
  },
};

export const look = op(
  'look',
  ['page'],
  'reclaim isolates a page, tries its lock, finds it referenced, puts it back',
  {
    isolate: {
      text: (m) => `isolates ${P(m)} from the LRU`,
      run(m) {
        m.emit(reclaimBegin, RECLAIM_KSWAPD);
        if (isolate(m, page(m))) return 'trylock';
        m.emit(reclaimEnd, RECLAIM_KSWAPD);
        return null;
      },
    },
    trylock: {
      text: (m) => `tries the lock of ${P(m)}`,
      run: (m) => (trylock(m, page(m)) ? 'unlock' : 'putback'),
    },
    unlock: {
      text: (m) => `unlocks ${P(m)}`,
      run(m) {
        unlockPage(m, page(m));
        return 'putback';
      },
    },
    putback: putBack,
  },
);

/** Reclaim takes the page of the first argument: off its list, then its lock; `putback` follows where that is held. */
export function taken(next: string): Readonly<Record<'isolate' | 'lock', Phase>> {
  return {
    isolate: {
      text: (m) => `isolates ${P(m)}`,
      run(m) {
        m.emit(reclaimBegin, RECLAIM_KSWAPD);
        if (isolate(m, page(m))) return 'lock';
        m.emit(reclaimEnd, RECLAIM_KSWAPD);
        return null;
      },
    },
    lock: {
      text: (m) => `tries the lock of ${P(m)}`,
      run: (m) => (trylock(m, page(m)) ? next : 'putback'),
    },
  };
}

/** try_to_unmap_one begins, with the PTL taken; a writable PTE leaves the page dirty. */
export function beginUnmap(m: Machine, p: number, mm: number, va: number): void {
  lockPtl(m, mm, va);
  if (m.sink !== null) {
    const [count, mapcount] = sampleOf(m, p);
    m.emit(unmapBegin, pfnOf(p), mmOf(mm), vaOf(va), count, mapcount);
  }
  if (m.pte(mm, va, 'write') === 1) m.setPage(p, 'dirty', 1);
}

/** The cached page of the first argument has one more user of its slot. */
export function duplicate(m: Machine): void {
  const slot = m.page(page(m), 'sc') - 1;
  m.emit(swapDup, slotOf(slot), 1, 1);
  m.add(m.at.slot(slot, 'count'), 1);
}

/** Args: page, mm, va. The page is in the swap cache. */
export const unmap = op(
  'unmap',
  ['page', 'mm', 'va'],
  'reclaim replaces a mapping of a cached page by its swap entry',
  {
    ...taken('clear'),
    clear: {
      text: (m) => `PTL, clears the PTE of ${P(m)}`,
      ready: (m) => ptlFree(m, m.args[1]!),
      run(m) {
        const [p, mm, va] = [m.args[0]!, m.args[1]!, m.args[2]!];
        const isMapped = m.pte(mm, va, 'kind') === PRESENT && m.pte(mm, va, 'frame') === p;
        if (!isMapped || m.page(p, 'sc') === 0) return 'unlock';
        m.setReg(1, rangeStart(m, mm, va) ? 1 : 0);
        beginUnmap(m, p, mm, va);
        m.setReg(0, m.page(p, 'ae'));
        clearFlush(m, mm, va, UNMAPPING);
        invalidatePage(m, mm, va);
        return 'first';
      },
    },
    first: {
      text: (m) => (m.rules.is('unmap-order', 'rmap-first') ? 'drops the mapping (rmap)' : 'swap_duplicate'),
      run(m) {
        if (m.rules.is('unmap-order', 'rmap-first')) delMap(m, page(m), m.args[1]!);
        else duplicate(m);
        return 'second';
      },
    },
    second: {
      text: (m) => (m.rules.is('unmap-order', 'rmap-first') ? 'swap_duplicate' : 'drops the mapping (rmap)'),
      run(m) {
        if (m.rules.is('unmap-order', 'rmap-first')) duplicate(m);
        else delMap(m, page(m), m.args[1]!);
        return 'entry';
      },
    },
    entry: {
      text: (m) => `PTE -> swap entry of ${P(m)}, PTL dropped`,
      run(m) {
        const [p, mm, va] = [m.args[0]!, m.args[1]!, m.args[2]!];
        setPte(m, mm, va, { kind: SWAPPED, frame: m.page(p, 'sc') - 1, excl: m.reg(0) });
        m.setPage(p, 'ae', 0);
        unlockPtl(m, mm, va);
        if (m.reg(1) === 1) rangeEnd(m, mm, va);
        addRef(m, p, -1);
        m.emit(unmapEnd, 1);
        return 'unlock';
      },
    },
    unlock: {
      text: (m) => `unlocks ${P(m)}`,
      run(m) {
        unlockPage(m, page(m));
        return 'putback';
      },
    },
    putback: putBack,
  },
);

/** Reclaim frees a page of the swap cache that nobody maps. A page that is not dirty is not written again. */
export const dropCache = op('drop-cache', ['page'], 'reclaim drops an unmapped page from the swap cache', {
  lock: {
    text: (m) => `tries the lock of ${P(m)}`,
    run(m) {
      m.emit(reclaimBegin, RECLAIM_KSWAPD);
      if (trylock(m, page(m))) return 'freeze';
      m.emit(reclaimEnd, RECLAIM_KSWAPD);
      return null;
    },
  },
  freeze: {
    text: (m) => `freezes and removes ${P(m)}`,
    run(m) {
      const p = page(m);
      const free = m.page(p, 'sc') !== 0 && m.page(p, 'map') === 0 && m.page(p, 'ref') === 1;
      if (free) {
        const slot = m.page(p, 'sc') - 1;
        if (m.sink !== null) m.emit(removeMapping, pfnOf(p), 1);
        if (m.page(p, 'dirty') === 1) {
          m.emit(swapWrite, pfnOf(p), slotOf(slot));
          m.set(m.at.slot(slot, 'content'), m.page(p, 'content'));
          m.setPage(p, 'dirty', 0);
        }
        if (m.slot(slot, 'count') > 0 && m.slot(slot, 'content') !== m.page(p, 'content'))
          m.flag('anon-page-discarded-unsaved');
        m.setPage(p, 'lru', LRU_OFF);
        removeLocked(m, p);
      } else {
        if (m.sink !== null) m.emit(refFreeze, pfnOf(p), 2, 0, ...sampleOf(m, p));
        unlockPage(m, p);
      }
      m.emit(removeMappingEnd, pfnOf(p), 0);
      m.emit(reclaimEnd, RECLAIM_KSWAPD);
      return null;
    },
  },
});

/** Args: mm, va, slot. Writes a page to a slot and lets go of it; a clean page is dropped unwritten. */
export const swapout = op(
  'swapout',
  ['mm', 'va', 'slot'],
  'reclaim writes the page of an address to a slot and frees it',
  {
    entry: {
      text: (m) => `swaps ${m.program.vas[m.args[1]!]} out to ${m.program.slots[m.args[2]!]}`,
      ready: (m) => ptlFree(m, m.args[0]!),
      run(m) {
        const [mm, va, slot] = [m.args[0]!, m.args[1]!, m.args[2]!];
        if (m.pte(mm, va, 'kind') !== PRESENT) return null;
        const p = m.pte(mm, va, 'frame');
        const isFree =
          m.slot(slot, 'count') === 0 && m.slot(slot, 'held') === 0 && m.slot(slot, 'page') === 0;
        if (!isFree || m.page(p, 'lock') !== 0 || m.page(p, 'sc') !== 0) return null;
        m.emit(reclaimBegin, RECLAIM_KSWAPD);
        trylock(m, p);
        m.emit(swapAlloc, slotOf(slot), 1);
        m.emit(swapcacheAdd, pfnOf(p), slotOf(slot), 1);
        if (m.sink !== null) {
          const [count, mapcount] = sampleOf(m, p);
          m.emit(unmapBegin, pfnOf(p), mmOf(mm), vaOf(va), count, mapcount);
        }
        const isRanged = rangeStart(m, mm, va);
        lockPtl(m, mm, va);
        clearFlush(m, mm, va, UNMAPPING);
        invalidatePage(m, mm, va);
        m.add(m.at.si('inuse'), 1);
        m.setPage(p, 'sc', slot + 1);
        m.set(m.at.slot(slot, 'page'), p + 1);
        addRef(m, p, 1);
        m.emit(swapDup, slotOf(slot), 1, 1);
        m.set(m.at.slot(slot, 'count'), 1);
        delMap(m, p, mm);
        setPte(m, mm, va, { kind: SWAPPED, frame: slot, excl: m.page(p, 'ae') });
        m.setPage(p, 'ae', 0);
        unlockPtl(m, mm, va);
        if (isRanged) rangeEnd(m, mm, va);
        addRef(m, p, -1);
        m.emit(unmapEnd, 1);
        m.emit(swapWrite, pfnOf(p), slotOf(slot));
        m.set(m.at.slot(slot, 'content'), m.page(p, 'content'));
        m.setReg(0, p);
        return 'free';
      },
    },
    free: {
      text: () => 'removes the page from the swap cache',
      run(m) {
        const p = m.reg(0);
        if (m.page(p, 'sc') !== 0 && m.page(p, 'map') === 0 && m.page(p, 'ref') === 1) removeLocked(m, p);
        else unlockPage(m, p);
        m.emit(reclaimEnd, RECLAIM_KSWAPD);
        return null;
      },
    },
  },
);

/** An error path that forgets who holds what: frees a page without a look at its references. */
export const forceFree = op('force-free', ['page'], 'gives a page back to the allocator, whoever holds it', {
  free: {
    text: (m) => `frees ${P(m)}`,
    run(m) {
      if (m.page(page(m), 'live') === 0) m.flag('double-free-page');
      freePage(m, page(m));
      m.setPage(page(m), 'ref', 0);
      return null;
    },
  },
});
