import { PG_LOCKED, PG_SWAPBACKED, PG_UPTODATE } from '../core/pageflags.ts';
import { PTE_NONE, PTE_PRESENT, PTE_USER } from '../core/pte.ts';
import type { EventKind } from '../events/declare.ts';
import {
  FAULT_USER,
  FOLL_GET,
  FOLL_PIN,
  FOLL_WRITE,
  MAPPING_ANON,
  MAPPING_KSM,
  PIN_BIAS,
} from '../events/flags.ts';
import { GUP_LOCKED, GUP_PIN } from '../events/gup.ts';
import {
  anonBegin,
  anonEnd,
  faultBegin,
  faultEnd,
  gupBegin,
  gupEnd,
  gupGrab,
  ksmInsert,
  lockRelease,
  lockTry,
  lruAdd,
  lruInsert,
  lruPutback,
  pageAlloc,
  pageFree,
  pteClear,
  pteSet,
  pteWrite,
  refAdd,
  refSet,
  rmapAdd,
  rmapDel,
  rmapNew,
  spteSet,
  swapAlloc,
  swapcacheAdd,
  swapDup,
  taskNew,
  tlbFlush,
  writebackStart,
} from '../events/index.ts';
import { deviceOf, flagsOf, mmOf, pfnOf, ptepOf, pteWord, slotOf, vaOf } from './addresses.ts';
import { LRU_BATCH, LRU_ON, PRESENT, SWAPPED } from './layout.ts';
import type { Machine } from './machine.ts';
import type { Recorder } from './recorder.ts';

/** Pids of those who set the stage: one for each mm. */
const OWNER_PID = 11;
const STAGE_CPU = 0;
/** A page and an mm that no scenario has: with them every kind of event that knowledge rests on is seen once. */
const PROBE_PAGE = -1;
const PROBE_MM = 1000;

/**
 * Tells how the initial state came about, so that the fold knows it as it knows the rest: by events since each page's
 * allocation. It is a history, not the only one.
 */
export class Preamble {
  readonly #m: Machine;
  readonly #to: Recorder;
  #pid = OWNER_PID;

  constructor(m: Machine, to: Recorder) {
    this.#m = m;
    this.#to = to;
  }

