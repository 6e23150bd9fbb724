import { PG_WRITEBACK } from '../../core/pageflags.ts';
import { PTE_EXCLUSIVE, PTE_YOUNG } from '../../core/pte.ts';
import { MAPPING_NONE } from '../../events/flags.ts';
import {
  ksmMightCopy,
  siFreed,
  swapoffBegin,
  swapoffEnd,
  swaponBegin,
  swaponEnd,
  sysEnter,
  sysExit,
  unuseBegin,
  unuseEnd,
  unusePte,
  unusePteEnd,
} from '../../events/index.ts';
import { type Kernel, READ_ONLY, type Steps } from '../kernel.ts';
import { type Mm, TABLE_PTES } from '../memory.ts';
import { freeUser, tryFreeSwap } from '../swap.ts';
import { getFromCache, readIn } from './swapin.ts';
import { CALL } from './unmap.ts';

export const DEVICE = 0;
/** Events that swapoff takes for one slot, at most. */
export const EVENTS_PER_SLOT = 24;
/** Address of the name of the device, as the syscall gets it. */
export const NAME = 0x7ffe_0000_1000;
const SWAP_FLAGS = 0;

/** unuse_pte: a swap PTE becomes a read-only one of the locked page. */
function convert(k: Kernel, mm: Mm, index: number, page: number): void {
  const { mem, tape } = k;
  const va = mem.va(mm, index);
  const slot = mm.frame[index]!;
  const exclusive = (mm.bits[index]! & PTE_EXCLUSIVE) !== 0;
  tape.emit(unusePte, mm.addr, va, slot, mem.pfn(page));
  tape.emit(ksmMightCopy, mem.pfn(page), va);
  k.lockTable();
  k.ref(page, 1);
  if (mem.kind[page] === MAPPING_NONE) k.mapNew(page, mm, index, exclusive);
  else k.mapAnon(page, mm, index, exclusive);
  k.setPte(mm, index, READ_ONLY & ~PTE_YOUNG, page);
  freeUser(k, slot);
  k.unlockTable();
  tape.emit(unusePteEnd, 1);
}

/** unuse_pte_range: every swap PTE of an mm. */
export function* unuseMm(k: Kernel, mm: Mm): Steps {
  const { mem } = k;
  for (let index = 0; index < TABLE_PTES; index++) {
    while (mm.live && mm.writer) yield;
    if (!mm.live || !mem.isSwap(mm, index)) continue;
    const slot = mm.frame[index]!;
    let page = getFromCache(k, slot);
    if (page < 0) page = yield* readIn(k, slot);
    yield* k.lock(page);
    while (mem.has(page, PG_WRITEBACK)) yield;
    const unchanged = mm.live && !mm.writer && mem.isSwap(mm, index) && mm.frame[index] === slot;
    if (unchanged && mem.slot[page] === slot) convert(k, mm, index, page);
    if (mem.slot[page]! >= 0) tryFreeSwap(k, page);
    k.unlock(page);
    k.put(page);
  }
}

/** Folios of the swap cache that no PTE needs any more. */
export function* dropOrphans(k: Kernel): Steps {
  const { mem } = k;
  for (let slot = 1; slot <= mem.slots; slot++) {
    const page = mem.swapPage[slot]!;
    if (page < 0 || mem.ref[page] === 0) continue;
    k.ref(page, 1);
    yield* k.lock(page);
    while (mem.has(page, PG_WRITEBACK)) yield;
    if (mem.slot[page] === slot) tryFreeSwap(k, page);
    k.unlock(page);
    k.put(page);
  }
}

/** swapoff: no new slots, every PTE back to a page, then the device goes. */
export function* swapoff(k: Kernel): Steps {
  const { mem, tape } = k;
  tape.emit(sysEnter, CALL.swapoff, NAME);
  tape.emit(swapoffBegin);
  mem.swapOn = false;
  yield;
  tape.emit(unuseBegin, DEVICE);
  while (mem.inuse > 0) {
    for (const mm of [...mem.mms]) yield* unuseMm(k, mm);
    yield* dropOrphans(k);
    yield;
  }
  tape.emit(unuseEnd, 0);
  yield;
  tape.emit(siFreed, DEVICE);
  tape.emit(swapoffEnd, 0);
  tape.emit(sysExit, CALL.swapoff, 0);
}

/** swapon of the same device. */
export function swapon(k: Kernel): void {
  const { mem, tape } = k;
  tape.emit(sysEnter, CALL.swapon, NAME, SWAP_FLAGS);
  tape.emit(swaponBegin);
  mem.swapOn = true;
  tape.emit(swaponEnd, 0);
  tape.emit(sysExit, CALL.swapon, 0);
}
