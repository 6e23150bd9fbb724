/**
 * Growable columns addressed through a hash of one exact number (a pfn, an entry, a pointer, a page of an
 * address space). Rows are reused after `drop`, so memory follows live objects. Iteration and bytes are a
 * function of the history of keys only: no clock, no randomness.
 */
import { recordOf } from './record-of.ts';

const TWO_32 = 4294967296;

/** Mixes an exact number (up to 2^53 in magnitude, or a signed pointer) to 32 bits. */
function mix(key: number): number {
  const hi = Math.floor(key / TWO_32);
  let h = (key - hi * TWO_32) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b) ^ Math.imul(hi | 0, 0x27d4eb2d);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}

type Column = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array | Int16Array;
type ColumnType = 'f64' | 'i32' | 'u32' | 'u16' | 'u8' | 'i16';

interface ColumnKinds {
  f64: Float64Array;
  i32: Int32Array;
  u32: Uint32Array;
  u16: Uint16Array;
  u8: Uint8Array;
  i16: Int16Array;
}

function makeColumn(type: ColumnType, size: number): Column {
  switch (type) {
    case 'f64':
      return new Float64Array(size);
    case 'i32':
      return new Int32Array(size);
    case 'u32':
      return new Uint32Array(size);
    case 'u16':
      return new Uint16Array(size);
    case 'u8':
      return new Uint8Array(size);
    case 'i16':
      return new Int16Array(size);
  }
}

/** Columns of a table, by name. */
export type ColumnsOf<S extends Record<string, ColumnType>> = { [K in keyof S]: ColumnKinds[S[K]] };

/** A serialisable copy of a table: what a snapshot holds. */
export interface TableImage {
  readonly keys: Float64Array;
  /** Rows free for reuse, last first. */
  readonly free: Int32Array;
  readonly columns: Readonly<Record<string, Column>>;
}

/** Rows of numbers behind integer keys; `col` holds the columns. Never keep `col.x` across an insertion. */
export class Table<S extends Record<string, ColumnType>> {
  readonly #schema: S;
  readonly #names: ReadonlyArray<keyof S & string>;
  #slots: Int32Array = new Int32Array(1024).fill(-1);
  #mask = 1023;
  #capacity = 512;
  /** Rows handed out so far, dropped ones included. */
  #rows = 0;
  #live = 0;
  #free: number[] = [];
  #keys: Float64Array;
  /** Key and row that were found last: one event is looked at by many, each of whom asks for the same object. */
  #lastKey = Number.NaN;
  #lastRow = -1;
  /** The columns; replaced when the table grows. */
  col: ColumnsOf<S>;
  /** The same, in order. */
  #columns: readonly Column[];

  constructor(schema: S) {
    this.#schema = schema;
    this.#names = Object.keys(schema);
    this.#keys = new Float64Array(this.#capacity).fill(Number.NaN);
    this.col = this.#makeColumns(this.#capacity);
    this.#columns = Object.values(this.col);
  }

  #makeColumns(size: number): ColumnsOf<S> {
    return recordOf(this.#names, (name) => makeColumn(this.#schema[name]!, size)) as ColumnsOf<S>;
  }

  /** Number of live rows. */
  get size(): number {
    return this.#live;
  }

  /** One more than the greatest row in use: the bound for loops over rows (skip those not {@link alive}). */
  get bound(): number {
    return this.#rows;
  }

