import type { AxisValue } from './variant.ts';

/** Swap-in past the swap cache, for slots of count 1 on synchronous devices. */
export const SWAP_SKIPS: readonly AxisValue[] = [
  {
    id: 'none',
    era: 'before 4.15',
    source: '0bcac06f27d7 (which brought it)',
    table: [{ when: 'swap-in', does: 'through the swap cache' }],
  },
  {
    id: 'unsafe',
    era: '4.15 to 6.7',
    source: '0bcac06f27d7',
    table: [
      { when: 'count is 1, synchronous device', does: 'read past the cache: two faults may read one slot' },
    ],
  },
  {
    id: 'prepare',
    era: '6.8 on; backported to 6.1',
    source: '13ddaf26be32',
    table: [
      { when: 'count is 1, synchronous device', does: 'swapcache_prepare first: the second fault waits' },
    ],
  },
  {
    id: 'removed',
    era: '2026 trees',
    source: 'd3852f9692b8',
    table: [{ when: 'swap-in', does: 'through the swap cache' }],
  },
];
