import type { FaultBracket } from './tasks.ts';

/** What a probe printed of the page within the bracket; NaN where it did not. `mapcount` is the raw _mapcount. */
export interface Sample {
  readonly seq: number;
  /** Read of the head of a large folio, which is another page than the one the fault is about, or may be. */
  readonly ofHead: boolean;
  readonly count: number;
  readonly mapcount: number;
  readonly flags: number;
}

/** A do_wp_page that was entered and has not returned. */
export interface WpBracket extends FaultBracket {
  readonly kind: 'wp';
  readonly ns: number;
  readonly cpu: number;
  readonly pid: number;
  /** Page of the original PTE; NaN unknown. */
  readonly pfn: number;
  readonly pteBits: number;
  readonly unshare: boolean | undefined;
  /** Generation of the page when the bracket opened. */
  gen: number;
  /** Knowledge of the fold as the bracket opened: three-valued AnonExclusive, swap cache; mapping code + 1. */
  exclusiveBefore: number;
  swapcacheBefore: number;
  mappingBefore: number;
  mapBefore: number;
  largeBefore: boolean;
  /** Who held the page lock and who had isolated the page as it was looked at, where that was told: task and event; -1 nobody told. */
  lockPid: number;
  lockSeq: number;
  isolatorPid: number;
  isolatorSeq: number;
  /** Whether each of the two was reclaiming then. */
  lockReclaim: boolean;
  isolatorReclaim: boolean;
  /** mms that could see the page without mapping it: a swap PTE of its slot, an unmap in flight. Told only where every PTE is. */
  unmappedSharers: readonly number[];
  /** Another task removed its mapping and has not put the reference yet (mmu_gather): seq of the removal, 0 none. */
  gatherSeq: number;
  /** Least and greatest refcount of the fold from entry to the deciding step; NaN if not known throughout. */
  countMin: number;
  countMax: number;
  /** First sample of flags by the faulting task on this page before it changed anything. */
  first: Sample | null;
  test: Sample | null;
  tested: boolean | undefined;
  moved: boolean;
  copy: Sample | null;
  /** wp_page_copy said that there is no struct page (zero page, special PTE). */
  noPage: boolean;
  copied: boolean;
  reuse: Sample | null;
  /** Seq of the access-flags change or of the clear-and-flush, 0 none. */
  accessSeq: number;
  clearSeq: number;
  newPfn: number;
  newSeq: number;
  /** Answer of folio_free_swap within the bracket. */
  swapFreed: boolean | undefined;
  /** The faulting task released this page's lock within the bracket: its trylock had succeeded. */
  ownLock: Sample | null;
  waited: boolean;
  drained: boolean;
  uffd: boolean;
  /** The deciding step was passed: later changes of the count are no inputs. */
  decided: boolean;
  decidedSeq: number;
  /** Refcount as read by the faulting task last before the deciding step, its own additions taken off. */
  lastCount: number;
  lastCountSeq: number;
  /** Least such reading. */
  leastCount: number;
  /** Refcount after the old mapping was dropped, as last read within the bracket; NaN if not read. */
  countAfter: number;
  /** Page lock as seen by the faulting task while it did not hold it. */
  lockedSample: boolean | undefined;
  lockedSeq: number;
}

export type Outcome = 'reuse' | 'copy' | 'wait' | 'noop' | 'unknown';

/** How the outcome is known. */
export type OutcomeBy = 'probe' | 'inferred' | 'absence' | 'none';

/** One decision of do_wp_page, with its inputs as far as known: undefined and NaN are unknown. */
export interface Decision {
  /** Seq of the event that opened the bracket: identity of the decision and of its moment. */
  readonly seq: number;
  readonly endSeq: number;
  /** Seq of the event that shows the outcome. */
  readonly outcomeSeq: number;
  readonly ns: number;
  readonly cpu: number;
  readonly pid: number;
  readonly mm: number;
  readonly va: number;
  readonly pfn: number;
  readonly newPfn: number;
  readonly outcome: Outcome;
  /** A copy that was made and mapped. A copy decided, then dropped because the PTE had changed, is no COW (domain.md 2.1). */
  readonly committed: boolean;
  readonly outcomeBy: OutcomeBy;
  /** What the page is. `private-file`: page cache under a private mapping; `shared`: a shared mapping. */
  readonly page: 'anon' | 'ksm' | 'zero' | 'private-file' | 'shared' | 'unknown';
  readonly inputs: Inputs;
  readonly wp: WpBracket;
}

/** Inputs of the decision procedures (domain.md 2.4). */
export interface Inputs {
  /** AnonExclusive when the decision was made. */
  readonly exclusive: boolean | undefined;
  /** Event that tells, 0 if the state did. */
  readonly exclusiveSeq: number;
  readonly anon: boolean | undefined;
  readonly ksm: boolean | undefined;
  readonly large: boolean | undefined;
  readonly swapcache: boolean | undefined;
  /** Refcount at the test, without the task's own extra reference; NaN unknown. */
  readonly count: number;
  /** Whether a record of the faulting task within the bracket told the count; else the state did. */
  readonly countTold: boolean;
  /** Bounds of what the refcount may have been at the test. */
  readonly countLow: number;
  readonly countHigh: number;
  /** Mappings (raw _mapcount + 1). */
  readonly mappings: number;
  /** Whether a record of the faulting task within the bracket told the mappings. */
  readonly mappingsTold: boolean;
  readonly swapcount: number;
  readonly onLru: boolean | undefined;
  /** The page lock was held by another when it was tried. */
  readonly locked: boolean | undefined;
  readonly writeback: boolean | undefined;
  /** Whether freeing the swap slot succeeded within the decision. */
  readonly swapFreed: boolean | undefined;
  readonly unshare: boolean | undefined;
  /** References that this CPU's LRU batch held until it was drained within the decision: `count` is without them. */
  readonly batched?: number;
  /** The device of the slot needs stable pages while they are written. */
  readonly stableWrites?: boolean;
  /** Mappings of the whole large folio, and whether another mm maps it too. */
  readonly largeMappings?: number;
  readonly mappedShared?: boolean;
}
