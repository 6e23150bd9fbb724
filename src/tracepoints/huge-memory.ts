import { type FieldValues, fieldNumber, fieldText } from '../core/fields.ts';
import type { EventBatchBuilder } from '../events/batch.ts';
import { collapseStatus } from '../events/index.ts';
import { silent, type Tracepoint, tracepoint } from './tracepoint.ts';

/** SCAN_SUCCEED, the second of enum scan_result since 3.8: what binary records hold in place of the word. */
const SUCCEEDED = '1';

/**
 * Whether a status says success. 6.1 prints nothing in its place where hash-ptr is off (the kernel's fault):
 * then it is not told.
 */
function succeeded(status: string): number {
  if (status === '') return Number.NaN;
  return status === 'succeeded' || status === SUCCEEDED ? 1 : 0;
}

const status = (event: string, pfnKey: string | null): Tracepoint =>
  tracepoint(
    event,
    [collapseStatus],
    [
      { key: 'status', form: 'bytes' },
      { key: pfnKey ?? 'status', form: pfnKey === null ? 'bytes' : 'int' },
    ],
    (values: FieldValues, out: EventBatchBuilder) => {
      const pfn = pfnKey === null ? Number.NaN : fieldNumber(values, 1);
      // All ones: no page was looked at.
      out.emit(collapseStatus, pfn >= 0 ? pfn : Number.NaN, succeeded(fieldText(values, 0)));
    },
  );

/** huge_memory/*: what khugepaged and MADV_COLLAPSE say of their attempts. mm is hashed and no address is told. */
export const hugeMemoryTracepoints: readonly Tracepoint[] = [
  status('mm_khugepaged_scan_pmd', 'scan_pfn'),
  status('mm_collapse_huge_page_isolate', 'scan_pfn'),
  status('mm_collapse_huge_page', null),
  ...[
    'mm_collapse_huge_page_swapin',
    'mm_khugepaged_scan_file',
    'mm_khugepaged_collapse_file',
    'mm_khugepaged_scan',
  ].map((event) => silent(event)),
];
