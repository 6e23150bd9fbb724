import type { Inputs } from '../../state/decision.ts';
import { type CowRule, open, type Ruling, rule } from '../variant.ts';

/** What follows once AnonExclusive was found clear: wp_can_reuse_anon_folio (mm/memory.c at 6.12; inline in do_wp_page before 6.1). */
function soleUser(inputs: Inputs): Ruling {
  const { ksm, large, count, swapcache, locked, swapFreed } = inputs;
  if (ksm === true) return rule('copy', 'ksm');
  // 6.12: large folios that are not exclusive are never reused; the test lives at its top.
  if (large === true) return rule('copy', 'large-folio');
  if (count > 3) return rule('copy', 'references');
  const cached = swapcache === undefined ? undefined : swapcache ? 1 : 0;
  // One mapping, one for the swap cache. The local LRU batch was drained before this is asked.
  if (count > 2 || (cached !== undefined && count > 1 + cached))
    return rule('copy', inputs.mappings > 1 ? 'shared' : 'references');
  if (Number.isNaN(count))
    return inputs.mappings > 1 && cached === 0 ? rule('copy', 'shared') : open('refcount');
  if (cached === undefined) return open('swapcache');
  if (locked === true) return rule('copy', 'lock');
  if (locked === undefined) {
    // Neither held nor free for certain: only a result that both ways share is certain, and there is none.
    if (swapFreed === undefined) return open('page lock');
  }
  if (cached === 1 && count === 2) {
    if (swapFreed === true) return rule('reuse', 'swap freed');
    if (swapFreed === false || inputs.writeback === true || inputs.swapcount > 0)
      return rule('copy', inputs.mappings > 1 ? 'shared' : 'swap in use');
    return open('folio_free_swap');
  }
  if (count === 1) return rule('reuse', 'sole reference');
  return rule('copy', 'references');
}

/**
 * 5.19 and later (P8, P9): an exclusive anon page is reused whatever its counts and its lock say; another one only
 * by its sole user. Commit 6c287605fd56; mm/memory.c:do_wp_page at 6.12.
 */
export const exclusive: CowRule = {
  id: 'exclusive',
  era: '5.19 and later',
  source: '6c287605fd56, c89357e27f20; mm/memory.c:do_wp_page, wp_can_reuse_anon_folio at 6.12',
  table: [
    { when: 'AnonExclusive', does: 'reuse: no lock, no counts' },
    { when: 'KSM page, or refcount > 3', does: 'copy' },
    { when: 'large folio', does: 'copy' },
    { when: 'not on an LRU list', does: "drain this CPU's batches, go on" },
    { when: 'refcount > 1 + swap cache', does: 'copy' },
    { when: 'page lock not free', does: 'copy' },
    { when: 'in the swap cache', does: 'free the slot if nobody else uses it and it is not under writeback' },
    { when: 'refcount is 1', does: 'reuse, set AnonExclusive' },
    { when: 'otherwise', does: 'copy' },
  ],
  decide(inputs) {
    if (inputs.exclusive === true) return rule(inputs.unshare ? 'noop' : 'reuse', 'exclusive');
    const test = soleUser(inputs);
    const sole: Ruling = test.outcome === 'reuse' && inputs.unshare ? { ...test, outcome: 'noop' } : test;
    if (inputs.exclusive === false) return sole;
    // Unknown: certain only if the test gives what exclusivity would have given.
    return sole.outcome === 'reuse' ? sole : open('AnonExclusive', ...sole.missing);
  },
};
