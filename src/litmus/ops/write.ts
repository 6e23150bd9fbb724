import { FAULT_USER, FAULT_WRITE } from '../../events/flags.ts';
import {
  anonBegin,
  anonEnd,
  faultBegin,
  faultEnd,
  lockWait,
  refFreeze,
  refUnfreeze,
  rmapMove,
  wpBegin,
  wpCopied,
  wpCopy,
  wpEnd,
  wpReuse,
  wpTest,
  wpTested,
} from '../../events/index.ts';
import type { Ruling } from '../../variants/variant.ts';
import { mmOf, pfnOf, pteWord, sampleOf, vaOf } from '../addresses.ts';
import { MIGRATING, NONE, PRESENT, SWAPPED } from '../layout.ts';
import type { Machine } from '../machine.ts';
import {
  addRef,
  allocPage,
  clearFlush,
  delMap,
  drain,
  isWritable,
  lockPtl,
  mapNew,
  ptlFree,
  setDirty,
  setPte,
  setWrite,
  store,
  trylock,
  uncache,
  unlockPage,
  unlockPtl,
} from '../memory.ts';
import { invalidatePage, rangeEnd, rangeStart } from '../notify.ts';
import { op, type Phase } from '../op.ts';
import { hasForeign, hasOwnPin, hasSharers, isExclusive } from '../predicates.ts';
import { flushTlb, looksForProtected } from '../tlb.ts';
import { PageView } from './cow.ts';
import { swapinPhases } from './swapin.ts';

/** Registers: page of the original PTE, what was seen of it (bits below), the copy. */
const PAGE = 0;
const SEEN = 1;
const COPY = 2;
const RANGED = 3;
/** Bits of SEEN: exclusive so far; shared or foreign at a reuse; a reclaimer was the cause. */
const EXCLUSIVE = 1;
const SHARED = 2;
const FOREIGN = 4;
const RECLAIM = 8;

const mmArg = (m: Machine): number => m.args[0]!;
const vaArg = (m: Machine): number => m.args[1]!;
const name = (m: Machine, page: number): string => m.program.pages[page] ?? `N${page}`;
const P = (m: Machine): string => name(m, m.reg(PAGE));

/** What a store writes: one value per statement, so that old and new content differ. */
export function storedValue(m: Machine): number {
  return 2 + m.self * 16 + m.cells[m.at.thread(m.self, 'pc')]!;
}

function wpSample(m: Machine, page: number): [number, number, number] {
  const [count, mapcount, flags] = sampleOf(m, page);
  return [count, mapcount, flags];
}

function see(m: Machine, bit: number, on: boolean): void {
  m.setReg(SEEN, on ? m.reg(SEEN) | bit : m.reg(SEEN) & ~bit);
}

function enter(m: Machine): void {
  m.add(m.at.mm(mmArg(m), 'readers'), 1);
}

function leave(m: Machine): void {
  m.add(m.at.mm(mmArg(m), 'readers'), -1);
}

function endFault(m: Machine): void {
  m.emit(wpEnd, 0);
  m.emit(faultEnd, 0);
  leave(m);
}

/** Who or what made the copy necessary, as the check asks: the lock, then a pin of one's own, then an isolation. */
function causedByReclaim(m: Machine, page: number): boolean {
  const owner = m.page(page, 'lock') - 1;
  if (owner >= 0 && owner !== m.self) return m.program.threads[owner]!.reclaim;
  if (hasOwnPin(m, page, mmArg(m), vaArg(m), false)) return false;
  const isolator = m.page(page, 'iso') - 1;
  return isolator >= 0 && m.program.threads[isolator]!.reclaim;
}

/** The deciding instant: what is true now is what the checks will ask. */
function decided(m: Machine, ruling: Ruling): string {
  const page = m.reg(PAGE);
  const mm = mmArg(m);
  if (ruling.outcome === 'reuse') {
    if (hasSharers(m, page, mm)) see(m, SHARED, true);
    if (hasForeign(m, page, mm)) see(m, FOREIGN, true);
    if (m.page(page, 'ksm') === 1 && m.page(page, 'ref') > 0) m.setPage(page, 'reuse', 1);
    return 'R0';
  }
  m.emit(wpTested, 0);
  if (!isExclusive(m, page, mm)) see(m, EXCLUSIVE, false);
  else if (causedByReclaim(m, page)) see(m, RECLAIM, true);
  return 'C0';
}

