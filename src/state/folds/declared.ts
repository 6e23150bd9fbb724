import { pageUnpinnable, pageZero, protectBegin, tlbFlush, uffdMove } from '../../events/index.ts';
import { type Fold, fold, type MmState } from '../state.ts';

/** Ranges armed by one mm that are kept: older ones are forgotten, and say nothing. */
const ARMED_KEPT = 256;

function arm(s: MmState, mm: number, start: number, end: number, seq: number): void {
  // Armed anew: what was flushed before says nothing of entries that were let go unseen in between.
  s.machines.disarm(mm, start, end);
  const ranges = s.machines.armed.get(mm) ?? [];
  ranges.push({ start, end, seq, flushedSeq: 0 });
  if (ranges.length > ARMED_KEPT) ranges.shift();
  s.machines.armed.set(mm, ranges);
}

/** What traces and tests declare of pages, and what userfaultfd does to ranges. */
export const declaredFolds: readonly Fold[] = [
  fold(pageZero, (s, e) => {
    s.machines.zeroPfns.add(e.args[e.at + pageZero.at.pfn]!);
  }),
  fold(pageUnpinnable, (s, e) => {
    s.machines.unpinnable.add(e.args[e.at + pageUnpinnable.at.pfn]!);
  }),
  fold(protectBegin, (s, e) => {
    const { mm, start, end, uffdwp, resolved } = protectBegin.at;
    const pointer = e.args[e.at + mm]!;
    if (Number.isNaN(pointer)) return;
    if (e.args[e.at + resolved] === 1) s.machines.disarm(pointer, e.args[e.at + start]!, e.args[e.at + end]!);
    else if (e.args[e.at + uffdwp] === 1) arm(s, pointer, e.args[e.at + start]!, e.args[e.at + end]!, e.seq);
  }),
  fold(tlbFlush, (s, e) => {
    const { mm, start, end } = tlbFlush.at;
    if (!s.tlb.clean) s.tlb.flush(e.args[e.at + mm]!, e.args[e.at + start]!, e.args[e.at + end]!);
    const ranges = s.machines.armed.get(e.args[e.at + mm]!);
    if (ranges === undefined) return;
    const from = e.args[e.at + start]!;
    const to = e.args[e.at + end]!;
    for (const range of ranges)
      if ((from <= range.start && (to >= range.end || to < 0)) || Number.isNaN(from))
        range.flushedSeq = e.seq;
  }),
  fold(uffdMove, (s, e) => {
    const { mm, from, to } = uffdMove.at;
    const owner = s.ptes.mm(e.args[e.at + mm]!, e.seq);
    if (owner < 0) return;
    const source = s.ptes.slotAt(owner, e.args[e.at + from]!);
    if (source < 0 || s.ptes.know[source] === 0) return;
    const bits = s.ptes.bits[source]!;
    const frame = s.ptes.frame[source]!;
    s.ptes.write(source, 0, 0, e.seq, 2);
    s.ptes.write(s.ptes.ensureAt(owner, e.args[e.at + to]!), bits, frame, e.seq, 2);
  }),
];
