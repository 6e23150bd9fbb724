import type { AxisValue } from './variant.ts';

/** How the memory manager tells secondary MMUs that a PTE changes. */
export const NOTIFIERS: readonly AxisValue[] = [
  {
    id: 'none',
    era: 'before 2.6.27',
    source: 'cddb8a5c14aa (which brought them)',
    table: [{ when: 'PTE changed', does: 'nobody is told' }],
  },
  {
    id: 'sync-page',
    era: '2.6.27 to 2.6.31',
    source: 'cddb8a5c14aa; Andrea Arcangeli to Robin Holt, 2010-02-03',
    table: [{ when: 'PTE cleared', does: 'invalidate_page under the PTL, done when it returns' }],
  },
  {
    id: 'sync-page+change-pte',
    era: '2.6.32 to 4.13',
    source: '828502d30073',
    table: [
      { when: 'PTE cleared', does: 'invalidate_page under the PTL, done when it returns' },
      { when: 'page replaced by COW or KSM', does: 'change_pte' },
    ],
  },
  {
    id: 'range',
    era: '4.14 to 6.5',
    source: '5f32b265400d, ea25c4317946',
    table: [
      {
        when: 'before the change',
        does: 'invalidate_range_start, which may sleep; none may be set up until end',
      },
      { when: 'PTE cleared', does: 'invalidate_range under the PTL' },
      { when: 'after the change', does: 'invalidate_range_end' },
    ],
  },
  {
    id: 'range+hook',
    era: '6.6 on',
    source: '6bbd42e2df8f; mm/memory.c:wp_page_copy at 6.12',
    table: [
      { when: 'before the change', does: 'invalidate_range_start' },
      { when: 'TLB flushed', does: 'the architecture calls arch_invalidate_secondary_tlbs' },
      { when: 'after the change', does: 'invalidate_range_end' },
    ],
  },
];
