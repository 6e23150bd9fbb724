import { WAIT } from '../page.ts';
import { cowRule } from './cow-rule.ts';
import { reuseKsm } from './ksm-page.ts';
import { reuseSwapPage } from './thp.ts';

/** 5.1 to 5.8 (P5): as thp, and a KSM page that one PTE maps may be reused with its refcount frozen. */
export const ksmreuse = cowRule({
  id: 'ksmreuse',
  era: '5.1 to 5.8',
  source: '52d1e606ee73; mm/memory.c:do_wp_page, mm/ksm.c:reuse_ksm_page at 5.1',
  waits: true,
  table: [
    { when: 'KSM page in the swap cache, or refcount is not 1', does: 'copy' },
    { when: 'page lock not free', does: 'wait for it; PTE changed: fault again' },
    { when: 'KSM page', does: 'freeze the refcount, make it an anon page, reuse; cannot freeze: copy' },
    { when: 'mapcount + swapcount (of the most used subpage) > 1', does: 'copy' },
    { when: 'not in the swap cache', does: 'reuse' },
    { when: 'not under writeback', does: 'take it out of the swap cache, set dirty, reuse' },
    { when: 'the device needs stable pages', does: 'copy' },
    { when: 'otherwise', does: 'reuse' },
  ],
  ksm: reuseKsm,
  procedure: (page) => (page.locked ? WAIT : reuseSwapPage(page)),
});
