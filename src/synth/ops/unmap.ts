import { PTE_NONE } from '../../core/pte.ts';
import { mmExit, sysEnter, sysExit, taskExit, zapBegin, zapEnd, zapRangeBegin } from '../../events/index.ts';
import { SYSCALLS } from '../../events/task.ts';
import { type Kernel, MN_CLEAR, type Steps } from '../kernel.ts';
import { type Mm, TABLE_PTES } from '../memory.ts';
import { freeSwapAndCache, freeSwapCache } from '../swap.ts';

/** Pages gathered before they are flushed and given back. */
const GATHERED = 32;
const MADV_DONTNEED = 4;
export const CALL = Object.fromEntries(SYSCALLS.map((name, call) => [name, call])) as Readonly<
  Record<(typeof SYSCALLS)[number], number>
>;

/** The present PTE of a range is taken down; its page keeps the reference until the flush. */
function zapPresent(k: Kernel, mm: Mm, index: number, to: number): number {
  const { mem, tape } = k;
  const page = mm.frame[index]!;
  const va = mem.va(mm, index);
  tape.emit(zapBegin, mm.addr, va, mem.ptep(mm, index), mm.bits[index]!, mem.pfn(page), to - index);
  k.clearPte(mm, index);
  k.unmap(page, mm, index);
  tape.emit(zapEnd, 1);
  return page;
}

/** zap_pte_range, with the flush and free_pages_and_swap_cache of what it gathers. */
export function* zap(k: Kernel, mm: Mm, from: number, to: number): Steps {
  const { mem, tape } = k;
  const first = mem.va(mm, from);
  const last = mem.va(mm, to);
  k.notify(mm, first, last, MN_CLEAR);
  tape.emit(zapRangeBegin, mm.addr, first, last);
  for (let index = from; index < to; ) {
    const gathered: number[] = [];
    k.lockTable();
    for (; index < to && gathered.length < GATHERED; index++) {
      if (mm.bits[index] === PTE_NONE) continue;
      if (mem.isPresent(mm, index)) gathered.push(zapPresent(k, mm, index, to));
      else {
        freeSwapAndCache(k, mm.frame[index]!);
        k.writePte(mm, index, PTE_NONE, 0);
      }
    }
    k.unlockTable();
    if (gathered.length === 0) continue;
    k.flush(mm, first, last);
    yield;
    for (const page of gathered) freeSwapCache(k, page);
    k.putAll(gathered);
  }
  k.notified(mm, first, last, MN_CLEAR);
}

/** MADV_DONTNEED of a task on some of its pages. */
export function* discard(k: Kernel, mm: Mm, from: number, to: number): Steps {
  const { tape, mem } = k;
  tape.emit(sysEnter, CALL.madvise, mem.va(mm, from), (to - from) * 4096, MADV_DONTNEED);
  yield* zap(k, mm, from, to);
  tape.emit(sysExit, CALL.madvise, 0);
}

/** exit_mmap: all that an mm maps, and its page table. */
export function* exitMm(k: Kernel, mm: Mm): Steps {
  const { mem, tape } = k;
  mm.writer = true;
  tape.emit(mmExit, mm.addr);
  yield* zap(k, mm, 0, TABLE_PTES);
  k.flush(mm, 0, -1);
  if (mm.tablePage >= 0) k.putAll([mm.tablePage]);
  mem.removeMm(mm);
}

/** A task exits: its mm first, then its own record. */
export function* exit(k: Kernel): Steps {
  const { tape } = k;
  tape.emit(sysEnter, CALL.exit_group, 0);
  const { self } = tape;
  if (self.mm !== null) yield* exitMm(k, self.mm);
  self.mm = null;
  tape.emit(taskExit, self.pid);
}
