import { PTE_KIND, PTE_MIGRATION, PTE_PRESENT, PTE_WRITE } from '../../core/pte.ts';
import { pteWrite, ptlLock, ptlUnlock, tlbDefer } from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import { SLOT_KNOWN } from '../ptes.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import type { Task } from '../tasks.ts';
import { regionOf } from '../tlb.ts';
import { wpOf } from './brackets.ts';
import { decide } from './watch.ts';

/** A do_wp_page bracket on the address whose PTE changes learns its outcome from the change. */
function tellBracket(e: Cursor, task: Task, va: number, from: number, bits: number, frame: number): void {
  const wp = wpOf(task);
  if (wp === null || wp.va !== va) return;
  if ((bits & PTE_KIND) !== PTE_PRESENT) wp.clearSeq = e.seq;
  else if (frame === from && bits & PTE_WRITE) wp.accessSeq = e.seq;
  decide(wp, e.seq);
}

function onWrite(s: MmState, e: Cursor, task: Task): void {
  const { mm, va, old, value } = pteWrite.at;
  const pointer = e.args[e.at + mm]!;
  const owner = s.ptes.mm(pointer, e.seq);
  const address = Math.floor(e.args[e.at + va]! / 4096) * 4096;
  const bits = e.args[e.at + value]!;
  const frame = e.args[e.at + value + 1]!;
  if (owner < 0 || Number.isNaN(address) || Number.isNaN(bits)) return;
  const slot = s.ptes.ensureAt(owner, address);
  const toldOld = !Number.isNaN(e.args[e.at + old]!);
  const was = toldOld ? e.args[e.at + old]! : s.ptes.bits[slot]!;
  const from = toldOld ? e.args[e.at + old + 1]! : s.ptes.frame[slot]!;
  s.ptes.write(slot, bits, frame, e.seq, SLOT_KNOWN);
  tellBracket(e, task, address, from, bits, frame);
  const present = (bits & PTE_KIND) === PTE_PRESENT;
  const stale = s.tlb.at(pointer, address);
  // The same page with the same rights again: what TLBs still hold is right.
  if (stale !== undefined && present && stale.pfn === frame && (bits & PTE_WRITE || !stale.write))
    s.tlb.flush(pointer, address, address + 4096);
  if ((was & PTE_KIND) !== PTE_PRESENT) return;
  const flush = task.clearFlush;
  if (!present && flush !== null && flush.mm === pointer && Math.floor(flush.va / 4096) * 4096 === address) {
    // Inside ptep_clear_flush, which flushes before it returns.
    task.clearFlush = null;
    return;
  }
  // A collapse took the table out of the tree and flushed then (mm/khugepaged.c: pmdp_collapse_flush): no walk sees it.
  const { collapse } = task;
  if (
    collapse !== null &&
    collapse.pmdClearSeq > 0 &&
    collapse.mm === pointer &&
    regionOf(collapse.va) === regionOf(address)
  )
    return;
  const gone = !present || frame !== from;
  const lessened = (was & PTE_WRITE) !== 0 && (bits & PTE_WRITE) === 0;
  if (gone || lessened)
    s.tlb.add({
      mm: pointer,
      va: address,
      pfn: from,
      write: (was & PTE_WRITE) !== 0,
      gone,
      migrating: (bits & PTE_KIND) === PTE_MIGRATION,
      pid: task.pid,
      seq: e.seq,
      deferredSeq: 0,
    });
}

/** PTEs told in full, the locks around them, and the flushes that they need. */
export const toldPteFolds: readonly Fold[] = [
  fold(pteWrite, onWrite),
  fold(ptlLock, (s, e, task) => {
    s.tlb.lock({
      mm: e.args[e.at + ptlLock.at.mm]!,
      region: regionOf(e.args[e.at + ptlLock.at.va]!),
      pid: task.pid,
      seq: e.seq,
    });
  }),
  fold(ptlUnlock, (s, e, task) => {
    s.tlb.unlock(task.pid, e.args[e.at + ptlUnlock.at.mm]!, regionOf(e.args[e.at + ptlUnlock.at.va]!));
  }),
  fold(tlbDefer, (s, e, task) => {
    const mm = e.args[e.at + tlbDefer.at.mm]!;
    const va = Math.floor(e.args[e.at + tlbDefer.at.va]! / 4096) * 4096;
    if (Number.isNaN(mm) || Number.isNaN(va)) return;
    const known = s.tlb.at(mm, va);
    if (known !== undefined) known.deferredSeq = e.seq;
    else
      s.tlb.add({
        mm,
        va,
        pfn: Number.NaN,
        write: true,
        gone: true,
        migrating: false,
        pid: task.pid,
        seq: e.seq,
        deferredSeq: e.seq,
      });
  }),
];
