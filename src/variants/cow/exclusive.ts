import { type AnonPage, copy, reuse } from '../page.ts';
import { type Ruling, rule } from '../variant.ts';
import { cowRule } from './cow-rule.ts';
import { copyKsm } from './ksm-page.ts';
import { SOLE_USER_TABLE, soleUser } from './refcount-swap.ts';

/** An UNSHARE fault that could reuse has nothing to do. */
function shared(page: AnonPage, ruling: Ruling): Ruling {
  return page.unshare && ruling.outcome === 'reuse' ? rule('noop', ruling.reason) : ruling;
}

/** AnonExclusive settles it; else the sole user, who marks the page exclusive. Large folios need the mark. */
export function exclusiveOrSole(page: AnonPage): Ruling {
  if (page.exclusive) return shared(page, reuse('exclusive'));
  if (page.large) return copy('large-folio');
  return shared(page, soleUser(page));
}

/** 5.19 to 6.14 (P8, P9): an exclusive page is reused whatever its counts and its lock say. */
export const exclusive = cowRule({
  id: 'exclusive',
  era: '5.19 to 6.14',
  source: '6c287605fd56, c89357e27f20; mm/memory.c:do_wp_page, wp_can_reuse_anon_folio at 6.12',
  table: [
    { when: 'AnonExclusive', does: 'reuse: no lock, no counts' },
    { when: 'large folio', does: 'copy' },
    ...SOLE_USER_TABLE.map((row) =>
      row.does === 'reuse' ? { ...row, does: 'reuse, set AnonExclusive' } : row,
    ),
  ],
  ksm: copyKsm,
  procedure: exclusiveOrSole,
});
