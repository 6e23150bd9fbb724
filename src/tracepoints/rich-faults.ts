import {
  anonBegin,
  anonEnd,
  collapseBegin,
  collapseCopied,
  collapseEnd,
  collapseIsolate,
  collapseIsolateEnd,
  collapseScan,
  collapseScanEnd,
  faultBegin,
  faultEnd,
  forkPmd,
  forkPtes,
  forkPtesEnd,
  forkRange,
  forkSwap,
  hugeWpBegin,
  hugeWpEnd,
  mmDup,
  mmExit,
  moveTables,
  pmdClear,
  pmdSet,
  protectBegin,
  pteAccess,
  pteClear,
  pteClearFlush,
  pteSet,
  softDirtyClear,
  splitFolio,
  splitFolioEnd,
  splitPmd,
  swapinBegin,
  swapinEnd,
  tlbFlush,
  uffdHandle,
  wpBegin,
  wpCopied,
  wpCopy,
  wpEnd,
  wpReuse,
  wpTest,
  wpTested,
  zapBegin,
  zapEnd,
  zapRangeBegin,
} from '../events/index.ts';
import { faultFlags, int, masked, page, pageFlags, pmd, pte, ptr, truth, va } from './columns.ts';
import { CP_UFFD_WP, CP_UFFD_WP_RESOLVE } from './kernels.ts';
import { type Tracepoint, tell } from './tracepoint.ts';

const ret = int('ret');
/** Where a fault happens: the mm stands behind the VMA that the fault names. */
const place = { mm: ptr('mm'), va: va('addr') };

/** The decision of do_wp_page and the faults around it. Samples are read through the page: null tells nothing. */
const faults: readonly Tracepoint[] = [
  tell('handle_mm_fault', faultBegin, { ...place, flags: faultFlags('fflags') }),
  tell('handle_mm_fault_ret', faultEnd, { ret }),
  tell('do_wp_page', wpBegin, {
    mm: ptr('mm', 'vma'),
    va: va('addr'),
    flags: faultFlags('fflags'),
    pte: pte('pte'),
  }),
  tell('do_wp_page_ret', wpEnd, { ret }),
  tell('wp_page_copy', wpCopy, {
    ...place,
    pfn: page('page'),
    pte: pte('pte'),
    count: int('ref', 'page'),
    mapcount: int('map', 'page'),
    flags: pageFlags('pflags', 'page'),
  }),
  tell('wp_page_copy_ret', wpCopied, { ret }),
  tell('wp_page_reuse', wpReuse, {
    ...place,
    pfn: page('page'),
    count: int('ref', 'folio'),
    mapcount: int('map', 'folio'),
    flags: pageFlags('pflags', 'folio'),
  }),
  tell('wp_can_reuse', wpTest, {
    pfn: page('folio'),
    count: int('ref', 'folio'),
    mapcount: int('map', 'folio'),
    flags: pageFlags('pflags', 'folio'),
  }),
  tell('wp_can_reuse_ret', wpTested, { ok: truth('ret') }),
  tell('do_swap_page', swapinBegin, { ...place, flags: faultFlags('fflags'), pte: pte('pte') }),
  tell('do_swap_page_ret', swapinEnd, { ret }),
  tell('do_anonymous_page', anonBegin, { ...place, flags: faultFlags('fflags') }),
  tell('do_anonymous_page_ret', anonEnd, { ret }),
  tell('do_huge_pmd_wp_page', hugeWpBegin, place),
  tell('do_huge_pmd_wp_page_ret', hugeWpEnd, { ret }),
  tell('handle_userfault', uffdHandle, { ...place, reason: int('reason') }),
];

