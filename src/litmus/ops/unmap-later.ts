import {
  pteWrite,
  reclaimEnd,
  removeMapping,
  removeMappingEnd,
  swapWrite,
  unmapEnd,
} from '../../events/index.ts';
import { RECLAIM_KSWAPD } from '../../events/reclaim.ts';
import { mmOf, pfnOf, pteWord, slotOf, vaOf } from '../addresses.ts';
import { LRU_OFF, PRESENT, SWAPPED, UNMAPPING } from '../layout.ts';
import type { Machine } from '../machine.ts';
import {
  addRef,
  clearFlush,
  delMap,
  ptlFree,
  putback,
  removeLocked,
  setPte,
  unlockPage,
  unlockPtl,
} from '../memory.ts';
import { op } from '../op.ts';
import { deferFlush, defersFlush, flushTlb } from '../tlb.ts';
import { beginUnmap, duplicate, putBack, taken } from './reclaim.ts';

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
    ...taken('clear'),
    clear: {
      text: (m) => `PTL, the PTE of ${P(m)} -> swap entry`,
      ready: (m) => ptlFree(m, mmArg(m)),
      run(m) {
        const [p, mm, va] = [page(m), mmArg(m), vaArg(m)];
        const isMapped = m.pte(mm, va, 'kind') === PRESENT && m.pte(mm, va, 'frame') === p;
        if (!isMapped) return 'free';
        beginUnmap(m, p, mm, va);
        if (defersFlush(m)) {
          if (m.sink !== null) m.emit(pteWrite, mmOf(mm), vaOf(va), ...pteWord(m, mm, va), 0, 0);
          m.set(m.at.pte(mm, va, 'kind'), UNMAPPING);
          deferFlush(m, mm, va);
        } else clearFlush(m, mm, va, UNMAPPING);
        duplicate(m);
        delMap(m, p, mm);
        setPte(m, mm, va, { kind: SWAPPED, frame: m.page(p, 'sc') - 1, excl: m.page(p, 'ae') });
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
    putback: putBack,
    end: {
      text: () => 'leaves reclaim',
      run(m) {
        m.emit(reclaimEnd, RECLAIM_KSWAPD);
        return null;
      },
    },
  },
);
