import {
  siFreed,
  siGet,
  siGot,
  siPut,
  siUse,
  swapFreeCache,
  swapFreeCacheEnd,
  swapoffBegin,
  swapoffEnd,
  unuseBegin,
  unuseEnd,
} from '../../events/index.ts';
import { SI_USE_MAP } from '../../events/swap.ts';
import { slotOf } from '../addresses.ts';
import { PRESENT, SI_DEAD, SI_FREED, SI_UNUSING, SWAPPED } from '../layout.ts';
import type { Machine } from '../machine.ts';
import {
  addMap,
  addRef,
  EMPTY,
  freeSlot,
  lockPtl,
  ptlFree,
  removeLocked,
  setDirty,
  setPte,
  trylock,
  uncache,
  unlockPage,
  unlockPtl,
} from '../memory.ts';
import { op, type Phase } from '../op.ts';
import { dropCount } from './swapin.ts';

/** Registers: slot, the page whose cache is to go, whether a device reference is held. */
const SLOT = 0;
const PAGE = 1;
const GOT = 2;

/** A look at swap_map or swap_info: after swapoff freed them it reads freed memory. */
function use(m: Machine, slot: number): void {
  m.emit(siUse, slotOf(slot), SI_USE_MAP);
  if (m.get(m.at.si('state')) === SI_FREED) m.flag('swapoff-uaf-si');
}

/** Whether no slot of the folio cached under this slot has a user left: what swap_page_trans_huge_swapped asks. */
function allZero(m: Machine, page: number): boolean {
  for (let slot = 0; slot < m.at.sizes.slots; slot++)
    if (m.slot(slot, 'page') === page + 1 && m.slot(slot, 'count') > 0) return false;
  return true;
}

/** Every slot of a folio leaves the swap cache; those without users are given back. */
function uncacheAll(m: Machine, page: number): void {
  // Who gives a slot back leaves the page as the only copy.
  setDirty(m, page);
  const own = m.page(page, 'sc') - 1;
  for (let slot = 0; slot < m.at.sizes.slots; slot++) {
    if (slot === own || m.slot(slot, 'page') !== page + 1) continue;
    m.set(m.at.slot(slot, 'page'), 0);
    if (m.slot(slot, 'count') === 0) freeSlot(m, slot);
  }
  uncache(m, page);
}

function put(m: Machine): void {
  if (m.reg(GOT) === 0) return;
  m.add(m.at.si('users'), -1);
  m.emit(siPut, slotOf(m.reg(SLOT)));
}

/** free_swap_and_cache. `end` follows; the caller's locks are its own affair. */
function freePhases(end: string): Readonly<Record<string, Phase>> {
  return {
    get: {
      text: () => 'get_swap_device',
      run(m) {
        m.setReg(GOT, 0);
        if (!m.rules.is('swapoff', 'getdev')) return 'count';
        m.emit(siGet, slotOf(m.reg(SLOT)));
        const ok = m.get(m.at.si('state')) < SI_DEAD;
        m.emit(siGot, slotOf(m.reg(SLOT)), ok ? 1 : 0);
        if (!ok) return end;
        m.add(m.at.si('users'), 1);
        m.setReg(GOT, 1);
        return 'count';
      },
    },
    count: {
      text: (m) => `count of ${m.program.slots[m.reg(SLOT)]} drops`,
      run(m) {
        const slot = m.reg(SLOT);
        m.emit(swapFreeCache, slotOf(slot), 1);
        use(m, slot);
        const page = m.slot(slot, 'page') - 1;
        m.setReg(PAGE, page);
        const left = m.add(m.at.slot(slot, 'count'), -1);
        if (left < 0) m.flag('swap-count-underflow');
        if (page < 0) {
          if (left === 0) freeSlot(m, slot);
          return 'put';
        }
        if (left > 0) return 'put';
        // Up to 4.10 the count, the look at the cache and the trylock were one section of swap_lock.
        if (!m.rules.is('swapoff', 'locked')) return 'look';
        return allZero(m, page) && trylock(m, page) ? 'drop' : 'put';
      },
    },
    look: {
      text: (m) => `swap_map looked at: is ${m.program.slots[m.reg(SLOT)]} unused?`,
      run(m) {
        use(m, m.reg(SLOT));
        const page = m.reg(PAGE);
        if (m.slot(m.reg(SLOT), 'page') !== page + 1 || !allZero(m, page)) return 'put';
        return 'try';
      },
    },
    try: {
      text: () => 'cache looked up, folio lock tried',
      run: (m) =>
        m.slot(m.reg(SLOT), 'page') === m.reg(PAGE) + 1 && trylock(m, m.reg(PAGE)) ? 'drop' : 'put',
    },
    drop: {
      text: () => 'folio leaves the swap cache',
      run(m) {
        const page = m.reg(PAGE);
        // Page lock and membership protect the device: its cache holds slots in use.
        const isCached = m.page(page, 'sc') !== 0 && m.slot(m.reg(SLOT), 'page') === page + 1;
        const isUnused = isCached && allZero(m, page);
        if (isUnused) removeLocked(m, page, uncacheAll);
        else unlockPage(m, page);
        return 'put';
      },
    },
    put: {
      text: () => 'done with the device',
      run(m) {
        put(m);
        m.emit(swapFreeCacheEnd);
        return end;
      },
    },
  };
}

