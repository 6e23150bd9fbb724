import type { PageChunks } from './trace-dat-chunks.ts';

const TWO_32 = 4294967296;
const TWO_27 = 134217728;
/** Bits of the commit word: length of the data, and what was lost before the page. */
const LENGTH_MASK = 0x7ffffff;
const LOST_BEFORE = 0x80000000;
const LOST_COUNTED = 0x40000000;

/** Values of type_len that are no data (include/linux/ring_buffer.h). */
const PADDING = 29;
const TIME_EXTEND = 30;
const ABSOLUTE = 31;

/** A record begins with common_type, common_flags, common_preempt_count and common_pid. */
const LEAST_RECORD = 8;

/** How pages are laid out: the same for all CPUs of a file. */
export interface PageLayout {
  readonly little: boolean;
  readonly pageSize: number;
  /** Byte of the commit word's low 32 bits, and bytes of the whole word. */
  readonly commitAt: number;
  readonly longSize: number;
  /** First byte of data. */
  readonly dataAt: number;
}

/** The layout that the text of `header_page` tells; that of the kernel's long where it tells none. */
export function pageLayout(text: string, little: boolean, longSize: number, pageSize: number): PageLayout {
  const field = (name: string): readonly [at: number, size: number] | null => {
    const match = new RegExp(`field:.*\\b${name};\\s*offset:(\\d{1,4});\\s*size:(\\d{1,8});`).exec(text);
    return match ? [Number(match[1]), Number(match[2])] : null;
  };
  const [commit, size] = field('commit') ?? [8, longSize];
  const data = field('data')?.[0] ?? commit + size;
  const wide = size === 8 ? 8 : 4;
  return {
    little,
    pageSize,
    // The bits that count are in the low half.
    commitAt: !little && wide === 8 ? commit + 4 : commit,
    longSize: wide,
    dataAt: Math.max(data, commit + wide, 12),
  };
}

/** What went wrong with the pages of one CPU, counted by the caller. */
export interface PageTrouble {
  /** A page, or the rest of one, could not be read. */
  damagedPage(): void;
}

/**
 * The records of one CPU, one behind the other: kernel/trace/ring_buffer.c. Read the record's fields, then
 * advance.
 */
export class CpuRecords {
  readonly cpu: number;
  /** Position among the streams of the file: equal stamps stand in this order. */
  readonly order: number;
  /** Of the record: nanoseconds or ticks since the base that was given to {@link start}. */
  ts = 0;
  /** Records lost just before it: 0 none, NaN not told how many. */
  lost = 0;
  /** Where it stands. */
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** The same bytes by fours: records begin at a multiple of four. */
  words: Int32Array = new Int32Array(0);
  at = 0;
  length = 0;
  readonly chunks: PageChunks;
  readonly #layout: PageLayout;
  readonly #trouble: PageTrouble;
  #baseHigh = 0;
  #baseLow = 0;
  /** Next page in the chunk; next record and end of the data in the page. */
  #nextPage = 0;
  #next = 0;
  #end = 0;

  constructor(cpu: number, order: number, chunks: PageChunks, layout: PageLayout, trouble: PageTrouble) {
    this.cpu = cpu;
    this.order = order;
    this.chunks = chunks;
    this.#layout = layout;
    this.#trouble = trouble;
  }

  /** Stamp of the first page that has one, as a 64-bit number; null if there is no page. Call once, first. */
  firstStamp(): bigint | null {
    if (!this.#chunk()) return null;
    return this.#layout.little ? this.bytes.readBigUInt64LE(0) : this.bytes.readBigUInt64BE(0);
  }

  /** Goes to the first record. Stamps are counted from `base`. False if there is none. */
  start(base: bigint): boolean {
    this.#baseHigh = Number(base >> 32n);
    this.#baseLow = Number(base & 0xffffffffn);
    return this.advance();
  }

  /** Takes the next chunk that has the head of a page. */
  #chunk(): boolean {
    for (;;) {
      const bytes = this.chunks.next();
      if (bytes === null) return false;
      // Words need an aligned start.
      this.bytes = bytes.byteOffset & 3 ? Buffer.from(bytes) : bytes;
      this.#look();
      this.#nextPage = 0;
      if (bytes.length >= this.#layout.dataAt) return true;
      this.#trouble.damagedPage();
      this.lost = Number.NaN;
    }
  }

  #look(): void {
    const { buffer, byteOffset, byteLength } = this.bytes;
    this.view = new DataView(buffer, byteOffset, byteLength);
    this.words = new Int32Array(buffer, byteOffset, byteLength >> 2);
  }

