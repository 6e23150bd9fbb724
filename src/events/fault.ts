import { kind } from './declare.ts';

const sample = { count: 'count', mapcount: 'count', flags: 'pageflags' } as const;
export const faultTrap = kind('fault.trap', 'the CPU trapped on an address', {
  va: 'va',
  present: 'bool',
  write: 'bool',
  user: 'bool',
});
export const faultBegin = kind('fault.begin', 'handle_mm_fault starts', {
  mm: 'mm',
  va: 'va',
  flags: 'faultflags',
});
export const faultEnd = kind('fault.end', 'handle_mm_fault returned', { ret: 'long' });
export const anonBegin = kind('anon.begin', 'do_anonymous_page starts', {
  mm: 'mm',
  va: 'va',
  flags: 'faultflags',
});
export const anonEnd = kind('anon.end', 'do_anonymous_page returned', { ret: 'long' });
export const swapinBegin = kind('swapin.begin', 'do_swap_page starts on this PTE', {
  mm: 'mm',
  va: 'va',
  flags: 'faultflags',
  pte: 'pte',
});
export const swapinEnd = kind('swapin.end', 'do_swap_page returned', { ret: 'long' });
export const fileBegin = kind('file.begin', 'finish_fault maps a page', {
  mm: 'mm',
  va: 'va',
  pfn: 'pfn',
  cow: 'pfn',
  flags: 'faultflags',
});

export const wpBegin = kind(
  'wp.begin',
  'do_wp_page starts: a write (or unshare) fault on a present read-only PTE',
  { mm: 'mm', va: 'va', flags: 'faultflags', pte: 'pte' },
);
export const wpTest = kind(
  'wp.test',
  'the sole-user test of an anon folio starts (wp_can_reuse_anon_folio); not asked where AnonExclusive decided',
  { pfn: 'pfn', ...sample },
);
export const wpTested = kind('wp.tested', 'the sole-user test returned', { ok: 'bool' });
export const wpCopy = kind(
  'wp.copy',
  'do_wp_page copies (entry of wp_page_copy; count is after its extra reference)',
  { mm: 'mm', va: 'va', pfn: 'pfn', pte: 'pte', ...sample },
);
export const wpCopied = kind('wp.copied', 'wp_page_copy returned', { ret: 'long' });
export const wpReuse = kind('wp.reuse', 'do_wp_page reuses the page in place (entry of wp_page_reuse)', {
  mm: 'mm',
  va: 'va',
  pfn: 'pfn',
  ...sample,
});
export const wpEnd = kind('wp.end', 'do_wp_page returned', { ret: 'long' });
export const hugeWpBegin = kind('huge-wp.begin', 'a write fault on a PMD-mapped page (do_huge_pmd_wp_page)', {
  mm: 'mm',
  va: 'va',
});
export const hugeWpEnd = kind('huge-wp.end', 'do_huge_pmd_wp_page returned', { ret: 'long' });
export const uffdHandle = kind('uffd.handle', 'a fault is handed to userfaultfd', {
  mm: 'mm',
  va: 'va',
  reason: 'code',
});
export const uffdInstall = kind('uffd.install', 'userfaultfd installed a page', {
  mm: 'mm',
  va: 'va',
  pfn: 'pfn',
  ret: 'long',
});

export const forkRange = kind('fork.begin', 'copy_page_range copies a range from parent to child', {
  child: 'mm',
  parent: 'mm',
  start: 'va',
  end: 'va',
});
export const forkRangeEnd = kind('fork.end', 'copy_page_range returned', { ret: 'long' });
export const forkPtes = kind(
  'fork.ptes.begin',
  'copy_present_ptes starts: up to max present PTEs from va on',
  { child: 'mm', parent: 'mm', va: 'va', max: 'count', dst: 'ptr', src: 'ptr' },
);
export const forkPtesEnd = kind(
  'fork.ptes.end',
  'copy_present_ptes returned: nr PTEs dealt with, 0 or negative: none (a copy is needed first)',
  { nr: 'long' },
);
export const forkSwap = kind('fork.swap', 'fork copies a non-present PTE', {
  child: 'mm',
  parent: 'mm',
  va: 'va',
});
export const forkPmd = kind('fork.pmd', 'fork copies a huge PMD', { child: 'mm', parent: 'mm', va: 'va' });
export const forkCheck = kind(
  'fork.check',
  'fork tests whether a page of the parent is pinned: pinned pages are copied at once, others are shared',
  { parent: 'mm', va: 'va', pfn: 'pfn', pinned: 'bool' },
);
export const uffdMove = kind(
  'uffd.move',
  'UFFDIO_MOVE moved a PTE from one address to another; entry where it was a swap PTE',
  { mm: 'mm', from: 'va', to: 'va', entry: 'entry' },
);
