import { PTE_KIND, PTE_PRESENT, PTE_SWAP } from '../core/pte.ts';
import { Table, type TableImage } from '../core/table.ts';
import type { Pages } from './pages.ts';
import type { Swap } from './swap.ts';

/** Bytes and entries of one page-table page (4 KiB pages, 8-byte entries). */
export const TABLE_SPAN = 2 * 1024 * 1024;
export const SLOTS = 512;

/** Nothing is known of the slot. */
export const SLOT_UNKNOWN = 0;
/** The value is known, but fork may have taken its write bit unseen (P6 a, stock kernels). */
export const SLOT_WRITE_UNKNOWN = 1;
/** The value is known, write bit included. */
export const SLOT_KNOWN = 2;

const mmSchema = { gen: 'u32', since: 'f64', dying: 'u8', pid: 'i32' } as const;
const tableSchema = { mm: 'i32', region: 'f64', bound: 'u8', weak: 'u8' } as const;
const regionSchema = { table: 'i32', huge: 'u8', bits: 'u16', frame: 'f64', seq: 'f64' } as const;
/** Regions of one mm: user addresses below 2^56 hold fewer than 2^35 spans of 2 MiB. */
const REGIONS = 2 ** 35;

/** A copy of all page tables for a snapshot. */
export interface PteImage {
  readonly mms: TableImage;
  readonly tables: TableImage;
  readonly regions: TableImage;
  readonly bits: Uint16Array;
  readonly frame: Float64Array;
  readonly seq: Float64Array;
  readonly know: Uint8Array;
  readonly next: Int32Array;
  readonly prev: Int32Array;
  readonly synthetic: number;
}

/**
 * Page tables of every mm. PTE writes name a page-table slot by its kernel address (ptep); which user address
 * that is must be learned from records that tell both (domain.md P7). A slot therefore lives in its page-table
 * page, and the page is bound to a 2 MiB region of an mm once that is known.
 */
export class PageTables {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 1;
  readonly mms = new Table(mmSchema);
  /** Page-table pages by ptep page number (negative), or by a positive number of our own where no ptep is told. */
  readonly tables = new Table(tableSchema);
  /** 2 MiB regions: which page-table page maps them, or which huge page. */
  readonly regions = new Table(regionSchema);
  bits = new Uint16Array(64 * SLOTS);
  frame = new Float64Array(64 * SLOTS);
  seq = new Float64Array(64 * SLOTS);
  know = new Uint8Array(64 * SLOTS);
  /** Lists of the slots that hold the same page or the same swap entry: index + 1, 0 for the end. */
  next = new Int32Array(64 * SLOTS);
  prev = new Int32Array(64 * SLOTS);
  #synthetic = 1;
  readonly #pages: Pages;
  readonly #swap: Swap;

  constructor(pages: Pages, swap: Swap) {
    this.#pages = pages;
    this.#swap = swap;
  }

  /** Row of an mm by its pointer; NaN gives -1. */
  mm(pointer: number, seq: number): number {
    if (Number.isNaN(pointer)) return -1;
    let row = this.mms.find(pointer);
    if (row < 0) {
      row = this.mms.ensure(pointer);
      this.mms.col.gen[row] = 1;
      this.mms.col.since[row] = seq;
    }
    return row;
  }

  /** The pointer belongs to a new mm from here on: what the old one mapped is gone. */
  renew(pointer: number, seq: number): void {
    const row = this.mm(pointer, seq);
    if (row < 0) return;
    this.#dropTables(row);
    this.mms.col.gen[row]!++;
    this.mms.col.since[row] = seq;
    this.mms.col.dying[row] = 0;
    this.mms.col.pid[row] = 0;
  }

  /** The mm is gone. */
  end(pointer: number): void {
    const row = this.mms.find(pointer);
    if (row < 0) return;
    this.#dropTables(row);
    this.mms.drop(row);
  }

