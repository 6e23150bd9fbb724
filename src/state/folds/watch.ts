import { PG_LOCKED, PG_OWNER_2 } from '../../core/pageflags.ts';
import { pteWrite } from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import type { Sample, WpBracket } from '../decision.ts';
import { SLOT_UNKNOWN } from '../ptes.ts';
import type { MmState } from '../state.ts';
import { Tasks } from '../tasks.ts';

/** mms other than the faulting one that can see a page although they do not map it (domain.md 3, sharers). */
function unmappedSharers(s: MmState, wp: WpBracket, row: number): number[] {
  // Swap PTEs come and go unseen, unless every write of a PTE is told.
  if (s.sources.seen[pteWrite.code] !== 1) return [];
  const found = new Set<number>();
  const entry = s.pages.col.entry[row]!;
  const slot = Number.isNaN(entry) ? -1 : s.swap.table.find(entry);
  for (let at = slot < 0 ? 0 : s.swap.table.col.slot[slot]!; at !== 0; at = s.ptes.next[at - 1]!)
    if (s.ptes.know[at - 1] !== SLOT_UNKNOWN) found.add(s.ptes.mms.key(s.ptes.owner(at - 1)));
  for (const task of s.tasks.all())
    if (task.unmap !== null && task.unmap.pfn === wp.pfn) found.add(task.unmap.mm);
  found.delete(wp.mm);
  return [...found];
}

/** Notes who else is busy with the page at the moment at which the fault looks at it. */
export function lookAround(s: MmState, wp: WpBracket): void {
  const row = s.pages.find(wp.pfn);
  // Who waited for the lock looks at the page again.
  if (row < 0 || (wp.decided && !wp.waited)) return;
  const lock = s.locks.holder(wp.pfn);
  wp.lockPid = lock === undefined || lock.pid === wp.pid ? -1 : lock.pid;
  wp.lockSeq = lock?.seq ?? 0;
  const place = s.lru.of(wp.pfn);
  const isolated = place?.place === 'isolated' && place.pid !== wp.pid;
  wp.isolatorPid = isolated ? place.pid : -1;
  wp.isolatorSeq = isolated ? place.seq : 0;
  wp.lockReclaim = (s.tasks.peek(wp.lockPid)?.reclaim ?? 0) !== 0;
  wp.isolatorReclaim = (s.tasks.peek(wp.isolatorPid)?.reclaim ?? 0) !== 0;
  wp.unmappedSharers = unmappedSharers(s, wp, row);
}

/** Passes the deciding step of a do_wp_page bracket: what changes from here on is no input any more. */
export function decide(wp: WpBracket, seq: number): void {
  if (wp.decided) return;
  wp.decided = true;
  wp.decidedSeq = seq;
}

/** Notes a reading of the refcount made by the faulting task itself before the deciding step. */
export function readCount(wp: WpBracket, count: number, seq: number): void {
  if (Number.isNaN(count)) return;
  wp.lastCount = count;
  wp.lastCountSeq = seq;
  if (!(wp.leastCount <= count)) wp.leastCount = count;
}

/** Notes the first flags that the faulting task read of the page, before it changed any of them itself. */
export function readFlags(wp: WpBracket, sample: Sample): void {
  if (Number.isNaN(sample.flags)) return;
  if (wp.first === null && !wp.moved && !sample.ofHead) wp.first = sample;
  if (wp.ownLock === null && wp.tested === undefined && wp.test === null) {
    wp.lockedSample = (sample.flags & PG_LOCKED) !== 0;
    wp.lockedSeq = sample.seq;
  }
}

/** AnonExclusive in a sample of flags; undefined if there is none: each page of a large folio has its own. */
export function exclusiveIn(sample: Sample | null): boolean | undefined {
  if (sample === null || sample.ofHead || Number.isNaN(sample.flags)) return undefined;
  return (sample.flags & PG_OWNER_2) !== 0;
}

/** A change of the refcount of a page on which do_wp_page brackets are open. `after` is the count printed after it. */
export function watchCount(
  s: MmState,
  e: Cursor,
  pfn: number,
  row: number,
  delta: number,
  sample: Sample,
): void {
  const actor = Tasks.actor(e);
  for (const wp of s.open) {
    if (wp.pfn !== pfn) continue;
    if (wp.pid === actor) {
      if (!wp.decided) {
        readFlags(wp, sample);
        readCount(wp, delta > 0 ? sample.count - delta : sample.count, e.seq);
        // do_wp_page takes a reference of its own only once it has decided to copy or to wait (memory.c, all eras).
        if (delta > 0) decide(wp, e.seq);
      } else if (wp.copied || wp.copy !== null || wp.clearSeq > 0) wp.countAfter = sample.count;
    }
    if (!wp.decided) {
      const count = s.pages.count(row);
      if (!(wp.countMin <= count)) wp.countMin = Number.isNaN(wp.countMin) ? wp.countMin : count;
      if (!(wp.countMax >= count)) wp.countMax = Number.isNaN(wp.countMax) ? wp.countMax : count;
    }
  }
}
