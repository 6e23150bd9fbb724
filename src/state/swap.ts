import { EXACT, UNKNOWN } from '../core/knowledge.ts';
import { Table, type TableImage } from '../core/table.ts';
import { SwapDevices, type SwapDevicesImage } from './swap-devices.ts';
import { SwapFolios } from './swap-folios.ts';
import { type SwapSection, SwapSections } from './swap-sections.ts';

/** Most users that a slot's map byte counts by itself; more are counted in a continuation page (include/linux/swap.h). */
export const SWAP_COUNT_MAX = 0x3e;

const schema = {
  /** First PTE slot (index + 1) that holds this entry; 0 none. */
  slot: 'i32',
  /** Page in the swap cache under this entry, NaN none known. */
  page: 'f64',
  cached: 'u8',
  /** Since when it is cached: by whom, seq and time of the addition, and by which CPU. */
  addPid: 'i32',
  addSeq: 'f64',
  addNs: 'f64',
  addCpu: 'i16',
  /** Users of the slot as counted from its allocation; grade as in core/knowledge.ts. */
  count: 'i32',
  grade: 'u8',
  /** Last change of the count: by whom, when, and whether it went down (told at entry: it takes effect later). */
  pid: 'i32',
  seq: 'f64',
  ns: 'f64',
  cpu: 'i16',
  /** Used by tmpfs: its map byte is SWAP_MAP_SHMEM. */
  shmem: 'u8',
  /** Seq of the allocation that the history begins with, 0 not known. */
  born: 'f64',
  /** Seq and time at which the slot last went back to the pool, and at which a page was last written to it; by which CPU. 0 never. */
  freeSeq: 'f64',
  freeNs: 'f64',
  freeCpu: 'i16',
  writeSeq: 'f64',
  writeNs: 'f64',
  writeCpu: 'i16',
  writePage: 'f64',
} as const;

/**
 * Swap: slots by entry, with count and cache presence as separate facts (domain.md 1.7); the devices; what tasks do
 * inside functions that use a device; folios in the swap cache and how their content stands to their slot.
 */
export class Swap {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 2;
  readonly table = new Table(schema);
  readonly devices = new SwapDevices();
  readonly sections = new SwapSections();
  readonly folios = new SwapFolios();
  /** Duplications under way, by task. */
  readonly dups = new Map<number, PendingDup>();
  /** Entry that a task asked get_swap_device about, and type that a task's try_to_unuse is about. */
  readonly asked = new Map<number, number>();
  readonly unusing = new Map<number, number>();

  /** Row of an entry, made with nothing known on first sight. */
  ensure(entry: number): number {
    let row = this.table.find(entry);
    if (row < 0) {
      row = this.table.ensure(entry);
      this.table.col.page[row] = Number.NaN;
      this.table.col.writePage[row] = Number.NaN;
    }
    return row;
  }

  /** A row that says nothing any more is let go. */
  tidy(row: number): void {
    const c = this.table.col;
    if (
      c.slot[row] === 0 &&
      c.cached[row] === 0 &&
      c.grade[row] === UNKNOWN &&
      c.freeSeq[row] === 0 &&
      c.writeSeq[row] === 0
    )
      this.table.drop(row);
  }

  /** Number of users of a slot, NaN if its history is not known. */
  users(entry: number): number {
    const row = this.table.find(entry);
    return row >= 0 && this.table.col.grade[row] !== UNKNOWN ? this.table.col.count[row]! : Number.NaN;
  }

  /** Number of users of a slot whose whole history since its allocation is known, else NaN. */
  exactUsers(entry: number): number {
    const row = this.table.find(entry);
    return row >= 0 && this.table.col.grade[row] === EXACT ? this.table.col.count[row]! : Number.NaN;
  }

  /** Records were lost. */
  degrade(): void {
    for (let row = 0; row < this.table.bound; row++) if (this.table.alive(row)) this.forget(row);
    this.devices.degrade();
    this.sections.clear();
    this.folios.clear();
    for (const pending of [this.dups, this.asked, this.unusing]) pending.clear();
  }

  /** Nothing is known of a slot any more, but for the PTEs that hold its entry. */
  forget(row: number): void {
    const c = this.table.col;
    c.grade[row] = UNKNOWN;
    c.cached[row] = 0;
    c.page[row] = Number.NaN;
    c.born[row] = 0;
    c.freeSeq[row] = 0;
    c.writeSeq[row] = 0;
    this.tidy(row);
  }

  clear(): void {
    this.table.clear();
    this.devices.clear();
    this.sections.clear();
    this.folios.clear();
    for (const pending of [this.dups, this.asked, this.unusing]) pending.clear();
  }

  image(): SwapImage {
    return {
      slots: this.table.image(),
      devices: this.devices.image(),
      sections: this.sections.image(),
      folios: this.folios.image(),
      dups: [...this.dups],
      asked: [...this.asked],
      unusing: [...this.unusing],
    };
  }

  restore(image: SwapImage): void {
    this.table.restore(image.slots);
    this.devices.restore(image.devices);
    this.sections.restore(image.sections);
    this.folios.restore(image.folios);
    for (const pending of [this.dups, this.asked, this.unusing]) pending.clear();
    for (const [pid, dup] of image.dups) this.dups.set(pid, dup);
    for (const [pid, entry] of image.asked) this.asked.set(pid, entry);
    for (const [pid, type] of image.unusing) this.unusing.set(pid, type);
  }
}

/** A __swap_duplicate whose return is still to come. */
export interface PendingDup {
  readonly entry: number;
  readonly nr: number;
  readonly usage: number;
}

/** What a snapshot holds of swap. */
export interface SwapImage {
  readonly slots: TableImage;
  readonly devices: SwapDevicesImage;
  readonly sections: readonly SwapSection[];
  readonly folios: TableImage;
  readonly dups: ReadonlyArray<readonly [pid: number, dup: PendingDup]>;
  readonly asked: ReadonlyArray<readonly [pid: number, entry: number]>;
  readonly unusing: ReadonlyArray<readonly [pid: number, type: number]>;
}
