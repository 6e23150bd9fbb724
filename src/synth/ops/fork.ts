import { PG_OWNER_2 } from '../../core/pageflags.ts';
import { PTE_EXCLUSIVE, PTE_NONE, PTE_WRITE, PTE_YOUNG } from '../../core/pte.ts';
import {
  forkPtes,
  forkPtesEnd,
  forkRange,
  forkSwap,
  sysEnter,
  sysExit,
  taskFork,
  taskNew,
} from '../../events/index.ts';
import { type Kernel, MN_PROTECTION, type Steps, WRITABLE } from '../kernel.ts';
import { DIRECT_MAP, type Mm, TABLE_PTES } from '../memory.ts';
import { duplicate } from '../swap.ts';
import { CALL } from './unmap.ts';

/** clone_flags of fork() by glibc: CHILD_CLEARTID, CHILD_SETTID, SIGCHLD. */
const CLONE_FLAGS = 0x1200011;
const EAGAIN = 11;

/** An mm gets its page table: a page of the kernel's own. */
export function addTable(k: Kernel, mm: Mm): void {
  mm.tablePage = k.alloc();
  mm.table = DIRECT_MAP + k.mem.pfn(mm.tablePage) * 4096;
}

function enterPtes(k: Kernel, child: Mm, parent: Mm, index: number): void {
  const { mem } = k;
  k.tape.emit(
    forkPtes,
    child.addr,
    parent.addr,
    mem.va(parent, index),
    TABLE_PTES - index,
    mem.ptep(child, index),
    mem.ptep(parent, index),
  );
}

/** copy_present_ptes of a page that may be pinned: the reference is given back, and the child gets a copy. */
function copyPinned(k: Kernel, child: Mm, parent: Mm, index: number): void {
  const { mem, tape } = k;
  const page = parent.frame[index]!;
  k.ref(page, 1);
  k.ref(page, -1);
  tape.emit(forkPtesEnd, -EAGAIN);
  k.unlockTable();
  const fresh = k.allocAnon(mem.content[page]!);
  k.lockTable();
  enterPtes(k, child, parent, index);
  k.ref(page, 1);
  k.ref(page, -1);
  k.mapNew(fresh, child, index);
  k.addToLru(fresh);
  k.setPte(child, index, WRITABLE, fresh);
  tape.emit(forkPtesEnd, 1);
}

/** copy_present_ptes of one page: the child maps it too, and both PTEs are read-only. */
export function sharePage(k: Kernel, child: Mm, parent: Mm, index: number): void {
  const { mem } = k;
  const page = parent.frame[index]!;
  k.ref(page, 1);
  mem.addMapper(page, child, index);
  mem.flags[page]! &= ~PG_OWNER_2;
  // Write-protecting the parent's PTE in place is told by nothing.
  k.writePte(parent, index, parent.bits[index]! & ~PTE_WRITE, page);
  k.setPte(child, index, parent.bits[index]! & ~PTE_YOUNG, page);
  k.tape.emit(forkPtesEnd, 1);
}

/** copy_nonpresent_pte of a swap entry: one more user, and none of them is exclusive. */
function shareSwap(k: Kernel, child: Mm, parent: Mm, index: number): void {
  const { mem, tape } = k;
  const slot = parent.frame[index]!;
  tape.emit(forkSwap, child.addr, parent.addr, mem.va(parent, index));
  duplicate(k, slot);
  const bits = parent.bits[index]! & ~PTE_EXCLUSIVE;
  if (bits !== parent.bits[index]) k.setPte(parent, index, bits, slot);
  k.setPte(child, index, bits, slot);
}

/** What fork does with a page that may be pinned; another rule is a planted one. */
export type OnPinned = (k: Kernel, child: Mm, parent: Mm, index: number) => void;

/** copy_page_range of a parent's only VMA into a child. */
export function* copyMm(k: Kernel, parent: Mm, onPinned: OnPinned = copyPinned): Steps<Mm> {
  const { mem, tape } = k;
  const child = mem.addMm(parent.base);
  child.notified = false;
  child.writer = true;
  parent.writer = true;
  const start = mem.va(parent, 0);
  const end = mem.va(parent, TABLE_PTES);
  k.notify(parent, start, end, MN_PROTECTION);
  tape.emit(forkRange, child.addr, parent.addr, start, end);
  addTable(k, child);
  for (let index = 0; index < TABLE_PTES; index++) {
    if (parent.bits[index] === PTE_NONE) continue;
    k.lockTable();
    if (mem.isSwap(parent, index)) shareSwap(k, child, parent, index);
    else {
      enterPtes(k, child, parent, index);
      const page = parent.frame[index]!;
      if (mem.isExclusive(page) && parent.hasPinned && k.maybePinned(page)) onPinned(k, child, parent, index);
      else sharePage(k, child, parent, index);
    }
    k.unlockTable();
    if (k.chance.once(8)) yield;
  }
  k.flush(parent, 0, -1);
  k.notified(parent, start, end, MN_PROTECTION);
  parent.writer = false;
  child.writer = false;
  return child;
}

/** fork(): a child with a copy of the mm, and its records. */
export function* fork(k: Kernel, childPid: number, onPinned?: OnPinned): Steps<Mm> {
  const { tape } = k;
  const { self } = tape;
  tape.emit(sysEnter, CALL.clone, CLONE_FLAGS, 0, 0, 0);
  const mm = yield* copyMm(k, self.mm!, onPinned);
  tape.emit(taskNew, childPid, 0, 0);
  tape.emit(taskFork, self.pid, childPid);
  tape.emit(sysExit, CALL.clone, childPid);
  return mm;
}
