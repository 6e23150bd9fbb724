import { PTE_KIND, PTE_MIGRATION, PTE_NONE, PTE_PRESENT, PTE_SWAP } from '../core/pte.ts';
import { SLOT_UNKNOWN, TABLE_SPAN } from './ptes.ts';
import type { MmState } from './state.ts';

/** What one user address translates to, as far as the state knows. */
export interface Translation {
  readonly kind: 'present' | 'swap' | 'migration' | 'none' | 'other' | 'unknown';
  /** Page of a present or migration entry, NaN otherwise. */
  readonly pfn: number;
  /** Entry of a swap PTE (core/pte.ts entryOf), NaN otherwise. */
  readonly entry: number;
  /** Canonical PTE bits, NaN where unknown. */
  readonly bits: number;
  /** The write bit is not sure: a fork that no probe shows may have taken it. */
  readonly writeUnknown: boolean;
  /** Mapped by a PMD. */
  readonly huge: boolean;
  /** Seq of the event that told, 0 where unknown. */
  readonly since: number;
  /** Why it is unknown, null where it is known. */
  readonly reason: string | null;
}

function unknown(reason: string): Translation {
  return {
    kind: 'unknown',
    pfn: Number.NaN,
    entry: Number.NaN,
    bits: Number.NaN,
    writeUnknown: true,
    huge: false,
    since: 0,
    reason,
  };
}

/** Translates a user address of an mm (its kernel pointer). */
export function translate(s: MmState, mm: number, va: number): Translation {
  if (Number.isNaN(mm)) return unknown('the mm of the task is not known');
  if (s.blind) return unknown('a CPU has no surviving record yet: what it does is not in the trace');
  const row = s.ptes.mms.find(mm);
  if (row < 0) return unknown('no event tells of this mm');
  const huge = s.ptes.hugeAt(row, va);
  if (huge >= 0) {
    const c = s.ptes.regions.col;
    const pfn = c.frame[huge]! + Math.floor((va % TABLE_SPAN) / 4096);
    return {
      kind: 'present',
      pfn,
      entry: Number.NaN,
      bits: c.bits[huge]!,
      writeUnknown: false,
      huge: true,
      since: c.seq[huge]!,
      reason: null,
    };
  }
  const slot = s.ptes.slotAt(row, va);
  if (slot < 0) return unknown('no event tells of a page table for this address');
  if (s.ptes.know[slot] === SLOT_UNKNOWN)
    return unknown(
      s.lossy ? 'not told again since records were lost' : 'changed or set before without being told',
    );
  const bits = s.ptes.bits[slot]!;
  const frame = s.ptes.frame[slot]!;
  const kind = bits & PTE_KIND;
  return {
    kind:
      kind === PTE_PRESENT
        ? 'present'
        : kind === PTE_SWAP
          ? 'swap'
          : kind === PTE_MIGRATION
            ? 'migration'
            : kind === PTE_NONE
              ? 'none'
              : 'other',
    pfn: kind === PTE_PRESENT || kind === PTE_MIGRATION ? frame : Number.NaN,
    entry: kind === PTE_SWAP ? frame : Number.NaN,
    bits,
    writeUnknown: s.ptes.know[slot] === 1,
    huge: false,
    since: s.ptes.seq[slot]!,
    reason: null,
  };
}

/** Translates a user address of a task, by its mm as last seen. */
export function translateFor(s: MmState, pid: number, va: number): Translation {
  return translate(s, s.tasks.peek(pid)?.mm ?? Number.NaN, va);
}
