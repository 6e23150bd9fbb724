import {
  PG_DIRTY,
  PG_LOCKED,
  PG_LRU,
  PG_OWNER_2,
  PG_OWNER_PRIV_1,
  PG_RECLAIM,
  PG_SWAPBACKED,
  PG_UPTODATE,
  PG_WRITEBACK,
} from '../core/pageflags.ts';
import {
  PTE_DIRTY,
  PTE_NONE,
  PTE_NX,
  PTE_PRESENT,
  PTE_SOFT_DIRTY,
  PTE_SWAP,
  PTE_USER,
  PTE_WRITE,
  PTE_YOUNG,
} from '../core/pte.ts';
import { MAPPING_ANON, PIN_BIAS } from '../events/flags.ts';
import {
  lockRelease,
  lockTry,
  lruInsert,
  mnEnd,
  mnStart,
  pageAlloc,
  pageFree,
  pageFreeBatched,
  pageRelease,
  pteClear,
  pteClearFlush,
  pteSet,
  pteWrite,
  refAdd,
  refSet,
  rmapAdd,
  rmapDel,
  rmapNew,
  tlbFlush,
} from '../events/index.ts';
import type { Chance } from './chance.ts';
import { LRU_BATCH, LRU_ISOLATED, LRU_OFF, LRU_ON, type Memory, type Mm } from './memory.ts';
import type { Tape } from './tape.ts';

/** Something that takes several steps: between two of them other tasks may run. */
export type Steps<T = void> = Generator<undefined, T, undefined>;

/** A page of a CPU's LRU batch is drained when there are so many (PAGEVEC_SIZE, 6.12). */
const BATCH_PAGES = 15;
const NOT_TOLD = Number.NaN;
/** Bits of a present PTE of anonymous memory. */
const ANON_BITS = PTE_PRESENT | PTE_USER | PTE_NX | PTE_SOFT_DIRTY;
export const WRITABLE = ANON_BITS | PTE_WRITE | PTE_DIRTY | PTE_YOUNG;
export const READ_ONLY = ANON_BITS | PTE_YOUNG;
/** Event of an invalidation (enum mmu_notifier_event, 6.12). */
export const MN_CLEAR = 1;
export const MN_PROTECTION = 2;

/**
 * The steps of 6.12's memory manager that have no decision in them: each changes the memory and states the records
 * that the kernel's tracepoints and the rich probe pack state of it, in their order (mm/ of 6.12; ../capture shows
 * them).
 */
export class Kernel {
  readonly mem: Memory;
  readonly chance: Chance;
  readonly tape: Tape;
  /** Pages of each CPU's LRU batch. */
  readonly #batches: number[][];
  /** Pages under writeback, and how many records from now their I/O ends. */
  readonly io: Array<{ readonly page: number; readonly after: number }> = [];
  /** Pages that KSM shares, by what they hold. */
  readonly stable = new Map<number, number>();

  constructor(mem: Memory, chance: Chance, tape: Tape, cpus: number) {
    this.mem = mem;
    this.chance = chance;
    this.tape = tape;
    this.#batches = Array.from({ length: cpus }, () => []);
  }

  /** The next so many events happen under the page-table lock: preemption is off. */
  lockTable(): void {
    this.tape.self.depth++;
  }

  unlockTable(): void {
    this.tape.self.depth--;
  }

  /** An atomic add; one that takes references away tests for zero as folio_put does, unless `test` is false. */
  ref(page: number, delta: number, test = delta < 0): void {
    const { mem } = this;
    mem.ref[page]! += delta;
    const count = mem.ref[page]!;
    this.tape.emit(
      refAdd,
      mem.pfn(page),
      delta,
      test ? (count === 0 ? 1 : 0) : NOT_TOLD,
      NOT_TOLD,
      count,
      mem.mapcount(page),
      mem.flags[page]!,
      mem.kind[page]!,
    );
  }

  /** folio_put: the last reference frees the page. */
  put(page: number): void {
    this.ref(page, -1);
    if (this.mem.ref[page] !== 0) return;
    this.tape.emit(pageRelease, this.mem.pfn(page));
    this.free(page);
  }

  /** folios_put: those that nobody holds any more are freed together (free_unref_folios). */
  putAll(pages: readonly number[]): void {
    const gone = pages.filter((page) => {
      this.ref(page, -1);
      return this.mem.ref[page] === 0;
    });
    this.freeAll(gone);
  }

