import { EXACT, SAMPLED, UNKNOWN } from '../../core/knowledge.ts';
import { entryOf, entryType } from '../../core/pte.ts';
import {
  siFreed,
  swapAlloc,
  swapcacheAdd,
  swapcacheDel,
  swapDup,
  swapEntryFree,
  swapEntryFreeEnd,
  swapFree,
  swapFreeCache,
  swapFreeFolioEnd,
  swapSlotFree,
  unusePte,
  unusePteEnd,
} from '../../events/index.ts';
import { TRI_FALSE, TRI_TRUE } from '../pages.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import { wpFor } from './brackets.ts';

function change(s: MmState, entry: number, nr: number, delta: number): void {
  if (Number.isNaN(entry)) return;
  for (let k = 0; k < (Number.isNaN(nr) ? 1 : nr); k++) {
    const row = s.swap.table.find(entry + k);
    if (row >= 0 && s.swap.table.col.grade[row] !== UNKNOWN) s.swap.table.col.count[row]! += delta;
  }
}

export const swapFolds: readonly Fold[] = [
  fold(swapAlloc, (s, e) => {
    const entry = e.args[e.at + swapAlloc.at.entry]!;
    // Slot 0 holds the device's header: an entry of 0 means that none was free.
    if (Number.isNaN(entry) || entry === entryOf(0, 0)) return;
    const row = s.swap.ensure(entry);
    s.swap.table.col.count[row] = 0;
    s.swap.table.col.grade[row] = EXACT;
  }),
  fold(swapcacheAdd, (s, e) => {
    const { pfn, entry, ok } = swapcacheAdd.at;
    const page = e.args[e.at + pfn]!;
    const slot = e.args[e.at + entry]!;
    const result = e.args[e.at + ok]!;
    if (!(page >= 0) || result === 0) return;
    const row = s.pages.ensure(page, e.seq);
    s.pages.col.swapcache[row] = TRI_TRUE;
    s.pages.col.entry[row] = slot;
    if (Number.isNaN(slot)) return;
    const at = s.swap.ensure(slot);
    s.swap.table.col.cached[at] = 1;
    s.swap.table.col.page[at] = page;
  }),
  fold(swapcacheDel, (s, e) => {
    const { pfn, entry } = swapcacheDel.at;
    const page = e.args[e.at + pfn]!;
    const slot = e.args[e.at + entry]!;
    const row = s.pages.find(page);
    if (row >= 0) {
      s.pages.col.swapcache[row] = TRI_FALSE;
      s.pages.col.entry[row] = Number.NaN;
    }
    const at = Number.isNaN(slot) ? -1 : s.swap.table.find(slot);
    if (at >= 0) {
      s.swap.table.col.cached[at] = 0;
      s.swap.table.col.page[at] = Number.NaN;
      s.swap.tidy(at);
    }
  }),
  fold(swapDup, (s, e) => {
    const { entry, usage, nr } = swapDup.at;
    if (e.args[e.at + usage] === 1) change(s, e.args[e.at + entry]!, e.args[e.at + nr]!, 1);
  }),
  fold(swapFree, (s, e) => change(s, e.args[e.at + swapFree.at.entry]!, e.args[e.at + swapFree.at.nr]!, -1)),
  fold(swapFreeCache, (s, e) =>
    change(s, e.args[e.at + swapFreeCache.at.entry]!, e.args[e.at + swapFreeCache.at.nr]!, -1),
  ),
  fold(swapEntryFree, (_s, e, task) => {
    task.freeing = e.args[e.at + swapEntryFree.at.entry]!;
  }),
  fold(swapEntryFreeEnd, (s, e, task) => {
    const left = e.args[e.at + swapEntryFreeEnd.at.left]!;
    const entry = task.freeing;
    task.freeing = Number.NaN;
    // 0x80: the count continues elsewhere; the byte alone says nothing.
    if (Number.isNaN(entry) || Number.isNaN(left) || left & 0x80) return;
    const row = s.swap.ensure(entry);
    s.swap.table.col.count[row] = left & 0x3f;
    if (s.swap.table.col.grade[row] === UNKNOWN) s.swap.table.col.grade[row] = SAMPLED;
  }),
  fold(swapSlotFree, (s, e) => {
    const { entry, nr } = swapSlotFree.at;
    const first = e.args[e.at + entry]!;
    if (Number.isNaN(first)) return;
    for (let k = 0; k < (Number.isNaN(e.args[e.at + nr]!) ? 1 : e.args[e.at + nr]!); k++) {
      const row = s.swap.table.find(first + k);
      if (row < 0) continue;
      s.swap.table.col.grade[row] = UNKNOWN;
      s.swap.tidy(row);
    }
  }),
  fold(swapFreeFolioEnd, (s, e, task) => {
    const wp = wpFor(s, task, e.args[e.at + swapFreeFolioEnd.at.pfn]!, Number.NaN, false);
    if (wp !== null && !wp.decided) wp.swapFreed = e.args[e.at + swapFreeFolioEnd.at.ok] === 1;
  }),
  fold(unusePte, (_s, e, task) => {
    const { mm, va } = unusePte.at;
    task.fault = {
      kind: 'unuse',
      mm: e.args[e.at + mm]!,
      va: e.args[e.at + va]!,
      seq: e.seq,
      outer: task.fault,
    };
  }),
  fold(unusePteEnd, (_s, _e, task) => {
    if (task.fault?.kind === 'unuse') task.fault = task.fault.outer;
  }),
  fold(siFreed, (s, e) => {
    const type = e.args[e.at + siFreed.at.type]!;
    for (let row = 0; row < s.swap.table.bound; row++) {
      if (!s.swap.table.alive(row) || (!Number.isNaN(type) && entryType(s.swap.table.key(row)) !== type))
        continue;
      s.swap.table.col.grade[row] = UNKNOWN;
      s.swap.table.col.cached[row] = 0;
      s.swap.tidy(row);
    }
  }),
];
