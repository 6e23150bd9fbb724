/**
 * A page of KSM's stable tree. The node holds no reference: it peeps at the page through its mapping, and a page
 * that was freed or changed leaves a stale node behind until the next look (domain.md 1.8).
 */
export interface KsmNode {
  readonly pfn: number;
  /** Allocation generation of the page when it became the node's. */
  readonly gen: number;
  readonly seq: number;
  /** Seq at which the page left the node: freed, or made somebody's own; 0 while it is there. */
  leftSeq: number;
  /** PTEs that were switched to the page since. */
  merged: number;
  /** Last lookup that returned the page with a reference: who, when; 0 none. */
  getSeq: number;
  getNs: number;
  getCpu: number;
  getPid: number;
}

/** One migration entry that stands in place of a PTE of the page. */
export interface MigrationEntry {
  readonly mm: number;
  readonly va: number;
  readonly seq: number;
}

/** A page on its way to another: entries in place of its PTEs, copy, PTEs of the new page (domain.md 1.11). */
export interface Migration {
  readonly src: number;
  dst: number;
  readonly pid: number;
  readonly seq: number;
  entries: MigrationEntry[];
  /** Seq at which the mapping went over; 0 while it did not. */
  movedSeq: number;
  undoneSeq: number;
}

/** A range whose writes userfaultfd wants to hear of. */
export interface ArmedRange {
  readonly start: number;
  readonly end: number;
  readonly seq: number;
  /** A flush of the TLB covered it since. */
  flushedSeq: number;
}

/** The range that a fork copies, or copied last, from this mm. */
export interface ForkRun {
  readonly parent: number;
  readonly child: number;
  readonly start: number;
  readonly end: number;
  readonly pid: number;
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  /** 0 while it is under way. */
  endSeq: number;
}

/** A large folio by its head: how often PMDs map it, how many PTEs do, and the sum of both. */
export interface Folio {
  readonly head: number;
  /** It has 2^order pages; NaN not known. */
  order: number;
  /** PMDs that map it (_entire_mapcount + 1), NaN if mappings were there before the trace. */
  entire: number;
  /** PTEs that map its pages, of all of them together; NaN likewise. */
  ptes: number;
  /** Sum of all mapcounts as single steps told it, NaN if none did; the seq of the last step. */
  total: number;
  totalSeq: number;
}

/** A folio that a task is splitting, or the page of it that the split was asked for; NaN order: not told. */
export interface FolioSplit {
  readonly pfn: number;
  /** Order of the folios that it is split into. */
  readonly order: number;
  readonly pid: number;
  readonly seq: number;
}

/** Largest order of a folio that is looked for: the page allocator has no larger blocks (MAX_PAGE_ORDER, x86-64). */
const MAX_ORDER = 10;

/** Nodes whose pages are gone that are remembered, so that their use can be judged. */
const LEFT_KEPT = 4096;

interface MachinesImage {
  readonly ksm: readonly KsmNode[];
  readonly migrations: readonly Migration[];
  readonly armed: ReadonlyArray<readonly [number, readonly ArmedRange[]]>;
  readonly forks: readonly ForkRun[];
  readonly folios: readonly Folio[];
  readonly splits: readonly FolioSplit[];
  readonly unpinnable: readonly number[];
  readonly zeroPfns: readonly number[];
}

/** The state machines of the MM that run beside pages and PTEs: KSM, migration, userfaultfd, fork, large folios. */
export class Machines {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 3;
  /** By pfn. */
  readonly ksm = new Map<number, KsmNode>();
  readonly #left: number[] = [];
  /** By the pfn that is left. */
  readonly migrations = new Map<number, Migration>();
  /** Ranges armed by userfaultfd-wp, by mm. */
  readonly armed = new Map<number, ArmedRange[]>();
  /** By the mm that is copied. */
  readonly forks = new Map<number, ForkRun>();
  /** By head. */
  readonly folios = new Map<number, Folio>();
  /** Splits under way, by task. */
  readonly splits = new Map<number, FolioSplit>();
  /** Pages in CMA blocks or ZONE_MOVABLE, as told. */
  readonly unpinnable = new Set<number>();
  /** Zero pages, as declared. */
  readonly zeroPfns = new Set<number>();

  /** The page leaves its users: a node of it is stale from here on. */
  freed(pfn: number, seq: number): void {
    if (this.ksm.size > 0) this.leave(pfn, seq);
    if (this.folios.size > 0) this.folios.delete(pfn);
    if (this.migrations.size > 0 && (this.migrations.get(pfn)?.entries.length ?? 1) === 0)
      this.migrations.delete(pfn);
  }

