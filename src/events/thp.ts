import { kind } from './declare.ts';

export const collapseBegin = kind('thp.collapse.begin', 'collapse_huge_page starts on a PMD range', {
  mm: 'mm',
  va: 'va',
});
export const collapseEnd = kind('thp.collapse.end', 'collapse_huge_page returned a SCAN_* code', {
  ret: 'long',
});
export const collapseIsolate = kind(
  'thp.isolate.begin',
  'the small pages are checked and isolated, PMD cleared',
  { mm: 'mm', va: 'va' },
);
export const collapseIsolateEnd = kind('thp.isolate.end', '__collapse_huge_page_isolate returned', {
  ok: 'bool',
});
export const collapseCheck = kind(
  'thp.check',
  'the references of one small page are weighed before it is copied; count and raw mapcount as the kernel read them, ok: it may be copied',
  { pfn: 'pfn', count: 'count', mapcount: 'count', ok: 'bool' },
);
export const collapseCopy = kind('thp.copy', 'one small page was copied into the huge page', {
  pfn: 'pfn',
  into: 'pfn',
});
export const collapseCopied = kind(
  'thp.collapse.commit',
  'the copy succeeded, the small pages are released',
  { mm: 'mm', va: 'va' },
);
export const collapseScan = kind('thp.scan.begin', 'khugepaged looks at a PMD range', { mm: 'mm', va: 'va' });
export const collapseScanEnd = kind('thp.scan.end', 'the scan returned a SCAN_* code', { ret: 'long' });
export const collapseStatus = kind(
  'thp.status',
  'a tracepoint tells the status of a scan, isolate or collapse; ok: it succeeded',
  { pfn: 'pfn', ok: 'bool' },
);
export const splitPmd = kind('thp.split-pmd', 'a huge PMD becomes a table of PTEs', {
  mm: 'mm',
  va: 'va',
  freeze: 'bool',
});
export const splitFolio = kind('thp.split.begin', 'a large folio is split', { pfn: 'pfn', order: 'order' });
export const splitFolioEnd = kind('thp.split.end', 'the split returned', { ret: 'long' });
export const folioMapcount = kind(
  'thp.mapcount',
  'the total mapcount of a large folio (head pfn) became value: one step of a PMD split or of a mapping',
  { pfn: 'pfn', value: 'count' },
);
