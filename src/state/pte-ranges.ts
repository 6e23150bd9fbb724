import { UNKNOWN } from '../core/knowledge.ts';
import { PTE_KIND, PTE_NONE, PTE_PRESENT, PTE_WRITE } from '../core/pte.ts';
import { type Pages, TRI_UNKNOWN } from './pages.ts';
import { type PageTables, SLOT_KNOWN, SLOT_UNKNOWN, SLOT_WRITE_UNKNOWN, SLOTS, TABLE_SPAN } from './ptes.ts';

/**
 * What functions do to whole ranges of an address space without telling the single PTEs. Each walks the page-table
 * pages that are known, never the addresses: a range may be as wide as the address space.
 */

/** Page-table pages of an mm that are bound to a region within [start, end). */
function* tablesIn(ptes: PageTables, mm: number, start: number, end: number): Generator<number> {
  const c = ptes.tables.col;
  for (let row = 0; row < ptes.tables.bound; row++) {
    if (!ptes.tables.alive(row) || c.bound[row] !== 1 || c.mm[row] !== mm) continue;
    const low = c.region[row]! * TABLE_SPAN;
    if (low < end && low + TABLE_SPAN > start) yield row;
  }
}

/** Slots with a known value within [start, end). */
function* slotsIn(ptes: PageTables, mm: number, start: number, end: number): Generator<number> {
  for (const row of tablesIn(ptes, mm, start, end)) {
    const low = ptes.tables.col.region[row]! * TABLE_SPAN;
    const first = Math.max(0, Math.ceil((start - low) / 4096));
    const behind = Math.min(SLOTS, Math.ceil((end - low) / 4096));
    for (let k = row * SLOTS + first; k < row * SLOTS + behind; k++) {
      if (ptes.know[k] !== SLOT_UNKNOWN) yield k;
    }
  }
}

/** Page tables in the range may be freed by the caller: bindings hold until the next write to them. */
export function weakenRange(ptes: PageTables, mm: number, start: number, end: number): void {
  for (const row of tablesIn(ptes, mm, start, end)) ptes.tables.col.weak[row] = 1;
}

/** Write bits of an mm may have been taken by a fork whose PTEs no probe shows. */
export function doubtWrites(ptes: PageTables, mm: number): void {
  for (let row = 0; row < ptes.tables.bound; row++) {
    if (!ptes.tables.alive(row) || ptes.tables.col.mm[row] !== mm) continue;
    for (let k = row * SLOTS; k < (row + 1) * SLOTS; k++) {
      if (ptes.know[k] === SLOT_KNOWN && ptes.bits[k]! & PTE_WRITE) ptes.know[k] = SLOT_WRITE_UNKNOWN;
    }
  }
}

/** Pages that a fork may have shared unseen: how many map them, and whether one does, is not known any more. */
export function doubtSharing(ptes: PageTables, pages: Pages, mm: number, start: number, end: number): void {
  for (const slot of slotsIn(ptes, mm, start, end)) {
    if ((ptes.bits[slot]! & PTE_KIND) !== PTE_PRESENT) continue;
    const page = pages.find(ptes.frame[slot]!);
    if (page < 0) continue;
    pages.col.mapGrade[page] = UNKNOWN;
    pages.col.exclusive[page] = TRI_UNKNOWN;
  }
}

/** Swap and other non-present PTEs in the range are cleared (zap clears them without telling). */
export function clearNonPresent(ptes: PageTables, mm: number, start: number, end: number, seq: number): void {
  for (const slot of slotsIn(ptes, mm, start, end)) {
    const kind = ptes.bits[slot]! & PTE_KIND;
    if (kind !== PTE_PRESENT && kind !== PTE_NONE) ptes.write(slot, PTE_NONE, 0, seq, SLOT_KNOWN);
  }
}
