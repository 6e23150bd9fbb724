import { copy, reuse } from '../page.ts';
import { cowRule } from './cow-rule.ts';
import { noKsm } from './ksm-page.ts';

/** Never merged (P2): the patch of 2008-06-23 looks at the sum even where the lock cannot be had. */
export const hugh = cowRule({
  id: 'hugh',
  era: 'never merged (patch on 2.6.26-rc7)',
  source: 'Hugh Dickins to Robin Holt, 2008-06-23',
  table: [
    { when: 'mapcount is not 1', does: 'copy' },
    { when: 'not in the swap cache', does: 'reuse: no lock at all' },
    { when: 'swapcount is not 0 (under the page lock if it is free)', does: 'copy' },
    {
      when: 'page lock taken, not under writeback',
      does: 'take it out of the swap cache, set dirty, reuse',
    },
    { when: 'otherwise', does: 'reuse' },
  ],
  ksm: noKsm,
  procedure(page) {
    if (page.mappings !== 1) return copy('shared');
    if (!page.swapcache) return reuse('sole mapping');
    if (page.swapcount !== 0) return copy('swap in use');
    const uncaches = !page.locked && !page.writeback;
    return uncaches ? { ...reuse('sole mapping'), uncaches } : reuse('sole mapping');
  },
});
