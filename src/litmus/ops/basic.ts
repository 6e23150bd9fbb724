import { lockWait, sysExit, taskExit, zapBegin, zapEnd } from '../../events/index.ts';
import { mmOf, pfnOf, ptepOf, pteWord, vaOf } from '../addresses.ts';
import { PRESENT } from '../layout.ts';
import type { Machine } from '../machine.ts';
import {
  addRef,
  delMap,
  EMPTY,
  lockPtl,
  ptlFree,
  setPte,
  trylock,
  unlockPage,
  unlockPtl,
} from '../memory.ts';
import { op } from '../op.ts';
import { flushTlb } from '../tlb.ts';

const page = (m: Machine): number => m.args[0]!;
const P = (m: Machine): string => m.program.pages[page(m)]!;

/** The mmu_gather flushes before it puts pages. */
const flushesFirst = (m: Machine): boolean => m.program.tlb && !m.rules.is('tlb', 'free-early');

export const munmap = op(
  'munmap',
  ['mm', 'va'],
  'a present PTE is zapped; the page is put after the PTL (mmu_gather)',
  {
    zap: {
      text: (m) => `zaps ${m.program.vas[m.args[1]!]} of ${m.program.mms[m.args[0]!]}`,
      ready: (m) => ptlFree(m, m.args[0]!) && m.get(m.at.mm(m.args[0]!, 'pmd')) === 1,
      run(m) {
        const [mm, va] = [m.args[0]!, m.args[1]!];
        if (m.pte(mm, va, 'kind') !== PRESENT) return null;
        lockPtl(m, mm, va);
        m.setReg(0, m.pte(mm, va, 'frame'));
        if (m.sink !== null) m.emit(zapBegin, mmOf(mm), vaOf(va), ptepOf(mm, va), ...pteWord(m, mm, va), 1);
        setPte(m, mm, va, EMPTY);
        return 'rmap';
      },
    },
    rmap: {
      text: () => 'drops the mapping (rmap), PTL dropped',
      run(m) {
        const [mm, va] = [m.args[0]!, m.args[1]!];
        delMap(m, m.reg(0), mm);
        m.emit(zapEnd, 1);
        unlockPtl(m, mm, va);
        return 'put';
      },
    },
    put: {
      text: (m) => (flushesFirst(m) ? 'flushes, puts the page' : 'puts the page'),
      run(m) {
        if (flushesFirst(m)) flushTlb(m, m.args[0]!, m.args[1]!);
        addRef(m, m.reg(0), -1);
        return m.program.tlb && !flushesFirst(m) ? 'flush' : null;
      },
    },
    flush: {
      text: () => 'flushes only now',
      run(m) {
        flushTlb(m, m.args[0]!, m.args[1]!);
        return null;
      },
    },
  },
);

export const getPage = op('get-page', ['page'], 'takes a plain reference, whatever the page is by now', {
  get: {
    text: (m) => `takes a reference to ${P(m)}`,
    run(m) {
      addRef(m, page(m), 1);
      return null;
    },
  },
});

export const putPage = op('put-page', ['page'], 'drops a plain reference', {
  put: {
    text: (m) => `drops a reference to ${P(m)}`,
    run(m) {
      addRef(m, page(m), -1);
      return null;
    },
  },
});

export const getUnlessZero = op(
  'get-unless-zero',
  ['page'],
  'takes a reference unless the count is 0, and puts it',
  {
    get: {
      text: (m) => `takes a reference to ${P(m)} unless it is 0`,
      run(m) {
        if (m.page(page(m), 'ref') === 0) return null;
        addRef(m, page(m), 1);
        return 'put';
      },
    },
    put: {
      text: (m) => `drops the reference to ${P(m)}`,
      run(m) {
        addRef(m, page(m), -1);
        return null;
      },
    },
  },
);

export const lockPage = op('lock-page', ['page'], 'takes the page lock, and waits for it if it is held', {
  try: {
    text: (m) => `tries the lock of ${P(m)}`,
    run(m) {
      if (m.page(page(m), 'lock') === 0) {
        trylock(m, page(m));
        return null;
      }
      m.emit(lockWait, pfnOf(page(m)));
      return 'lock';
    },
  },
  lock: {
    text: (m) => `waited, locks ${P(m)}`,
    ready: (m) => m.page(page(m), 'lock') === 0,
    run(m) {
      trylock(m, page(m));
      return null;
    },
  },
});

export const unlockPageOp = op('unlock-page', ['page'], 'releases the page lock', {
  unlock: {
    text: (m) => `unlocks ${P(m)}`,
    run(m) {
      unlockPage(m, page(m));
      return null;
    },
  },
});

export const unmapTwice = op(
  'rmap-del',
  ['page', 'mm'],
  'drops a mapping of a page without a look at its PTE',
  {
    rmap: {
      text: (m) => `drops a mapping of ${P(m)}`,
      run(m) {
        delMap(m, page(m), m.args[1]!);
        return null;
      },
    },
  },
);

export const sysReturn = op('sys-return', [], 'the system call that the thread is in returns to user space', {
  return: {
    text: () => 'returns to user space',
    run(m) {
      m.emit(sysExit, -1, 0);
      return null;
    },
  },
});

export const exit = op('exit', [], 'the task exits: it does nothing more', {
  exit: {
    text: () => 'exits',
    run(m) {
      m.emit(taskExit, m.thread.pid);
      return null;
    },
  },
});
