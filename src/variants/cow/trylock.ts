import { copy, reuse } from '../page.ts';
import { cowRule } from './cow-rule.ts';
import { noKsm } from './ksm-page.ts';
import { users } from './sum.ts';

/** 2.6.13 to 2.6.28 (P1): mappings and swap entries are summed under a lock that is only tried: no lock, no reuse. */
export const trylock = cowRule({
  id: 'trylock',
  era: '2.6.13 to 2.6.28',
  source: 'history.git c475a8ab625d; Hugh Dickins to Robin Holt, 2008-06-23',
  table: [
    { when: 'page lock not free', does: 'copy' },
    { when: 'mapcount + swapcount is 1', does: 'reuse; the swap cache stays' },
    { when: 'otherwise', does: 'copy' },
  ],
  ksm: noKsm,
  procedure(page) {
    if (page.locked) return copy('lock');
    return users(page) === 1 ? reuse('sole mapping') : copy('shared');
  },
});
