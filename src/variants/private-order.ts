import type { AxisValue } from './variant.ts';

/** In which order a page's entry into the swap cache becomes visible to a reader without its lock. */
export const PRIVATE_ORDERS: readonly AxisValue[] = [
  {
    id: 'wmb',
    era: 'every kernel',
    source: 'Hugh Dickins to Robin Holt, 2008-06-23 (set_page_private, smp_wmb, SetPageSwapCache)',
    table: [{ when: 'added to the swap cache', does: 'private first, then the flag' }],
  },
  {
    id: 'none',
    era: 'in no kernel: mutant',
    source: 'shows what the barrier is for: stores may be seen in either order',
    table: [{ when: 'added to the swap cache', does: 'the flag may be seen before private' }],
  },
];
