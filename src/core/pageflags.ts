/**
 * Page flags by name, in faultline's own bit order. Kernels print them by name in page_ref records;
 * numbers (`pflags=`) are translated at the edge by a per-kernel table (formats.md 5.11), never here.
 */
export const PG_LOCKED = 1 << 0;
export const PG_WRITEBACK = 1 << 1;
export const PG_REFERENCED = 1 << 2;
export const PG_UPTODATE = 1 << 3;
export const PG_DIRTY = 1 << 4;
export const PG_LRU = 1 << 5;
export const PG_HEAD = 1 << 6;
export const PG_WAITERS = 1 << 7;
export const PG_ACTIVE = 1 << 8;
export const PG_WORKINGSET = 1 << 9;
/** PageSwapCache on a swapbacked page. */
export const PG_OWNER_PRIV_1 = 1 << 10;
/** PageAnonExclusive on an anon page (named owner_2 since 6.12, mappedtodisk from 5.19 to 6.11). */
export const PG_OWNER_2 = 1 << 11;
export const PG_ARCH_1 = 1 << 12;
export const PG_RESERVED = 1 << 13;
export const PG_PRIVATE = 1 << 14;
export const PG_PRIVATE_2 = 1 << 15;
export const PG_RECLAIM = 1 << 16;
export const PG_SWAPBACKED = 1 << 17;
export const PG_UNEVICTABLE = 1 << 18;
export const PG_MLOCKED = 1 << 19;
export const PG_HWPOISON = 1 << 20;
export const PG_SLAB = 1 << 21;
export const PG_ERROR = 1 << 22;
export const PG_YOUNG = 1 << 23;
export const PG_IDLE = 1 << 24;
/** A flag that the table of names does not know was printed beside the others. */
export const PG_UNNAMED = 1 << 25;

/** Names as the kernel prints them (include/trace/events/mmflags.h at 6.12 and before), and their bits. */
export const PAGE_FLAG_NAMES: ReadonlyArray<readonly [name: string, bit: number]> = [
  ['locked', PG_LOCKED],
  ['writeback', PG_WRITEBACK],
  ['referenced', PG_REFERENCED],
  ['uptodate', PG_UPTODATE],
  ['dirty', PG_DIRTY],
  ['lru', PG_LRU],
  ['head', PG_HEAD],
  ['waiters', PG_WAITERS],
  ['active', PG_ACTIVE],
  ['workingset', PG_WORKINGSET],
  ['owner_priv_1', PG_OWNER_PRIV_1],
  ['owner_2', PG_OWNER_2],
  ['mappedtodisk', PG_OWNER_2],
  ['arch_1', PG_ARCH_1],
  ['reserved', PG_RESERVED],
  ['private', PG_PRIVATE],
  ['private_2', PG_PRIVATE_2],
  ['reclaim', PG_RECLAIM],
  ['swapbacked', PG_SWAPBACKED],
  ['unevictable', PG_UNEVICTABLE],
  ['mlocked', PG_MLOCKED],
  ['hwpoison', PG_HWPOISON],
  ['slab', PG_SLAB],
  ['error', PG_ERROR],
  ['young', PG_YOUNG],
  ['idle', PG_IDLE],
];

/** Names of the flags that are set, in table order, `|` between them; `none` if there are none. */
export function pageFlagText(flags: number): string {
  const names: string[] = [];
  let seen = 0;
  for (const [name, bit] of PAGE_FLAG_NAMES) {
    if (flags & bit && !(seen & bit)) {
      names.push(name);
      seen |= bit;
    }
  }
  if (flags & PG_UNNAMED) names.push('unnamed');
  return names.length > 0 ? names.join('|') : 'none';
}
