import type { AxisValue } from './variant.ts';

/** What the driver of a secondary MMU does with a notification. */
export const DRIVERS: readonly AxisValue[] = [
  {
    id: 'retry',
    era: 'correct drivers',
    source: 'mmu_interval_read_begin; kvm mmu_invalidate_seq at 6.12',
    table: [
      { when: 'notified', does: 'clear the mapping before returning' },
      { when: 'setting one up', does: 'look at the sequence count under the lock, start anew if it moved' },
    ],
  },
  {
    id: 'async',
    era: 'mutant',
    source: 'Andrea Arcangeli to Robin Holt, 2010-02-03: the invalidate must be synchronous',
    table: [{ when: 'notified', does: 'return at once, clear the mapping later' }],
  },
  {
    id: 'range-noretry',
    era: 'mutant',
    source: 'shows what the sequence count is for',
    table: [{ when: 'setting a mapping up', does: 'do not look whether an invalidation runs' }],
  },
  {
    id: 'end-only',
    era: 'mutant',
    source: 'Documentation/mm/mmu_notifier.rst at 6.12',
    table: [{ when: 'invalidate_range_end', does: 'clear the mapping only now' }],
  },
];
