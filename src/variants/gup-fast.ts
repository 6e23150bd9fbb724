import type { AxisValue } from './variant.ts';

/** What keeps get_user_pages_fast off page tables that are taken away under it. */
export const GUP_FAST: readonly AxisValue[] = [
  {
    id: 'none',
    era: 'before 2.6.27',
    source: '8174c430e445 (which brought it to x86)',
    table: [{ when: 'always', does: 'there is no GUP-fast' }],
  },
  {
    id: 'ipi',
    era: 'x86 and others that flush by IPI, 2.6.27 to 6.0',
    source: '8174c430e445',
    table: [{ when: 'PMD cleared and flushed', does: 'the IPI waits for the walk with interrupts off' }],
  },
  {
    id: 'noipi',
    era: 'architectures that flush without IPI, up to 6.0',
    source: '70cbc3cc78a9 (which ended it)',
    table: [{ when: 'PMD cleared and flushed', does: 'a walk under way goes on in the old table' }],
  },
  {
    id: 'pmd-recheck',
    era: '6.1 on',
    source: '70cbc3cc78a9; table-sync IPI: 2ba99c5e0881',
    table: [{ when: 'reference taken', does: 'PMD or PTE changed: put it, take the slow path' }],
  },
];
