import { reclaimBegin, reclaimEnd, reclaimWrite } from '../events/index.ts';
import { RECLAIM_DIRECT, RECLAIM_KSWAPD, RECLAIM_MEMCG, RECLAIM_NODE } from '../events/reclaim.ts';
import { constant, pfn } from './columns.ts';
import { silent, type Tracepoint, tell } from './tracepoint.ts';

const begins = (event: string, how: number): Tracepoint => tell(event, reclaimBegin, { how: constant(how) });
const ends = (event: string, how: number): Tracepoint => tell(event, reclaimEnd, { how: constant(how) });

/** vmscan/*: who is in reclaim, and what it writes. The counters of a batch name no page and state nothing. */
export const vmscanTracepoints: readonly Tracepoint[] = [
  begins('mm_vmscan_direct_reclaim_begin', RECLAIM_DIRECT),
  ends('mm_vmscan_direct_reclaim_end', RECLAIM_DIRECT),
  begins('mm_vmscan_memcg_reclaim_begin', RECLAIM_MEMCG),
  ends('mm_vmscan_memcg_reclaim_end', RECLAIM_MEMCG),
  begins('mm_vmscan_memcg_softlimit_reclaim_begin', RECLAIM_MEMCG),
  ends('mm_vmscan_memcg_softlimit_reclaim_end', RECLAIM_MEMCG),
  begins('mm_vmscan_node_reclaim_begin', RECLAIM_NODE),
  ends('mm_vmscan_node_reclaim_end', RECLAIM_NODE),
  begins('mm_vmscan_kswapd_wake', RECLAIM_KSWAPD),
  ends('mm_vmscan_kswapd_sleep', RECLAIM_KSWAPD),
  tell('mm_vmscan_write_folio', reclaimWrite, { pfn: pfn('pfn') }),
  // The name up to 5.x.
  tell('mm_vmscan_writepage', reclaimWrite, { pfn: pfn('pfn') }),
  ...[
    'mm_vmscan_wakeup_kswapd',
    'mm_vmscan_lru_isolate',
    'mm_vmscan_lru_shrink_active',
    'mm_vmscan_lru_shrink_inactive',
    'mm_vmscan_reclaim_pages',
    'mm_vmscan_throttled',
    'mm_vmscan_inactive_list_is_low',
    'mm_shrink_slab_start',
    'mm_shrink_slab_end',
  ].map((event) => silent(event)),
];
