import { Table, type TableImage } from '../core/table.ts';
import { FOLL_PIN } from '../events/flags.ts';
import type { Pages } from './pages.ts';

const schema = {
  pfn: 'f64',
  /** mm through which it was taken, NaN unknown. */
  mm: 'f64',
  /** User page through which it was taken, NaN unknown. */
  va: 'f64',
  pid: 'i32',
  seq: 'f64',
  ns: 'f64',
  cpu: 'i16',
  /** Canonical FOLL_* bits, -1 unknown. */
  flags: 'i32',
  refs: 'i32',
  /** Next hold of the page (row + 1). */
  next: 'i32',
  /** 1: a put of this page may have been this hold's. */
  doubtful: 'u8',
} as const;

/**
 * References that get_user_pages and pin_user_pages took and that may still be held. A FOLL_PIN ends with its
 * unpin; the end of a FOLL_GET is an ordinary put, which nobody labels (domain.md 3, GUP liveness).
 */
export class Holds {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 1;
  readonly table = new Table(schema);
  #ids = 0;
  readonly #pages: Pages;

  constructor(pages: Pages) {
    this.#pages = pages;
  }

  get col(): Table<typeof schema>['col'] {
    return this.table.col;
  }

  /** Notes a reference; returns its row. */
  take(
    pageRow: number,
    hold: {
      pfn: number;
      mm: number;
      va: number;
      pid: number;
      seq: number;
      ns: number;
      cpu: number;
      flags: number;
      refs: number;
    },
  ): number {
    const row = this.table.ensure(++this.#ids);
    const c = this.table.col;
    c.pfn[row] = hold.pfn;
    c.mm[row] = hold.mm;
    c.va[row] = hold.va;
    c.pid[row] = hold.pid;
    c.seq[row] = hold.seq;
    c.ns[row] = hold.ns;
    c.cpu[row] = hold.cpu;
    c.flags[row] = hold.flags;
    c.refs[row] = hold.refs;
    c.next[row] = this.#pages.col.hold[pageRow]!;
    this.#pages.col.hold[pageRow] = row + 1;
    return row;
  }

  /** Rows of a page's holds, newest first. */
  *of(pageRow: number): Generator<number> {
    for (let at = this.#pages.col.hold[pageRow]!; at !== 0; at = this.table.col.next[at - 1]!) yield at - 1;
  }

  /** A hold whose flags this kernel's table does not name: the change of the count tells which kind it is. */
  tellKind(row: number, flags: number): void {
    if (this.table.col.flags[row] === -1) this.table.col.flags[row] = flags;
  }

  /** Whether a hold is a FOLL_PIN. */
  isPin(row: number): boolean {
    const flags = this.table.col.flags[row]!;
    return flags >= 0 && (flags & FOLL_PIN) !== 0;
  }

  /** Ends one hold. */
  drop(pageRow: number, row: number): void {
    const next = this.table.col.next[row]!;
    if (this.#pages.col.hold[pageRow] === row + 1) this.#pages.col.hold[pageRow] = next;
    else {
      for (const other of this.of(pageRow)) {
        if (this.table.col.next[other] === row + 1) {
          this.table.col.next[other] = next;
          break;
        }
      }
    }
    this.table.drop(row);
  }

  /**
   * A put of `refs` references of one kind: ends the hold it must have been. Where it may have been one of
   * several through different mms, the oldest goes and the others become doubtful.
   */
  put(pageRow: number, pin: boolean, refs: number, mm: number): void {
    let chosen = -1;
    let several = false;
    let mms = Number.NaN;
    for (const row of this.of(pageRow)) {
      if (this.isPin(row) !== pin) continue;
      if (chosen >= 0 && !Object.is(this.table.col.mm[row], mms)) several = true;
      mms = this.table.col.mm[row]!;
      // The list is newest first, so the last match is the oldest; one through the caller's mm goes before others.
      if (chosen < 0 || this.table.col.mm[chosen] !== mm || this.table.col.mm[row] === mm) chosen = row;
    }
    if (chosen < 0) return;
    if (several) {
      for (const row of this.of(pageRow)) if (this.isPin(row) === pin) this.table.col.doubtful[row] = 1;
    }
    if (this.table.col.refs[chosen]! > refs) this.table.col.refs[chosen]! -= refs;
    else this.drop(pageRow, chosen);
  }

  /** Ends all holds of a page (`pins` too, or only FOLL_GET). */
  dropAll(pageRow: number, pins: boolean): void {
    for (let at = this.#pages.col.hold[pageRow]!; at !== 0; ) {
      const row = at - 1;
      at = this.table.col.next[row]!;
      if (pins || !this.isPin(row)) this.drop(pageRow, row);
    }
  }

  /** Records were lost: any hold may have ended. */
  degrade(): void {
    for (let row = 0; row < this.table.bound; row++)
      if (this.table.alive(row)) this.table.col.doubtful[row] = 1;
  }

  clear(): void {
    this.table.clear();
    this.#ids = 0;
  }

  image(): { table: TableImage; ids: number } {
    return { table: this.table.image(), ids: this.#ids };
  }

  restore(image: { table: TableImage; ids: number }): void {
    this.table.restore(image.table);
    this.#ids = image.ids;
  }
}
