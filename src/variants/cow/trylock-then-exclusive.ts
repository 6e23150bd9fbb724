import { copy } from '../page.ts';
import { cowRule } from './cow-rule.ts';
import { exclusive, exclusiveOrSole } from './exclusive.ts';
import { copyKsm } from './ksm-page.ts';

/** In no kernel: the trylock of 2.6.13 put before the rule of 6.12, to show what that line did. */
export const trylockThenExclusive = cowRule({
  id: 'trylock-then-exclusive',
  era: 'in no kernel: 6.12 with the trylock of 2.6.13 to 2.6.28',
  source: 'Hugh Dickins to Robin Holt, 2008-06-23, for what the trylock did',
  table: [{ when: 'page lock not free', does: 'copy' }, ...exclusive.table],
  ksm: copyKsm,
  procedure: (page) => (page.locked ? copy('lock') : exclusiveOrSole(page)),
});
