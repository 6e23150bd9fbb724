import type { AddressBracket } from './tasks.ts';

/** A small page that a collapse took: what its check could see of it, and what was seen of it later. */
export interface CollapsedPage {
  readonly pfn: number;
  /** Address at which the collapsing mm maps it, NaN not known. */
  readonly va: number;
  /** Allocation generation at the check. */
  readonly gen: number;
  /** The record that samples the check: the isolation's own reference, or the check itself. */
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  /** References without that of the isolation, and the raw _mapcount; NaN not told. */
  readonly count: number;
  readonly mapcount: number;
  readonly flags: number;
  /** The folded count before the check if nothing changed it since the isolation began; NaN otherwise. */
  readonly quiet: number;
  /** Nobody changed the number of mappings from the check to the sample. */
  readonly mapQuiet: boolean;
  /** Seq of the copy, 0 where no event tells it. */
  copySeq: number;
  /** Refcount as last read behind the copy, and by which event; NaN not read. */
  countAfter: number;
  countAfterSeq: number;
}

/**
 * A collapse under way (mm/khugepaged.c:collapse_huge_page): the PMD is cleared, the small pages are checked and
 * isolated one by one, copied, and released once the copy has succeeded. What did not succeed changes nothing.
 */
export interface CollapseBracket extends AddressBracket {
  readonly pid: number;
  /** Seqs of the steps, 0 while they are still to come. */
  pmdClearSeq: number;
  isolateSeq: number;
  isolatedSeq: number;
  commitSeq: number;
  pmdSetSeq: number;
  /** Pages by pfn, in the order of their check. */
  readonly pages: Map<number, CollapsedPage>;
}

/** A collapse that begins. */
export function newCollapse(mm: number, va: number, seq: number, pid: number): CollapseBracket {
  return {
    mm,
    va,
    seq,
    pid,
    pmdClearSeq: 0,
    isolateSeq: 0,
    isolatedSeq: 0,
    commitSeq: 0,
    pmdSetSeq: 0,
    pages: new Map(),
  };
}
