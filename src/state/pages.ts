import { EXACT, SAMPLED, UNKNOWN } from '../core/knowledge.ts';
import { Table, type TableImage } from '../core/table.ts';

/** Life of a pfn as far as told. */
export const LIFE_UNKNOWN = 0;
export const LIFE_ALLOCATED = 1;
/** Back in the allocator, or about to be: the refcount reached zero. */
export const LIFE_FREE = 2;
/** Frozen at zero by a holder that will free or unfreeze it. */
export const LIFE_FROZEN = 3;

/** Three-valued column: 0 unknown, 1 false, 2 true. */
export const TRI_UNKNOWN = 0;
export const TRI_FALSE = 1;
export const TRI_TRUE = 2;

const schema = {
  /** Allocation generation, counted from 1 as generations are seen. */
  gen: 'u32',
  /** Seq at which the generation began or the page was first seen. */
  since: 'f64',
  life: 'u8',
  /** Refcount integrated from deltas, and its grade. */
  count: 'i32',
  countGrade: 'u8',
  /** Number of present PTEs (raw _mapcount + 1), and its grade. */
  map: 'i32',
  mapGrade: 'u8',
  /** Page flags as last sampled; 0 seq: never. */
  flags: 'i32',
  flagsSeq: 'f64',
  /** MAPPING_* + 1 as last sampled; 0 unknown. */
  mapping: 'u8',
  /** AnonExclusive, three-valued. */
  exclusive: 'u8',
  /** In the swap cache, three-valued; entry while it is. */
  swapcache: 'u8',
  entry: 'f64',
  /** Last time it entered or left the swap cache: by whom, when. It may take effect after its record. */
  cachePid: 'i32',
  cacheSeq: 'f64',
  /** Order of the allocation if that was told in this generation and the page is its first; else 0. */
  order: 'u8',
  /** Part of a large folio: counts of single pages do not say what they say of small ones. */
  large: 'u8',
  /** Samples that disagreed with the integral and wait for later records to tell a race from an error: how many, since when. */
  countOff: 'u8',
  countOffSeq: 'f64',
  mapOff: 'u8',
  mapOffSeq: 'f64',
  /** Last change of the refcount: by whom and when. */
  refPid: 'i32',
  refSeq: 'f64',
  /** Reference that may go with taking the page off its LRU list: by whom, when. Seq 0: none since it was seen there. */
  offListPid: 'i32',
  offListSeq: 'f64',
  /** Last change of the mapcount: by whom, when, by how much. It takes effect after its record. */
  mapPid: 'i32',
  mapSeq: 'f64',
  mapDelta: 'i32',
  /** Contradicting records: no integrity check may be proven on it until the next set, alloc or quiet sample. */
  uncertain: 'u8',
  /** Seq of the last sample that showed the page locked, of the last unlock, and who unlocked. */
  lockedSeq: 'f64',
  unlockSeq: 'f64',
  unlockPid: 'i32',
  /** Live FOLL_PINs as taken and put. */
  pins: 'i32',
  /** First reference hold (row + 1) and first PTE slot (index + 1) on this page; 0 none. */
  hold: 'i32',
  slot: 'i32',
  /** How many do_wp_page brackets are open on it. */
  watched: 'u8',
  /** page.free and page.free-batched seen in this generation. */
  freed: 'u8',
  freeSeq: 'f64',
  freeNs: 'f64',
  freeCpu: 'i16',
} as const;

/** How many freed pages are remembered, so that what touches them can be judged. */
const FREED_KEPT = 65536;

/** Pages by pfn. */
export class Pages {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 3;
  readonly table = new Table(schema);
  /** Freed pfns, oldest first, with the seq of the free: those beyond FREED_KEPT are forgotten. */
  #freed: number[] = [];
  #freedAt: number[] = [];
  #freedHead = 0;

  get col(): Table<typeof schema>['col'] {
    return this.table.col;
  }

  find(pfn: number): number {
    return this.table.find(pfn);
  }

  /** Row of a pfn, made with nothing known on first sight. */
  ensure(pfn: number, seq: number): number {
    let row = this.table.find(pfn);
    if (row < 0) {
      row = this.table.ensure(pfn);
      const c = this.table.col;
      c.gen[row] = 1;
      c.since[row] = seq;
      c.entry[row] = Number.NaN;
    }
    return row;
  }

