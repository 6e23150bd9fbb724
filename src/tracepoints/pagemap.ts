import { FIELD_OK, type FieldValues, fieldNumber, fieldText } from '../core/fields.ts';
import type { EventBatchBuilder } from '../events/batch.ts';
import { lruActivate, lruInsert } from '../events/index.ts';
import { pfn } from './columns.ts';
import { type Tracepoint, tell, tracepoint } from './tracepoint.ts';

const PFN = 0;
const LRU = 1;
const FLAGS = 2;

/** Bits of the binary field (include/trace/events/pagemap.h, PAGEMAP_*; the same in 6.1, 6.12 and 7.2). */
const ANONYMOUS = 2;
const SWAPCACHE = 8;
const MAPPED_TO_DISK = 32;

/** The flags of a record: six letters or blanks in text (`Ma bd `), a number in binary; NaN if untold. */
function flagsOf(values: FieldValues): number {
  if (values.state[FLAGS] !== FIELD_OK) return Number.NaN;
  let flags = 0;
  let told = false;
  for (let at = values.start[FLAGS]!; at < values.end[FLAGS]!; at++) {
    const letter = values.bytes[at]!;
    if (letter === 0x61) flags |= ANONYMOUS;
    if (letter === 0x73) flags |= SWAPCACHE;
    if (letter === 0x64) flags |= MAPPED_TO_DISK;
    if (letter === 0x61 || letter === 0x66) told = true;
    if (letter >= 0x30 && letter <= 0x39) return numericFlags(fieldText(values, FLAGS));
  }
  return told ? flags : Number.NaN;
}

function numericFlags(text: string): number {
  return /^(0x[0-9a-f]+|[0-9]+)$/.test(text.trim()) ? Number(text) : Number.NaN;
}

const insertion = tracepoint(
  'mm_lru_insertion',
  [lruInsert],
  [
    { key: 'pfn', form: 'int' },
    { key: 'lru', form: 'int' },
    { key: 'flags', form: 'bytes' },
  ],
  (values: FieldValues, out: EventBatchBuilder) => {
    const flags = flagsOf(values);
    const known = !Number.isNaN(flags);
    const anon = known ? (flags & ANONYMOUS ? 1 : 0) : Number.NaN;
    out.emit(
      lruInsert,
      fieldNumber(values, PFN),
      fieldNumber(values, LRU),
      anon,
      known ? (flags & SWAPCACHE ? 1 : 0) : Number.NaN,
      // The bit is AnonExclusive on anonymous pages (5.19 on) and something else on file pages.
      anon === 1 ? (flags & MAPPED_TO_DISK ? 1 : 0) : Number.NaN,
    );
  },
);

/** pagemap/*: folios entering the LRU lists. The record is written as the batch of a CPU drains: late. */
export const pagemapTracepoints: readonly Tracepoint[] = [
  insertion,
  tell('mm_lru_activate', lruActivate, { pfn: pfn('pfn') }),
];
