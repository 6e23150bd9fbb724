import { Table, type TableImage } from '../core/table.ts';
import type { Pages } from './pages.ts';

/** How the content of a folio stands to its slot. */
export const CONTENT_UNKNOWN = 0;
/** The folio holds what the slot does not: it would be lost with the folio. */
export const CONTENT_NEWER = 1;
/** The slot holds it too: written, or read from there, and not changed since. */
export const CONTENT_SAVED = 2;

const schema = {
  /** Generation of the page that the row speaks of. */
  gen: 'u32',
  content: 'u8',
  /** Seq of the event that made it so. */
  contentSeq: 'f64',
  /** Under writeback since, 0 not; time and CPU of its start. */
  wbSeq: 'f64',
  wbNs: 'f64',
  wbCpu: 'i16',
  /** Last read from a slot: when, by which CPU, and from which one. */
  readSeq: 'f64',
  readNs: 'f64',
  readCpu: 'i16',
  readEntry: 'f64',
} as const;

/** Folios that were written to or read from swap, by pfn. A row is of one generation of the page. */
export class SwapFolios {
  readonly table = new Table(schema);

  get col(): Table<typeof schema>['col'] {
    return this.table.col;
  }

  /** Row of a page's present generation, or -1. */
  find(pages: Pages, pfn: number): number {
    const row = this.table.find(pfn);
    const page = pages.find(pfn);
    if (row < 0 || page < 0 || this.table.col.gen[row] !== pages.col.gen[page]) return -1;
    return row;
  }

  /** Row of a page's present generation, made with nothing known on first sight. The page must have been seen. */
  ensure(pages: Pages, pfn: number): number {
    const page = pages.find(pfn);
    const gen = page < 0 ? 0 : pages.col.gen[page]!;
    const found = this.table.find(pfn);
    if (found >= 0 && this.table.col.gen[found] === gen) return found;
    if (found >= 0) this.table.drop(found);
    const row = this.table.ensure(pfn);
    this.table.col.gen[row] = gen;
    this.table.col.readEntry[row] = Number.NaN;
    return row;
  }

  clear(): void {
    this.table.clear();
  }

  image(): TableImage {
    return this.table.image();
  }

  restore(image: TableImage): void {
    this.table.restore(image);
  }
}
