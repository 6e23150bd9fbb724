import { PTE_KIND, PTE_PRESENT, PTE_SWAP } from '../core/pte.ts';
import { pteSet } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';

/** A swap PTE that becomes a mapping of a page. */
export interface Install {
  readonly mm: number;
  readonly entry: number;
  readonly pfn: number;
}

/** What a pte.set installs in the place of a swap entry; null if it does something else. */
export function installOf(e: Cursor): Install | null {
  const { mm, old, value } = pteSet.at;
  if ((e.args[e.at + old]! & PTE_KIND) !== PTE_SWAP) return null;
  if ((e.args[e.at + value]! & PTE_KIND) !== PTE_PRESENT) return null;
  const entry = e.args[e.at + old + 1]!;
  const pfn = e.args[e.at + value + 1]!;
  return Number.isNaN(entry) || !(pfn >= 0) ? null : { mm: e.args[e.at + mm]!, entry, pfn };
}
