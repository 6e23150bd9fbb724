import { PTE_WRITE } from '../../core/pte.ts';
import { FOLL_GET, FOLL_LONGTERM, FOLL_PIN, FOLL_WRITE, PIN_BIAS } from '../../events/flags.ts';
import { GUP_GET_FAST, GUP_LOCKED, GUP_PIN } from '../../events/gup.ts';
import {
  gupBegin,
  gupEnd,
  gupGrab,
  gupGrabFast,
  gupGrabFastEnd,
  gupPut,
  gupUnpin,
  protectBegin,
  sysEnter,
  sysExit,
} from '../../events/index.ts';
import { type Kernel, MN_PROTECTION, type Steps } from '../kernel.ts';
import type { Mm } from '../memory.ts';
import { touch } from './fault.ts';
import { CALL } from './unmap.ts';

const NOT_TOLD = Number.NaN;
const PROT_READ = 1;
const PROT_READ_WRITE = 3;
const ONE_PAGE = 4096;

/**
 * pin_user_pages(FOLL_WRITE | FOLL_LONGTERM) of one page that the task has touched: the pinned page, or -1 where it is
 * not mapped writable any more.
 */
export function* pin(k: Kernel, mm: Mm, index: number): Steps<number> {
  const { mem, tape } = k;
  yield* touch(k, mm, index, true);
  const va = mem.va(mm, index);
  const flags = FOLL_WRITE | FOLL_LONGTERM;
  tape.emit(gupBegin, GUP_PIN, NOT_TOLD, va, 1, flags);
  tape.emit(gupBegin, GUP_LOCKED, mm.addr, va, 1, flags | FOLL_PIN);
  const page = mm.frame[index]!;
  const ok = mem.isPresent(mm, index) && (mm.bits[index]! & PTE_WRITE) !== 0;
  if (ok) {
    mm.hasPinned = true;
    k.lockTable();
    tape.emit(gupGrab, mem.pfn(page), 1, flags | FOLL_PIN, mem.ref[page]!);
    k.ref(page, PIN_BIAS);
    mem.pins[page]!++;
    k.unlockTable();
  }
  tape.emit(gupEnd, GUP_PIN, ok ? 1 : 0);
  return ok ? page : -1;
}

/** unpin_user_pages of one page. */
export function unpin(k: Kernel, page: number): void {
  const { mem, tape } = k;
  tape.emit(gupUnpin, NOT_TOLD, 1);
  tape.emit(gupPut, mem.pfn(page), 1, FOLL_PIN, mem.ref[page]!);
  mem.pins[page]!--;
  k.ref(page, -PIN_BIAS);
  if (mem.ref[page] === 0) k.free(page);
}

/** vmsplice of one present page: get_user_pages_fast takes a plain reference for the pipe. */
export function splice(k: Kernel, mm: Mm, index: number): number {
  const { mem, tape } = k;
  const va = mem.va(mm, index);
  const page = mm.frame[index]!;
  tape.emit(sysEnter, CALL.vmsplice, 5, va, 1, 0);
  tape.emit(gupBegin, GUP_GET_FAST, NOT_TOLD, va, 1, 0);
  tape.emit(gupGrabFast, mem.pfn(page), 1, FOLL_GET);
  k.ref(page, 1);
  tape.emit(gupGrabFastEnd, mem.pfn(page));
  tape.emit(gupEnd, GUP_GET_FAST, 1);
  tape.emit(sysExit, CALL.vmsplice, ONE_PAGE);
  return page;
}

/** mprotect of one page: its PTE is taken down and set again. */
function protectOne(k: Kernel, mm: Mm, index: number, prot: number): void {
  const { mem, tape } = k;
  const va = mem.va(mm, index);
  tape.emit(sysEnter, CALL.mprotect, va, ONE_PAGE, prot);
  k.notify(mm, va, va + ONE_PAGE, MN_PROTECTION);
  tape.emit(protectBegin, mm.addr, va, va + ONE_PAGE, 0, 0);
  if (mem.isPresent(mm, index)) {
    k.lockTable();
    const bits = mm.bits[index]!;
    const page = mm.frame[index]!;
    k.clearPte(mm, index);
    k.setPte(mm, index, bits & ~PTE_WRITE, page);
    k.unlockTable();
    k.flush(mm, va, va + ONE_PAGE);
  }
  k.notified(mm, va, va + ONE_PAGE, MN_PROTECTION);
  tape.emit(sysExit, CALL.mprotect, 0);
}

/**
 * mprotect to read-only and back: what was writable is read-only now, and stays so until the next write fault. Pages
 * keep AnonExclusive.
 */
export function protect(k: Kernel, mm: Mm, index: number): void {
  protectOne(k, mm, index, PROT_READ);
  protectOne(k, mm, index, PROT_READ_WRITE);
}
