import { PG_LOCKED, PG_OWNER_2 } from '../../core/pageflags.ts';
import type { Cursor } from '../cursor.ts';
import type { Sample, WpBracket } from '../decision.ts';
import type { MmState } from '../state.ts';
import { Tasks } from '../tasks.ts';

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
  if (wp.first === null && !wp.moved) wp.first = sample;
  if (wp.ownLock === null && wp.tested === undefined && wp.test === null) {
    wp.lockedSample = (sample.flags & PG_LOCKED) !== 0;
    wp.lockedSeq = sample.seq;
  }
}

/** AnonExclusive in a sample of flags; undefined if there is none. */
export function exclusiveIn(sample: Sample | null): boolean | undefined {
  return sample === null || Number.isNaN(sample.flags) ? undefined : (sample.flags & PG_OWNER_2) !== 0;
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
