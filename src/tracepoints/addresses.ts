import type { Word } from '../core/pointer.ts';

/** Bytes of a struct page on every kernel that faultline has seen (64-bit, without debug fields). */
const STRUCT_PAGE = 64;
/** vmemmap starts on a boundary of 1 GiB: KASLR moves it by whole PUDs (arch/x86/mm/kaslr.c). */
const BASE_ALIGNMENT = 2 ** 30;
/** Records that must agree before a base is believed; one that the kernel itself prints needs no second. */
const AGREEMENT = 3;
/** Pfns above 2^40 (4 PiB of memory) are no pfns. */
const MAX_PFN = 2 ** 40;

/**
 * Where the array of struct page starts, so that pointers to pages tell pfns. It is learned from records that
 * tell both a pointer and its pfn, or given; it is never assumed: under KASLR and five-level paging it moves.
 */
export class PageAddresses {
  /** vmemmap base as a signed word; NaN while unknown. */
  base: Word = Number.NaN;
  /** How the base is known; null while it is not. */
  how: string | null = null;
  /** Two bases found about equal support: none is used. */
  conflicting = false;
  /** Pointers that could not be turned into pfns for want of a base. */
  untranslated = 0;
  #support = new Map<Word, { count: number; pfn: number }>();

  constructor(given?: Word) {
    if (given !== undefined) this.#settle(given, 'given');
  }

  #settle(base: Word, how: string): void {
    this.base = base;
    this.how = how;
  }

  /** Whether more records may change what is known. */
  get open(): boolean {
    return this.how === null;
  }

  /** The pfn of the page at this address; NaN for null, error pointers, user addresses and without a base. */
  pfn(lo: number, hi: number): number {
    if (hi >= 0 || (hi === -1 && lo >>> 0 > 0xfffff000)) return Number.NaN;
    const base = this.base;
    if (Number.isNaN(base)) {
      this.untranslated++;
      return Number.NaN;
    }
    const pfn = (hi * 4294967296 + (lo >>> 0) - base) / STRUCT_PAGE;
    return pfn >= 0 && pfn < MAX_PFN && Number.isInteger(pfn) ? pfn : Number.NaN;
  }

  /** The kernel printed vmemmap_base itself (`vb=` of the distribution pack). */
  told(base: Word): void {
    if (this.open && base < 0 && base % BASE_ALIGNMENT === 0)
      this.#settle(base, 'vmemmap_base as the kernel printed it');
  }

  /** A record told a struct page pointer and its pfn. */
  pair(page: Word, pfn: number, source: string): void {
    if (!this.open || !(page < 0) || !(pfn > 0) || pfn >= MAX_PFN) return;
    const base = page - pfn * STRUCT_PAGE;
    if (base % BASE_ALIGNMENT !== 0) return;
    const support = this.#support.get(base);
    if (support === undefined) {
      this.#support.set(base, { count: 1, pfn });
      return;
    }
    // The same page again proves nothing new.
    if (support.pfn === pfn) return;
    support.pfn = pfn;
    support.count++;
    if (support.count < AGREEMENT) return;
    for (const [other, { count }] of this.#support) {
      if (other !== base && count * 4 >= support.count) {
        this.conflicting = true;
        return;
      }
    }
    this.conflicting = false;
    this.#settle(base, `learned from page and pfn of ${source}`);
  }
}
