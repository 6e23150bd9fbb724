import { kind } from './declare.ts';

/** `how` of reclaim.begin and reclaim.end. */
export const RECLAIM_DIRECT = 0;
export const RECLAIM_KSWAPD = 1;
export const RECLAIM_MEMCG = 2;
/** reclaim_pages: MADV_PAGEOUT and the like. */
export const RECLAIM_PAGES = 3;
/** shrink_folio_list, whoever asked for it. */
export const RECLAIM_LIST = 4;
export const RECLAIM_NODE = 5;
export const reclaimBegin = kind('reclaim.begin', 'the task enters reclaim; how is a RECLAIM_* code', {
  how: 'code',
});
export const reclaimEnd = kind('reclaim.end', 'the task leaves reclaim', { how: 'code' });
export const reclaimPages = kind(
  'reclaim.pages',
  'reclaim_pages or reclaim_folio_list starts (no return is told)',
  {},
);
export const pageout = kind('pageout.begin', 'pageout of a folio starts', { pfn: 'pfn', count: 'count' });
export const pageoutEnd = kind('pageout.end', 'pageout returned', { ret: 'long' });
export const reclaimWrite = kind('reclaim.write', 'reclaim wrote a folio (mm_vmscan_write_folio)', {
  pfn: 'pfn',
});
export const removeMapping = kind(
  'remove-mapping.begin',
  '__remove_mapping starts: freeze, then leave the cache',
  { pfn: 'pfn', count: 'count' },
);
export const removeMappingEnd = kind(
  'remove-mapping.end',
  '__remove_mapping returned 1: the folio is frozen and free to go; pfn where told',
  { pfn: 'pfn', ok: 'bool' },
);
export const referencesCheck = kind(
  'references.check',
  'reclaim looks for references to a folio it holds locked',
  { pfn: 'pfn' },
);
export const referencesChecked = kind('references.checked', 'folio_check_references returned', {
  ret: 'long',
});