/** Args: mm, va. */
export const zapSwap = op(
  'zap-swap',
  ['mm', 'va'],
  'exit or munmap frees a swap PTE under the page-table lock',
  {
    ptl: {
      text: (m) => `PTL(${m.program.mms[m.args[0]!]}), swap PTE?`,
      ready: (m) => ptlFree(m, m.args[0]!),
      run(m) {
        if (m.pte(m.args[0]!, m.args[1]!, 'kind') !== SWAPPED) return null;
        lockPtl(m, m.args[0]!, m.args[1]!);
        m.setReg(SLOT, m.pte(m.args[0]!, m.args[1]!, 'frame'));
        return 'get';
      },
    },
    ...freePhases('clear'),
    clear: {
      text: () => 'PTE none, PTL dropped',
      run(m) {
        setPte(m, m.args[0]!, m.args[1]!, EMPTY);
        unlockPtl(m, m.args[0]!, m.args[1]!);
        return null;
      },
    },
  },
);

/** Arg: slot. Shmem truncation holds no lock that swapoff waits for. */
export const truncateSwap = op('truncate-swap', ['slot'], 'shmem truncation frees a slot without any lock', {
  begin: {
    text: (m) => `truncation meets ${m.program.slots[m.args[0]!]}`,
    run(m) {
      m.setReg(SLOT, m.args[0]!);
      return m.slot(m.args[0]!, 'count') > 0 ? 'get' : null;
    },
  },
  ...freePhases('end'),
  end: { text: () => 'truncation goes on', run: () => null },
});

/** What try_to_unuse can do next: a swap PTE to convert, or a cached folio that nobody uses. */
function work(m: Machine): { readonly mm: number; readonly va: number } | { readonly page: number } | null {
  const { mms, vas, slots } = m.at.sizes;
  for (let mm = 0; mm < mms; mm++)
    for (let va = 0; va < vas; va++)
      if (m.pte(mm, va, 'kind') === SWAPPED && ptlFree(m, mm) && isUsable(m, m.pte(mm, va, 'frame')))
        return { mm, va };
  for (let slot = 0; slot < slots; slot++) {
    const page = m.slot(slot, 'page') - 1;
    if (page >= 0 && m.page(page, 'lock') === 0 && m.page(page, 'sc') !== 0 && allZero(m, page))
      return { page };
  }
  return null;
}

function isUsable(m: Machine, slot: number): boolean {
  const page = m.slot(slot, 'page') - 1;
  return m.slot(slot, 'count') > 0 && page >= 0 && m.page(page, 'lock') === 0;
}

export const swapoff = op('swapoff', [], 'swapoff: stop new users, empty the device, wait, free it', {
  begin: {
    text: () => 'swapoff: SWP_WRITEOK cleared',
    run(m) {
      m.emit(swapoffBegin);
      m.emit(unuseBegin, 0);
      m.set(m.at.si('state'), SI_UNUSING);
      return 'unuse';
    },
  },
  unuse: {
    text: (m) =>
      m.cells[m.at.si('inuse')] === 0 ? 'try_to_unuse: inuse_pages is 0' : 'try_to_unuse: one step',
    ready: (m) => m.get(m.at.si('inuse')) <= 0 || work(m) !== null,
    run(m) {
      if (m.get(m.at.si('inuse')) <= 0) {
        m.emit(unuseEnd, 0);
        return 'kill';
      }
      const next = work(m)!;
      if ('page' in next) {
        trylock(m, next.page);
        removeLocked(m, next.page, uncacheAll);
        return 'unuse';
      }
      const slot = m.pte(next.mm, next.va, 'frame');
      const page = m.slot(slot, 'page') - 1;
      addRef(m, page, 1);
      addMap(m, page, next.mm, next.va, false);
      setPte(m, next.mm, next.va, { kind: PRESENT, frame: page });
      dropCount(m, slot);
      return 'unuse';
    },
  },
  kill: {
    text: () => 'no new device references; those that hold a spinlock now are noted',
    run(m) {
      m.set(m.at.si('state'), SI_DEAD);
      if (m.rules.is('swapoff', 'window+rcu', 'getdev')) {
        let waiting = 0;
        for (let mm = 0; mm < m.at.sizes.mms; mm++) {
          const owner = m.get(m.at.mm(mm, 'ptl'));
          if (owner !== 0) waiting |= 1 << (owner - 1);
        }
        m.set(m.at.si('grace'), waiting);
      }
      return 'free';
    },
  },
  free: {
    text: () => 'frees swap_map and cluster_info',
    ready: (m) => m.get(m.at.si('users')) === 0 && m.get(m.at.si('grace')) === 0,
    run(m) {
      m.set(m.at.si('state'), SI_FREED);
      m.emit(siFreed, 0);
      m.emit(swapoffEnd, 0);
      return null;
    },
  },
});
