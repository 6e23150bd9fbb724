import { EXACT, SAMPLED, UNKNOWN } from '../../core/knowledge.ts';
import { entryOf, entryType } from '../../core/pte.ts';
import {
  swapAlloc,
  swapcacheAdd,
  swapcacheDel,
  swapDup,
  swapDupEnd,
  swapEntryFree,
  swapEntryFreeEnd,
  swapFree,
  swapFreeFolioEnd,
  swapSlotFree,
  unusePte,
  unusePteEnd,
} from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import { TRI_FALSE, TRI_TRUE } from '../pages.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import { SWAP_COUNT_MAX } from '../swap.ts';
import { type Task, Tasks } from '../tasks.ts';
import { wpFor } from './brackets.ts';

/** `usage` of swap.dup (include/linux/swap.h): one more user, the first of a tmpfs page. */
const ONE_USER = 1;
const SHMEM = 0xbf;
/** Bits of a map byte: the count goes on elsewhere; the count itself. */
const CONTINUED = 0x80;
const COUNT = 0x3f;

/** Counts users of slots. Told at the entry of the function: it takes effect before the task's next record. */
export function changeUsers(s: MmState, e: Cursor, entry: number, nr: number, delta: number): void {
  if (Number.isNaN(entry)) return;
  const c = s.swap.table.col;
  for (let k = 0; k < (Number.isNaN(nr) ? 1 : nr); k++) {
    const row = s.swap.table.find(entry + k);
    if (row < 0 || c.grade[row] === UNKNOWN) continue;
    c.count[row]! += delta;
    c.pid[row] = Tasks.actor(e);
    c.seq[row] = e.seq;
    c.ns[row] = e.ns;
    c.cpu[row] = e.cpu;
    // Beyond the byte's own range the count goes on in a continuation page, of which nothing is told.
    if (c.count[row]! > SWAP_COUNT_MAX) c.grade[row] = SAMPLED;
  }
}

/**
 * Whether another task's change of a slot's count may stand on either side of what this task read. Both classes of
 * disagreement that healthy traces have are of this kind: a free told at its entry and done later, because its task
 * waited for the cluster lock or was preempted on the way; and a change told between this task's entry and its lock.
 */
function raced(s: MmState, row: number, task: Task): boolean {
  const c = s.swap.table.col;
  const entry = s.swap.table.key(row);
  for (const open of s.swap.sections.open)
    if (
      open.of === 'free-cache' &&
      open.pid !== task.pid &&
      open.entry <= entry &&
      entry < open.entry + open.nr
    )
      return true;
  if (c.seq[row] === 0 || c.pid[row] === task.pid) return false;
  const section = s.swap.sections.innermost(task.pid);
  if (c.seq[row]! > (section?.seq ?? task.prevSeq)) return true;
  // Told at entry and perhaps not done yet: its next record is still to come.
  return s.tasks.peek(c.pid[row]!)?.lastSeq === c.seq[row];
}

function onEntryFreeEnd(s: MmState, e: Cursor, task: Task): void {
  const left = e.args[e.at + swapEntryFreeEnd.at.left]!;
  const entry = task.freeing;
  task.freeing = Number.NaN;
  if (Number.isNaN(entry) || Number.isNaN(left)) return;
  const row = s.swap.ensure(entry);
  const c = s.swap.table.col;
  if (left & CONTINUED) {
    c.grade[row] = UNKNOWN;
    return;
  }
  const printed = left & COUNT;
  if (c.grade[row] === UNKNOWN) {
    s.swapcount.unknown++;
    c.count[row] = printed;
    c.grade[row] = SAMPLED;
  } else if (c.count[row] === printed) s.swapcount.agree();
  else if (raced(s, row, task)) s.swapcount.race();
  else {
    s.swapcount.disagree(e.seq, c.count[row]!, printed);
    c.count[row] = printed;
    c.grade[row] = SAMPLED;
  }
}

function onDup(s: MmState, e: Cursor, task: Task): void {
  const { entry, usage, nr } = swapDup.at;
  const first = e.args[e.at + entry]!;
  const slots = e.args[e.at + nr]!;
  const how = e.args[e.at + usage]!;
  s.swap.dups.set(task.pid, { entry: first, nr: slots, usage: how });
  if (how === ONE_USER || how === SHMEM) changeUsers(s, e, first, slots, 1);
  if (how !== SHMEM) return;
  for (let k = 0; k < (Number.isNaN(slots) ? 1 : slots); k++) {
    const row = s.swap.table.find(first + k);
    if (row >= 0) s.swap.table.col.shmem[row] = 1;
  }
}

