import { type AnonPage, copy, reuse, WAIT } from '../page.ts';
import type { Ruling } from '../variant.ts';
import { cowRule } from './cow-rule.ts';
import { copyKsm } from './ksm-page.ts';
import { users } from './sum.ts';

/**
 * reuse_swap_page() of 4.6 to 5.8, with the page lock held: mappings of a huge page are those of its most mapped
 * subpage. `uncaches` where the slot was given back on the way.
 */
export function reuseSwapPage(page: AnonPage): Ruling {
  if (users(page) > 1) return copy('shared');
  if (!page.swapcache) return reuse('sole mapping');
  if (!page.writeback) return { ...reuse('sole mapping'), uncaches: true };
  return page.stableWrites ? copy('stable writes') : reuse('sole mapping');
}

/** 4.6 to 5.0 (P4): as waitlock, with the counts of a huge page's subpages; stable-writes devices need the copy. */
export const thp = cowRule({
  id: 'thp',
  era: '4.6 to 5.0',
  source:
    '6d0a07edd17c, ba3c4ce6def4; f05714293a59 (stable writes); mm/swapfile.c:reuse_swap_page at eb085574a752',
  waits: true,
  table: [
    { when: 'KSM page', does: 'copy' },
    { when: 'page lock not free', does: 'wait for it; PTE changed: fault again' },
    { when: 'mapcount + swapcount (of the most used subpage) > 1', does: 'copy' },
    { when: 'not in the swap cache', does: 'reuse' },
    { when: 'not under writeback', does: 'take it out of the swap cache, set dirty, reuse' },
    { when: 'the device needs stable pages', does: 'copy' },
    { when: 'otherwise', does: 'reuse' },
  ],
  ksm: copyKsm,
  procedure: (page) => (page.locked ? WAIT : reuseSwapPage(page)),
});
