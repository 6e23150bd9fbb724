import { type AnonPage, copy, reuse } from '../page.ts';
import { type Ruling, rule } from '../variant.ts';
import { cowRule } from './cow-rule.ts';
import { exclusive, exclusiveOrSole } from './exclusive.ts';
import { copyKsm } from './ksm-page.ts';

/**
 * A large folio without AnonExclusive (mm/memory.c:__wp_can_reuse_large_anon_folio): only this mm maps it, and all
 * its references are mappings.
 */
function soleLarge(page: AnonPage): Ruling {
  if (page.largeMappings <= 1) return copy('large-folio');
  if (page.mappedShared) return copy('shared');
  const cached = page.swapcache;
  if (cached && page.locked) return copy('lock');
  if (cached && !page.swapFrees) return copy('swap in use');
  const count = page.count + page.batched - (cached ? 1 : 0);
  if (count !== page.largeMappings) return copy('references');
  return cached ? { ...reuse('all references map'), uncaches: true } : reuse('all references map');
}

/** 6.15 on (P10): as exclusive, and a large folio whose every reference is a mapping of this mm is reused too. */
export const exclusiveLarge = cowRule({
  id: 'exclusive-large',
  era: '6.15 on',
  source: '1da190f4d0a6',
  table: [
    { when: 'AnonExclusive', does: 'reuse: no lock, no counts' },
    { when: 'large folio, large_mapcount <= 1, or mapped by another mm', does: 'copy' },
    { when: 'large folio in the swap cache', does: 'trylock, free the slot; else copy' },
    { when: 'large folio, large_mapcount is the refcount', does: 'reuse, no folio lock' },
    { when: 'large folio otherwise', does: 'copy' },
    ...exclusive.table.slice(2),
  ],
  ksm: copyKsm,
  procedure(page) {
    if (page.exclusive || !page.large) return exclusiveOrSole(page);
    const ruling = soleLarge(page);
    return page.unshare && ruling.outcome === 'reuse' ? rule('noop', ruling.reason) : ruling;
  },
});
