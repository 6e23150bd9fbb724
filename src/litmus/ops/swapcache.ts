import { swapAlloc, swapcacheAdd, swapcachePeek } from '../../events/index.ts';
import { pfnOf, slotOf } from '../addresses.ts';
import type { Machine } from '../machine.ts';
import { addRef, removeLocked, trylock, unlockPage } from '../memory.ts';
import { op } from '../op.ts';

const page = (m: Machine): number => m.args[0]!;
const P = (m: Machine): string => m.program.pages[page(m)]!;
const slot = (m: Machine): number => m.args[1]!;

const setPrivate = (m: Machine): void => m.setPage(page(m), 'private', slot(m) + 1);

function setFlag(m: Machine): void {
  m.setPage(page(m), 'sc', slot(m) + 1);
  m.set(m.at.slot(slot(m), 'page'), page(m) + 1);
  m.emit(swapcacheAdd, pfnOf(page(m)), slotOf(slot(m)), 1);
}

/** Args: page, slot. The two stores are steps of their own: what a reader without the lock may see. */
export const addToCache = op(
  'add-to-cache',
  ['page', 'slot'],
  'a page enters the swap cache, store by store',
  {
    lock: {
      text: (m) => `locks ${P(m)}`,
      ready: (m) => m.page(page(m), 'lock') === 0,
      run(m) {
        trylock(m, page(m));
        m.emit(swapAlloc, slotOf(slot(m)), 1);
        m.add(m.at.si('inuse'), 1);
        addRef(m, page(m), 1);
        return 'first';
      },
    },
    first: {
      text: (m) =>
        m.rules.is('private-order', 'none')
          ? 'the flag is seen'
          : `private = ${m.program.slots[slot(m)]} is seen`,
      run(m) {
        if (m.rules.is('private-order', 'none')) setFlag(m);
        else setPrivate(m);
        return 'second';
      },
    },
    second: {
      text: (m) =>
        m.rules.is('private-order', 'none')
          ? `private = ${m.program.slots[slot(m)]} is seen`
          : 'the flag is seen',
      run(m) {
        if (m.rules.is('private-order', 'none')) setPrivate(m);
        else setFlag(m);
        return 'unlock';
      },
    },
    unlock: {
      text: (m) => `unlocks ${P(m)}`,
      run(m) {
        unlockPage(m, page(m));
        return null;
      },
    },
  },
);

/** private stays behind when a page leaves the cache. */
export const leaveCache = op(
  'leave-cache',
  ['page'],
  'a page leaves the swap cache; private keeps its entry',
  {
    lock: {
      text: (m) => `locks ${P(m)}`,
      ready: (m) => m.page(page(m), 'lock') === 0,
      run(m) {
        trylock(m, page(m));
        return 'leave';
      },
    },
    leave: {
      text: (m) => `${P(m)} leaves the swap cache`,
      run(m) {
        if (m.page(page(m), 'sc') === 0) unlockPage(m, page(m));
        else removeLocked(m, page(m));
        return null;
      },
    },
  },
);

/** page_swapcount without the lock, as the patch of 2008 reads it: the flag, smp_rmb, private. */
export const peek = op(
  'peek',
  ['page'],
  'a reader without the lock sees the swap cache flag, then the entry',
  {
    flag: {
      text: (m) => `is ${P(m)} in the swap cache?`,
      run: (m) => (m.page(page(m), 'sc') === 0 ? null : 'private'),
    },
    private: {
      text: (m) => `reads the entry from ${P(m)}`,
      run(m) {
        const entry = m.page(page(m), 'private');
        if (entry > 0) m.emit(swapcachePeek, pfnOf(page(m)), slotOf(entry - 1));
        return null;
      },
    },
  },
);
