import { kind } from './declare.ts';

export const ksmReplace = kind(
  'ksm.replace.begin',
  'the PTE that maps page is switched to the KSM page kpage',
  { mm: 'mm', page: 'pfn', kpage: 'pfn', pte: 'pte' },
);
export const ksmReplaceEnd = kind('ksm.replace.end', 'replace_page returned', { ret: 'long' });
export const ksmWriteProtect = kind('ksm.wrprotect.begin', 'KSM write-protects a folio it holds locked', {
  mm: 'mm',
  pfn: 'pfn',
  count: 'count',
  mapcount: 'count',
});
export const ksmWriteProtectEnd = kind('ksm.wrprotect.end', 'write_protect_page returned', { ret: 'long' });
export const ksmMerge = kind('ksm.merge.begin', 'two pages are to be merged', {
  mm: 'mm',
  page: 'pfn',
  kpage: 'pfn',
});
export const ksmMergeEnd = kind('ksm.merge.end', 'try_to_merge_one_page returned', { ret: 'long' });
export const ksmMerged = kind('ksm.merged', 'KSM tells the outcome of a merge (tracepoint)', {
  pfn: 'pfn',
  mm: 'mm',
  err: 'long',
});
export const ksmInsert = kind('ksm.node', 'a folio enters the stable tree', { pfn: 'pfn' });
export const ksmAppend = kind('ksm.append', 'a mapping joins a stable node', {
  mm: 'mm',
  va: 'va',
  pfn: 'pfn',
});
export const ksmGet = kind('ksm.get', 'a stable tree lookup returned a folio (NaN: stale)', {
  node: 'ptr',
  pfn: 'pfn',
});
export const ksmBreak = kind('ksm.break', 'KSM breaks COW at an address', { mm: 'mm', va: 'va' });
export const ksmRemove = kind('ksm.remove', 'a stable node is dropped', { pfn: 'pfn' });
