import {
  PG_ACTIVE,
  PG_ARCH_1,
  PG_DIRTY,
  PG_ERROR,
  PG_HEAD,
  PG_HWPOISON,
  PG_LOCKED,
  PG_LRU,
  PG_MLOCKED,
  PG_OWNER_2,
  PG_OWNER_PRIV_1,
  PG_PRIVATE,
  PG_PRIVATE_2,
  PG_RECLAIM,
  PG_REFERENCED,
  PG_RESERVED,
  PG_SLAB,
  PG_SWAPBACKED,
  PG_UNEVICTABLE,
  PG_UNNAMED,
  PG_UPTODATE,
  PG_WAITERS,
  PG_WORKINGSET,
  PG_WRITEBACK,
} from '../core/pageflags.ts';
import {
  FAULT_INSTRUCTION,
  FAULT_REMOTE,
  FAULT_UNSHARE,
  FAULT_USER,
  FAULT_WRITE,
  FOLL_FORCE,
  FOLL_GET,
  FOLL_LONGTERM,
  FOLL_PIN,
  FOLL_REMOTE,
  FOLL_WRITE,
} from '../events/flags.ts';

/** A kernel release as one number that orders: major * 1000 + minor (6.12 is 6012). */
export type Release = number;

/** The release of `6.12.117+deb12-amd64` or `v6.1`; NaN if the text names none. */
export function parseRelease(text: string): Release {
  const match = /(?:^|[^\d.])(\d{1,2})\.(\d{1,3})(?:[^\d]|$)/.exec(text);
  return match ? Number(match[1]) * 1000 + Number(match[2]) : Number.NaN;
}

/** A release as people write it. */
export function releaseText(release: Release): string {
  return `${Math.floor(release / 1000)}.${release % 1000}`;
}

/** The newest kernel that any table here was checked against. A bound from above that the trace does not give is this. */
export const NEWEST_KNOWN: Release = 7002;

/** The numbering of one set of flags over a span of releases. */
export interface FlagTable {
  readonly name: string;
  /** First and last release for which the numbering is vouched. */
  readonly from: Release;
  readonly to: Release;
  readonly source: string;
  /** Canonical flag by the kernel's bit number; 0: a flag that faultline does not model. */
  readonly bits: readonly number[];
}

const PAGE_FLAGS_6_1: FlagTable = {
  name: '6.1',
  from: 6001,
  to: 6001,
  source: 'include/linux/page-flags.h 6.1, enum pageflags',
  bits: [
    PG_LOCKED,
    PG_REFERENCED,
    PG_UPTODATE,
    PG_DIRTY,
    PG_LRU,
    PG_ACTIVE,
    PG_WORKINGSET,
    PG_WAITERS,
    PG_ERROR,
    PG_SLAB,
    PG_OWNER_PRIV_1,
    PG_ARCH_1,
    PG_RESERVED,
    PG_PRIVATE,
    PG_PRIVATE_2,
    PG_WRITEBACK,
    PG_HEAD,
    PG_OWNER_2,
    PG_RECLAIM,
    PG_SWAPBACKED,
    PG_UNEVICTABLE,
  ],
};

/** Bits 0 to 18, which 6.12 and 7.2 number alike. */
const PAGE_FLAGS_SINCE_6_12: readonly number[] = [
  PG_LOCKED,
  PG_WRITEBACK,
  PG_REFERENCED,
  PG_UPTODATE,
  PG_DIRTY,
  PG_LRU,
  PG_HEAD,
  PG_WAITERS,
  PG_ACTIVE,
  PG_WORKINGSET,
  PG_OWNER_PRIV_1,
  PG_OWNER_2,
  PG_ARCH_1,
  PG_RESERVED,
  PG_PRIVATE,
  PG_PRIVATE_2,
  PG_RECLAIM,
  PG_SWAPBACKED,
  PG_UNEVICTABLE,
];

const PAGE_FLAGS_6_12: FlagTable = {
  name: '6.12',
  from: 6012,
  to: 6012,
  source: 'include/linux/page-flags.h 6.12, enum pageflags; page_ref names beside pflags in captures',
  bits: [...PAGE_FLAGS_SINCE_6_12, PG_MLOCKED, PG_HWPOISON],
};

