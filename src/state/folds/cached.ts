import { swapcacheAdd, swapcacheDel } from '../../events/index.ts';
import { TRI_FALSE, TRI_TRUE, TRI_UNKNOWN } from '../pages.ts';
import type { MmState } from '../state.ts';

/**
 * Takes over what a record printed of PG_swapcache (owner_priv_1 of a swap-backed page), and compares it with what was
 * folded where both the entry and the exit are told. What may differ, raced: the task that announced one of them has
 * gone no further than to the flag, which it sets after it took the cache's reference and clears before it drops it
 * (mm/swap_state.c:add_to_swap_cache, __delete_from_swap_cache). What disagrees in captures without loss: that task
 * was switched out on its way, and the flush of the switch is a record of its own that looks like progress; so one
 * sample is ahead of the flag and the next one takes it back (3 times in 241,792 samples of a capture of four CPUs).
 */
export function noteCached(s: MmState, seq: number, row: number, cached: boolean, actor: number): void {
  const c = s.pages.col;
  const sampled = cached ? TRI_TRUE : TRI_FALSE;
  const known = c.swapcache[row]!;
  const { seen } = s.sources;
  const told = !s.blind && seen[swapcacheAdd.code] === 1 && seen[swapcacheDel.code] === 1;
  if (known !== sampled && isUnderWay(s, row, actor)) {
    if (told) s.swapcache.race();
    else s.swapcache.unknown++;
    return;
  }
  if (known === TRI_UNKNOWN || !told) s.swapcache.unknown++;
  else if (known === sampled) s.swapcache.agree();
  else s.swapcache.disagree(seq, known === TRI_TRUE ? 1 : 0, cached ? 1 : 0);
  c.swapcache[row] = sampled;
}

/** Whether the task that last changed the page's place in the swap cache may not have come to the flag yet. */
function isUnderWay(s: MmState, row: number, actor: number): boolean {
  const { cachePid, cacheSeq } = s.pages.col;
  const changer = s.tasks.peek(cachePid[row]!);
  if (cacheSeq[row] === 0 || changer === undefined) return false;
  const before = cachePid[row] === actor ? changer.prevSeq : changer.lastSeq;
  return before <= cacheSeq[row]!;
}