  /** The page is no longer the stable node's. */
  leave(pfn: number, seq: number): void {
    const node = this.ksm.get(pfn);
    if (node === undefined || node.leftSeq > 0) return;
    node.leftSeq = seq;
    this.#left.push(pfn);
    if (this.#left.length <= LEFT_KEPT) return;
    const oldest = this.ksm.get(this.#left.shift()!);
    if (oldest !== undefined && oldest.leftSeq > 0) this.ksm.delete(oldest.pfn);
  }

  /** The large folio of a head, made with nothing known on first sight. */
  folio(head: number): Folio {
    let folio = this.folios.get(head);
    if (folio === undefined) {
      folio = {
        head,
        order: Number.NaN,
        entire: Number.NaN,
        ptes: Number.NaN,
        total: Number.NaN,
        totalSeq: 0,
      };
      this.folios.set(head, folio);
    }
    return folio;
  }

  /** The large folio that a page is part of, as far as it is told; folios lie at multiples of their size. */
  folioWith(pfn: number): Folio | undefined {
    if (this.folios.size === 0) return undefined;
    for (let order = 0; order <= MAX_ORDER; order++) {
      const folio = this.folios.get(pfn - (pfn % 2 ** order));
      if (folio !== undefined && pfn < folio.head + 2 ** folio.order) return folio;
    }
    return undefined;
  }

  /** The split under way of the folio that a page is part of. */
  splitOf(pfn: number): FolioSplit | undefined {
    if (this.splits.size === 0) return undefined;
    const head = this.folioWith(pfn)?.head ?? pfn;
    for (const split of this.splits.values())
      if ((this.folioWith(split.pfn)?.head ?? split.pfn) === head) return split;
    return undefined;
  }

  /** The armed range of an mm that holds an address, newest first. */
  armedAt(mm: number, va: number): ArmedRange | undefined {
    return this.armed.get(mm)?.findLast((range) => va >= range.start && va < range.end);
  }

  /** userfaultfd lets a range of an mm be written again: what is left of the armed ones lies before and behind it. */
  disarm(mm: number, start: number, end: number): void {
    const ranges = this.armed.get(mm);
    if (ranges === undefined) return;
    const left = ranges.flatMap((range) => [
      { ...range, end: Math.min(range.end, start) },
      { ...range, start: Math.max(range.start, end) },
    ]);
    const kept = left.filter((range) => range.start < range.end);
    if (kept.length > 0) this.armed.set(mm, kept);
    else this.armed.delete(mm);
  }

  /** A task's fork has copied what it copies. */
  forked(pid: number, seq: number): void {
    for (const run of this.forks.values()) if (run.pid === pid && run.endSeq === 0) run.endSeq = seq;
  }

  /** A range of an mm is unmapped: what stood in it is gone, migration entries too. */
  unmapped(mm: number, start: number, end: number): void {
    for (const migration of this.migrations.values())
      migration.entries = migration.entries.filter(
        (entry) => entry.mm !== mm || entry.va < start || entry.va >= end,
      );
  }

  /** The mm is gone, or its pointer has a new owner. */
  forgetMm(mm: number): void {
    this.armed.delete(mm);
    this.forks.delete(mm);
    for (const migration of this.migrations.values())
      if (migration.entries.some((entry) => entry.mm === mm))
        migration.entries = migration.entries.filter((entry) => entry.mm !== mm);
  }

  /** Records were lost: what is under way may be over, what was there may be gone. Declarations hold. */
  degrade(): void {
    this.ksm.clear();
    this.#left.length = 0;
    this.migrations.clear();
    this.armed.clear();
    this.forks.clear();
    this.folios.clear();
    this.splits.clear();
  }

  clear(): void {
    this.degrade();
    this.unpinnable.clear();
    this.zeroPfns.clear();
  }

  /** The objects themselves and no copies: write them down before the next event. */
  image(): MachinesImage {
    return {
      ksm: [...this.ksm.values()],
      migrations: [...this.migrations.values()],
      armed: [...this.armed],
      forks: [...this.forks.values()],
      folios: [...this.folios.values()],
      splits: [...this.splits.values()],
      unpinnable: [...this.unpinnable],
      zeroPfns: [...this.zeroPfns],
    };
  }

  /** Takes over the objects of an image that nobody else keeps. */
  restore(image: MachinesImage): void {
    this.clear();
    for (const node of image.ksm) this.ksm.set(node.pfn, node);
    for (const node of [...image.ksm]
      .filter(({ leftSeq }) => leftSeq > 0)
      .sort((a, b) => a.leftSeq - b.leftSeq))
      this.#left.push(node.pfn);
    for (const migration of image.migrations) this.migrations.set(migration.src, migration);
    for (const [mm, ranges] of image.armed) this.armed.set(mm, [...ranges]);
    for (const run of image.forks) this.forks.set(run.parent, run);
    for (const folio of image.folios) this.folios.set(folio.head, folio);
    for (const split of image.splits) this.splits.set(split.pid, split);
    for (const pfn of image.unpinnable) this.unpinnable.add(pfn);
    for (const pfn of image.zeroPfns) this.zeroPfns.add(pfn);
  }
}