  /** Enters the next page that holds data. */
  #page(): boolean {
    const { little, pageSize, commitAt, dataAt, longSize } = this.#layout;
    for (;;) {
      const page = this.#nextPage;
      if (page + dataAt > this.bytes.length) {
        if (page < this.bytes.length) this.#broken();
        if (!this.#chunk()) return false;
        continue;
      }
      this.#nextPage = page + pageSize;
      const view = this.view;
      const commit = view.getUint32(page + commitAt, little);
      const data = page + dataAt;
      const pageEnd = Math.min(page + pageSize, this.bytes.length);
      let end = data + (commit & LENGTH_MASK);
      if (commit & LOST_BEFORE) {
        const counted = commit & LOST_COUNTED && end + longSize <= pageEnd;
        const count = counted ? this.#long(end) : Number.NaN;
        this.lost += count > 0 ? count : Number.NaN;
      }
      if (end > pageEnd) {
        // Cut short, or no page at all.
        this.#trouble.damagedPage();
        end = pageEnd;
      }
      if (end === data) continue;
      const high = view.getUint32(little ? page + 4 : page, little);
      const low = view.getUint32(little ? page : page + 4, little);
      this.ts = (high - this.#baseHigh) * TWO_32 + (low - this.#baseLow);
      this.#next = data;
      this.#end = end;
      return true;
    }
  }

  #long(at: number): number {
    const { little, longSize } = this.#layout;
    return Number(
      longSize === 8 ? this.view.getBigUint64(at, little) : BigInt(this.view.getUint32(at, little)),
    );
  }

  #broken(): void {
    this.#trouble.damagedPage();
    this.lost = Number.NaN;
  }

  /** Goes to the next record; false at the end. Whoever reads {@link lost} sets it to 0. */
  advance(): boolean {
    const little = this.#layout.little;
    for (;;) {
      const at = this.#next;
      const end = this.#end;
      if (at + 4 > end) {
        if (!this.#page()) return false;
        continue;
      }
      const header = this.view.getUint32(at, little);
      const type = little ? header & 31 : header >>> 27;
      const delta = little ? header >>> 5 : header & LENGTH_MASK;
      if (type !== 0 && type < PADDING) {
        const length = type * 4;
        if (at + 4 + length > end || length < LEAST_RECORD) {
          this.#leavePage();
          continue;
        }
        this.ts += delta;
        this.at = at + 4;
        this.length = length;
        this.#next = at + 4 + length;
        return true;
      }
      // Padding without a delta: the rest of the page is unused.
      if (type === PADDING && delta === 0) {
        this.#next = end;
        continue;
      }
      if (at + 8 > end) {
        this.#leavePage();
        continue;
      }
      const word = this.view.getUint32(at + 4, little);
      if (type === 0) {
        // The length includes the word itself.
        if (word < 4 + LEAST_RECORD || word > end - at - 4) {
          this.#leavePage();
          continue;
        }
        this.ts += delta;
        this.at = at + 8;
        this.length = word - 4;
        this.#next = Math.min(end, at + 4 + ((word + 3) & ~3));
        return true;
      }
      if (type === PADDING) {
        if (word < 4 || word > end - at - 4) {
          this.#leavePage();
          continue;
        }
        this.ts += delta;
        this.#next = at + 4 + ((word + 3) & ~3);
        continue;
      }
      if (type === TIME_EXTEND) this.ts += word * TWO_27 + delta;
      else if (type === ABSOLUTE) this.#absolute(word, delta);
      this.#next = at + 8;
    }
  }

  /** 59 bits of a stamp; the other five are those of the stamp before, unless they have just been exceeded. */
  #absolute(word: number, delta: number): void {
    const base = (BigInt(this.#baseHigh) << 32n) | BigInt(this.#baseLow);
    const before = BigInt.asUintN(64, base + BigInt(this.ts));
    const top = (before >> 59n) << 59n;
    let stamp = top | (BigInt(word) << 27n) | BigInt(delta);
    if (top !== 0n && stamp < before) stamp += 1n << 59n;
    this.ts = Number(stamp - base);
  }

  /** What follows in the page cannot be read. */
  #leavePage(): void {
    this.#broken();
    this.#next = this.#end;
  }
}
