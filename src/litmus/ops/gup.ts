import { ACCESS_DEVICE } from '../../events/access.ts';
import { FOLL_GET, FOLL_PIN, FOLL_WRITE, PIN_BIAS } from '../../events/flags.ts';
import { GUP_GET_FAST, GUP_LOCKED, GUP_PIN, GUP_PIN_FAST } from '../../events/gup.ts';
import {
  access,
  gupBegin,
  gupEnd,
  gupGrab,
  gupGrabFast,
  gupGrabFastEnd,
  gupPut,
  refRefused,
} from '../../events/index.ts';
import { mmOf, pfnOf, sampleOf, vaOf } from '../addresses.ts';
import { PRESENT, SWAPPED } from '../layout.ts';
import type { Machine } from '../machine.ts';
import { addRef, ptlFree } from '../memory.ts';
import { op, type Phase } from '../op.ts';
import type { Hold } from '../program.ts';
import { swapinPhases } from './swapin.ts';
import { storedValue, writePhases } from './write.ts';

/** Args of every op on a reference: mm, va, hold (the parser fills in what the hold says). */
const hold = (m: Machine): Hold => m.program.holds[m.args[2]!]!;
const holdName = (m: Machine): string => hold(m).name;

/** What the reference adds to the count of a small page, and how GUP calls it. */
function terms(of: Hold): { readonly delta: number; readonly flags: number } {
  return {
    delta: of.pin ? PIN_BIAS : 1,
    flags: (of.pin ? FOLL_PIN : FOLL_GET) | (of.write ? FOLL_WRITE : 0),
  };
}

/** The PTE must be writable: for a write, and in 5.8 for every reference into a COW mapping. */
function wantsWrite(m: Machine): boolean {
  return hold(m).write || m.rules.is('gup-read', 'force-cow');
}

/** A read-only pin of a page that is not exclusive unshares it first (5.19 on). */
function mustUnshare(m: Machine, page: number): boolean {
  return hold(m).pin && !hold(m).write && m.rules.is('gup-read', 'unshare-pin') && m.page(page, 'ae') === 0;
}

/** The page behind the address if the reference may be taken as the PTE stands, or -1. */
function takeable(m: Machine): number {
  const [mm, va] = [m.args[0]!, m.args[1]!];
  if (m.pte(mm, va, 'kind') !== PRESENT) return -1;
  const page = m.pte(mm, va, 'frame');
  if (m.pte(mm, va, 'write') === 0 && (wantsWrite(m) || mustUnshare(m, page))) return -1;
  return page;
}

function take(m: Machine, page: number): void {
  m.set(m.at.hold(m.args[2]!), page + 1);
}

const slow: Readonly<Record<string, Phase>> = {
  P0: {
    text: (m) => `get_user_pages for ${holdName(m)}`,
    ready: (m) =>
      ptlFree(m, m.args[0]!) &&
      m.get(m.at.mm(m.args[0]!, 'pmd')) === 1 &&
      m.get(m.at.mm(m.args[0]!, 'mmap')) === 0,
    run(m) {
      const page = takeable(m);
      if (page < 0) {
        if (m.pte(m.args[0]!, m.args[1]!, 'kind') !== SWAPPED) return 'F0';
        m.add(m.at.mm(m.args[0]!, 'readers'), 1);
        return 'S0';
      }
      const { delta, flags } = terms(hold(m));
      const [mm, va] = [mmOf(m.args[0]!), vaOf(m.args[1]!)];
      m.emit(gupBegin, hold(m).pin ? GUP_PIN : GUP_LOCKED, mm, va, 1, flags);
      m.emit(gupGrab, pfnOf(page), 1, flags, Number.NaN, 1);
      addRef(m, page, delta);
      m.emit(gupEnd, GUP_LOCKED, 1);
      take(m, page);
      return null;
    },
  },
  ...writePhases('P0'),
  ...swapinPhases('P0'),
};

export const gup = op(
  'gup',
  ['hold'],
  'get_user_pages takes a reference, with a fault if one is needed',
  slow,
);

const BEGIN = 4;
const SEEN_SEQ = 3;
const SEEN_PAGE = 0;

function leaveFast(m: Machine, taken = 0): void {
  m.set(m.at.thread(m.self, 'irq'), 0);
  m.emit(gupEnd, GUP_PIN_FAST, taken);
}

