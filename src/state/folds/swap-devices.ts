import { entryType } from '../../core/pte.ts';
import { CTX_KNOWN, CTX_PREEMPT_SHIFT } from '../../core/records.ts';
import {
  dirtySet,
  siFreed,
  siGet,
  siGot,
  siPut,
  siRange,
  swapAdd,
  swapFreeCache,
  swapoffBegin,
  swaponBegin,
  swaponEnd,
  swapRead,
  swapReadAsync,
  swapWrite,
  unuseBegin,
  unuseEnd,
  writebackEnd,
  writebackStart,
} from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import { TRI_TRUE } from '../pages.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import { CONTENT_NEWER, CONTENT_SAVED } from '../swap-folios.ts';
import type { SwapSection } from '../swap-sections.ts';
import type { Task } from '../tasks.ts';
import { beginSlots, changeUsers } from './swap.ts';

function section(e: Cursor, task: Task, of: SwapSection['of'], entry: number, nr: number): SwapSection {
  return {
    of,
    pid: task.pid,
    type: Number.isNaN(entry) ? Number.NaN : entryType(entry),
    entry,
    nr: Number.isNaN(nr) ? 1 : nr,
    seq: e.seq,
    ns: e.ns,
    cpu: e.cpu,
    ctx: e.ctx,
    gotSeq: 0,
    putSeq: 0,
    droppedSeq: 0,
    freedSeq: 0,
    freedNs: Number.NaN,
    freedCpu: -1,
    freedPid: -1,
    unusedSeq: 0,
  };
}

/** get_swap_device answered: the reference belongs to the innermost function that asks for one. */
function onGot(s: MmState, e: Cursor, task: Task): void {
  const { entry, ok } = siGot.at;
  const told = e.args[e.at + entry]!;
  const asked = Number.isNaN(told) ? (s.swap.asked.get(task.pid) ?? Number.NaN) : told;
  s.swap.asked.delete(task.pid);
  const result = e.args[e.at + ok]!;
  const got = result === 1 ? e.seq : result === 0 ? Number.NaN : 0;
  const sections = s.swap.sections;
  const inner = sections.innermost(task.pid);
  if (inner !== null && inner.of !== 'swapin' && inner.gotSeq === 0) {
    inner.gotSeq = got;
    return;
  }
  if (task.fault?.kind !== 'swapin' || got === 0) return;
  const opened = section(e, task, 'swapin', asked, 1);
  opened.gotSeq = got;
  sections.begin(opened);
}

/** Slots were taken or given back; the printed inuse is the value before. */
function onRange(s: MmState, e: Cursor): void {
  const { entry, nr, inuse, alloc } = siRange.at;
  const first = e.args[e.at + entry]!;
  if (Number.isNaN(first)) return;
  const taken = e.args[e.at + alloc]! === 1;
  const slots = e.args[e.at + nr]!;
  // For a folio, or for a CPU's cache of slots, which folio_alloc_swap hands out one by one.
  if (taken) beginSlots(s, e, first, slots);
  const device = s.swap.devices.get(entryType(first));
  device.inuse = e.args[e.at + inuse]! + (taken ? slots : -slots);
  device.inuseSeq = e.seq;
}

function onFreed(s: MmState, e: Cursor, task: Task): void {
  const type = e.args[e.at + siFreed.at.type]!;
  for (let row = 0; row < s.swap.table.bound; row++) {
    if (!s.swap.table.alive(row)) continue;
    if (Number.isNaN(type) || entryType(s.swap.table.key(row)) === type) s.swap.forget(row);
  }
  if (Number.isNaN(type)) return;
  const device = s.swap.devices.get(type);
  device.freedSeq = e.seq;
  device.freedNs = e.ns;
  device.freedCpu = e.cpu;
  device.freedPid = task.pid;
  device.inuse = Number.NaN;
  s.swap.devices.enter(device, 'freed', e.seq);
  s.swap.sections.teardown(type, e.seq, e.ns, e.cpu, task.pid, device.unusedSeq);
}

