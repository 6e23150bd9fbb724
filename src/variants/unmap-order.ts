import type { AxisValue } from './variant.ts';

/** When an unmap for swap-out counts the swap entry: before or after the page loses its mapping. */
export const UNMAP_ORDERS: readonly AxisValue[] = [
  {
    id: 'dup-first',
    era: 'every kernel',
    source: 'Hugh Dickins to Robin Holt, 2008-06-23 (comment of the patch)',
    table: [{ when: 'unmap', does: 'swap_duplicate, then page_remove_rmap: the sum is never seen too low' }],
  },
  {
    id: 'rmap-first',
    era: 'in no kernel: mutant',
    source: 'shows what the order is for where the sum is read unlocked',
    table: [{ when: 'unmap', does: 'page_remove_rmap, then swap_duplicate' }],
  },
];