  /** Whether a row holds an object. */
  alive(row: number): boolean {
    return !Number.isNaN(this.#keys[row]!);
  }

  /** Key of a live row. */
  key(row: number): number {
    return this.#keys[row]!;
  }

  /** Row of a key, or -1. */
  find(key: number): number {
    if (key === this.#lastKey) return this.#lastRow;
    const slots = this.#slots;
    const keys = this.#keys;
    for (let at = mix(key) & this.#mask; ; at = (at + 1) & this.#mask) {
      const row = slots[at]!;
      if (row === -1) return -1;
      if (keys[row] !== key) continue;
      this.#lastKey = key;
      this.#lastRow = row;
      return row;
    }
  }

  /** Row of a key; a new row has every column zero. */
  ensure(key: number): number {
    const found = this.find(key);
    return found >= 0 ? found : this.#insert(key);
  }

  #insert(key: number): number {
    let row = this.#free.pop();
    if (row === undefined) {
      if (this.#rows === this.#capacity) this.#grow();
      row = this.#rows++;
    }
    this.#keys[row] = key;
    this.#live++;
    let at = mix(key) & this.#mask;
    while (this.#slots[at] !== -1) at = (at + 1) & this.#mask;
    this.#slots[at] = row;
    return row;
  }

  /** Forgets a row. Its columns are zeroed, its number is used again. */
  drop(row: number): void {
    const key = this.#keys[row]!;
    const slots = this.#slots;
    const mask = this.#mask;
    let hole = mix(key) & mask;
    while (slots[hole] !== row) hole = (hole + 1) & mask;
    // Backward-shift deletion: no tombstones, so lookups stay short for ever.
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const other = slots[at]!;
      if (other === -1) break;
      const home = mix(this.#keys[other]!) & mask;
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        slots[hole] = other;
        hole = at;
      }
    }
    slots[hole] = -1;
    this.#keys[row] = Number.NaN;
    this.#lastKey = Number.NaN;
    for (const column of this.#columns) column[row] = 0;
    this.#free.push(row);
    this.#live--;
  }

  /** Forgets everything. */
  clear(): void {
    this.#slots = new Int32Array(1024).fill(-1);
    this.#mask = 1023;
    this.#lastKey = Number.NaN;
    this.#capacity = 512;
    this.#rows = 0;
    this.#live = 0;
    this.#free = [];
    this.#keys = new Float64Array(this.#capacity).fill(Number.NaN);
    this.col = this.#makeColumns(this.#capacity);
    this.#columns = Object.values(this.col);
  }

  #grow(): void {
    const size = this.#capacity * 2;
    const keys = new Float64Array(size).fill(Number.NaN);
    keys.set(this.#keys);
    this.#keys = keys;
    const narrow = this.col;
    this.col = this.#makeColumns(size);
    this.#columns = Object.values(this.col);
    for (const name of this.#names) this.col[name].set(narrow[name] as never);
    this.#capacity = size;
    this.#rehash(size * 2);
  }

  #rehash(slotCount: number): void {
    this.#slots = new Int32Array(slotCount).fill(-1);
    this.#mask = slotCount - 1;
    for (let row = 0; row < this.#rows; row++) {
      if (!this.alive(row)) continue;
      let at = mix(this.#keys[row]!) & this.#mask;
      while (this.#slots[at] !== -1) at = (at + 1) & this.#mask;
      this.#slots[at] = row;
    }
  }

  /** Names and types of the columns, as text. */
  get shape(): string {
    return Object.entries(this.#schema)
      .map(([name, type]) => `${name} ${type}`)
      .join(',');
  }

  /** A copy of everything, rows in place (row numbers stay valid after {@link restore}). */
  image(): TableImage {
    const columns = recordOf(this.#names, (name) => this.col[name].slice(0, this.#rows));
    return { keys: this.#keys.slice(0, this.#rows), free: Int32Array.from(this.#free), columns };
  }

  /** Becomes a copy of what {@link image} returned, down to the order in which free rows are reused. */
  restore(image: TableImage): void {
    this.clear();
    const rows = image.keys.length;
    while (this.#capacity < rows) this.#capacity *= 2;
    this.#keys = new Float64Array(this.#capacity).fill(Number.NaN);
    this.#keys.set(image.keys);
    this.col = this.#makeColumns(this.#capacity);
    this.#columns = Object.values(this.col);
    for (const name of this.#names) {
      const from = image.columns[name];
      if (from) this.col[name].set(from as never);
    }
    this.#rows = rows;
    this.#free = Array.from(image.free);
    this.#live = rows - this.#free.length;
    this.#rehash(this.#capacity * 2);
  }
}
