import {
  pteWrite,
  reclaimBegin,
  reclaimEnd,
  removeMapping,
  removeMappingEnd,
  swapDup,
  swapWrite,
  unmapBegin,
  unmapEnd,
} from '../../events/index.ts';
import { RECLAIM_KSWAPD } from '../../events/reclaim.ts';
import { mmOf, pfnOf, pteWord, sampleOf, slotOf, vaOf } from '../addresses.ts';
import { LRU_OFF, PRESENT, SWAPPED, UNMAPPING } from '../layout.ts';
import type { Machine } from '../machine.ts';
import {
  addRef,
  clearFlush,
  delMap,
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
import { op } from '../op.ts';
import { deferFlush, defersFlush, flushTlb } from '../tlb.ts';

const page = (m: Machine): number => m.args[0]!;
const mmArg = (m: Machine): number => m.args[1]!;
const vaArg = (m: Machine): number => m.args[2]!;
const P = (m: Machine): string => m.program.pages[page(m)]!;

/** The page leaves the swap cache and goes, if nobody else has a reference to it. */
function free(m: Machine): void {
  const p = page(m);
  const isLast = m.page(p, 'sc') !== 0 && m.page(p, 'map') === 0 && m.page(p, 'ref') === 2;
  if (!isLast) {
    unlockPage(m, p);
    putback(m, p);
    return;
  }
  const slot = m.page(p, 'sc') - 1;
  m.emit(removeMapping, pfnOf(p), 1);
  m.emit(swapWrite, pfnOf(p), slotOf(slot));
  m.set(m.at.slot(slot, 'content'), m.page(p, 'content'));
  m.setPage(p, 'dirty', 0);
  m.setPage(p, 'lru', LRU_OFF);
  m.setPage(p, 'iso', 0);
  removeLocked(m, p);
  m.emit(removeMappingEnd, pfnOf(p), 0);
  addRef(m, p, -1);
}

/** Args: page, mm, va. The page is in the swap cache (try_to_unmap with TTU_BATCH_FLUSH). */
export const unmapLater = op(
  'unmap-later',
  ['page', 'mm', 'va'],
  'reclaim swaps a cached page out; the flush of its mapping is put off until the page is freed',
  {
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
      run(m) {
        if (trylock(m, page(m))) return 'clear';
        putback(m, page(m));
        return null;
      },
    },
    clear: {
      text: (m) => `PTL, the PTE of ${P(m)} -> swap entry`,
      ready: (m) => ptlFree(m, mmArg(m)),
      run(m) {
        const [p, mm, va] = [page(m), mmArg(m), vaArg(m)];
        const isMapped = m.pte(mm, va, 'kind') === PRESENT && m.pte(mm, va, 'frame') === p;
        if (!isMapped) return 'free';
        const slot = m.page(p, 'sc') - 1;
        lockPtl(m, mm, va);
        if (m.sink !== null) {
          const [count, mapcount] = sampleOf(m, p);
          m.emit(unmapBegin, pfnOf(p), mmOf(mm), vaOf(va), count, mapcount);
        }
        if (m.pte(mm, va, 'write') === 1) m.setPage(p, 'dirty', 1);
        if (defersFlush(m)) {
          if (m.sink !== null) m.emit(pteWrite, mmOf(mm), vaOf(va), ...pteWord(m, mm, va), 0, 0);
          m.set(m.at.pte(mm, va, 'kind'), UNMAPPING);
          deferFlush(m, mm, va);
        } else clearFlush(m, mm, va, UNMAPPING);
        m.emit(swapDup, slotOf(slot), 1, 1);
        m.add(m.at.slot(slot, 'count'), 1);
        delMap(m, p, mm);
        setPte(m, mm, va, { kind: SWAPPED, frame: slot, excl: m.page(p, 'ae') });
        m.setPage(p, 'ae', 0);
        unlockPtl(m, mm, va);
        addRef(m, p, -1);
        m.emit(unmapEnd, 1);
        return defersFlush(m) && !m.rules.is('tlb', 'free-early') ? 'flush' : 'free';
      },
    },
    flush: {
      text: (m) => `try_to_unmap_flush: ${m.program.vas[vaArg(m)]} on every CPU`,
      run(m) {
        flushTlb(m, mmArg(m), vaArg(m));
        return m.page(page(m), 'lock') === m.self + 1 ? 'free' : 'end';
      },
    },
    free: {
      text: (m) => `frees ${P(m)}`,
      run(m) {
        free(m);
        return m.rules.is('tlb', 'free-early') ? 'flush' : 'end';
      },
    },
    end: {
      text: () => 'leaves reclaim',
      run(m) {
        m.emit(reclaimEnd, RECLAIM_KSWAPD);
        return null;
      },
    },
  },
);
