/**
 * The model's state is one row of small integers, so that a state is copied and hashed in a microsecond. This file
 * says which cell is what.
 */

/** Cells of a page. `lock`: thread + 1. `sc`: slot + 1 while in the swap cache. `iso`: thread + 1 that isolated it. `reuse`: a
 * write fault found itself the only user of a KSM page that is not frozen. `copied`: mm + 1 whose collapse has copied it.
 * `private`: slot + 1 in page->private, where a scenario looks at it. */
const PAGE = [
  'live',
  'ref',
  'map',
  'lock',
  'lru',
  'iso',
  'sc',
  'dirty',
  'wb',
  'ae',
  'ksm',
  'reuse',
  'copied',
  'private',
  'content',
] as const;
/**
 * Cells of a page-table entry; `value` is what its process stored last at the address. `tlb`: the page (+ 1) that some
 * CPU's TLB has for the address, `tlbw` whether for writing, `late` whether a flush of it was put off. `armed`: userfaultfd
 * write-protects the address.
 */
const PTE = ['kind', 'frame', 'write', 'excl', 'value', 'tlb', 'tlbw', 'late', 'armed'] as const;
/** Cells of an mm: owner of the page-table lock and of mmap_lock for writing (thread + 1), its readers, PMD, fork's seqcount, notifier. */
const MM = ['ptl', 'mmap', 'readers', 'pmd', 'seq', 'mnActive', 'mnSeq'] as const;
/** Cells of a swap slot; `page` is the page cached under it (+ 1), `held` a reservation without a page. */
const SLOT = ['count', 'page', 'held', 'content'] as const;
/** The swap device: its life (SI_*), users with a reference, slots in use, threads that a grace period waits for. */
const SI = ['state', 'users', 'inuse', 'grace'] as const;
/** A secondary MMU's view of one address: the page (+ 1) its spte names, an invalidation it put off. */
const SPTE = ['frame', 'queued'] as const;
/** A GUP reference: page + 1 while it is held. */
const HOLD = ['page'] as const;
/** A thread: statement, phase, interrupts off, registers. */
const THREAD = ['pc', 'phase', 'irq', 'fresh', 'r0', 'r1', 'r2', 'r3', 'r4', 'r5'] as const;

export type PageCell = (typeof PAGE)[number];
export type PteCell = (typeof PTE)[number];
export type MmCell = (typeof MM)[number];
export type SlotCell = (typeof SLOT)[number];
export type SiCell = (typeof SI)[number];
export type SpteCell = (typeof SPTE)[number];
export type ThreadCell = (typeof THREAD)[number];

/** Values of `lru`; a batch of CPU n is LRU_BATCH + n. */
export const LRU_OFF = 0;
export const LRU_ON = 1;
export const LRU_ISOLATED = 2;
export const LRU_BATCH = 3;

/** Values of a PTE's `kind`. */
export const NONE = 0;
export const PRESENT = 1;
export const SWAPPED = 2;
/** Cleared by try_to_unmap, which has not yet set what replaces it: everyone else sees no entry. */
export const UNMAPPING = 3;

/** A migration entry: whoever needs the page waits for it. */
export const MIGRATING = 4;

/** Values of the swap device's `state`. */
export const SI_ON = 0;
export const SI_UNUSING = 1;
export const SI_DEAD = 2;
export const SI_FREED = 3;

/** How many of each there are. */
export interface Sizes {
  readonly pages: number;
  readonly mms: number;
  readonly vas: number;
  readonly slots: number;
  readonly devices: number;
  readonly holds: number;
  readonly threads: number;
}

function offsets<N extends string>(names: readonly N[]): Readonly<Record<N, number>> {
  return Object.fromEntries(names.map((name, i) => [name, i])) as Record<N, number>;
}

const PAGE_AT = offsets(PAGE);
const PTE_AT = offsets(PTE);
const MM_AT = offsets(MM);
const SLOT_AT = offsets(SLOT);
const SI_AT = offsets(SI);
const SPTE_AT = offsets(SPTE);
const THREAD_AT = offsets(THREAD);

/** Where each cell lies. */
export class Layout {
  readonly sizes: Sizes;
  readonly cells: number;
  readonly #pte: number;
  readonly #mm: number;
  readonly #slot: number;
  readonly #si: number;
  readonly #spte: number;
  readonly #hold: number;
  readonly #thread: number;

  constructor(sizes: Sizes) {
    this.sizes = sizes;
    this.#pte = sizes.pages * PAGE.length;
    this.#mm = this.#pte + sizes.mms * sizes.vas * PTE.length;
    this.#slot = this.#mm + sizes.mms * MM.length;
    this.#si = this.#slot + sizes.slots * SLOT.length;
    this.#spte = this.#si + SI.length;
    this.#hold = this.#spte + sizes.devices * sizes.vas * SPTE.length;
    this.#thread = this.#hold + sizes.holds * HOLD.length;
    this.cells = this.#thread + sizes.threads * THREAD.length;
  }

  page(page: number, cell: PageCell): number {
    return page * PAGE.length + PAGE_AT[cell];
  }
  pte(mm: number, va: number, cell: PteCell): number {
    return this.#pte + (mm * this.sizes.vas + va) * PTE.length + PTE_AT[cell];
  }
  mm(mm: number, cell: MmCell): number {
    return this.#mm + mm * MM.length + MM_AT[cell];
  }
  slot(slot: number, cell: SlotCell): number {
    return this.#slot + slot * SLOT.length + SLOT_AT[cell];
  }
  si(cell: SiCell): number {
    return this.#si + SI_AT[cell];
  }
  spte(device: number, va: number, cell: SpteCell): number {
    return this.#spte + (device * this.sizes.vas + va) * SPTE.length + SPTE_AT[cell];
  }
  hold(hold: number): number {
    return this.#hold + hold;
  }
  thread(thread: number, cell: ThreadCell): number {
    return this.#thread + thread * THREAD.length + THREAD_AT[cell];
  }
}