function onDupEnd(s: MmState, e: Cursor, task: Task): void {
  const dup = s.swap.dups.get(task.pid);
  s.swap.dups.delete(task.pid);
  if (dup === undefined || !(e.args[e.at + swapDupEnd.at.ret]! < 0)) return;
  // Refused: nothing was counted.
  if (dup.usage === ONE_USER || dup.usage === SHMEM) changeUsers(s, e, dup.entry, dup.nr, -1);
}

function onCacheAdd(s: MmState, e: Cursor): void {
  const { pfn, entry, ok } = swapcacheAdd.at;
  const page = e.args[e.at + pfn]!;
  const slot = e.args[e.at + entry]!;
  if (e.args[e.at + ok] === 0) return;
  if (page >= 0) {
    const row = s.pages.ensure(page, e.seq);
    const c = s.pages.col;
    c.swapcache[row] = TRI_TRUE;
    c.entry[row] = slot;
    c.cachePid[row] = Tasks.actor(e);
    c.cacheSeq[row] = e.seq;
  }
  if (Number.isNaN(slot)) return;
  const at = s.swap.ensure(slot);
  const c = s.swap.table.col;
  c.cached[at] = 1;
  c.page[at] = page;
  c.addPid[at] = Tasks.actor(e);
  c.addSeq[at] = e.seq;
  c.addNs[at] = e.ns;
  c.addCpu[at] = e.cpu;
}

function onCacheDel(s: MmState, e: Cursor): void {
  const { pfn, entry } = swapcacheDel.at;
  const page = e.args[e.at + pfn]!;
  const slot = e.args[e.at + entry]!;
  const row = s.pages.find(page);
  if (row >= 0) {
    const c = s.pages.col;
    c.swapcache[row] = TRI_FALSE;
    c.entry[row] = Number.NaN;
    c.cachePid[row] = Tasks.actor(e);
    c.cacheSeq[row] = e.seq;
  }
  const at = Number.isNaN(slot) ? -1 : s.swap.table.find(slot);
  if (at < 0) return;
  s.swap.table.col.cached[at] = 0;
  s.swap.table.col.page[at] = Number.NaN;
  s.swap.tidy(at);
}

function onSlotFree(s: MmState, e: Cursor): void {
  const { entry, nr } = swapSlotFree.at;
  const first = e.args[e.at + entry]!;
  if (Number.isNaN(first)) return;
  const slots = e.args[e.at + nr]!;
  for (let k = 0; k < (Number.isNaN(slots) ? 1 : slots); k++) {
    const row = s.swap.ensure(first + k);
    const c = s.swap.table.col;
    c.grade[row] = UNKNOWN;
    c.born[row] = 0;
    c.shmem[row] = 0;
    c.freeSeq[row] = e.seq;
    c.freeNs[row] = e.ns;
    c.freeCpu[row] = e.cpu;
  }
}

/** Slots leave the pool with no user: their history begins. */
export function beginSlots(s: MmState, e: Cursor, first: number, nr: number): void {
  for (let k = 0; k < (Number.isNaN(nr) ? 1 : nr); k++) {
    const row = s.swap.ensure(first + k);
    const c = s.swap.table.col;
    c.count[row] = 0;
    c.grade[row] = EXACT;
    c.born[row] = e.seq;
    c.pid[row] = Tasks.actor(e);
    c.seq[row] = e.seq;
    c.shmem[row] = 0;
  }
  s.swap.devices.alive(entryType(first), e.seq);
}

/** Slots: who uses them, and which folio is cached under them. */
export const swapFolds: readonly Fold[] = [
  fold(swapAlloc, (s, e) => {
    const { entry, nr } = swapAlloc.at;
    const first = e.args[e.at + entry]!;
    // Slot 0 holds the device's header: an entry of 0 means that none was free.
    if (!Number.isNaN(first) && first !== entryOf(0, 0)) beginSlots(s, e, first, e.args[e.at + nr]!);
  }),
  fold(swapcacheAdd, onCacheAdd),
  fold(swapcacheDel, onCacheDel),
  fold(swapDup, onDup),
  fold(swapDupEnd, onDupEnd),
  fold(swapFree, (s, e) =>
    changeUsers(s, e, e.args[e.at + swapFree.at.entry]!, e.args[e.at + swapFree.at.nr]!, -1),
  ),
  fold(swapEntryFree, (s, e, task) => {
    task.freeing = e.args[e.at + swapEntryFree.at.entry]!;
    const section = s.swap.sections.innermost(task.pid);
    if (section?.of === 'free-cache') section.droppedSeq = e.seq;
  }),
  fold(swapEntryFreeEnd, onEntryFreeEnd),
  fold(swapSlotFree, onSlotFree),
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
];