/** Devices, who uses them, and how the content of folios stands to their slots. */
export const swapDeviceFolds: readonly Fold[] = [
  fold(swapFreeCache, (s, e, task) => {
    const { entry, nr } = swapFreeCache.at;
    const first = e.args[e.at + entry]!;
    const slots = e.args[e.at + nr]!;
    s.swap.sections.begin(section(e, task, 'free-cache', first, slots));
    changeUsers(s, e, first, slots, -1);
  }),
  fold(swapReadAsync, (s, e, task) => {
    s.swap.sections.begin(section(e, task, 'read-async', e.args[e.at + swapReadAsync.at.entry]!, 1));
  }),
  fold(siGet, (s, e, task) => {
    s.swap.asked.set(task.pid, e.args[e.at + siGet.at.entry]!);
  }),
  fold(siGot, onGot),
  fold(siPut, (s, e, task) => {
    const inner = s.swap.sections.innermost(task.pid);
    if (inner !== null && inner.gotSeq > 0) inner.putSeq = e.seq;
  }),
  fold(siRange, onRange),
  fold(swapoffBegin, (s, e) => {
    if (e.ctx & CTX_KNOWN) s.swap.devices.offDepth = e.ctx >> CTX_PREEMPT_SHIFT;
  }),
  fold(unuseBegin, (s, e, task) => {
    const type = e.args[e.at + unuseBegin.at.type]!;
    s.swap.unusing.set(task.pid, type);
    if (Number.isNaN(type)) return;
    const device = s.swap.devices.get(type);
    device.unuseSeq = e.seq;
    device.unusedSeq = 0;
    device.freedSeq = 0;
    s.swap.devices.enter(device, 'unusing', e.seq);
  }),
  fold(unuseEnd, (s, e, task) => {
    const type = s.swap.unusing.get(task.pid) ?? Number.NaN;
    s.swap.unusing.delete(task.pid);
    if (Number.isNaN(type)) return;
    const device = s.swap.devices.get(type);
    const ret = e.args[e.at + unuseEnd.at.ret]!;
    if (ret === 0) {
      device.unusedSeq = e.seq;
      device.unusedNs = e.ns;
      s.swap.devices.enter(device, 'dead', e.seq);
    } else if (ret < 0) s.swap.devices.enter(device, 'on', e.seq);
  }),
  fold(siFreed, onFreed),
  fold(swaponBegin, (s, e) => s.swap.devices.reopen(e.seq)),
  // It may have begun before a swapoff that gave it its type.
  fold(swaponEnd, (s, e) => s.swap.devices.reopen(e.seq)),

  fold(swapAdd, (s, e) => content(s, e, e.args[e.at + swapAdd.at.pfn]!, CONTENT_NEWER)),
  fold(dirtySet, (s, e) => content(s, e, e.args[e.at + dirtySet.at.pfn]!, CONTENT_NEWER)),
  fold(swapWrite, (s, e) => {
    const { pfn, entry } = swapWrite.at;
    const page = e.args[e.at + pfn]!;
    content(s, e, page, CONTENT_SAVED);
    const row = s.pages.find(page);
    const told = e.args[e.at + entry]!;
    const slot = Number.isNaN(told) && row >= 0 ? s.pages.col.entry[row]! : told;
    if (Number.isNaN(slot)) return;
    const at = s.swap.ensure(slot);
    const c = s.swap.table.col;
    c.writeSeq[at] = e.seq;
    c.writeNs[at] = e.ns;
    c.writeCpu[at] = e.cpu;
    c.writePage[at] = page;
  }),
  fold(swapRead, (s, e) => {
    const { pfn, entry } = swapRead.at;
    const row = content(s, e, e.args[e.at + pfn]!, CONTENT_SAVED);
    if (row < 0) return;
    const c = s.swap.folios.col;
    c.readSeq[row] = e.seq;
    c.readNs[row] = e.ns;
    c.readCpu[row] = e.cpu;
    c.readEntry[row] = e.args[e.at + entry]!;
  }),
  fold(writebackStart, (s, e) => {
    const page = e.args[e.at + writebackStart.at.pfn]!;
    if (!(page >= 0)) return;
    const known = s.pages.ensure(page, e.seq);
    const row = s.swap.folios.ensure(s.pages, page);
    const c = s.swap.folios.col;
    // Frontswap takes pages without a write to the device (mm/page_io.c:swap_writepage up to 6.5).
    if (s.pages.col.swapcache[known] === TRI_TRUE) content(s, e, page, CONTENT_SAVED);
    c.wbSeq[row] = e.seq;
    c.wbNs[row] = e.ns;
    c.wbCpu[row] = e.cpu;
  }),
  fold(writebackEnd, (s, e) => {
    const row = s.swap.folios.find(s.pages, e.args[e.at + writebackEnd.at.pfn]!);
    if (row >= 0) s.swap.folios.col.wbSeq[row] = 0;
  }),
];

/** Notes how the content of a page stands to its slot; the row of the page, -1 if the page is not known. */
function content(s: MmState, e: Cursor, page: number, how: number): number {
  if (!(page >= 0)) return -1;
  s.pages.ensure(page, e.seq);
  const row = s.swap.folios.ensure(s.pages, page);
  s.swap.folios.col.content[row] = how;
  s.swap.folios.col.contentSeq[row] = e.seq;
  return row;
}
