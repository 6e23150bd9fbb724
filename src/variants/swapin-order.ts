import type { AxisValue } from './variant.ts';

/** When a swap-in drops the slot's count: before or after the page gains its mapping (S0c of the unlocked sum). */
export const SWAPIN_ORDERS: readonly AxisValue[] = [
  {
    id: 'rmap-first',
    era: 'up to 5.17',
    source: 'Hugh Dickins to Robin Holt, 2008-06-23 (comment of the patch)',
    table: [{ when: 'swap-in', does: 'page_add_anon_rmap, then swap_free: the sum is never seen too low' }],
  },
  {
    id: 'free-first',
    era: '5.18 to 6.18',
    source: 'c145e0b47c77',
    table: [{ when: 'swap-in', does: 'swap_free, then rmap: allowed as nobody reads the sum unlocked' }],
  },
  {
    id: 'map-then-uncache',
    era: '2026 trees',
    source: '4b34f1d82c65',
    table: [{ when: 'swap-in', does: 'PTE first, then the slot and the swap cache' }],
  },
];
