import { PTE_KIND, PTE_PRESENT } from '../core/pte.ts';
import type { EventKind } from '../events/declare.ts';
import { pteAccess, pteSet, pteWrite } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import type { MmState } from '../state/state.ts';

/** A present PTE as it was written. */
export interface WrittenPte {
  readonly mm: number;
  /** NaN where the address of the page table is not known. */
  readonly va: number;
  readonly bits: number;
  readonly pfn: number;
}

type Hook = readonly [EventKind, (e: Cursor) => void];

/**
 * Calls back for each present PTE that is written with all of the bits `asked`, by whichever probe. PTEs are written
 * often: what does not have the bits costs a comparison.
 */
export function onWrittenPte(
  s: MmState,
  asked: number,
  see: (pte: WrittenPte, e: Cursor) => void,
): readonly Hook[] {
  const matches = (bits: number): boolean => (bits & (asked | PTE_KIND)) === (asked | PTE_PRESENT);
  const told = (kind: EventKind, at: { readonly mm: number; readonly va: number; readonly value: number }) =>
    [
      kind,
      (e: Cursor) => {
        const bits = e.args[e.at + at.value]!;
        if (!matches(bits)) return;
        const pfn = e.args[e.at + at.value + 1]!;
        see({ mm: e.args[e.at + at.mm]!, va: e.args[e.at + at.va]!, bits, pfn }, e);
      },
    ] as const;
  return [
    told(pteAccess, pteAccess.at),
    told(pteWrite, pteWrite.at),
    [
      pteSet,
      (e) => {
        const bits = e.args[e.at + pteSet.at.value]!;
        if (!matches(bits)) return;
        const mm = e.args[e.at + pteSet.at.mm]!;
        const owner = s.ptes.mms.find(mm);
        const nr = e.args[e.at + pteSet.at.nr]!;
        const slot = owner < 0 ? -1 : s.ptes.slotOf(e.args[e.at + pteSet.at.ptep]!, owner);
        const va = slot < 0 ? Number.NaN : s.ptes.address(slot);
        const pfn = e.args[e.at + pteSet.at.value + 1]!;
        for (let k = 0; k < (nr > 1 ? nr : 1); k++) see({ mm, va: va + k * 4096, bits, pfn: pfn + k }, e);
      },
    ],
  ];
}