  #dropTables(mm: number): void {
    for (let row = 0; row < this.tables.bound; row++) {
      if (this.tables.alive(row) && this.tables.col.mm[row] === mm) this.#dropTable(row);
    }
    const low = mm * REGIONS;
    for (let row = 0; row < this.regions.bound; row++) {
      if (!this.regions.alive(row)) continue;
      const key = this.regions.key(row);
      if (key >= low && key < low + REGIONS) this.regions.drop(row);
    }
  }

  #dropTable(row: number): void {
    this.#unbind(row);
    const base = row * SLOTS;
    for (let k = base; k < base + SLOTS; k++) {
      this.#unlink(k);
      this.bits[k] = 0;
      this.frame[k] = 0;
      this.seq[k] = 0;
      this.know[k] = SLOT_UNKNOWN;
    }
    this.tables.drop(row);
  }

  #unbind(row: number): void {
    if (this.tables.col.bound[row] === 0) return;
    const region = this.regions.find(this.tables.col.mm[row]! * REGIONS + this.tables.col.region[row]!);
    if (region >= 0 && this.regions.col.table[region] === row + 1) this.regions.col.table[region] = 0;
    this.tables.col.bound[row] = 0;
    this.tables.col.region[row] = 0;
  }

  #table(key: number, mm: number): number {
    const row = this.tables.ensure(key);
    this.tables.col.mm[row] = mm;
    const needed = (row + 1) * SLOTS;
    if (needed > this.bits.length) this.#growSlots(Math.max(needed, this.bits.length * 2));
    return row;
  }

  #growSlots(size: number): void {
    const widen = <T extends Uint8Array | Uint16Array | Int32Array | Float64Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.bits = widen(this.bits, new Uint16Array(size));
    this.frame = widen(this.frame, new Float64Array(size));
    this.seq = widen(this.seq, new Float64Array(size));
    this.know = widen(this.know, new Uint8Array(size));
    this.next = widen(this.next, new Int32Array(size));
    this.prev = widen(this.prev, new Int32Array(size));
  }

  /** Slot behind a ptep of an mm; a page-table page seen under another mm was freed, zeroed and taken anew. */
  slotOf(ptep: number, mm: number): number {
    const page = Math.floor(ptep / 4096);
    let row = this.tables.find(page);
    if (row >= 0 && this.tables.col.mm[row] !== mm) {
      this.#dropTable(row);
      row = this.#table(page, mm);
      this.know.fill(SLOT_KNOWN, row * SLOTS, (row + 1) * SLOTS);
    } else if (row < 0) row = this.#table(page, mm);
    return row * SLOTS + (ptep - page * 4096) / 8;
  }

  /** Whether the ptep's page is bound to a region, and surely still so. */
  isBound(slot: number): boolean {
    const row = Math.floor(slot / SLOTS);
    return this.tables.col.bound[row] === 1 && this.tables.col.weak[row] === 0;
  }

  /** Address that a slot translates; NaN while its page is not bound. */
  address(slot: number): number {
    const row = Math.floor(slot / SLOTS);
    return this.tables.col.bound[row] === 1
      ? this.tables.col.region[row]! * TABLE_SPAN + (slot - row * SLOTS) * 4096
      : Number.NaN;
  }

  /** mm row of a slot. */
  owner(slot: number): number {
    return this.tables.col.mm[Math.floor(slot / SLOTS)]!;
  }

  /** Slot of an address, or -1 if no page-table page of its region is known. */
  slotAt(mm: number, va: number): number {
    if (mm < 0) return -1;
    const region = Math.floor(va / TABLE_SPAN);
    const at = this.regions.find(mm * REGIONS + region);
    const table = at < 0 ? 0 : this.regions.col.table[at]!;
    return table === 0 ? -1 : (table - 1) * SLOTS + Math.floor((va - region * TABLE_SPAN) / 4096);
  }

  /** Slot of an address, with a page-table page of our own where the real one was not yet told. */
  ensureAt(mm: number, va: number): number {
    const found = this.slotAt(mm, va);
    if (found >= 0) return found;
    const row = this.#table(this.#synthetic++, mm);
    this.#bindRow(row, mm, Math.floor(va / TABLE_SPAN));
    return this.slotAt(mm, va);
  }

  #bindRow(row: number, mm: number, region: number): void {
    const at = this.regions.ensure(mm * REGIONS + region);
    this.regions.col.table[at] = row + 1;
    this.tables.col.region[row] = region;
    this.tables.col.bound[row] = 1;
    this.tables.col.weak[row] = 0;
  }

  /** A record tells that this ptep translates this address. What was written through either name is joined. */
  bind(ptep: number, mm: number, va: number): void {
    if (mm < 0) return;
    let slot = this.slotOf(ptep, mm);
    let row = Math.floor(slot / SLOTS);
    const region = Math.floor(va / TABLE_SPAN);
    const c = this.tables.col;
    if (c.bound[row] === 1) {
      if (c.region[row] === region) {
        c.weak[row] = 0;
        return;
      }
      // Freed and used again in the same mm: page-table pages are zeroed when allocated.
      this.#dropTable(row);
      slot = this.slotOf(ptep, mm);
      row = Math.floor(slot / SLOTS);
    }
    const at = this.regions.find(mm * REGIONS + region);
    const other = at < 0 ? 0 : this.regions.col.table[at]!;
    if (other !== 0) {
      const old = other - 1;
      if (this.tables.key(old) > 0) this.#join(old, row);
      this.#dropTable(old);
    }
    this.#bindRow(row, mm, region);
  }

  /** Newer values of `from` go over to `to`. */
  #join(from: number, to: number): void {
    for (let k = 0; k < SLOTS; k++) {
      const a = from * SLOTS + k;
      const b = to * SLOTS + k;
      if (this.know[a] !== SLOT_UNKNOWN && (this.know[b] === SLOT_UNKNOWN || this.seq[b]! < this.seq[a]!)) {
        this.write(b, this.bits[a]!, this.frame[a]!, this.seq[a]!, this.know[a]!);
      }
    }
  }

  /** A write to a weakly bound page-table page: it may serve another region now. What it translated stays, under a name of our own. */
  loosen(slot: number): number {
    const row = Math.floor(slot / SLOTS);
    if (this.tables.col.weak[row] === 0) return slot;
    const mm = this.tables.col.mm[row]!;
    const region = this.tables.col.region[row]!;
    const key = this.tables.key(row);
    const copy = this.#table(this.#synthetic++, mm);
    this.#join(row, copy);
    this.#dropTable(row);
    this.#bindRow(copy, mm, region);
    return this.#table(key, mm) * SLOTS + (slot - row * SLOTS);
  }

  /** Writes a slot. Bits NaN: the value becomes unknown. */
  write(slot: number, bits: number, frame: number, seq: number, know: number): void {
    this.#unlink(slot);
    if (Number.isNaN(bits) || know === SLOT_UNKNOWN) {
      this.bits[slot] = 0;
      this.frame[slot] = 0;
      this.know[slot] = SLOT_UNKNOWN;
      this.seq[slot] = seq;
      return;
    }
    this.bits[slot] = bits;
    this.frame[slot] = frame;
    this.seq[slot] = seq;
    this.know[slot] = know;
    this.#link(slot, bits, frame, seq);
  }

  #link(slot: number, bits: number, frame: number, seq: number): void {
    const kind = bits & PTE_KIND;
    let head: Int32Array;
    let row: number;
    if (kind === PTE_PRESENT) {
      row = this.#pages.ensure(frame, seq);
      head = this.#pages.col.slot;
    } else if (kind === PTE_SWAP) {
      row = this.#swap.ensure(frame);
      head = this.#swap.table.col.slot;
    } else return;
    const first = head[row]!;
    this.next[slot] = first;
    this.prev[slot] = 0;
    if (first !== 0) this.prev[first - 1] = slot + 1;
    head[row] = slot + 1;
  }

  #unlink(slot: number): void {
    if (this.know[slot] === SLOT_UNKNOWN) return;
    const kind = this.bits[slot]! & PTE_KIND;
    if (kind !== PTE_PRESENT && kind !== PTE_SWAP) return;
    const before = this.prev[slot]!;
    const after = this.next[slot]!;
    if (after !== 0) this.prev[after - 1] = before;
    if (before !== 0) this.next[before - 1] = after;
    else if (kind === PTE_PRESENT) {
      const row = this.#pages.find(this.frame[slot]!);
      if (row >= 0 && this.#pages.col.slot[row] === slot + 1) this.#pages.col.slot[row] = after;
    } else {
      const row = this.#swap.table.find(this.frame[slot]!);
      if (row >= 0 && this.#swap.table.col.slot[row] === slot + 1) {
        this.#swap.table.col.slot[row] = after;
        this.#swap.tidy(row);
      }
    }
    this.next[slot] = 0;
    this.prev[slot] = 0;
  }

  /** Every slot that holds a page becomes unknown: the page is gone, so its PTEs changed unseen. */
  forgetPage(pageRow: number, seq: number): void {
    for (let at = this.#pages.col.slot[pageRow]!; at !== 0; ) {
      const following = this.next[at - 1]!;
      this.write(at - 1, Number.NaN, Number.NaN, seq, SLOT_UNKNOWN);
      at = following;
    }
  }

  /** The only slot of an mm that holds this present page, -1 for none, -2 for several. */
  onlySlotOf(mm: number, pfn: number): number {
    const row = this.#pages.find(pfn);
    let found = -1;
    if (row < 0) return found;
    for (let at = this.#pages.col.slot[row]!; at !== 0; at = this.next[at - 1]!) {
      if (this.owner(at - 1) !== mm) continue;
      if (found >= 0) return -2;
      found = at - 1;
    }
    return found;
  }

  /** Region row of an address if the region is mapped by a huge page, else -1. */
  hugeAt(mm: number, va: number): number {
    if (mm < 0) return -1;
    const at = this.regions.find(mm * REGIONS + Math.floor(va / TABLE_SPAN));
    return at >= 0 && this.regions.col.huge[at] === 1 ? at : -1;
  }

  /** A PMD of the region maps a huge page, or no longer does (bits 0). */
  setHuge(mm: number, va: number, bits: number, frame: number, seq: number): void {
    if (mm < 0) return;
    const at = this.regions.ensure(mm * REGIONS + Math.floor(va / TABLE_SPAN));
    const c = this.regions.col;
    c.huge[at] = bits === 0 ? 0 : 1;
    c.bits[at] = bits;
    c.frame[at] = frame;
    c.seq[at] = seq;
  }

  /** The only region of an mm mapped by this huge page, -1 for none or several. */
  hugeRegionOf(mm: number, frame: number): number {
    const low = mm * REGIONS;
    let found = -1;
    for (let row = 0; row < this.regions.bound; row++) {
      if (
        !this.regions.alive(row) ||
        this.regions.col.huge[row] === 0 ||
        this.regions.col.frame[row] !== frame
      )
        continue;
      const key = this.regions.key(row);
      if (key < low || key >= low + REGIONS) continue;
      if (found >= 0) return -1;
      found = row;
    }
    return found < 0 ? -1 : (this.regions.key(found) - low) * TABLE_SPAN;
  }

  /** Records were lost: no PTE is known any more. */
  degrade(seq: number): void {
    for (let row = 0; row < this.tables.bound; row++) {
      if (!this.tables.alive(row)) continue;
      for (let k = row * SLOTS; k < (row + 1) * SLOTS; k++) {
        if (this.know[k] !== SLOT_UNKNOWN) this.write(k, Number.NaN, Number.NaN, seq, SLOT_UNKNOWN);
      }
      this.#unbind(row);
    }
    this.regions.clear();
  }

  clear(): void {
    this.mms.clear();
    this.tables.clear();
    this.regions.clear();
    this.bits = new Uint16Array(64 * SLOTS);
    this.frame = new Float64Array(64 * SLOTS);
    this.seq = new Float64Array(64 * SLOTS);
    this.know = new Uint8Array(64 * SLOTS);
    this.next = new Int32Array(64 * SLOTS);
    this.prev = new Int32Array(64 * SLOTS);
    this.#synthetic = 1;
  }

  image(): PteImage {
    const end = this.tables.bound * SLOTS;
    return {
      mms: this.mms.image(),
      tables: this.tables.image(),
      regions: this.regions.image(),
      bits: this.bits.slice(0, end),
      frame: this.frame.slice(0, end),
      seq: this.seq.slice(0, end),
      know: this.know.slice(0, end),
      next: this.next.slice(0, end),
      prev: this.prev.slice(0, end),
      synthetic: this.#synthetic,
    };
  }

  restore(image: PteImage): void {
    this.clear();
    this.mms.restore(image.mms);
    this.tables.restore(image.tables);
    this.regions.restore(image.regions);
    if (image.bits.length > this.bits.length) this.#growSlots(image.bits.length);
    this.bits.set(image.bits);
    this.frame.set(image.frame);
    this.seq.set(image.seq);
    this.know.set(image.know);
    this.next.set(image.next);
    this.prev.set(image.prev);
    this.#synthetic = image.synthetic;
  }
}
