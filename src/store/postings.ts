import { ByteReader, ByteWriter } from '../core/bytes.ts';
import { Table } from '../core/table.ts';
import type { EventBatch } from '../events/batch.ts';
import { eachName } from '../events/pages-of.ts';

/** Of what the posting lists are. */
export const PAGES = 0;
export const MMS = 1;
/** Blocks of 2^order pages: the key is their first pfn times 64, plus the order. */
export const BLOCKS = 2;

/** Events of a run: lists of so many events are collected in memory and stored together. */
export const RUN_EVENTS = 1 << 18;
/** Bytes of lists in a row, about. */
const ROW_BYTES = 4096;
/** Losses and starts of segments, under one key. */
export const MARKS = 3;
export const MARK_KEY = 0;
const ORDERS = 64;

/** Key of a block. */
export function blockKey(pfn: number, order: number): number {
  return pfn * ORDERS + order;
}

/** Keys of the blocks that a page may lie in. */
export function blocksOf(pfn: number): number[] {
  const keys: number[] = [];
  for (let order = 1; order <= 10; order++)
    keys.push(blockKey(Math.floor(pfn / 2 ** order) * 2 ** order, order));
  return keys;
}

/** A row of the posting table: lists of some keys, the least of them first. */
export interface PostingRow {
  readonly what: number;
  readonly firstKey: number;
  readonly lists: Uint8Array;
}

/** Lists that are being collected: which events name a key. */
class Collector {
  readonly #keys = new Table({ last: 'f64', count: 'u32' });
  #rows = new Int32Array(1 << 16);
  #seqs = new Float64Array(1 << 16);
  #length = 0;
  #lastKey = Number.NaN;
  #lastRow = 0;

  add(key: number, seq: number): void {
    // Events in a row are of one page, and of one mm, as a rule.
    const row = key === this.#lastKey ? this.#lastRow : this.#keys.ensure(key);
    this.#lastKey = key;
    this.#lastRow = row;
    const c = this.#keys.col;
    if (c.last[row] === seq) return;
    c.last[row] = seq;
    c.count[row]!++;
    if (this.#length === this.#rows.length) this.#grow();
    this.#rows[this.#length] = row;
    this.#seqs[this.#length++] = seq;
  }

  #grow(): void {
    const rows = new Int32Array(this.#length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
    const seqs = new Float64Array(this.#length * 2);
    seqs.set(this.#seqs);
    this.#seqs = seqs;
  }

  /** Keys in order, each with its seqs in order. */
  lists(): Array<readonly [key: number, seqs: Float64Array]> {
    const starts = new Uint32Array(this.#keys.bound + 1);
    for (let row = 0; row < this.#keys.bound; row++)
      starts[row + 1] = starts[row]! + this.#keys.col.count[row]!;
    const next = starts.slice();
    const sorted = new Float64Array(this.#length);
    for (let i = 0; i < this.#length; i++) sorted[next[this.#rows[i]!]!++] = this.#seqs[i]!;
    const rows = Array.from({ length: this.#keys.bound }, (_, row) => row);
    rows.sort((a, b) => this.#keys.key(a) - this.#keys.key(b));
    return rows.map((row) => [this.#keys.key(row), sorted.subarray(starts[row]!, starts[row + 1]!)]);
  }

  of(key: number): Float64Array {
    const row = this.#keys.find(key);
    if (row < 0) return new Float64Array(0);
    const seqs: number[] = [];
    for (let i = 0; i < this.#length; i++) if (this.#rows[i] === row) seqs.push(this.#seqs[i]!);
    return Float64Array.from(seqs);
  }
}

/** Collects which events name which pages and mms, over one run. */
export class RunPostings {
  readonly #collectors = [new Collector(), new Collector(), new Collector(), new Collector()] as const;
  firstSeq = 0;
  lastSeq = 0;

  get events(): number {
    return this.firstSeq === 0 ? 0 : this.lastSeq - this.firstSeq + 1;
  }

  /** Adds a batch from event `from` on. */
  add(batch: EventBatch, from = 0): void {
    if (from >= batch.count) return;
    if (this.firstSeq === 0) this.firstSeq = batch.firstSeq + from;
    this.lastSeq = batch.firstSeq + batch.count - 1;
    const [pages, mms, blocks, marks] = this.#collectors;
    eachName(batch, from, batch.count, {
      page: (pfn, seq) => pages.add(pfn, seq),
      block: (pfn, order, seq) => blocks.add(blockKey(pfn, order), seq),
      mm: (mm, seq) => mms.add(mm, seq),
      mark: (seq) => marks.add(MARK_KEY, seq),
    });
  }

  /** Seqs of one key. */
  of(what: number, key: number): Float64Array {
    return this.#collectors[what]?.of(key) ?? new Float64Array(0);
  }

  /** Every key of one sort with its seqs. */
  lists(what: number): Array<readonly [key: number, seqs: Float64Array]> {
    return this.#collectors[what]?.lists() ?? [];
  }

  /** The run as rows of the posting table. */
  rows(): PostingRow[] {
    const rows: PostingRow[] = [];
    for (const [what, collector] of this.#collectors.entries()) {
      let out = new ByteWriter(ROW_BYTES * 2);
      let firstKey = 0;
      let before = 0;
      for (const [key, seqs] of collector.lists()) {
        if (out.length === 0) {
          firstKey = key;
          before = key;
        }
        out.varint(key - before);
        before = key;
        out.varint(seqs.length);
        let seq = this.firstSeq;
        for (let i = 0; i < seqs.length; i++) {
          out.varint(seqs[i]! - seq);
          seq = seqs[i]!;
        }
        if (out.length >= ROW_BYTES) {
          rows.push({ what, firstKey, lists: out.take() });
          out = new ByteWriter(ROW_BYTES * 2);
        }
      }
      if (out.length > 0) rows.push({ what, firstKey, lists: out.take() });
    }
    return rows;
  }
}

/** The lists of a row of the posting table, of a run that begins at `firstSeq`. */
export function* listsOf(
  lists: Uint8Array,
  firstKey: number,
  firstSeq: number,
): Generator<readonly [key: number, seqs: number[]]> {
  const input = new ByteReader(lists);
  let key = firstKey;
  while (!input.done) {
    key += input.varint();
    const count = input.varint();
    const seqs: number[] = [];
    let seq = firstSeq;
    for (let i = 0; i < count; i++) {
      seq += input.varint();
      seqs.push(seq);
    }
    yield [key, seqs];
  }
}

/** Adds the seqs of some keys, the greatest of which is told, in a row of the posting table. */
export function seqsIn(
  lists: Uint8Array,
  firstKey: number,
  firstSeq: number,
  wanted: readonly number[],
  greatest: number,
  into: number[],
): void {
  const input = new ByteReader(lists);
  let key = firstKey;
  while (!input.done) {
    key += input.varint();
    if (key > greatest) return;
    const count = input.varint();
    if (!wanted.includes(key)) {
      for (let i = 0; i < count; i++) input.varint();
      continue;
    }
    let seq = firstSeq;
    for (let i = 0; i < count; i++) {
      seq += input.varint();
      into.push(seq);
    }
  }
}
