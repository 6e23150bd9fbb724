import type { AxisValue } from './variant.ts';

/** When translations that PTEs do not allow any more leave the TLBs. Each era keeps what the ones before it brought. */
export const TLB_RULES: readonly AxisValue[] = [
  {
    id: 'at-once',
    era: 'before 4.3',
    source: 'mm/rmap.c:try_to_unmap_one at 2.6.29 (ptep_clear_flush)',
    table: [
      { when: 'PTE cleared or write-protected', does: 'flush under the page-table lock, or before it ends' },
    ],
  },
  {
    id: 'batched',
    era: '4.3 to 4.12',
    source: '72b252aed506 (one IPI for many pages); mremap: CVE-2018-18281',
    table: [
      {
        when: 'reclaim clears a PTE',
        does: 'put the flush off until the batch is full, before pages are freed',
      },
      { when: 'mprotect, munmap, mremap meet no PTE', does: 'nothing: the flush that is due is not seen' },
      { when: 'mremap', does: 'flush the old place after both locks were dropped' },
    ],
  },
  {
    id: 'batched+pending',
    era: '4.13 to 4.18',
    source: '3ea277194daa',
    table: [
      { when: 'mprotect, munmap, mremap', does: 'flush_tlb_batched_pending first' },
      { when: 'mremap', does: 'flush the old place after both locks were dropped' },
    ],
  },
  {
    id: 'batched+move',
    era: '4.19 to 5.11',
    source: 'eb66ae030829 (CVE-2018-18281)',
    table: [
      { when: 'mremap', does: 'flush the old place before the lock of the new one is dropped' },
      { when: 'userfaultfd write-protects', does: 'flush at the end; a write fault meanwhile does not look' },
    ],
  },
  {
    id: 'batched+uffd',
    era: '5.12 on',
    source: '6ce64428d620; mm/memory.c:do_wp_page at 6.12',
    table: [
      {
        when: 'write fault where userfaultfd write-protects',
        does: 'flush the page first if a flush is pending',
      },
    ],
  },
  {
    id: 'free-early',
    era: 'in no kernel: mutant',
    source: 'shows what try_to_unmap_flush and the mmu_gather are for',
    table: [{ when: 'PTE cleared', does: 'free the page, flush then' }],
  },
  {
    id: 'cow-late',
    era: 'in no kernel: mutant',
    source: 'shows what ptep_clear_flush in wp_page_copy is for',
    table: [{ when: 'page replaced by COW', does: 'set the new PTE, flush then' }],
  },
  {
    id: 'protect-unflushed',
    era: 'in no kernel: mutant',
    source: 'shows what the flush of change_protection is for',
    table: [{ when: 'PTE write-protected', does: 'return without a flush' }],
  },
  {
    id: 'migrate-late',
    era: 'in no kernel: mutant',
    source: '60bae7370896 (migrate_vma_collect_pmd: flush before the lock is dropped)',
    table: [{ when: 'migration entry set', does: 'drop the page-table lock, flush then' }],
  },
];
