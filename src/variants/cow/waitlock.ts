import { copy, reuse, WAIT } from '../page.ts';
import { cowRule } from './cow-rule.ts';
import { copyKsm } from './ksm-page.ts';
import { users } from './sum.ts';

/** 2.6.29 to 4.5 (P3): the lock is waited for, and the locked moment used to give the swap slot back. */
export const waitlock = cowRule({
  id: 'waitlock',
  era: '2.6.29 to 4.5',
  source: 'ab967d86015a, 7b1fe59793e6; KSM pages: 9a840895147b, 5ad6468801d2',
  waits: true,
  table: [
    { when: 'KSM page (from 2.6.32 on)', does: 'copy' },
    { when: 'page lock not free', does: 'wait for it; PTE changed: fault again' },
    {
      when: 'mapcount + swapcount is 1, in the swap cache, not under writeback',
      does: 'take it out of the swap cache, set dirty, reuse',
    },
    { when: 'mapcount + swapcount is 1', does: 'reuse' },
    { when: 'otherwise', does: 'copy' },
  ],
  ksm: copyKsm,
  procedure(page) {
    if (page.locked) return WAIT;
    if (users(page) !== 1) return copy('shared');
    const uncaches = page.swapcache && !page.writeback;
    return uncaches ? { ...reuse('sole mapping'), uncaches } : reuse('sole mapping');
  },
});
