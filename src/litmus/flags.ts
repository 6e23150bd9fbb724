/**
 * What the model itself can see of a divergence while it runs: one bit each, under the id of the check that judges
 * the same interleaving by its events. The explorer counts bits; the checks judge witnesses.
 */
export const FLAGS = [
  'unexpected-cow',
  'unexpected-cow-under-reclaim',
  'gup-pin-broken-by-cow',
  'gup-pin-broken-by-fork',
  'gup-pin-broken-by-collapse',
  'gup-fast-fork-race',
  'collapse-extra-refs',
  'collapse-late-pin',
  'collapse-lost-write',
  'missed-cow',
  'cow-leak-through-gup-ref',
  'writable-pte-shared-anon',
  'secondary-mmu-stale-mapping',
  'secondary-mmu-lost-write',
  'ksm-in-place-reuse',
  'ksm-unlocked-ref-race',
  'swapoff-uaf-si',
  'swapin-stale-install',
  'refcount-underflow',
  'use-after-free-page',
  'mapcount-negative',
  'free-while-mapped',
  'double-free-page',
  'anon-page-discarded-unsaved',
  'fork-left-pte-writable',
  'swap-count-underflow',
  'page-unlock-not-locked',
  'deadlock',
] as const;

export type Flag = (typeof FLAGS)[number];

const BIT = new Map<string, number>(FLAGS.map((flag, i) => [flag, 1 << i]));

/** Bit of a flag. */
export function flagBit(flag: Flag): number {
  return BIT.get(flag)!;
}

/** Names of the bits that are set, in the order of the list. */
export function flagNames(bits: number): Flag[] {
  return FLAGS.filter((_flag, i) => (bits & (1 << i)) !== 0);
}
