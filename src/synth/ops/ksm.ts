import { PG_DIRTY, PG_OWNER_2, PG_REFERENCED } from '../../core/pageflags.ts';
import { PTE_DIRTY, PTE_WRITE } from '../../core/pte.ts';
import { MAPPING_ANON, MAPPING_KSM } from '../../events/flags.ts';
import {
  ksmInsert,
  ksmMerge,
  ksmMergeEnd,
  ksmReplace,
  ksmReplaceEnd,
  ksmWriteProtect,
  ksmWriteProtectEnd,
} from '../../events/index.ts';
import { type Kernel, MN_CLEAR, READ_ONLY, type Steps } from '../kernel.ts';
import type { Mapper, Mm } from '../memory.ts';
import { tryFreeSwap } from '../swap.ts';

/** Bits of a KSM page's PTE: neither writable nor dirty. */
const KSM_BITS = READ_ONLY & ~PTE_DIRTY;

/** A page that may be merged: mapped once, present, nobody else's business. */
export interface Candidate extends Mapper {
  readonly page: number;
}

/** write_protect_page: the PTE goes read-only if nobody but the mapping, the cache and us holds the page. */
function writeProtect(k: Kernel, { mm, index, page }: Candidate): boolean {
  const { mem, tape } = k;
  tape.emit(ksmWriteProtect, mm.addr, mem.pfn(page), mem.ref[page]!, mem.mapcount(page));
  const va = mem.va(mm, index);
  k.notify(mm, va, va + 4096, MN_CLEAR);
  k.lockTable();
  const bits = mm.bits[index]!;
  const exclusive = mem.isExclusive(page);
  let ok = true;
  if (bits & (PTE_WRITE | PTE_DIRTY) || exclusive) {
    k.clearFlush(mm, index);
    ok = mem.maps[page]! + 1 + (mem.slot[page]! >= 0 ? 1 : 0) === mem.ref[page];
    if (ok) {
      mem.flags[page]! &= ~PG_OWNER_2;
      if (bits & PTE_DIRTY) mem.flags[page]! |= PG_DIRTY;
    }
    k.setPte(mm, index, ok ? bits & ~(PTE_WRITE | PTE_DIRTY) : bits, page);
  }
  k.unlockTable();
  k.notified(mm, va, va + 4096, MN_CLEAR);
  tape.emit(ksmWriteProtectEnd, ok ? 0 : -14);
  return ok;
}

/** replace_page: the PTE of a write-protected page goes over to the KSM page. */
export function replacePage(k: Kernel, { mm, index, page }: Candidate, kpage: number): void {
  const { mem, tape } = k;
  tape.emit(ksmReplace, mm.addr, mem.pfn(page), mem.pfn(kpage), mm.bits[index]!, mem.pfn(page));
  const va = mem.va(mm, index);
  k.notify(mm, va, va + 4096, MN_CLEAR);
  k.lockTable();
  k.ref(kpage, 1);
  k.mapAnon(kpage, mm, index, false);
  k.clearFlush(mm, index);
  k.setPte(mm, index, KSM_BITS, kpage);
  k.unmap(page, mm, index);
  tryFreeSwap(k, page);
  k.ref(page, -1);
  k.unlockTable();
  k.notified(mm, va, va + 4096, MN_CLEAR);
  tape.emit(ksmReplaceEnd, 0);
}

/** try_to_merge_one_page of a page into another; without one it becomes the KSM page itself. */
function merge(k: Kernel, candidate: Candidate, kpage: number): boolean {
  const { mem, tape } = k;
  const { mm, page } = candidate;
  if (!k.trylock(page)) return false;
  tape.emit(ksmMerge, mm.addr, mem.pfn(page), kpage < 0 ? Number.NaN : mem.pfn(kpage));
  const ok = writeProtect(k, candidate);
  if (ok && kpage < 0) {
    // set_page_stable_node(NULL), mark_page_accessed and folio_set_dirty.
    mem.kind[page] = MAPPING_KSM;
    mem.flags[page]! |= PG_DIRTY | PG_REFERENCED;
    k.stable.set(mem.content[page]!, page);
  }
  if (ok && kpage >= 0) replacePage(k, candidate, kpage);
  k.unlock(page);
  tape.emit(ksmMergeEnd, ok ? 0 : -14);
  return ok;
}

/** Pages that ksmd may merge in an mm, at most `most`. */
function candidatesOf(k: Kernel, mm: Mm, most: number): Candidate[] {
  const { mem } = k;
  const found: Candidate[] = [];
  const start = k.chance.below(mm.bits.length);
  for (let i = 0; i < mm.bits.length && found.length < most; i++) {
    const index = (start + i) % mm.bits.length;
    const page = mm.frame[index]!;
    if (!mem.isPresent(mm, index) || mem.kind[page] !== MAPPING_ANON) continue;
    if (mem.maps[page] !== 1 || !mem.isExclusive(page) || mem.slot[page]! >= 0) continue;
    found.push({ mm, index, page });
  }
  return found;
}

function stillThere(k: Kernel, { mm, index, page }: Candidate): boolean {
  return mm.live && !mm.writer && k.mem.isPresent(mm, index) && mm.frame[index] === page;
}

/** A look of ksmd at some pages of an mm: those that equal a KSM page, or each other, are merged. */
export function* scan(k: Kernel, mm: Mm): Steps {
  const { mem } = k;
  const unstable = new Map<number, Candidate>();
  for (const candidate of candidatesOf(k, mm, 24)) {
    yield;
    const { page } = candidate;
    if (!stillThere(k, candidate) || mem.maps[page] !== 1 || mem.kind[page] !== MAPPING_ANON) continue;
    const content = mem.content[page]!;
    const kpage = k.stable.get(content) ?? -1;
    const other = unstable.get(content);
    if (kpage < 0 && other === undefined) {
      unstable.set(content, candidate);
      continue;
    }
    // follow_page takes a reference for the time of the look.
    k.ref(page, 1);
    if (kpage >= 0) {
      k.ref(kpage, 1);
      merge(k, candidate, kpage);
      k.put(kpage);
    } else if (other !== undefined) {
      unstable.delete(content);
      pair(k, candidate, other);
    }
    k.put(page);
  }
}

/** Two equal pages: the one looked at becomes the KSM page, the one found before goes over to it. */
export function pair(k: Kernel, first: Candidate, second: Candidate): void {
  const { mem, tape } = k;
  const { page } = second;
  const same = mem.content[page] === mem.content[first.page] && mem.kind[page] === MAPPING_ANON;
  if (!same || page === first.page || !stillThere(k, second) || mem.maps[page] !== 1) return;
  k.ref(page, 1);
  if (merge(k, first, -1)) {
    merge(k, second, first.page);
    k.trylock(first.page);
    tape.emit(ksmInsert, mem.pfn(first.page));
    k.unlock(first.page);
  }
  k.put(page);
}
