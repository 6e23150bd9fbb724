import { PTE_HUGE, PTE_PRESENT, PTE_USER, PTE_WRITE } from '../../core/pte.ts';
import {
  collapseBegin,
  collapseCheck,
  collapseCopied,
  collapseCopy,
  collapseEnd,
  collapseIsolate,
  collapseIsolateEnd,
  pmdSet,
  pteClear,
} from '../../events/index.ts';
import { mmOf, pfnOf, pteWord, sampleOf, vaOf } from '../addresses.ts';
import { PRESENT } from '../layout.ts';
import type { Machine } from '../machine.ts';
import {
  addRef,
  allocPage,
  delMap,
  EMPTY,
  isolate,
  ptlFree,
  putback,
  setPte,
  trylock,
  unlockPage,
} from '../memory.ts';
import { rangeEnd, rangeStart } from '../notify.ts';
import { op } from '../op.ts';
import { hasOwnPin } from '../predicates.ts';

/** Args: mm, va. Registers: the small page, the huge one, whether a range is open, GUP references at the check (bits), whether there were more than mappings explain. */
const PAGE = 0;
const HUGE = 1;
const RANGED = 2;
const HELD = 3;
const EXTRA = 4;

const mmArg = (m: Machine): number => m.args[0]!;
const vaArg = (m: Machine): number => m.args[1]!;
const P = (m: Machine): string => m.program.pages[m.reg(PAGE)] ?? `N${m.reg(PAGE)}`;

/** GUP references on a page, as bits. */
function heldOn(m: Machine, page: number): number {
  let bits = 0;
  for (const i of m.program.holds.keys()) if (m.get(m.at.hold(i)) === page + 1) bits |= 1 << i;
  return bits;
}

/** The collapse is given up: the page table comes back as it was. */
function abort(m: Machine): null {
  m.set(m.at.mm(mmArg(m), 'pmd'), 1);
  m.set(m.at.mm(mmArg(m), 'mmap'), 0);
  if (m.reg(RANGED) === 1) rangeEnd(m, mmArg(m), vaArg(m));
  m.emit(collapseEnd, -1);
  return null;
}

/** A GUP-fast section of this mm runs with interrupts off: a flush by IPI waits for it. */
function isWalking(m: Machine): boolean {
  return m.program.threads.some((_thread, i) => m.get(m.at.thread(i, 'irq')) === mmArg(m) + 1);
}

