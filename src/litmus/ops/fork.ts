import { PIN_BIAS } from '../../events/flags.ts';
import {
  forkCheck,
  forkPtes,
  forkPtesEnd,
  forkRange,
  forkRangeEnd,
  forkSwap,
  pteSet,
  swapDup,
} from '../../events/index.ts';
import { mmOf, pfnOf, ptepOf, pteWord, slotOf, vaOf } from '../addresses.ts';
import { PRESENT, SWAPPED } from '../layout.ts';
import type { Machine } from '../machine.ts';
import { addRef, allocPage, lockPtl, mapNew, ptlFree, setPte, setWrite, unlockPtl } from '../memory.ts';
import { op } from '../op.ts';
import { hasOwnPin } from '../predicates.ts';

/** Args: parent, child. Registers: address being copied, whether its page gets an early copy, pins seen at the test. */
const VA = 0;
const EARLY = 1;
const SHARED = 2;
const PINNED = 3;

const parent = (m: Machine): number => m.args[0]!;
const child = (m: Machine): number => m.args[1]!;

/** Next address that the parent has anything at, or -1. */
function next(m: Machine, from: number): number {
  for (let va = from; va < m.at.sizes.vas; va++) if (m.pte(parent(m), va, 'kind') !== 0) return va;
  return -1;
}

export const fork = op('fork', ['mm', 'mm'], 'fork copies the page tables of the first mm to the second', {
  begin: {
    text: (m) => `fork: mmap_lock of ${m.program.mms[parent(m)]} taken`,
    ready: (m) => m.get(m.at.mm(parent(m), 'mmap')) === 0 && m.get(m.at.mm(parent(m), 'readers')) === 0,
    run(m) {
      m.set(m.at.mm(parent(m), 'mmap'), m.self + 1);
      m.add(m.at.mm(parent(m), 'seq'), 1);
      const end = vaOf(m.at.sizes.vas);
      m.emit(forkRange, mmOf(child(m)), mmOf(parent(m)), vaOf(0), end);
      const va = next(m, 0);
      if (va < 0) return 'end';
      m.setReg(VA, va);
      return 'test';
    },
  },
  test: {
    text: (m) => `PTL, is the page of ${m.program.vas[m.reg(VA)]} pinned?`,
    ready: (m) => ptlFree(m, parent(m)),
    run(m) {
      const mm = parent(m);
      const va = m.reg(VA);
      lockPtl(m, mm, va);
      if (m.pte(mm, va, 'kind') !== PRESENT) return 'copy';
      const page = m.pte(mm, va, 'frame');
      const pinned = m.page(page, 'ref') >= PIN_BIAS;
      const ruling = m.rules.variant.axes.fork.procedure({ pinned });
      if (!m.rules.is('fork', 'share')) m.emit(forkCheck, mmOf(mm), vaOf(va), pfnOf(page), pinned ? 1 : 0);
      m.setReg(EARLY, ruling.outcome === 'copy' ? 1 : 0);
      m.setReg(PINNED, hasOwnPin(m, page, mm, va, true) ? 1 : 0);
      return 'copy';
    },
  },
  copy: {
    text: (m) =>
      m.reg(EARLY) === 1
        ? `child gets a copy at once of ${m.program.vas[m.reg(VA)]}`
        : `shares ${m.program.vas[m.reg(VA)]} with the child, both read-only`,
    run(m) {
      const [from, to, va] = [parent(m), child(m), m.reg(VA)];
      const kind = m.pte(from, va, 'kind');
      m.set(m.at.pte(to, va, 'value'), m.pte(from, va, 'value'));
      if (kind === PRESENT) copyPresent(m, from, to, va);
      else if (kind === SWAPPED) {
        const slot = m.pte(from, va, 'frame');
        m.emit(forkSwap, mmOf(to), mmOf(from), vaOf(va));
        m.emit(swapDup, slotOf(slot), 1, 1);
        m.add(m.at.slot(slot, 'count'), 1);
        m.set(m.at.pte(from, va, 'excl'), 0);
        setPte(m, to, va, { kind: SWAPPED, frame: slot });
      }
      unlockPtl(m, from, va);
      m.setReg(EARLY, 0);
      const after = next(m, va + 1);
      if (after < 0) return 'end';
      m.setReg(VA, after);
      return 'test';
    },
  },
  end: {
    text: () => 'fork: mmap_lock dropped',
    run(m) {
      m.add(m.at.mm(parent(m), 'seq'), 1);
      m.set(m.at.mm(parent(m), 'mmap'), 0);
      if (m.reg(SHARED) !== 0) lookAtShared(m);
      m.emit(forkRangeEnd, 0);
      return null;
    },
  },
});

function copyPresent(m: Machine, from: number, to: number, va: number): void {
  const page = m.pte(from, va, 'frame');
  const early = m.reg(EARLY) === 1;
  m.emit(forkPtes, mmOf(to), mmOf(from), vaOf(va), 1, ptepOf(to, va), ptepOf(from, va));
  if (early) {
    const copy = allocPage(m, m.page(page, 'content'));
    mapNew(m, copy, to, va);
    setPte(m, to, va, { kind: PRESENT, frame: copy, write: 1 });
    m.emit(forkPtesEnd, 1);
    return;
  }
  addRef(m, page, 1);
  m.add(m.at.page(page, 'map'), 1);
  setPte(m, to, va, { kind: PRESENT, frame: page });
  const kept = m.rules.is('fork', 'no-wrprotect');
  if (!kept) {
    if (m.pte(from, va, 'write') === 1) setWrite(m, from, va, 0);
    m.setPage(page, 'ae', 0);
  }
  m.emit(forkPtesEnd, 1);
  // What the parent is left with, told by a write of its PTE: correct kernels do the same without one.
  if (kept && m.sink !== null)
    m.emit(pteSet, mmOf(from), ptepOf(from, va), ...pteWord(m, from, va), ...pteWord(m, from, va), 1);
  m.setReg(SHARED, va + 1);
  if (!hasOwnPin(m, page, from, va, true)) return;
  m.flag('gup-pin-broken-by-fork');
  // Kernels before 5.9 do not test for pins: there is no window.
  if (m.reg(PINNED) === 0 && !m.rules.is('fork', 'share')) m.flag('gup-fast-fork-race');
}

/** The last page that was shared: whether the parent's PTE stayed writable. */
function lookAtShared(m: Machine): void {
  const va = m.reg(SHARED) - 1;
  const mm = parent(m);
  if (m.pte(mm, va, 'kind') !== PRESENT) return;
  const page = m.pte(mm, va, 'frame');
  if (m.pte(child(m), va, 'kind') !== PRESENT || m.pte(child(m), va, 'frame') !== page) return;
  if (m.pte(mm, va, 'write') === 1) m.flag('fork-left-pte-writable');
}