const PAGE_FLAGS_7_2: FlagTable = {
  name: '7.2',
  from: 6013,
  to: 7002,
  source: 'captures of 7.2.13: words of anonymous, locked and exclusive pages; bits above 18 not seen',
  bits: [...PAGE_FLAGS_SINCE_6_12, PG_UNNAMED, PG_UNNAMED],
};

/** page->flags by kernel. */
export const PAGE_FLAG_TABLES: readonly FlagTable[] = [PAGE_FLAGS_6_1, PAGE_FLAGS_6_12, PAGE_FLAGS_7_2];

/** Flags by their bit number, from a list of [number, flag]. */
function at(pairs: ReadonlyArray<readonly [bit: number, flag: number]>, known: readonly number[]): number[] {
  const bits: number[] = new Array<number>(32).fill(UNDEFINED_BIT);
  for (const bit of known) bits[bit] = 0;
  for (const [bit, flag] of pairs) bits[bit] = flag;
  return bits;
}

/** A bit that the kernel's header does not define: a word that has it is not of this table. */
export const UNDEFINED_BIT = -1;

/** FOLL_* by kernel. */
export const GUP_FLAG_TABLES: readonly FlagTable[] = [
  {
    name: '6.1',
    from: 6001,
    to: 6001,
    source: 'include/linux/mm.h 6.1',
    bits: at(
      [
        [0, FOLL_WRITE],
        [2, FOLL_GET],
        [4, FOLL_FORCE],
        [13, FOLL_REMOTE],
        [16, FOLL_LONGTERM],
        [18, FOLL_PIN],
      ],
      [1, 3, 5, 7, 8, 11, 15, 17, 19],
    ),
  },
  {
    name: '6.12',
    from: 6012,
    to: 7002,
    source: 'include/linux/mm_types.h and mm/internal.h 6.12; grabs in captures of 7.2.13 agree',
    bits: at(
      [
        [0, FOLL_WRITE],
        [1, FOLL_GET],
        [3, FOLL_FORCE],
        [8, FOLL_LONGTERM],
        [18, FOLL_REMOTE],
        [19, FOLL_PIN],
      ],
      [2, 4, 5, 6, 7, 9, 10, 11, 12, 16, 17, 20, 21, 22],
    ),
  },
];

/** FAULT_FLAG_* by kernel. */
export const FAULT_FLAG_TABLES: readonly FlagTable[] = [
  {
    name: '6.1',
    from: 6001,
    to: 7002,
    source: 'include/linux/mm_types.h 6.1 and 6.12, enum fault_flag; faults in captures of 7.2.13 agree',
    bits: at(
      [
        [0, FAULT_WRITE],
        [6, FAULT_USER],
        [7, FAULT_REMOTE],
        [8, FAULT_INSTRUCTION],
        [10, FAULT_UNSHARE],
      ],
      [1, 2, 3, 4, 5, 9, 11, 12],
    ),
  },
];

/**
 * First of the three migration types (read, read-exclusive, write), by kernel. The types are counted down from
 * 32, so that it depends on whether the kernel has device-private memory (include/linux/swap.h).
 */
export const MIGRATION_TYPES: ReadonlyArray<{
  readonly from: Release;
  readonly to: Release;
  readonly first: number;
}> = [
  // 6.1: a marker and a swapin-error type above; with device memory four more.
  { from: 6001, to: 6001, first: 27 },
  { from: 6001, to: 6001, first: 23 },
  // 6.12: a marker type above.
  { from: 6012, to: 7002, first: 28 },
  { from: 6012, to: 6012, first: 24 },
  // 7.2: device memory takes three types (seen in captures of 7.2.13).
  { from: 6013, to: 7002, first: 25 },
  { from: 6013, to: 7002, first: 24 },
];

