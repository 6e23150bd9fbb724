import type { AxisValue } from './variant.ts';

/** Whether a reuse that takes the page out of the swap cache marks it dirty: its only copy is in memory then. */
export const REUSE_DIRTY: readonly AxisValue[] = [
  {
    id: 'set',
    era: 'every kernel',
    source: '7b1fe59793e6; mm/swapfile.c:folio_free_swap at 6.12',
    table: [{ when: 'taken out of the swap cache', does: 'SetPageDirty' }],
  },
  {
    id: 'none',
    era: 'in no kernel: mutant',
    source: 'shows what SetPageDirty of 7b1fe59793e6 is for',
    table: [{ when: 'taken out of the swap cache', does: 'the page may be discarded as clean' }],
  },
];
