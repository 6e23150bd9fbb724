import { FAULT_USER, FAULT_WRITE } from '../../events/flags.ts';
import {
  faultEnd,
  swapClear,
  swapcacheAdd,
  swapcacheFound,
  swapFree,
  swapinBegin,
  swapinEnd,
  swapPrepare,
  swapRead,
} from '../../events/index.ts';
import { mmOf, pfnOf, pteWord, slotOf, vaOf } from '../addresses.ts';
import { PRESENT, SWAPPED } from '../layout.ts';
import type { Machine } from '../machine.ts';
import {
  addMap,
  addRef,
  allocPage,
  freeSlot,
  lockPtl,
  ptlFree,
  setDirty,
  setPte,
  trylock,
  uncache,
  unlockPage,
  unlockPtl,
} from '../memory.ts';
import type { Phase } from '../op.ts';

/** Registers: page, slot, whether it bypassed the cache, how it is to be mapped (bits), whether the fault is a write. */
const PAGE = 0;
const SLOT = 2;
const SKIPPED = 1;
const HOW = 3;
const IS_WRITE = 5;
const EXCLUSIVE = 1;
const WRITABLE = 2;

const mmArg = (m: Machine): number => m.args[0]!;
const vaArg = (m: Machine): number => m.args[1]!;
const pageName = (m: Machine): string => m.program.pages[m.reg(PAGE)] ?? `N${m.reg(PAGE)}`;
const slotName = (m: Machine): string => m.program.slots[m.reg(SLOT)]!;

function leave(m: Machine): void {
  m.emit(swapinEnd, 0);
  m.emit(faultEnd, 0);
  m.add(m.at.mm(mmArg(m), 'readers'), -1);
}

/** A slot loses one user; without users and without a cached page it is given back. */
export function dropCount(m: Machine, slot: number): void {
  m.emit(swapFree, slotOf(slot), 1);
  const left = m.add(m.at.slot(slot, 'count'), -1);
  if (left < 0) m.flag('swap-count-underflow');
  if (left === 0 && m.slot(slot, 'page') === 0) freeSlot(m, slot);
}

function mapIn(m: Machine): void {
  addMap(m, m.reg(PAGE), mmArg(m), vaArg(m), (m.reg(HOW) & EXCLUSIVE) !== 0);
}

function isSame(m: Machine): boolean {
  return m.pte(mmArg(m), vaArg(m), 'kind') === SWAPPED && m.pte(mmArg(m), vaArg(m), 'frame') === m.reg(SLOT);
}

/** How the page may be mapped: the swapin-reuse axis, asked once the PTE was found unchanged. */
function decide(m: Machine): number {
  const page = m.reg(PAGE);
  const isWrite = m.reg(IS_WRITE) === 1;
  const { axes } = m.rules.variant;
  const ruling = axes['swapin-reuse'].procedure({
    ksm: m.page(page, 'ksm') === 1,
    swapcache: m.page(page, 'sc') !== 0,
    exclusive: m.rules.exclusive && m.pte(mmArg(m), vaArg(m), 'excl') === 1,
    count: m.page(page, 'ref'),
    mappings: m.page(page, 'map'),
    swapcount: m.slot(m.reg(SLOT), 'count'),
    writeback: m.page(page, 'wb') === 1,
    stableWrites: false,
    write: isWrite,
  });
  if (ruling.outcome !== 'writable') return 0;
  return EXCLUSIVE | (isWrite || m.rules.is('swapin-reuse', 'exclusive-read') ? WRITABLE : 0);
}

/** Gives up: the PTE has changed, or the page left the swap cache. */
function backOut(m: Machine, again: string): string {
  unlockPage(m, m.reg(PAGE));
  addRef(m, m.reg(PAGE), -1);
  if (m.reg(SKIPPED) === 1) release(m);
  leave(m);
  return again;
}

/** Ends the reservation of a slot that was read past the cache. */
function release(m: Machine): void {
  if (!m.rules.is('swap-skip', 'prepare')) return;
  m.set(m.at.slot(m.reg(SLOT), 'held'), 0);
  m.emit(swapClear, slotOf(m.reg(SLOT)));
}

/** do_swap_page reads the slot past the swap cache: one user, and a device that is as fast as memory. */
function skips(m: Machine, slot: number): boolean {
  return (
    m.rules.is('swap-skip', 'unsafe', 'prepare') && m.slot(slot, 'count') === 1 && m.slot(slot, 'page') === 0
  );
}

