import { PG_OWNER_2 } from '../core/pageflags.ts';
import { PTE_KIND, PTE_NONE, PTE_PRESENT, PTE_SWAP } from '../core/pte.ts';
import { MAPPING_NONE } from '../events/flags.ts';

/** pfn of page 0. */
const FIRST_PFN = 0x10000;
/** Start of the direct map under 4-level paging without KASLR, as a signed word: 0xffff888000000000. */
export const DIRECT_MAP = -0x7780_0000_0000;
/** PTEs of one table, which is all that an mm has: 2 MiB of anonymous memory. */
export const TABLE_PTES = 512;
/** Slot 0 of a device holds its header. */
const FIRST_SLOT = 1;

/** Where a page is on its way to the LRU. */
export const LRU_OFF = 0;
export const LRU_BATCH = 1;
export const LRU_ON = 2;
export const LRU_ISOLATED = 3;

/** An address space: one anonymous VMA of one page table. */
export interface Mm {
  readonly id: number;
  /** Address of the mm structure and of its VMA. */
  readonly addr: number;
  readonly vma: number;
  /** Address of the page table, and the page that it is. */
  table: number;
  tablePage: number;
  /** First address of the VMA. */
  readonly base: number;
  /** Canonical bits of each PTE (core/pte.ts); its frame is a page of {@link Memory} or a slot. */
  readonly bits: Int32Array;
  readonly frame: Int32Array;
  live: boolean;
  /** mmap_lock is held for writing. */
  writer: boolean;
  /** PTEs that are not empty. */
  used: number;
  /** Someone has pinned pages of it (mm->flags MMF_HAS_PINNED). */
  hasPinned: boolean;
  /** Secondary MMUs have registered for it. */
  notified: boolean;
}

/** A mapping of a page: which mm, which PTE. */
export interface Mapper {
  readonly mm: Mm;
  readonly index: number;
}

/**
 * What the memory of a synthetic machine holds: pages, address spaces and swap slots, as domain.md section 1 names
 * their parts. Pages are numbered from 0. Nothing here emits events.
 */
export class Memory {
  readonly pages: number;
  readonly ref: Int32Array;
  /** PTEs that map the page. */
  readonly maps: Int32Array;
  /** PG_* bits, PG_LOCKED among them. */
  readonly flags: Int32Array;
  /** MAPPING_* code. */
  readonly kind: Uint8Array;
  readonly lru: Uint8Array;
  /** Slot of the swap cache that the page is in, -1 none. */
  readonly slot: Int32Array;
  /** FOLL_PINs that are held. */
  readonly pins: Uint16Array;
  /** What the page holds: equal numbers are equal bytes, as far as KSM is concerned. */
  readonly content: Int32Array;
  readonly mappers: Mapper[][];
  /** Free pages, the last one goes first. */
  readonly free: number[] = [];

  readonly slots: number;
  readonly swapCount: Int32Array;
  /** The cache bit of a slot's map byte. */
  readonly swapCached: Uint8Array;
  /** The page in the cache, -1 none. */
  readonly swapPage: Int32Array;
  readonly freeSlots: number[] = [];
  inuse = 0;
  /** The device takes allocations. */
  swapOn = true;

  readonly mms = new Set<Mm>();
  #nextMm = 0;
  readonly #freeMmAddrs: number[] = [];

  constructor(pages: number, slots: number) {
    this.pages = pages;
    this.ref = new Int32Array(pages);
    this.maps = new Int32Array(pages);
    this.flags = new Int32Array(pages);
    this.kind = new Uint8Array(pages);
    this.lru = new Uint8Array(pages);
    this.slot = new Int32Array(pages).fill(-1);
    this.pins = new Uint16Array(pages);
    this.content = new Int32Array(pages);
    this.mappers = Array.from({ length: pages }, () => []);
    for (let page = pages - 1; page >= 0; page--) this.free.push(page);
    this.slots = slots;
    this.swapCount = new Int32Array(slots + FIRST_SLOT);
    this.swapCached = new Uint8Array(slots + FIRST_SLOT);
    this.swapPage = new Int32Array(slots + FIRST_SLOT).fill(-1);
    for (let slot = slots; slot >= FIRST_SLOT; slot--) this.freeSlots.push(slot);
  }

  pfn(page: number): number {
    return FIRST_PFN + page;
  }

  /** Raw _mapcount, as kernels since 6.10 print it: -1 is unmapped. */
  mapcount(page: number): number {
    return this.maps[page]! - 1;
  }

  has(page: number, flag: number): boolean {
    return (this.flags[page]! & flag) !== 0;
  }

  isExclusive(page: number): boolean {
    return (this.flags[page]! & PG_OWNER_2) !== 0;
  }

  /** Forgets everything about a page but its number. */
  reset(page: number): void {
    this.ref[page] = 0;
    this.maps[page] = 0;
    this.flags[page] = 0;
    this.kind[page] = MAPPING_NONE;
    this.lru[page] = LRU_OFF;
    this.slot[page] = -1;
    this.pins[page] = 0;
    this.mappers[page]!.length = 0;
  }

  /** A new address space whose VMA begins at `base`. Its page table is to be set. */
  addMm(base: number): Mm {
    const addr = this.#freeMmAddrs.pop() ?? DIRECT_MAP + 0x14_0000 + this.#nextMm * 0x500;
    const mm: Mm = {
      id: this.#nextMm++,
      addr,
      vma: addr + 0x400_0000,
      table: 0,
      tablePage: -1,
      base,
      bits: new Int32Array(TABLE_PTES),
      frame: new Int32Array(TABLE_PTES),
      live: true,
      writer: false,
      used: 0,
      hasPinned: false,
      notified: false,
    };
    this.mms.add(mm);
    return mm;
  }

  /** The mm structure goes back: its address may be another's next. */
  removeMm(mm: Mm): void {
    mm.live = false;
    this.mms.delete(mm);
    this.#freeMmAddrs.push(mm.addr);
  }

  va(mm: Mm, index: number): number {
    return mm.base + index * 4096;
  }

  ptep(mm: Mm, index: number): number {
    return mm.table + index * 8;
  }

  pteKind(mm: Mm, index: number): number {
    return mm.bits[index]! & PTE_KIND;
  }

  isPresent(mm: Mm, index: number): boolean {
    return (mm.bits[index]! & PTE_KIND) === PTE_PRESENT;
  }

  isSwap(mm: Mm, index: number): boolean {
    return (mm.bits[index]! & PTE_KIND) === PTE_SWAP;
  }

  /** Writes a PTE, and keeps the list of those who map a page. */
  writePte(mm: Mm, index: number, bits: number, frame: number): void {
    const was = mm.bits[index]! & PTE_KIND;
    const is = bits & PTE_KIND;
    if (was === PTE_NONE && is !== PTE_NONE) mm.used++;
    if (was !== PTE_NONE && is === PTE_NONE) mm.used--;
    mm.bits[index] = bits;
    mm.frame[index] = frame;
  }

  addMapper(page: number, mm: Mm, index: number): void {
    this.maps[page]!++;
    this.mappers[page]!.push({ mm, index });
  }

  /** A mapping goes; that of nobody known counts all the same. */
  removeMapper(page: number, mm: Mm, index: number): void {
    this.maps[page]!--;
    const list = this.mappers[page]!;
    const at = list.findIndex((mapper) => mapper.mm === mm && mapper.index === index);
    if (at < 0) return;
    const last = list.pop()!;
    if (at < list.length) list[at] = last;
  }
}