export const gupFast = op(
  'gup-fast',
  ['hold'],
  'get_user_pages_fast takes a reference with interrupts off and no lock',
  {
    pmd: {
      text: () => 'GUP-fast: interrupts off, reads the PMD',
      run(m) {
        if (m.rules.is('gup-fast', 'none')) return 'P0';
        const mm = m.args[0]!;
        const seq = m.rules.is('fork', 'early-copy+seqcount') ? m.get(m.at.mm(mm, 'seq')) : 0;
        if (seq % 2 === 1 || m.get(m.at.mm(mm, 'pmd')) === 0) return 'P0';
        m.set(m.at.thread(m.self, 'irq'), mm + 1);
        m.setReg(SEEN_SEQ, seq);
        m.setReg(BEGIN, 1);
        m.emit(
          gupBegin,
          hold(m).pin ? GUP_PIN_FAST : GUP_GET_FAST,
          mmOf(mm),
          vaOf(m.args[1]!),
          1,
          terms(hold(m)).flags,
        );
        return 'pte';
      },
    },
    pte: {
      text: () => 'GUP-fast: reads the PTE',
      run(m) {
        const page = takeable(m);
        if (page < 0) {
          leaveFast(m);
          return 'P0';
        }
        m.setReg(SEEN_PAGE, page);
        return 'ref';
      },
    },
    ref: {
      text: (m) => `GUP-fast: reference to ${m.program.pages[m.reg(SEEN_PAGE)]}`,
      run(m) {
        const { delta, flags } = terms(hold(m));
        const page = m.reg(SEEN_PAGE);
        m.emit(gupGrabFast, pfnOf(page), 1, flags);
        // try_get_folio: a page without references is gone.
        if (m.page(page, 'ref') <= 0) {
          if (m.sink !== null) m.emit(refRefused, pfnOf(page), delta, ...sampleOf(m, page));
          leaveFast(m);
          return 'P0';
        }
        addRef(m, page, delta);
        return 'again';
      },
    },
    again: {
      text: () => 'GUP-fast: PTE still the same?',
      run(m) {
        const page = m.reg(SEEN_PAGE);
        const mm = m.args[0]!;
        const { delta, flags } = terms(hold(m));
        const same =
          takeable(m) === page && (!m.rules.is('gup-fast', 'pmd-recheck') || m.get(m.at.mm(mm, 'pmd')) === 1);
        const moved =
          m.rules.is('fork', 'early-copy+seqcount') && m.get(m.at.mm(mm, 'seq')) !== m.reg(SEEN_SEQ);
        m.emit(gupGrabFastEnd, same && !moved ? pfnOf(page) : Number.NaN, 1, flags);
        if (same && !moved) {
          take(m, page);
          return 'on';
        }
        addRef(m, page, -delta);
        leaveFast(m);
        return 'P0';
      },
    },
    on: {
      text: () => 'GUP-fast: interrupts on',
      run(m) {
        leaveFast(m, 1);
        return null;
      },
    },
    ...slow,
  },
);

export const putHold = op('put', ['hold'], 'drops a GUP reference', {
  put: {
    text: (m) => `puts ${holdName(m)}`,
    run(m) {
      const cell = m.at.hold(m.args[2]!);
      const page = m.get(cell) - 1;
      if (page < 0) return null;
      const { delta, flags } = terms(hold(m));
      m.set(cell, 0);
      m.emit(gupPut, pfnOf(page), 1, flags);
      addRef(m, page, -delta);
      return null;
    },
  },
});

function dma(isWrite: boolean): Phase {
  return {
    text: (m) => `${isWrite ? 'writes' : 'reads'} through ${holdName(m)}`,
    run(m) {
      const page = m.get(m.at.hold(m.args[2]!)) - 1;
      if (page < 0) return null;
      if (isWrite && m.page(page, 'copied') === m.args[0]! + 1) m.flag('collapse-lost-write');
      if (isWrite) m.setPage(page, 'content', storedValue(m));
      else m.page(page, 'content');
      // DMA names a page, not an address.
      m.emit(
        access,
        ACCESS_DEVICE,
        mmOf(m.args[0]!),
        Number.NaN,
        pfnOf(page),
        isWrite ? 1 : 0,
        m.cells[m.at.page(page, 'content')]!,
      );
      return null;
    },
  };
}

export const dmaWrite = op('dma-write', ['hold'], 'a device writes through a GUP reference', {
  dma: dma(true),
});
export const dmaRead = op('dma-read', ['hold'], 'somebody reads through a GUP reference', {
  dma: dma(false),
});