function takeOut(m: Machine, page: number): void {
  uncache(m, page);
  if (!m.rules.is('reuse-dirty', 'none')) setDirty(m, page);
}

/** Decides with the page lock held, and unlocks. */
function decideLocked(m: Machine, first: boolean): string {
  const page = m.reg(PAGE);
  m.emit(wpTest, pfnOf(page), ...wpSample(m, page));
  const ruling = m.rules.decide(new PageView(m, page, true));
  if (ruling.outcome === 'reuse' && m.page(page, 'ksm') === 1 && m.rules.is('ksm', 'reuse+freeze'))
    return 'K0';
  if (ruling.outcome === 'reuse' && m.page(page, 'ksm') === 1 && m.rules.is('ksm', 'reuse-nofreeze')) {
    decided(m, ruling);
    return 'K1';
  }
  if (ruling.uncaches === true && m.rules.freesFirst && first) {
    takeOut(m, page);
    return 'D2';
  }
  const next = decided(m, ruling);
  if (ruling.uncaches === true) takeOut(m, page);
  unlockPage(m, page);
  return next;
}

const faultReady = (m: Machine): boolean => ptlFree(m, mmArg(m)) && m.get(m.at.mm(mmArg(m), 'pmd')) === 1;

/**
 * The phases of a write fault on a present read-only PTE, as domain.md section 4 cuts them. `done` is the phase that
 * follows once the PTE may be written.
 */
