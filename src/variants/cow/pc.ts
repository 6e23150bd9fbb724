import { copy, reuse } from '../page.ts';
import { cowRule } from './cow-rule.ts';
import { noKsm } from './ksm-page.ts';

/** 2.6.0 to 2.6.12 (P0): can_share_swap_page counts references, so whoever looks at the page makes it look shared. */
export const pc = cowRule({
  id: 'pc',
  era: '2.6.0 to 2.6.12',
  source: 'history.git c475a8ab625d (which ended it); mm/swapfile.c:can_share_swap_page at 2.6.7',
  table: [
    { when: 'page lock not free', does: 'copy' },
    { when: 'refcount is 1', does: 'reuse' },
    { when: 'refcount is 2, in the swap cache, no other user of the slot', does: 'reuse' },
    { when: 'otherwise', does: 'copy' },
  ],
  ksm: noKsm,
  procedure(page) {
    if (page.locked) return copy('lock');
    const count = page.count + page.batched;
    if (count === 1) return reuse('sole reference');
    if (count === 2 && page.swapcache && page.swapcount === 0) return reuse('sole reference');
    return copy('references');
  },
});
