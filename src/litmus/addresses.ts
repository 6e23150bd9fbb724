import {
  PG_DIRTY,
  PG_HEAD,
  PG_LOCKED,
  PG_LRU,
  PG_OWNER_2,
  PG_OWNER_PRIV_1,
  PG_SWAPBACKED,
  PG_UPTODATE,
  PG_WRITEBACK,
} from '../core/pageflags.ts';
import { word } from '../core/pointer.ts';
import {
  entryOf,
  PTE_DIRTY,
  PTE_EXCLUSIVE,
  PTE_MIGRATION,
  PTE_NONE,
  PTE_PRESENT,
  PTE_SWAP,
  PTE_UFFD_WP,
  PTE_USER,
  PTE_WRITE,
  PTE_YOUNG,
} from '../core/pte.ts';
import { MAPPING_ANON, MAPPING_KSM } from '../events/flags.ts';
import { LRU_ON, MIGRATING, PRESENT, SWAPPED } from './layout.ts';
import type { Machine } from './machine.ts';

/** Where the objects of a program lie in the events that it emits. Made up, and the same in every run. */
export const pfnOf = (page: number): number => 0x1000 + page;
export const mmOf = (mm: number): number => word(0xffff8881, 0x0010_0000 + mm * 0x800);
export const vaOf = (va: number): number => 0x7f00_0020_0000 + va * 4096;
export const ptepOf = (mm: number, va: number): number => word(0xffff8881, 0x0100_0000 + mm * 4096 + va * 8);
/** Slot 0 of a device holds its header. */
export const slotOf = (slot: number): number => entryOf(0, slot + 8);
export const deviceOf = (device: number): number => device;
export const nodeOf = (page: number): number => word(0xffff8882, page * 64);

/** A PTE as events tell it: canonical bits and frame. Read without leaving a footprint: events are no steps. */
export function pteWord(m: Machine, mm: number, va: number): [bits: number, frame: number] {
  const { at, cells } = m;
  return wordOf(
    cells[at.pte(mm, va, 'kind')]!,
    cells[at.pte(mm, va, 'frame')]!,
    cells[at.pte(mm, va, 'write')]!,
    cells[at.pte(mm, va, 'excl')]!,
    cells[at.pte(mm, va, 'armed')]!,
  );
}

export function wordOf(
  kind: number,
  frame: number,
  write: number,
  excl: number,
  armed = 0,
): [number, number] {
  if (kind === PRESENT) {
    const rights = (write === 1 ? PTE_WRITE | PTE_DIRTY : 0) | (armed === 1 ? PTE_UFFD_WP : 0);
    return [PTE_PRESENT | PTE_USER | PTE_YOUNG | rights, pfnOf(frame)];
  }
  if (kind === MIGRATING) return [PTE_MIGRATION | (write === 1 ? PTE_WRITE : 0), pfnOf(frame)];
  if (kind === SWAPPED) return [PTE_SWAP | (excl === 1 ? PTE_EXCLUSIVE : 0), slotOf(frame)];
  return [PTE_NONE, 0];
}

/** A page that several slots cache stands for a large folio. */
function isLarge(m: Machine, page: number): boolean {
  const { at, program } = m;
  let slots = 0;
  for (let slot = 0; slot < at.sizes.slots; slot++)
    if (program.initial[at.slot(slot, 'page')] === page + 1) slots++;
  return slots > 1;
}

/** Page flags as a tracepoint would print them now. */
export function flagsOf(m: Machine, page: number): number {
  const { at, cells } = m;
  let flags = PG_SWAPBACKED | PG_UPTODATE;
  if (cells[at.page(page, 'lock')] !== 0) flags |= PG_LOCKED;
  if (cells[at.page(page, 'lru')] === LRU_ON) flags |= PG_LRU;
  if (cells[at.page(page, 'dirty')] !== 0) flags |= PG_DIRTY;
  if (cells[at.page(page, 'wb')] !== 0) flags |= PG_WRITEBACK;
  if (cells[at.page(page, 'sc')] !== 0) flags |= PG_OWNER_PRIV_1;
  if (cells[at.page(page, 'ae')] !== 0) flags |= PG_OWNER_2;
  if (isLarge(m, page)) flags |= PG_HEAD;
  return flags;
}

/** The sample that every ref event ends with: count, raw mapcount, flags, mapping. */
export function sampleOf(m: Machine, page: number): [number, number, number, number] {
  const { at, cells } = m;
  return [
    cells[at.page(page, 'ref')]!,
    cells[at.page(page, 'map')]! - 1,
    flagsOf(m, page),
    cells[at.page(page, 'ksm')] === 0 ? MAPPING_ANON : MAPPING_KSM,
  ];
}