export function writePhases(done: string): Readonly<Record<string, Phase>> {
  return {
    F0: {
      text: (m) => `write fault, PTL(${m.program.mms[mmArg(m)]}) taken, PTE read`,
      // Whoever meets a migration entry, or a page that userfaultfd protects, waits.
      ready: (m) =>
        faultReady(m) &&
        m.get(m.at.mm(mmArg(m), 'mmap')) === 0 &&
        m.pte(mmArg(m), vaArg(m), 'kind') !== MIGRATING &&
        m.pte(mmArg(m), vaArg(m), 'armed') === 0,
      run(m) {
        const mm = mmArg(m);
        const va = vaArg(m);
        const kind = m.pte(mm, va, 'kind');
        if (kind === PRESENT && m.pte(mm, va, 'write') === 1) return done;
        enter(m);
        m.emit(faultBegin, mmOf(mm), vaOf(va), FAULT_WRITE | FAULT_USER);
        if (kind === SWAPPED) {
          m.setReg(5, 1);
          return 'S0';
        }
        if (kind === NONE) {
          m.emit(anonBegin, mmOf(mm), vaOf(va), FAULT_WRITE | FAULT_USER);
          const page = allocPage(m, 0);
          mapNew(m, page, mm, va);
          setPte(m, mm, va, { kind: PRESENT, frame: page, write: 1 });
          m.emit(anonEnd, 0);
          m.emit(faultEnd, 0);
          leave(m);
          return done;
        }
        lockPtl(m, mm, va);
        // do_wp_page: a write-protection by userfaultfd may still owe its flush.
        if (m.program.tlb && looksForProtected(m)) flushTlb(m, mm, va);
        const page = m.pte(mm, va, 'frame');
        m.emit(wpBegin, mmOf(mm), vaOf(va), FAULT_WRITE | FAULT_USER, ...pteWord(m, mm, va));
        m.setReg(PAGE, page);
        m.setReg(SEEN, isExclusive(m, page, mm) ? EXCLUSIVE : 0);
        return 'D0';
      },
    },
    D0: {
      text: (m) => `do_wp_page looks at ${P(m)}`,
      run(m) {
        const page = m.reg(PAGE);
        let view = new PageView(m, page, false);
        let ruling = m.rules.decide(view);
        if (view.askedLru && view.batched > 0) {
          drain(m, page);
          view = new PageView(m, page, false);
          ruling = m.rules.decide(view);
        }
        if (ruling.reason !== 'exclusive') m.emit(wpTest, pfnOf(page), ...wpSample(m, page));
        if (!view.askedLock) return decided(m, ruling);
        if (ruling.outcome === 'wait') {
          m.emit(lockWait, pfnOf(page), vaOf(vaArg(m)));
          addRef(m, page, 1);
          unlockPtl(m, mmArg(m), vaArg(m));
          return 'W0';
        }
        if (m.page(page, 'lock') !== 0) return decided(m, ruling);
        trylock(m, page);
        return 'D1';
      },
    },
    W0: {
      text: (m) => `waited for the lock of ${P(m)}, takes it`,
      ready: (m) => m.page(m.reg(PAGE), 'lock') === 0,
      run(m) {
        trylock(m, m.reg(PAGE));
        return 'W1';
      },
    },
    W1: {
      text: () => 'PTL again, pte_same?',
      ready: faultReady,
      run(m) {
        const page = m.reg(PAGE);
        const mm = mmArg(m);
        const va = vaArg(m);
        lockPtl(m, mm, va);
        const same =
          m.pte(mm, va, 'kind') === PRESENT &&
          m.pte(mm, va, 'frame') === page &&
          m.pte(mm, va, 'write') === 0;
        if (same || m.rules.is('pte-same', 'unchecked')) {
          addRef(m, page, -1);
          return 'D1';
        }
        unlockPage(m, page);
        unlockPtl(m, mm, va);
        addRef(m, page, -1);
        endFault(m);
        return 'F0';
      },
    },
    D1: {
      text: (m) => `decides on ${P(m)} under its lock`,
      run: (m) => decideLocked(m, true),
    },
    D2: {
      text: (m) => `swap slot freed, counts of ${P(m)} looked at again`,
      run: (m) => decideLocked(m, false),
    },
    K0: {
      text: (m) => `freezes the refcount of KSM page ${P(m)}`,
      run(m) {
        const page = m.reg(PAGE);
        const ok = m.page(page, 'ref') === 1;
        if (ok) m.setPage(page, 'ref', 0);
        if (m.sink !== null) m.emit(refFreeze, pfnOf(page), 1, ok ? 1 : 0, ...sampleOf(m, page));
        if (ok) {
          decided(m, { outcome: 'reuse', reason: 'ksm, frozen', missing: [] });
          return 'K1';
        }
        decided(m, { outcome: 'copy', reason: 'ksm', missing: [] });
        unlockPage(m, page);
        return 'C0';
      },
    },
    K1: {
      text: (m) => `${P(m)} leaves the stable tree: mapping is anon`,
      run(m) {
        const page = m.reg(PAGE);
        m.setPage(page, 'ksm', 0);
        m.setPage(page, 'reuse', 0);
        m.emit(rmapMove, pfnOf(page), mmOf(mmArg(m)));
        return 'K2';
      },
    },
    K2: {
      text: (m) => `unfreezes and unlocks ${P(m)}`,
      run(m) {
        const page = m.reg(PAGE);
        if (m.rules.is('ksm', 'reuse+freeze')) {
          m.setPage(page, 'ref', 1);
          if (m.sink !== null) m.emit(refUnfreeze, pfnOf(page), 1, ...sampleOf(m, page));
        }
        unlockPage(m, page);
        return 'R0';
      },
    },
    R0: {
      text: (m) => `REUSE: PTE -> ${P(m)} writable`,
      run(m) {
        const page = m.reg(PAGE);
        const mm = mmArg(m);
        const va = vaArg(m);
        if (m.reg(SEEN) & SHARED || hasSharers(m, page, mm)) m.flag('missed-cow');
        if (m.reg(SEEN) & FOREIGN) m.flag('cow-leak-through-gup-ref');
        if (m.page(page, 'ksm') === 1) m.flag('ksm-in-place-reuse');
        if (m.page(page, 'reuse') === 1) m.setPage(page, 'reuse', 0);
        const marks = m.rules.exclusive && m.page(page, 'ae') === 0;
        if (marks) {
          m.setPage(page, 'ae', 1);
          m.emit(rmapMove, pfnOf(page), mmOf(mm));
        }
        m.emit(wpReuse, mmOf(mm), vaOf(va), pfnOf(page), ...wpSample(m, page));
        setWrite(m, mm, va, 1);
        unlockPtl(m, mm, va);
        endFault(m);
        return done;
      },
    },
    C0: {
      text: (m) => `COPY: reference to ${P(m)}, PTL dropped`,
      run(m) {
        const page = m.reg(PAGE);
        const mm = mmArg(m);
        addRef(m, page, 1);
        m.emit(
          wpCopy,
          mmOf(mm),
          vaOf(vaArg(m)),
          pfnOf(page),
          ...pteWord(m, mm, vaArg(m)),
          ...wpSample(m, page),
        );
        unlockPtl(m, mm, vaArg(m));
        return 'C1';
      },
    },
    C1: {
      text: (m) => `allocates a page and copies ${P(m)}`,
      run(m) {
        m.setReg(COPY, allocPage(m, m.page(m.reg(PAGE), 'content')));
        m.setReg(RANGED, rangeStart(m, mmArg(m), vaArg(m)) ? 1 : 0);
        return 'C2';
      },
    },
    C2: {
      text: () => 'PTL again, pte_same?',
      ready: faultReady,
      run(m) {
        const mm = mmArg(m);
        const va = vaArg(m);
        lockPtl(m, mm, va);
        const same = m.pte(mm, va, 'kind') === PRESENT && m.pte(mm, va, 'frame') === m.reg(PAGE);
        if (same && m.pte(mm, va, 'write') === 0) return 'C3';
        if (m.rules.is('pte-same', 'unchecked') && m.pte(mm, va, 'kind') === PRESENT) return 'C3';
        unlockPtl(m, mm, va);
        addRef(m, m.reg(COPY), -1);
        addRef(m, m.reg(PAGE), -1);
        if (m.reg(RANGED) === 1) rangeEnd(m, mm, va);
        m.emit(wpCopied, 0);
        endFault(m);
        return 'F0';
      },
    },
    C3: {
      text: (m) => `clears and flushes the PTE of ${P(m)}`,
      run(m) {
        const mm = mmArg(m);
        const va = vaArg(m);
        if (m.program.tlb && m.rules.is('tlb', 'cow-late')) setPte(m, mm, va, { kind: NONE });
        else clearFlush(m, mm, va, NONE);
        invalidatePage(m, mm, va);
        return 'C4';
      },
    },
    C4: {
      text: (m) => `PTE ${P(m)} -> ${name(m, m.reg(COPY))}, writable`,
      run(m) {
        const mm = mmArg(m);
        const va = vaArg(m);
        const page = m.reg(PAGE);
        if (m.reg(SEEN) & EXCLUSIVE) {
          m.flag('unexpected-cow');
          if (m.reg(SEEN) & RECLAIM) m.flag('unexpected-cow-under-reclaim');
        }
        if (hasOwnPin(m, page, mm, va, false)) m.flag('gup-pin-broken-by-cow');
        mapNew(m, m.reg(COPY), mm, va);
        setPte(m, mm, va, { kind: PRESENT, frame: m.reg(COPY), write: 1 });
        delMap(m, page, mm);
        return m.program.tlb && m.rules.is('tlb', 'cow-late') ? 'CF' : 'C5';
      },
    },
    CF: {
      text: (m) => `flushes ${m.program.vas[vaArg(m)]} only now`,
      run(m) {
        flushTlb(m, mmArg(m), vaArg(m));
        return 'C5';
      },
    },
    C5: {
      text: (m) => `PTL dropped, references to ${P(m)} put`,
      run(m) {
        const page = m.reg(PAGE);
        unlockPtl(m, mmArg(m), vaArg(m));
        m.emit(wpCopied, 0);
        addRef(m, page, -1);
        addRef(m, page, -1);
        if (m.reg(RANGED) === 1) return 'C6';
        endFault(m);
        return done;
      },
    },
    C6: {
      text: () => 'invalidate_range_end',
      run(m) {
        rangeEnd(m, mmArg(m), vaArg(m));
        endFault(m);
        return done;
      },
    },
    ...swapinPhases('F0'),
  };
}

const storePhase = (again: string): Phase => ({
  text: (m) => `stores to ${m.program.vas[vaArg(m)]}`,
  ready: (m) => m.get(m.at.mm(mmArg(m), 'pmd')) === 1,
  run(m) {
    if (!isWritable(m, mmArg(m), vaArg(m))) return again;
    store(m, mmArg(m), vaArg(m), storedValue(m));
    return null;
  },
});

export const write = op('write', ['mm', 'va'], 'a write fault if one is needed, and the store', {
  ...writePhases('ST'),
  ST: storePhase('F0'),
});

export const storeWritable = op(
  'store-when-writable',
  ['mm', 'va'],
  'another CPU of the process stores as soon as the PTE allows it',
  {
    ST: {
      text: (m) => `stores to ${m.program.vas[vaArg(m)]} without a fault`,
      ready: (m) => isWritable(m, mmArg(m), vaArg(m)),
      run(m) {
        store(m, mmArg(m), vaArg(m), storedValue(m));
        return null;
      },
    },
  },
);
