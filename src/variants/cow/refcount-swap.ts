import { type AnonPage, copy, reuse } from '../page.ts';
import type { Ruling } from '../variant.ts';
import { cowRule } from './cow-rule.ts';
import { copyKsm } from './ksm-page.ts';

/**
 * The sole user reuses, and neither the swap cache nor this CPU's LRU batch counts as one (P7); later the part of
 * the rule that follows a clear AnonExclusive: wp_can_reuse_anon_folio.
 */
export function soleUser(page: AnonPage): Ruling {
  if (page.count + page.batched > 3) return copy('references');
  // Not on a list: perhaps in this CPU's batch, which is drained. Other CPUs' batches are not.
  const count = page.onLru ? page.count + page.batched : page.count;
  if (count > 2) return copy('references');
  if (count > 1 && !page.swapcache) return copy('references');
  if (page.locked) return copy('lock');
  if (!page.swapcache) return reuse('sole reference');
  if (!page.swapFrees) return copy('swap in use');
  return { ...reuse('swap freed'), uncaches: true };
}

/** Rows of the table that every rule from 5.18 on has. */
export const SOLE_USER_TABLE = [
  { when: 'KSM page, or refcount > 3', does: 'copy' },
  { when: 'not on an LRU list', does: "drain this CPU's batches, go on" },
  { when: 'refcount > 1 + swap cache', does: 'copy' },
  { when: 'page lock not free', does: 'copy' },
  { when: 'in the swap cache', does: 'free the slot if nobody else uses it and it is not under writeback' },
  { when: 'refcount is 1', does: 'reuse' },
  { when: 'otherwise', does: 'copy' },
] as const;

/** 5.18 (P7): as refcount, and the two commonest false copies are gone. */
export const refcountSwap = cowRule({
  id: 'refcount-swap',
  era: '5.18',
  source: '53a05ad9f21d, d4c470970d45; do_swap_page: c145e0b47c77',
  table: SOLE_USER_TABLE,
  ksm: copyKsm,
  procedure: soleUser,
});