const forks: readonly Tracepoint[] = [
  tell('copy_page_range', forkRange, {
    child: ptr('dst_mm'),
    parent: ptr('src_mm'),
    start: va('start'),
    end: va('end'),
  }),
  // The kprobe form has the VMAs in place of the mms: both mms stay unknown.
  tell('copy_present_ptes', forkPtes, {
    child: ptr('dst_mm'),
    parent: ptr('src_mm'),
    va: va('addr'),
    max: int('max_nr'),
    dst: ptr('dst_pte'),
    src: ptr('src_pte'),
  }),
  tell('copy_present_ptes_ret', forkPtesEnd, { nr: ret }),
  tell('copy_nonpresent_pte', forkSwap, { child: ptr('dst_mm'), parent: ptr('src_mm'), va: va('addr') }),
  tell('copy_huge_pmd', forkPmd, { child: ptr('dst_mm'), parent: ptr('src_mm'), va: va('addr') }),
  tell('dup_mm_ret', mmDup, { mm: ptr('mm') }),
  // The tracepoint of the same name prints `mt_mod .., DESTROY`: the address of a member, hashed.
  tell('exit_mmap', mmExit, { mm: ptr('mm') }, { requires: ['mm'] }),
];

/** Writes of page tables (CONFIG_PAGE_TABLE_CHECK) and the ranges that they belong to. */
const tables: readonly Tracepoint[] = [
  tell(
    'pte_set',
    pteSet,
    { mm: ptr('mm'), ptep: ptr('ptep'), old: pte('old'), value: pte('pte'), nr: int('nr') },
    { requires: ['ptep', 'pte'] },
  ),
  tell('pte_clear', pteClear, { mm: ptr('mm'), value: pte('pte') }),
  tell('pmd_set', pmdSet, { mm: ptr('mm'), pmdp: ptr('pmdp'), value: pmd('pmd') }),
  tell('pmd_clear', pmdClear, { mm: ptr('mm'), value: pmd('pmd') }),
  tell('ptep_clear_flush', pteClearFlush, { ...place, ptep: ptr('ptep') }),
  tell('ptep_set_access_flags', pteAccess, { ...place, ptep: ptr('ptep'), value: pte('entry') }),
  // One record per table of PTEs; its return is not probed.
  tell('zap_pte_range', zapRangeBegin, { mm: ptr('mm'), start: va('addr'), end: va('end') }),
  tell('zap_present_ptes', zapBegin, { ...place, ptep: ptr('ptep'), value: pte('pte'), max: int('max_nr') }),
  tell('zap_present_ptes_ret', zapEnd, { nr: int('nr') }),
  tell('change_pte_range', protectBegin, {
    mm: ptr('mm'),
    start: va('addr'),
    end: va('end'),
    uffdwp: masked('cp_flags', CP_UFFD_WP),
    resolved: masked('cp_flags', CP_UFFD_WP_RESOLVE),
  }),
  tell('clear_refs_pte_range', softDirtyClear, { start: va('addr'), end: va('end') }),
  tell('move_page_tables', moveTables, { mm: ptr('mm'), from: va('old'), to: va('new'), length: va('len') }),
  tell('flush_tlb_mm_range', tlbFlush, { mm: ptr('mm'), start: va('start'), end: va('end') }),
];

const huge: readonly Tracepoint[] = [
  tell('collapse_huge_page', collapseBegin, place),
  tell('collapse_huge_page_ret', collapseEnd, { ret }),
  tell('collapse_isolate', collapseIsolate, place),
  tell('collapse_isolate_ret', collapseIsolateEnd, { ok: truth('ret') }),
  tell('collapse_copy_succeeded', collapseCopied, place),
  tell('hpage_scan_pmd', collapseScan, place),
  tell('hpage_scan_pmd_ret', collapseScanEnd, { ret }),
  tell('split_huge_pmd', splitPmd, { ...place, freeze: truth('freeze') }),
  tell('split_folio_to_list', splitFolio, { pfn: page('page'), order: int('order') }),
  tell('split_folio_to_list_ret', splitFolioEnd, { ret }),
];

/** The rich pack's probes (fprobes with argument names, 6.12) on faults, fork, page tables and huge pages. */
export const richFaultTracepoints: readonly Tracepoint[] = [...faults, ...forks, ...tables, ...huge];