/** The phases of do_swap_page. `again` is the phase that follows, in which the fault is looked at anew. */
export function swapinPhases(again: string): Readonly<Record<string, Phase>> {
  return {
    S0: {
      text: (m) => `swap-in of ${m.program.vas[vaArg(m)]}: looks for the slot's page`,
      ready: (m) =>
        m.pte(mmArg(m), vaArg(m), 'kind') !== SWAPPED ||
        !m.rules.is('swap-skip', 'prepare') ||
        m.slot(m.pte(mmArg(m), vaArg(m), 'frame'), 'held') === 0,
      run(m) {
        const mm = mmArg(m);
        const va = vaArg(m);
        if (m.pte(mm, va, 'kind') !== SWAPPED) {
          leave(m);
          return again;
        }
        const slot = m.pte(mm, va, 'frame');
        m.setReg(SLOT, slot);
        m.setReg(SKIPPED, 0);
        const flags = FAULT_USER | (m.reg(IS_WRITE) === 1 ? FAULT_WRITE : 0);
        m.emit(swapinBegin, mmOf(mm), vaOf(va), flags, ...pteWord(m, mm, va));
        const cached = m.slot(slot, 'page');
        m.emit(swapcacheFound, cached === 0 ? Number.NaN : pfnOf(cached - 1));
        if (cached !== 0) {
          m.setReg(PAGE, cached - 1);
          addRef(m, cached - 1, 1);
          return 'S2';
        }
        if (skips(m, slot)) {
          if (m.rules.is('swap-skip', 'prepare')) {
            m.set(m.at.slot(slot, 'held'), 1);
            m.emit(swapPrepare, slotOf(slot));
          }
          m.setReg(SKIPPED, 1);
          return 'S1';
        }
        const page = allocPage(m, m.slot(slot, 'content'));
        m.setReg(PAGE, page);
        trylock(m, page);
        m.setPage(page, 'sc', slot + 1);
        m.set(m.at.slot(slot, 'page'), page + 1);
        addRef(m, page, 1);
        m.emit(swapcacheAdd, pfnOf(page), slotOf(slot), 1);
        m.emit(swapRead, pfnOf(page), slotOf(slot));
        return 'S3';
      },
    },
    S1: {
      text: (m) => `reads slot ${slotName(m)} past the swap cache`,
      run(m) {
        const page = allocPage(m, m.slot(m.reg(SLOT), 'content'));
        m.setReg(PAGE, page);
        trylock(m, page);
        m.emit(swapRead, pfnOf(page), slotOf(m.reg(SLOT)));
        return 'S3';
      },
    },
    S2: {
      text: (m) => `locks ${pageName(m)}, still cached for ${slotName(m)}?`,
      ready: (m) => m.page(m.reg(PAGE), 'lock') === 0,
      run(m) {
        trylock(m, m.reg(PAGE));
        return m.page(m.reg(PAGE), 'sc') === m.reg(SLOT) + 1 ? 'S3' : backOut(m, again);
      },
    },
    S3: {
      text: () => 'PTL, pte_same?',
      ready: (m) => ptlFree(m, mmArg(m)) && m.get(m.at.mm(mmArg(m), 'pmd')) === 1,
      run(m) {
        lockPtl(m, mmArg(m), vaArg(m));
        if (!isSame(m) && !m.rules.is('pte-same', 'unchecked')) {
          unlockPtl(m, mmArg(m), vaArg(m));
          return backOut(m, again);
        }
        m.setReg(HOW, decide(m));
        return 'S4';
      },
    },
    S4: {
      text: (m) =>
        m.rules.is('swapin-order', 'free-first') ? `swap_free(${slotName(m)})` : `maps ${pageName(m)} (rmap)`,
      run(m) {
        if (m.rules.is('swapin-order', 'free-first')) dropCount(m, m.reg(SLOT));
        else mapIn(m);
        return 'S5';
      },
    },
    S5: {
      text: (m) =>
        m.rules.is('swapin-order', 'free-first') ? `maps ${pageName(m)} (rmap)` : `swap_free(${slotName(m)})`,
      run(m) {
        if (m.rules.is('swapin-order', 'free-first')) mapIn(m);
        else dropCount(m, m.reg(SLOT));
        return 'S6';
      },
    },
    S6: {
      text: (m) => `PTE -> ${pageName(m)}, unlocks`,
      run(m) {
        const mm = mmArg(m);
        const va = vaArg(m);
        const page = m.reg(PAGE);
        const writable = (m.reg(HOW) & WRITABLE) !== 0;
        // A page of the cache has what all its users see; one that was just read has what the slot had then.
        const isOwn = page >= m.program.fresh;
        if (isOwn && m.page(page, 'content') !== m.pte(mm, va, 'value')) m.flag('swapin-stale-install');
        if (
          writable &&
          m.page(page, 'sc') !== 0 &&
          m.page(page, 'wb') === 0 &&
          !m.rules.is('swapin-reuse', 'can-share')
        ) {
          uncache(m, page);
          setDirty(m, page);
        }
        setPte(m, mm, va, { kind: PRESENT, frame: page, write: writable ? 1 : 0 });
        if (m.reg(SKIPPED) === 1) release(m);
        unlockPtl(m, mm, va);
        unlockPage(m, page);
        leave(m);
        return again;
      },
    },
  };
}
