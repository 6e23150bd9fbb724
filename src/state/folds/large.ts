import { SAMPLED, UNKNOWN } from '../../core/knowledge.ts';
import { PG_HEAD, PG_LRU, PG_SWAPBACKED } from '../../core/pageflags.ts';
import type { Folio, FolioSplit } from '../machines.ts';
import { LIFE_ALLOCATED, TRI_UNKNOWN } from '../pages.ts';
import type { MmState } from '../state.ts';
import { changeMap, compareMap, settleMap } from './mapcounts.ts';

/** Order of a folio that one PMD maps: 512 pages. */
export const PMD_ORDER = 9;

/** Flags that only pages of user memory have. */
const USER_MEMORY = PG_LRU | PG_SWAPBACKED;

/**
 * The large folio of a head about to be mapped. Where its allocation was told nobody mapped it before, so its sums
 * begin at zero; otherwise they are not known.
 */
function folioOf(s: MmState, row: number): Folio {
  const head = s.pages.table.key(row);
  const known = s.machines.folios.get(head);
  if (known !== undefined) return known;
  const folio = s.machines.folio(head);
  const { order, life } = s.pages.col;
  if (order[row]! > 0 && life[row] === LIFE_ALLOCATED) {
    folio.order = order[row]!;
    folio.entire = 0;
    folio.ptes = 0;
  }
  return folio;
}

/** A sample shows a head where a small page was known: what was counted of it as a small page says nothing any more. */
export function becomesLarge(s: MmState, row: number): void {
  const c = s.pages.col;
  settleMap(s, row);
  c.large[row] = 1;
  c.mapGrade[row] = UNKNOWN;
}

/** A page is small from here on. A split keeps the PTEs of every page, and its exclusive bit. */
function becomesSmall(s: MmState, row: number, isSplit: boolean): void {
  const c = s.pages.col;
  settleMap(s, row);
  c.large[row] = 0;
  c.order[row] = 0;
  s.machines.folios.delete(s.pages.table.key(row));
  if (isSplit) return;
  c.mapGrade[row] = UNKNOWN;
  c.exclusive[row] = TRI_UNKNOWN;
}

/**
 * A reference of a page of user memory that is no head: references live on heads, so what was known as a part of a
 * large folio is a small page. The folio was split, or freed and taken anew where neither is told.
 */
export function noteSize(s: MmState, row: number, flags: number): void {
  if (s.pages.col.large[row] === 0 || !(flags & USER_MEMORY) || flags & PG_HEAD) return;
  becomesSmall(s, row, s.machines.splitOf(s.pages.table.key(row)) !== undefined);
}

/** A split of a folio succeeded: it is a row of folios of the new order, whose sums begin anew. */
export function splitParts(s: MmState, split: FolioSplit): void {
  const head = s.machines.folioWith(split.pfn)?.head ?? split.pfn;
  const order = s.machines.folios.get(head)?.order ?? s.pages.col.order[s.pages.find(head)] ?? Number.NaN;
  s.machines.folios.delete(head);
  if (split.order !== 0) return;
  for (let k = 0; k < 2 ** order; k++) {
    const row = s.pages.find(head + k);
    if (row >= 0 && s.pages.col.large[row] === 1) becomesSmall(s, row, true);
  }
}

/**
 * A new large folio of anonymous memory gets its mapping: by a PMD if one can map all of it, else by a PTE for each
 * page; every page that has a PTE has its own exclusive bit (mm/rmap.c:folio_add_new_anon_rmap).
 */
export function mapNewLarge(s: MmState, seq: number, row: number, pid: number): void {
  const folio = folioOf(s, row);
  const { order, exclusive, large } = s.pages.col;
  const pages = 2 ** order[row]!;
  const head = folio.head;
  const told = exclusive[row]!;
  large[row] = 1;
  if (order[row]! >= PMD_ORDER) {
    folio.entire = 1;
    s.pages.col.map[row] = 0;
    return;
  }
  folio.ptes = pages;
  for (let k = 1; k < pages; k++) {
    const tail = s.pages.ensure(head + k, seq);
    const c = s.pages.col;
    c.large[tail] = 1;
    c.map[tail] = 0;
    c.mapGrade[tail] = c.mapGrade[row]!;
    changeMap(s, seq, tail, 1, pid);
    c.exclusive[tail] = told;
  }
}

/** PTEs start to map pages of a large folio. `head` NaN: nothing says which one. */
export function mapParts(s: MmState, seq: number, head: number, first: number, count: number): void {
  const row = s.pages.find(head);
  const known = s.machines.folios.get(head);
  const folio = known ?? (row >= 0 && s.pages.col.order[row]! > 0 ? folioOf(s, row) : undefined);
  const whole = folio !== undefined && !Number.isNaN(folio.ptes);
  if (whole) folio.ptes += count;
  for (let k = 0; k < count; k++) {
    const page = s.pages.ensure(first + k, seq);
    const c = s.pages.col;
    if (c.large[page] === 0) becomesLarge(s, page);
    // Every PTE since the folio was new is told, and none was of this page.
    if (whole && c.mapGrade[page] === UNKNOWN && c.mapSeq[page] === 0) {
      c.map[page] = 0;
      c.mapGrade[page] = SAMPLED;
    }
  }
}

/** PTEs stop mapping pages of a large folio; `raw` is the _mapcount of the first of them before. */
export function unmapParts(
  s: MmState,
  seq: number,
  head: number,
  first: number,
  count: number,
  raw: number,
  pid: number,
): void {
  const folio = s.machines.folios.get(head);
  if (folio !== undefined) folio.ptes -= count;
  for (let k = 0; k < count; k++) {
    const page = s.pages.find(first + k);
    if (page < 0) continue;
    if (s.pages.col.large[page] === 0) becomesLarge(s, page);
    if (k === 0) compareMap(s, seq, page, raw, pid);
  }
}

/** A PMD starts (1) or stops (-1) to map a large folio. */
export function mapEntire(s: MmState, seq: number, row: number, delta: 1 | -1, pid: number): void {
  const c = s.pages.col;
  if (c.large[row] === 0) becomesLarge(s, row);
  const folio = folioOf(s, row);
  folio.order = PMD_ORDER;
  folio.entire += delta;
  changeMap(s, seq, row, 0, pid);
}

/**
 * A PMD was written that maps a folio which its task has just mapped as new: that is how all of it is mapped, and by
 * nothing else. Where its allocation was told that is known already.
 */
export function tellEntire(s: MmState, row: number, pid: number): void {
  const c = s.pages.col;
  const head = s.pages.table.key(row);
  if (c.mapSeq[row] === 0 || c.mapPid[row] !== pid || c.mapDelta[row] !== 1 || s.machines.folios.has(head))
    return;
  if (c.large[row] === 0) becomesLarge(s, row);
  if (c.mapGrade[row] === UNKNOWN) {
    c.map[row] = 0;
    c.mapGrade[row] = SAMPLED;
  }
  const folio = s.machines.folio(head);
  folio.order = PMD_ORDER;
  folio.entire = 1;
  folio.ptes = 0;
}

/** A page has one more PTE, as a fork copies it without a word of rmap: so has its folio. */
export function countPart(s: MmState, pfn: number): void {
  const folio = s.machines.folioWith(pfn);
  if (folio !== undefined) folio.ptes++;
}
