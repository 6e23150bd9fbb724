import type { AxisValue } from './variant.ts';

/** Whether a fault that dropped the PTL looks again before it writes the PTE. */
export const PTE_SAME: readonly AxisValue[] = [
  {
    id: 'checked',
    era: 'every kernel',
    source: 'mm/memory.c:wp_page_copy at 6.12',
    table: [{ when: 'PTL taken again', does: 'PTE changed: drop what was done, fault again' }],
  },
  {
    id: 'unchecked',
    era: 'in no kernel: mutant',
    source: 'shows what pte_same is for',
    table: [{ when: 'PTL taken again', does: 'write the PTE whatever it is now' }],
  },
];
