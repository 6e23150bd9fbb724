import { kind } from './declare.ts';

export const pteSet = kind(
  'pte.set',
  'nr consecutive PTEs are written from ptep on; old is what the first held just before',
  {
    mm: 'mm',
    ptep: 'ptr',
    old: 'pte',
    value: 'pte',
    nr: 'count',
  },
);
export const pteWrite = kind(
  'pte.write',
  'the PTE of an address changes from old to value; a trace with this kind tells every change of every PTE in the order in which they happened, write-protecting in fork included, apart from accessed and dirty bits set by hardware',
  { mm: 'mm', va: 'va', old: 'pte', value: 'pte' },
);
export const ptlLock = kind(
  'ptl.lock',
  'a task holds the page-table lock of the table that translates an address',
  { mm: 'mm', va: 'va' },
);
export const ptlUnlock = kind('ptl.unlock', 'the page-table lock of an address is dropped', {
  mm: 'mm',
  va: 'va',
});
export const pteClear = kind('pte.clear', 'a present PTE of this value is cleared; its address is not told', {
  mm: 'mm',
  value: 'pte',
});
export const pteClearFlush = kind(
  'pte.clear-flush',
  'one PTE is cleared and flushed; old is known where the probe is at return',
  { mm: 'mm', va: 'va', ptep: 'ptr', old: 'pte' },
);
export const pteAccess = kind(
  'pte.access',
  'one PTE gets wider access (ptep_set_access_flags): write, dirty, young',
  { mm: 'mm', va: 'va', ptep: 'ptr', old: 'pte', value: 'pte' },
);
export const pteMap = kind(
  'pte.map',
  'a page is mapped at an address by a fault (set_pte_range, do_set_pte); the PTE word is not told',
  { mm: 'mm', va: 'va', pfn: 'pfn', nr: 'count', flags: 'faultflags' },
);
export const pmdSet = kind('pmd.set', 'a PMD is written', { mm: 'mm', pmdp: 'ptr', value: 'pte' });
export const pmdClear = kind('pmd.clear', 'a PMD of this value is cleared', { mm: 'mm', value: 'pte' });
export const zapRangeBegin = kind('zap.begin', 'a range of an mm is being unmapped', {
  mm: 'mm',
  start: 'va',
  end: 'va',
});
export const zapRangeEnd = kind('zap.end', 'unmapping of the range returned', {});
export const zapBegin = kind('zap.ptes.begin', 'present PTEs from va on are zapped; value is the first', {
  mm: 'mm',
  va: 'va',
  ptep: 'ptr',
  value: 'pte',
  max: 'count',
});
export const zapEnd = kind('zap.ptes.end', 'nr PTEs were zapped', { nr: 'count' });
export const protectBegin = kind(
  'protect.begin',
  'protection of a range of PTEs changes (change_pte_range, change_protection); uffdwp: userfaultfd write-protects it, resolved: lets it be written again',
  { mm: 'mm', start: 'va', end: 'va', uffdwp: 'bool', resolved: 'bool' },
);
export const softDirtyClear = kind(
  'softdirty.clear',
  'soft-dirty bits of a range are cleared: writable PTEs become read-only',
  { start: 'va', end: 'va' },
);
export const moveTables = kind('pte.move-range', 'mremap moves page tables', {
  mm: 'mm',
  from: 'va',
  to: 'va',
  length: 'long',
});
export const tlbFlush = kind(
  'tlb.flush',
  'TLB entries are flushed; mm unknown where only the count is told; start and end 0 and -1 for all',
  { mm: 'mm', start: 'va', end: 'va', pages: 'count' },
);
export const tlbDefer = kind(
  'tlb.defer',
  'the TLB flush of a cleared PTE is put off until its batch is flushed',
  { mm: 'mm', va: 'va' },
);
