/** A translation that CPUs may still have in their TLBs although the PTE says otherwise now. */
export interface StaleEntry {
  readonly mm: number;
  readonly va: number;
  /** Page of the old PTE; NaN where only the deferral was told. */
  readonly pfn: number;
  /** The old PTE was writable. */
  readonly write: boolean;
  /** The PTE was cleared or names another page; else it was only write-protected. */
  readonly gone: boolean;
  /** The PTE became a migration entry. */
  readonly migrating: boolean;
  readonly pid: number;
  readonly seq: number;
  /** The flush was put off: seq of the deferral, 0 if it was not. */
  deferredSeq: number;
}

/** A section under a page-table lock. */
export interface PtlSection {
  readonly mm: number;
  /** 2 MiB region that the locked table translates. */
  readonly region: number;
  readonly pid: number;
  readonly seq: number;
}

/** Stale entries that are kept: on a trace that tells PTEs and no flushes the oldest are given up. */
const STALE_KEPT = 8192;

interface TlbImage {
  readonly stale: readonly StaleEntry[];
  readonly sections: readonly PtlSection[];
}

/** Region of an address: one page-table page, one lock. */
export function regionOf(va: number): number {
  return Math.floor(va / 0x200000);
}

/**
 * Translations that were taken away and not flushed yet, and the sections under page-table locks. Fed by kinds that
 * tell PTEs in full (pte.write): on other traces it stays empty, because their flushes are not all told either.
 */
export class Tlb {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 1;
  /** By mm, then by page address. Oldest first. */
  readonly #stale = new Map<number, Map<number, StaleEntry>>();
  #count = 0;
  readonly sections: PtlSection[] = [];

  /** A PTE was cleared, moved to another page or write-protected. The first of several changes stays: it is the oldest translation. */
  add(entry: StaleEntry): void {
    const pages = this.#stale.get(entry.mm) ?? new Map<number, StaleEntry>();
    this.#stale.set(entry.mm, pages);
    const earlier = pages.get(entry.va);
    // A write-protected one that is then cleared is the same translation, and gone for good.
    if (earlier !== undefined && (earlier.gone || !entry.gone || earlier.pfn !== entry.pfn)) return;
    if (earlier === undefined) this.#count++;
    pages.set(entry.va, earlier === undefined ? entry : { ...entry, write: earlier.write || entry.write });
    if (this.#count > STALE_KEPT) this.#drop(this.#stale.keys().next().value!);
  }

  #drop(mm: number): void {
    this.#count -= this.#stale.get(mm)?.size ?? 0;
    this.#stale.delete(mm);
  }

  /** The stale translation of an address, if there may be one. */
  at(mm: number, va: number): StaleEntry | undefined {
    return this.#stale.get(mm)?.get(Math.floor(va / 4096) * 4096);
  }

  /** Whether nothing waits for a flush. */
  get clean(): boolean {
    return this.#count === 0;
  }

  /** All stale translations, of one mm or of all. */
  *all(mm?: number): Generator<StaleEntry> {
    if (mm !== undefined) yield* this.#stale.get(mm)?.values() ?? [];
    else for (const pages of this.#stale.values()) yield* pages.values();
  }

  /** A range of an mm was flushed on every CPU; no range: all of it. */
  flush(mm: number, start: number, end: number): void {
    const pages = this.#stale.get(mm);
    if (pages === undefined) return;
    if (Number.isNaN(start) || end < 0 || Number.isNaN(end)) {
      this.#drop(mm);
      return;
    }
    for (const va of pages.keys()) {
      if (va < start || va >= end) continue;
      pages.delete(va);
      this.#count--;
    }
    if (pages.size === 0) this.#stale.delete(mm);
  }

  /** A task enters a section. */
  lock(section: PtlSection): void {
    this.sections.push(section);
  }

  /** A task leaves a section; returns it. */
  unlock(pid: number, mm: number, region: number): PtlSection | undefined {
    const at = this.sections.findLastIndex(
      (section) => section.pid === pid && section.mm === mm && section.region === region,
    );
    return at < 0 ? undefined : this.sections.splice(at, 1)[0];
  }

  /** Whether some task is inside a section of one of these mms. */
  locked(mms: readonly number[]): boolean {
    return this.sections.some((section) => mms.includes(section.mm));
  }

  /** The mm is gone: nobody runs on it any more. */
  forgetMm(mm: number): void {
    this.#drop(mm);
    for (let i = this.sections.length - 1; i >= 0; i--)
      if (this.sections[i]!.mm === mm) this.sections.splice(i, 1);
  }

  /** Records were lost: flushes may have happened. */
  degrade(): void {
    this.clear();
  }

  clear(): void {
    this.#stale.clear();
    this.#count = 0;
    this.sections.length = 0;
  }

  /** The objects themselves and no copies: write them down before the next event. */
  image(): TlbImage {
    return { stale: [...this.all()], sections: [...this.sections] };
  }

  /** Takes over the objects of an image that nobody else keeps. */
  restore(image: TlbImage): void {
    this.clear();
    for (const entry of image.stale) this.add(entry);
    this.sections.push(...image.sections);
  }
}