  /** Begins a generation: everything about the earlier one is forgotten. PTE slots and holds must have been let go before. */
  begin(row: number, seq: number, life: number): void {
    const c = this.table.col;
    c.gen[row]!++;
    c.since[row] = seq;
    c.life[row] = life;
    this.forget(row);
    c.order[row] = 0;
    c.large[row] = 0;
    c.freed[row] = 0;
    c.refSeq[row] = 0;
    c.offListSeq[row] = 0;
    c.mapSeq[row] = 0;
    c.lockedSeq[row] = 0;
    c.unlockSeq[row] = 0;
    c.pins[row] = 0;
    c.uncertain[row] = 0;
    c.mapping[row] = 0;
  }

  /** What was known of the page's values no longer holds. */
  forget(row: number): void {
    const c = this.table.col;
    c.countGrade[row] = UNKNOWN;
    c.mapGrade[row] = UNKNOWN;
    c.flagsSeq[row] = 0;
    c.offListSeq[row] = 0;
    c.exclusive[row] = TRI_UNKNOWN;
    c.swapcache[row] = TRI_UNKNOWN;
    c.entry[row] = Number.NaN;
    c.countOff[row] = 0;
    c.mapOff[row] = 0;
  }

  /** The page is free from here on: nothing maps it, nobody holds it. */
  free(row: number, seq: number): void {
    const c = this.table.col;
    if (c.life[row] !== LIFE_FREE) {
      this.begin(row, seq, LIFE_FREE);
      c.freeSeq[row] = seq;
      this.#freed.push(this.table.key(row));
      this.#freedAt.push(seq);
      if (this.#freed.length - this.#freedHead > FREED_KEPT) this.#forgetOldest();
    }
  }

  #forgetOldest(): void {
    const pfn = this.#freed[this.#freedHead]!;
    const at = this.#freedAt[this.#freedHead]!;
    this.#freedHead++;
    if (this.#freedHead > FREED_KEPT) {
      this.#freed = this.#freed.slice(this.#freedHead);
      this.#freedAt = this.#freedAt.slice(this.#freedHead);
      this.#freedHead = 0;
    }
    const row = this.table.find(pfn);
    if (row >= 0 && this.col.life[row] === LIFE_FREE && this.col.freeSeq[row] === at) this.table.drop(row);
  }

  /** Records were lost: counts, mappings and flags may have changed unseen. Generations too. */
  degrade(): void {
    for (let row = 0; row < this.table.bound; row++) {
      if (!this.table.alive(row)) continue;
      this.forget(row);
      const c = this.table.col;
      c.life[row] = LIFE_UNKNOWN;
      c.uncertain[row] = 0;
      c.lockedSeq[row] = 0;
      c.unlockSeq[row] = 0;
      c.freed[row] = 0;
      c.mapping[row] = 0;
      c.order[row] = 0;
    }
  }

  /** Refcount, NaN if unknown. */
  count(row: number): number {
    return this.col.countGrade[row]! >= SAMPLED ? this.col.count[row]! : Number.NaN;
  }

  /** Number of present PTEs, NaN if unknown. */
  mappings(row: number): number {
    return this.col.mapGrade[row]! >= SAMPLED ? this.col.map[row]! : Number.NaN;
  }

  /** Whether the whole history of the refcount in this generation is known. */
  exact(row: number): boolean {
    return this.col.countGrade[row] === EXACT && this.col.uncertain[row] === 0;
  }

  clear(): void {
    this.table.clear();
    this.#freed = [];
    this.#freedAt = [];
    this.#freedHead = 0;
  }

  image(): { table: TableImage; freed: number[]; freedAt: number[] } {
    return {
      table: this.table.image(),
      freed: this.#freed.slice(this.#freedHead),
      freedAt: this.#freedAt.slice(this.#freedHead),
    };
  }

  restore(image: { table: TableImage; freed: readonly number[]; freedAt: readonly number[] }): void {
    this.table.restore(image.table);
    this.#freed = [...image.freed];
    this.#freedAt = [...image.freedAt];
    this.#freedHead = 0;
  }
}