/** RMAP_EXCLUSIVE (include/linux/rmap.h, 5.19 on; the same in 6.1, 6.12 and 7.2). */
export const RMAP_EXCLUSIVE = 1;
/** RMAP_COMPOUND: the whole folio is mapped (6.1; later kernels have functions of their own). */
export const RMAP_COMPOUND = 2;
/** MM_CP_UFFD_WP and MM_CP_UFFD_WP_RESOLVE (include/linux/mm.h 6.1 and 6.12): userfaultfd protects a range, or lets go. */
export const CP_UFFD_WP = 4;
export const CP_UFFD_WP_RESOLVE = 8;
/** VM_FAULT_WRITE, which do_wp_page returned up to 6.1. */
export const VM_FAULT_WRITE = 8;
/** page_ref records print page_mapcount() before 6.10 (0: unmapped) and the raw _mapcount since (-1: unmapped). */
export const RAW_MAPCOUNT_SINCE: Release = 6010;
/** The saved-dirty bit of x86 page tables (shadow stacks). */
export const SAVED_DIRTY_SINCE: Release = 6006;

/** A bound on the release that something in a trace proves. */
export interface Signature {
  readonly from?: Release;
  readonly to?: Release;
  /** What is known of the kernels, and from where. */
  readonly source: string;
}

const COMPARED = 'symbols of the 6.1.192, 6.12.117 and 7.2.13 captures';

function signatures(
  groups: ReadonlyArray<readonly [names: string, signature: Signature]>,
): ReadonlyMap<string, Signature> {
  return new Map(
    groups.flatMap(([names, signature]) => names.split(' ').map((name) => [name, signature] as const)),
  );
}

/** Functions that probes name in their records, and what the presence of the function proves. */
export const FUNCTION_SIGNATURES = signatures([
  [
    'folio_free_swap',
    { from: 6001, source: 'mm/swapfile.c: try_to_free_swap became folio_free_swap in 6.1' },
  ],
  [
    'page_add_new_anon_rmap page_add_anon_rmap page_add_file_rmap page_remove_rmap page_move_anon_rmap',
    { to: 6008, source: 'mm/rmap.c: page_*_rmap had given way to folio_*_rmap_ptes by 6.9' },
  ],
  [
    'do_set_pte swap_readpage try_grab_page get_ksm_page __mmu_notifier_invalidate_range',
    { to: 6011, source: `gone by 6.12 (${COMPARED})` },
  ],
  [
    'folio_add_anon_rmap_ptes folio_add_file_rmap_ptes folio_remove_rmap_ptes',
    { from: 6008, source: 'mm/rmap.c: folio_*_rmap_ptes came with 6.8' },
  ],
  [
    'copy_present_ptes zap_present_ptes',
    { from: 6009, source: 'mm/memory.c: batched fork and zap came with 6.9' },
  ],
  [
    'free_swap_and_cache_nr',
    { from: 6010, to: 7001, source: `mm/swapfile.c: came with 6.10; gone by 7.2 (${COMPARED})` },
  ],
  [
    'add_to_swap free_swap_slot __swap_duplicate __delete_from_swap_cache put_swap_folio swap_free_nr',
    { to: 7001, source: `gone by 7.2 (${COMPARED})` },
  ],
  [
    '__swap_cache_add_folio __swap_cache_del_folio swap_cache_del_folio folio_dup_swap folio_put_swap ' +
      'swap_put_entries_cluster __swap_cluster_put_entry __swap_cluster_free_entries swap_dup_entry_direct ' +
      'map_anon_folio_pte_nopf __zap_vma_range',
    { from: 6013, source: `came after 6.12 (${COMPARED})` },
  ],
]);

/** Tracepoints whose presence proves something. */
export const EVENT_SIGNATURES = signatures([
  [
    'vma_store vma_mas_szero',
    { from: 6001, to: 6017, source: 'maple tree tracepoints: 6.1 on, gone by 6.18' },
  ],
  [
    'mm_vmscan_reclaim_pages mm_khugepaged_scan',
    { from: 6013, source: 'came after 6.12 (events of the 6.1.192, 6.12.117 and 7.2.13 captures)' },
  ],
  ['mm_filemap_map_pages', { from: 6010, source: 'tracepoint came with 6.10' }],
]);
