import { PTE_KIND, PTE_PRESENT, PTE_WRITE } from '../core/pte.ts';
import { spteSet } from '../events/index.ts';
import { SLOT_KNOWN } from '../state/ptes.ts';
import type { Spte } from '../state/secondary.ts';
import type { MmState } from '../state/state.ts';

/** What the primary page tables say of an address, where they are known; the write bit may be unsure. */
export interface Primary {
  readonly pfn: number;
  readonly write: boolean;
  /** Event that told. */
  readonly seq: number;
}

/** The present PTE of an address, null where there is none or none is known. */
export function primaryAt(s: MmState, mm: number, va: number): Primary | null {
  const owner = s.ptes.mms.find(mm);
  const slot = owner < 0 ? -1 : s.ptes.slotAt(owner, va);
  if (slot < 0 || s.ptes.know[slot] === 0 || (s.ptes.bits[slot]! & PTE_KIND) !== PTE_PRESENT) return null;
  return {
    pfn: s.ptes.frame[slot]!,
    write: s.ptes.know[slot] !== SLOT_KNOWN || (s.ptes.bits[slot]! & PTE_WRITE) !== 0,
    seq: s.ptes.seq[slot]!,
  };
}

/** The page that an address translates to while a device's mapping of it names another; null if they agree. */
export function movedFrom(s: MmState, spte: Spte): Primary | null {
  const primary = primaryAt(s, spte.mm, spte.va);
  return primary !== null && primary.pfn !== spte.pfn ? primary : null;
}

/** Key of a device's mapping. */
export function spteKey(dev: number, mm: number, va: number): string {
  return `${dev} ${mm} ${Math.floor(va / 4096)}`;
}

/** Whether the trace tells what devices map. */
export function tellsSptes(s: MmState): boolean {
  return s.sources.seen[spteSet.code] === 1;
}
