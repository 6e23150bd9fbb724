import { Table, type TableImage } from '../core/table.ts';

const schema = {
  /** First PTE slot (index + 1) that holds this entry; 0 none. */
  slot: 'i32',
  /** Page in the swap cache under this entry, NaN none known. */
  page: 'f64',
  cached: 'u8',
  /** Users of the slot as counted from its allocation; grade as in core/knowledge.ts. */
  count: 'i32',
  grade: 'u8',
} as const;

/** Swap slots by entry. Count and cache presence are separate facts (domain.md 1.7). */
export class Swap {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 1;
  readonly table = new Table(schema);

  /** Row of an entry, made with nothing known on first sight. */
  ensure(entry: number): number {
    let row = this.table.find(entry);
    if (row < 0) {
      row = this.table.ensure(entry);
      this.table.col.page[row] = Number.NaN;
    }
    return row;
  }

  /** A row that says nothing any more is let go. */
  tidy(row: number): void {
    const c = this.table.col;
    if (c.slot[row] === 0 && c.cached[row] === 0 && c.grade[row] === 0) this.table.drop(row);
  }

  /** Number of users of a slot, NaN if its history is not known. */
  users(entry: number): number {
    const row = this.table.find(entry);
    return row >= 0 && this.table.col.grade[row] !== 0 ? this.table.col.count[row]! : Number.NaN;
  }

  /** Records were lost. */
  degrade(): void {
    for (let row = 0; row < this.table.bound; row++) {
      if (!this.table.alive(row)) continue;
      this.table.col.grade[row] = 0;
      this.table.col.cached[row] = 0;
      this.table.col.page[row] = Number.NaN;
      this.tidy(row);
    }
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