export const collapse = op(
  'collapse',
  ['mm', 'va'],
  'khugepaged replaces the page of an address by a huge one',
  {
    clear: {
      text: () => 'khugepaged: mmap_lock, PMD cleared',
      ready: (m) =>
        ptlFree(m, mmArg(m)) &&
        m.get(m.at.mm(mmArg(m), 'mmap')) === 0 &&
        m.get(m.at.mm(mmArg(m), 'readers')) === 0,
      run(m) {
        if (m.rules.is('collapse', 'none') || m.pte(mmArg(m), vaArg(m), 'kind') !== PRESENT) return null;
        m.set(m.at.mm(mmArg(m), 'mmap'), m.self + 1);
        m.emit(collapseBegin, mmOf(mmArg(m)), vaOf(vaArg(m)));
        m.setReg(RANGED, rangeStart(m, mmArg(m), vaArg(m)) ? 1 : 0);
        m.set(m.at.mm(mmArg(m), 'pmd'), 0);
        m.setReg(PAGE, m.pte(mmArg(m), vaArg(m), 'frame'));
        return 'flush';
      },
    },
    flush: {
      text: (m) =>
        m.rules.is('gup-fast', 'ipi') ? 'khugepaged: flush, waits for IPIs' : 'khugepaged: flush, no IPI',
      ready: (m) => !m.rules.is('gup-fast', 'ipi') || !isWalking(m),
      run(m) {
        m.emit(collapseIsolate, mmOf(mmArg(m)), vaOf(vaArg(m)));
        return 'lock';
      },
    },
    lock: {
      text: (m) => `khugepaged: tries the lock of ${P(m)}`,
      run(m) {
        if (trylock(m, m.reg(PAGE))) return 'check';
        m.emit(collapseIsolateEnd, 0);
        return abort(m);
      },
    },
    check: {
      text: (m) => `khugepaged: references of ${P(m)} against its mappings`,
      run(m) {
        const page = m.reg(PAGE);
        const ruling = m.rules.variant.axes.collapse.procedure({
          count: m.page(page, 'ref'),
          mappings: m.page(page, 'map'),
          swapcache: m.page(page, 'sc') !== 0,
          privates: false,
        });
        if (m.sink !== null) {
          const [count, mapcount] = sampleOf(m, page);
          m.emit(collapseCheck, pfnOf(page), count, mapcount, ruling.outcome === 'collapse' ? 1 : 0);
        }
        if (ruling.outcome === 'collapse') {
          m.setReg(HELD, heldOn(m, page));
          const told = m.page(page, 'map') + (m.page(page, 'sc') !== 0 ? 1 : 0);
          m.setReg(EXTRA, m.page(page, 'ref') > told ? 1 : 0);
          return 'isolate';
        }
        unlockPage(m, page);
        m.emit(collapseIsolateEnd, 0);
        return abort(m);
      },
    },
    isolate: {
      text: (m) => `khugepaged: isolates ${P(m)}`,
      run(m) {
        if (isolate(m, m.reg(PAGE))) {
          m.emit(collapseIsolateEnd, 1);
          return 'copy';
        }
        unlockPage(m, m.reg(PAGE));
        m.emit(collapseIsolateEnd, 0);
        return abort(m);
      },
    },
    copy: {
      text: (m) => `khugepaged: copies ${P(m)}`,
      run(m) {
        m.setReg(HUGE, allocPage(m, m.page(m.reg(PAGE), 'content')));
        m.setPage(m.reg(PAGE), 'copied', mmArg(m) + 1);
        m.emit(collapseCopy, pfnOf(m.reg(PAGE)), pfnOf(m.reg(HUGE)));
        return 'release';
      },
    },
    release: {
      text: (m) => `khugepaged: unmaps and releases ${P(m)}`,
      run(m) {
        const [mm, va, page] = [mmArg(m), vaArg(m), m.reg(PAGE)];
        if (m.reg(EXTRA) === 1) m.flag('collapse-extra-refs');
        if ((heldOn(m, page) & ~m.reg(HELD)) !== 0) m.flag('collapse-late-pin');
        m.emit(collapseCopied, mmOf(mm), vaOf(va));
        if (m.sink !== null) m.emit(pteClear, mmOf(mm), ...pteWord(m, mm, va));
        delMap(m, page, mm);
        setPte(m, mm, va, EMPTY);
        unlockPage(m, page);
        putback(m, page);
        addRef(m, page, -1);
        return 'install';
      },
    },
    install: {
      text: () => 'khugepaged: installs the huge page',
      run(m) {
        const [mm, va] = [mmArg(m), vaArg(m)];
        if (hasOwnPin(m, m.reg(PAGE), mm, va, false)) m.flag('gup-pin-broken-by-collapse');
        const huge = m.reg(HUGE);
        m.setPage(huge, 'map', 1);
        m.setPage(huge, 'ae', m.rules.exclusive ? 1 : 0);
        m.set(m.at.pte(mm, va, 'kind'), PRESENT);
        m.set(m.at.pte(mm, va, 'frame'), huge);
        m.set(m.at.pte(mm, va, 'write'), 1);
        m.set(m.at.mm(mm, 'pmd'), 1);
        m.set(m.at.mm(mm, 'mmap'), 0);
        m.emit(pmdSet, mmOf(mm), Number.NaN, PTE_PRESENT | PTE_USER | PTE_HUGE | PTE_WRITE, pfnOf(huge));
        if (m.reg(RANGED) === 1) rangeEnd(m, mm, va);
        m.emit(collapseEnd, 1);
        return null;
      },
    },
  },
);
