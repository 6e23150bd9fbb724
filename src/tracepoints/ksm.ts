import { ksmMerged, ksmRemove } from '../events/index.ts';
import { int, pfn, ptr } from './columns.ts';
import { silent, type Tracepoint, tell } from './tracepoint.ts';

/** ksm/* (6.3 on): `pfn 521948 rmap_item .. mm .. error 0`, keys without `=` and the pfn in decimal. */
export const ksmTracepoints: readonly Tracepoint[] = [
  ...['ksm_merge_one_page', 'ksm_merge_with_ksm_page'].map((event) =>
    tell(event, ksmMerged, { pfn: pfn('pfn'), mm: ptr('mm'), err: int('error') }),
  ),
  tell('ksm_remove_ksm_page', ksmRemove, { pfn: pfn('pfn') }),
  ...['ksm_remove_rmap_item', 'ksm_start_scan', 'ksm_stop_scan', 'ksm_enter', 'ksm_exit', 'ksm_advisor'].map(
    (event) => silent(event),
  ),
];