  #emit(kind: EventKind, ...args: number[]): void {
    this.#to.emitAs(STAGE_CPU, this.#pid, kind, args);
  }

  write(): void {
    this.#probe();
    const { sizes } = this.#m.at;
    for (let slot = 0; slot < sizes.slots; slot++) this.#emit(swapAlloc, slotOf(slot), 1);
    for (let page = 0; page < this.#m.program.fresh; page++) this.#page(page);
    for (let mm = 0; mm < sizes.mms; mm++)
      for (let va = 0; va < sizes.vas; va++) if (this.#kind(mm, va) === SWAPPED) this.#swapped(mm, va);
    this.#shmem();
    if (this.#m.program.tlb) this.#owners();
    for (let device = 0; device < sizes.devices; device++)
      for (let va = 0; va < sizes.vas; va++) this.#spte(device, va);
  }

  #kind(mm: number, va: number): number {
    return this.#m.cells[this.#m.at.pte(mm, va, 'kind')]!;
  }

  /** A page comes and goes: page_ref, allocator, rmap and PTEs are told in this trace. */
  #probe(): void {
    const pfn = pfnOf(PROBE_PAGE);
    const mm = mmOf(PROBE_MM);
    const flags = PG_SWAPBACKED | PG_UPTODATE;
    const word = [PTE_PRESENT | PTE_USER, pfn];
    this.#emit(refSet, pfn, 1, 1, -1, 0, 0);
    this.#emit(pageAlloc, pfn, 0);
    this.#emit(anonBegin, mm, vaOf(0), FAULT_USER);
    this.#emit(rmapNew, pfn, mm, vaOf(0), Number.NaN);
    this.#emit(pteSet, mm, ptepOf(PROBE_MM, 0), PTE_NONE, 0, ...word, 1);
    this.#emit(anonEnd, 0);
    this.#emit(lruAdd, pfn);
    this.#emit(lruPutback, pfn);
    this.#emit(pteClear, mm, ...word);
    this.#emit(rmapDel, pfn, pfn, 1, mm, 0, 1, flags);
    this.#emit(refAdd, pfn, -1, 1, Number.NaN, 0, -1, flags, MAPPING_ANON);
    this.#emit(pageFree, pfn, 0);
  }

  #page(page: number): void {
    const { at, cells, program } = this.#m;
    const pfn = pfnOf(page);
    const cell = (name: 'ref' | 'ksm' | 'sc' | 'ae' | 'lru' | 'wb'): number => cells[at.page(page, name)]!;
    const kind = cell('ksm') === 1 ? MAPPING_KSM : MAPPING_ANON;
    const flags = flagsOf(this.#m, page);
    let count = 1;
    let mapped = 0;
    const ref = (delta: number): void => {
      count += delta;
      this.#emit(refAdd, pfn, delta, delta < 0 ? 0 : Number.NaN, Number.NaN, count, mapped - 1, flags, kind);
    };
    // The allocator's reference is the first mapping's, or whoever's is the first.
    let owed = cell('ref') - 1;
    this.#emit(refSet, pfn, 1, 1, -1, PG_UPTODATE | PG_SWAPBACKED, kind);
    this.#emit(pageAlloc, pfn, 0);
    for (const [mm, va] of this.#mappers(page)) {
      this.#pid = OWNER_PID + mm;
      this.#emit(anonBegin, mmOf(mm), vaOf(va), FAULT_USER);
      if (mapped === 0) {
        this.#emit(rmapNew, pfn, mmOf(mm), vaOf(va), cell('ae'));
        mapped = 1;
      } else {
        ref(1);
        owed--;
        mapped++;
        this.#emit(rmapAdd, pfn, pfn, 1, mmOf(mm), vaOf(va), 1, 0);
      }
      this.#setPte(mm, va);
      this.#emit(anonEnd, 0);
    }
    if (cell('lru') === LRU_ON) {
      this.#emit(lruAdd, pfn);
      this.#emit(lruInsert, pfn, 0, 1, 0, cell('ae'));
    }
    if (cell('lru') >= LRU_BATCH) this.#to.emitAs(cell('lru') - LRU_BATCH, this.#pid, lruAdd, [pfn]);
    if (cell('ksm') === 1) this.#emit(ksmInsert, pfn);
    if (cell('sc') !== 0) {
      this.#emit(lockTry, pfn, 1);
      this.#emit(swapcacheAdd, pfn, slotOf(cell('sc') - 1), 1);
      this.#emit(lockRelease, pfn, count, flags | PG_LOCKED);
    }
    if (cell('wb') === 1) this.#emit(writebackStart, pfn);
    for (const [i, hold] of program.holds.entries()) {
      if (cells[at.hold(i)] !== page + 1) continue;
      const delta = hold.pin ? PIN_BIAS : 1;
      this.#pid = OWNER_PID + hold.mm;
      const [mm, va] = [mmOf(hold.mm), vaOf(hold.va)];
      const foll = (hold.pin ? FOLL_PIN : FOLL_GET) | (hold.write ? FOLL_WRITE : 0);
      this.#emit(faultBegin, mm, va, FAULT_USER);
      this.#emit(faultEnd, 0);
      this.#emit(gupBegin, hold.pin ? GUP_PIN : GUP_LOCKED, mm, va, 1, foll);
      this.#emit(gupGrab, pfn, 1, foll, Number.NaN, 1);
      ref(delta);
      owed -= delta;
      this.#emit(gupEnd, GUP_LOCKED, 1);
    }
    for (; owed > 0; owed--) ref(1);
    // A look at it: flags and counts as the scenario finds them.
    ref(1);
    ref(-1);
  }

  #mappers(page: number): Array<readonly [mm: number, va: number]> {
    const { at, cells } = this.#m;
    const found: Array<readonly [number, number]> = [];
    for (let mm = 0; mm < at.sizes.mms; mm++)
      for (let va = 0; va < at.sizes.vas; va++)
        if (this.#kind(mm, va) === PRESENT && cells[at.pte(mm, va, 'frame')] === page) found.push([mm, va]);
    return found;
  }

  #setPte(mm: number, va: number): void {
    const word = pteWord(this.#m, mm, va);
    this.#emit(pteWrite, mmOf(mm), vaOf(va), PTE_NONE, 0, ...word);
    this.#emit(pteSet, mmOf(mm), ptepOf(mm, va), PTE_NONE, 0, ...word, 1);
  }

  #swapped(mm: number, va: number): void {
    this.#pid = OWNER_PID + mm;
    this.#emit(anonBegin, mmOf(mm), vaOf(va), FAULT_USER);
    this.#emit(swapDup, slotOf(this.#m.cells[this.#m.at.pte(mm, va, 'frame')]!), 1, 1);
    this.#setPte(mm, va);
    this.#emit(anonEnd, 0);
  }

  /** Users of slots that stand in no page table. */
  #shmem(): void {
    const { at, cells } = this.#m;
    for (let slot = 0; slot < at.sizes.slots; slot++) {
      let counted = cells[at.slot(slot, 'count')]!;
      for (let mm = 0; mm < at.sizes.mms; mm++)
        for (let va = 0; va < at.sizes.vas; va++)
          if (this.#kind(mm, va) === SWAPPED && cells[at.pte(mm, va, 'frame')] === slot) counted--;
      for (; counted > 0; counted--) this.#emit(swapDup, slotOf(slot), 1, 1);
    }
  }

  /** Which mm each thread runs on, and that flushes are told. */
  #owners(): void {
    for (const { pid, mm } of this.#m.program.threads) if (mm >= 0) this.#emit(taskNew, pid, 0, 0, mmOf(mm));
    this.#emit(tlbFlush, mmOf(PROBE_MM), 0, -1, -1);
  }

  #spte(device: number, va: number): void {
    const { at, cells, program } = this.#m;
    const page = cells[at.spte(device, va, 'frame')]! - 1;
    if (page < 0) return;
    const mm = program.devices[device]!.mm;
    this.#emit(spteSet, deviceOf(device), mmOf(mm), vaOf(va), pfnOf(page), 0);
  }
}
