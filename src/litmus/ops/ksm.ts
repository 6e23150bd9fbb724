import {
  ksmGet,
  ksmMerge,
  ksmMergeEnd,
  ksmReplace,
  ksmReplaceEnd,
  ksmWriteProtect,
  ksmWriteProtectEnd,
} from '../../events/index.ts';
import { mmOf, nodeOf, pfnOf, pteWord, sampleOf } from '../addresses.ts';
import { NONE, PRESENT } from '../layout.ts';
import type { Machine } from '../machine.ts';
import {
  addMap,
  addRef,
  clearFlush,
  delMap,
  lockPtl,
  ptlFree,
  setPte,
  trylock,
  unlockPage,
  unlockPtl,
} from '../memory.ts';
import { invalidatePage, rangeEnd, rangeStart } from '../notify.ts';
import { op } from '../op.ts';

/** Args: mm, va, KSM page. Register: whether ksmd found the page still in the tree. */
const k = (m: Machine): number => m.args[2]!;
const K = (m: Machine): string => m.program.pages[k(m)]!;

function frame(m: Machine): number {
  return m.pte(m.args[0]!, m.args[1]!, 'kind') === PRESENT ? m.pte(m.args[0]!, m.args[1]!, 'frame') : -1;
}

function sameBytes(m: Machine, page: number): boolean {
  return page >= 0 && m.page(page, 'content') === m.page(k(m), 'content');
}

/** Another thread has found itself the only user of the page, and the page is still in the stable tree. */
function isBeingReused(m: Machine): boolean {
  return m.page(k(m), 'reuse') === 1;
}

export const ksmMergePage = op(
  'ksm-merge',
  ['mm', 'va', 'page'],
  'ksmd merges the page of an address into a KSM page',
  {
    peek: {
      text: (m) => `ksmd: does ${K(m)} still point to its node?`,
      run(m) {
        if (m.page(k(m), 'ksm') === 1) return 'get';
        m.emit(ksmGet, nodeOf(k(m)), Number.NaN);
        return null;
      },
    },
    get: {
      text: (m) => `ksmd: reference to ${K(m)} unless it is frozen`,
      run(m) {
        if (m.page(k(m), 'ref') === 0) {
          m.emit(ksmGet, nodeOf(k(m)), Number.NaN);
          return null;
        }
        addRef(m, k(m), 1);
        return 'again';
      },
    },
    again: {
      text: (m) => `ksmd: ${K(m)} still a KSM page?`,
      run(m) {
        const ok = m.page(k(m), 'ksm') === 1;
        m.emit(ksmGet, nodeOf(k(m)), ok ? pfnOf(k(m)) : Number.NaN);
        if (ok && isBeingReused(m)) m.flag('ksm-unlocked-ref-race');
        return ok ? 'compare' : 'put';
      },
    },
    compare: {
      text: (m) => `ksmd: compares bytes with ${K(m)}`,
      run: (m) => (sameBytes(m, frame(m)) ? 'protect' : 'put'),
    },
    protect: {
      text: (m) => `ksmd: lock, PTL(${m.program.mms[m.args[0]!]}), write-protects, compares again`,
      ready: (m) => ptlFree(m, m.args[0]!),
      run(m) {
        const page = frame(m);
        const [mm, va] = [m.args[0]!, m.args[1]!];
        if (page < 0 || page === k(m) || m.page(page, 'sc') !== 0 || !trylock(m, page)) return 'put';
        m.emit(ksmMerge, mmOf(mm), pfnOf(page), pfnOf(k(m)));
        if (m.sink !== null) {
          const [count, mapcount] = sampleOf(m, page);
          m.emit(ksmWriteProtect, mmOf(mm), pfnOf(page), count, mapcount);
        }
        const ok = m.page(page, 'ref') === m.page(page, 'map') && sameBytes(m, page);
        if (ok && m.pte(mm, va, 'write') === 1) setPte(m, mm, va, { kind: PRESENT, frame: page });
        if (ok) m.setPage(page, 'ae', 0);
        m.emit(ksmWriteProtectEnd, ok ? 0 : -1);
        unlockPage(m, page);
        m.setReg(0, page);
        if (ok) return 'replace';
        m.emit(ksmMergeEnd, -1);
        return 'put';
      },
    },
    replace: {
      text: (m) => `ksmd: PTE of ${m.program.mms[m.args[0]!]} -> ${K(m)}, read-only`,
      ready: (m) => ptlFree(m, m.args[0]!),
      run(m) {
        const [mm, va, page] = [m.args[0]!, m.args[1]!, m.reg(0)];
        if (frame(m) !== page || m.pte(mm, va, 'write') === 1) {
          m.emit(ksmMergeEnd, -1);
          return 'put';
        }
        const isRanged = rangeStart(m, mm, va);
        lockPtl(m, mm, va);
        m.emit(
          ksmReplace,
          mmOf(mm),
          pfnOf(page),
          pfnOf(k(m)),
          ...(m.sink === null ? [] : pteWord(m, mm, va)),
        );
        addRef(m, k(m), 1);
        addMap(m, k(m), mm, va, false);
        clearFlush(m, mm, va, NONE);
        invalidatePage(m, mm, va);
        setPte(m, mm, va, { kind: PRESENT, frame: k(m) });
        delMap(m, page, mm);
        addRef(m, page, -1);
        m.emit(ksmReplaceEnd, 0);
        m.emit(ksmMergeEnd, 0);
        unlockPtl(m, mm, va);
        if (isRanged) rangeEnd(m, mm, va);
        return 'put';
      },
    },
    put: {
      text: (m) => `ksmd: puts ${K(m)}`,
      run(m) {
        addRef(m, k(m), -1);
        return null;
      },
    },
  },
);