  /** Frees pages whose count is zero, together. */
  freeAll(pages: readonly number[]): void {
    for (const page of pages) this.tape.emit(pageFree, this.mem.pfn(page), 0);
    for (const page of pages) this.tape.emit(pageFreeBatched, this.mem.pfn(page));
    for (const page of pages) this.#release(page);
  }

  free(page: number): void {
    this.tape.emit(pageFree, this.mem.pfn(page), 0);
    this.#release(page);
  }

  #release(page: number): void {
    if (this.stable.get(this.mem.content[page]!) === page) this.stable.delete(this.mem.content[page]!);
    this.mem.reset(page);
    this.mem.free.push(page);
  }

  /** A page of order 0, refcount 1. The caller has seen to it that there is one. */
  alloc(): number {
    const page = this.mem.free.pop()!;
    this.mem.ref[page] = 1;
    const pfn = this.mem.pfn(page);
    this.tape.emit(refSet, pfn, 1, 1, -1, 0, 0);
    this.tape.emit(pageAlloc, pfn, 0);
    return page;
  }

  /** A page of anonymous memory, filled. */
  allocAnon(content: number): number {
    const page = this.alloc();
    this.mem.flags[page] = PG_UPTODATE;
    this.mem.content[page] = content;
    return page;
  }

  /** folio_add_lru: this CPU's batch takes a reference. */
  addToLru(page: number): void {
    const batch = this.#batches[this.tape.self.cpu]!;
    this.mem.lru[page] = LRU_BATCH;
    batch.push(page);
    this.ref(page, 1);
    if (batch.length >= BATCH_PAGES) this.drain();
  }

  /** lru_add_drain: pages go on their lists, then the batch's references go. */
  drain(): void {
    const { mem } = this;
    const batch = this.#batches[this.tape.self.cpu]!;
    if (batch.length === 0) return;
    this.#batches[this.tape.self.cpu] = [];
    for (const page of batch) {
      mem.flags[page]! |= PG_LRU;
      mem.lru[page] = LRU_ON;
      const anon = mem.kind[page] === 0 ? 0 : 1;
      this.tape.emit(
        lruInsert,
        mem.pfn(page),
        0,
        anon,
        mem.has(page, PG_OWNER_PRIV_1) ? 1 : 0,
        anon === 1 ? (mem.isExclusive(page) ? 1 : 0) : NOT_TOLD,
      );
    }
    this.putAll(batch);
  }

  /** folio_isolate_lru, and the like: false if the page is not on its list. */
  isolate(page: number): boolean {
    if (this.mem.lru[page] !== LRU_ON) return false;
    this.mem.flags[page]! &= ~PG_LRU;
    this.mem.lru[page] = LRU_ISOLATED;
    this.ref(page, 1);
    return true;
  }

  /** folio_putback_lru: the batch's reference comes before the isolation's goes. */
  putback(page: number): void {
    this.addToLru(page);
    this.put(page);
  }

  trylock(page: number): boolean {
    const free = !this.mem.has(page, PG_LOCKED);
    this.tape.beyond(lockTry, this.mem.pfn(page), free ? 1 : 0);
    if (free) this.mem.flags[page]! |= PG_LOCKED;
    return free;
  }

  /** Waits for the page lock and takes it. The caller holds a reference. */
  *lock(page: number): Steps {
    while (this.mem.has(page, PG_LOCKED)) yield;
    this.trylock(page);
  }

  unlock(page: number): void {
    const { mem } = this;
    this.tape.emit(lockRelease, mem.pfn(page), mem.ref[page]!, mem.flags[page]!);
    mem.flags[page]! &= ~PG_LOCKED;
  }

  /** The PTE as events tell it, in two numbers. */
  frameOf(bits: number, frame: number): number {
    const kind = bits & 7;
    if (kind === PTE_PRESENT) return this.mem.pfn(frame);
    return kind === PTE_SWAP ? frame : NOT_TOLD;
  }

  /** What an address translates to changes: told where events beyond tracers are wanted. */
  tellPte(mm: Mm, index: number, bits: number, frame: number): void {
    const old = mm.bits[index]!;
    this.tape.beyond(
      pteWrite,
      mm.addr,
      this.mem.va(mm, index),
      old,
      this.frameOf(old, mm.frame[index]!),
      bits,
      this.frameOf(bits, frame),
    );
  }

  /** A PTE changes. */
  writePte(mm: Mm, index: number, bits: number, frame: number): void {
    this.tellPte(mm, index, bits, frame);
    this.mem.writePte(mm, index, bits, frame);
  }

  /** set_ptes: told by the page table check. */
  setPte(mm: Mm, index: number, bits: number, frame: number): void {
    const { mem } = this;
    const old = mm.bits[index]!;
    this.tape.emit(
      pteSet,
      mm.addr,
      mem.ptep(mm, index),
      old,
      this.frameOf(old, mm.frame[index]!),
      bits,
      this.frameOf(bits, frame),
      1,
    );
    this.writePte(mm, index, bits, frame);
  }

  /** A present PTE goes: ptep_get_and_clear and the page table check. */
  clearPte(mm: Mm, index: number): void {
    this.tape.emit(pteClear, mm.addr, mm.bits[index]!, this.mem.pfn(mm.frame[index]!));
    this.writePte(mm, index, PTE_NONE, 0);
  }

  /** ptep_clear_flush */
  clearFlush(mm: Mm, index: number): void {
    const va = this.mem.va(mm, index);
    this.tape.emit(pteClearFlush, mm.addr, va, this.mem.ptep(mm, index), NOT_TOLD, NOT_TOLD);
    this.clearPte(mm, index);
    this.flush(mm, va, va + 4096);
  }

  /** flush_tlb_mm_range */
  flush(mm: Mm, start: number, end: number): void {
    this.tape.emit(tlbFlush, mm.addr, start, end);
  }

  /** folio_add_new_anon_rmap: the first mapping of a new page. */
  mapNew(page: number, mm: Mm, index: number, exclusive = true): void {
    const { mem } = this;
    this.tape.emit(rmapNew, mem.pfn(page), mm.addr, mem.va(mm, index), exclusive ? 1 : 0);
    mem.flags[page]! |= PG_SWAPBACKED | (exclusive ? PG_OWNER_2 : 0);
    mem.kind[page] = MAPPING_ANON;
    mem.addMapper(page, mm, index);
  }

  /** folio_add_anon_rmap_ptes: one more mapping. */
  mapAnon(page: number, mm: Mm, index: number, exclusive: boolean): void {
    const { mem } = this;
    const pfn = mem.pfn(page);
    this.tape.emit(rmapAdd, pfn, pfn, 1, mm.addr, mem.va(mm, index), 1, exclusive ? 1 : 0);
    if (exclusive) mem.flags[page]! |= PG_OWNER_2;
    mem.addMapper(page, mm, index);
  }

  /** folio_remove_rmap_ptes; the mapping's reference is put apart from it. */
  unmap(page: number, mm: Mm, index: number): void {
    const { mem } = this;
    const pfn = mem.pfn(page);
    this.tape.emit(rmapDel, pfn, pfn, 1, mm.addr, mem.mapcount(page));
    mem.removeMapper(page, mm, index);
  }

  /** folio_maybe_dma_pinned of a small folio. */
  maybePinned(page: number): boolean {
    return this.mem.ref[page]! >= PIN_BIAS;
  }

  /** Secondary MMUs of an mm that has some are told that a range changes. */
  notify(mm: Mm, start: number, end: number, event: number): void {
    if (mm.notified) this.tape.emit(mnStart, mm.addr, start, end, event);
  }

  notified(mm: Mm, start: number, end: number, event: number): void {
    if (mm.notified) this.tape.emit(mnEnd, mm.addr, start, end, event);
  }

  /** Writeback of a page begins; its end comes by interrupt. */
  startIo(page: number): void {
    this.mem.flags[page]! |= PG_WRITEBACK | PG_RECLAIM;
    this.mem.flags[page]! &= ~PG_DIRTY;
    this.io.push({ page, after: this.tape.count + 20 + this.chance.below(200) });
  }

  /** folio_end_writeback, in the interrupt that tells the end of the I/O: it holds the page over the wake-up. */
  endIo(page: number): void {
    this.tape.inInterrupt(() => {
      this.ref(page, 1);
      this.mem.flags[page]! &= ~(PG_WRITEBACK | PG_RECLAIM);
      this.ref(page, -1);
    });
  }

  /** Ends the I/O whose time has come. */
  settleIo(): void {
    while (this.io.length > 0 && this.io[0]!.after <= this.tape.count) this.endIo(this.io.shift()!.page);
  }

  /** Forgets that a page is on its way to the LRU: whoever calls frees it. */
  leaveLru(page: number): void {
    this.mem.lru[page] = LRU_OFF;
  }
}
