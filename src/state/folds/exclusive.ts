import { PG_OWNER_2 } from '../../core/pageflags.ts';
import { ksmWriteProtect, ksmWriteProtectEnd } from '../../events/index.ts';
import { TRI_FALSE, TRI_TRUE, TRI_UNKNOWN } from '../pages.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import { tellsPtes } from './rmap.ts';

/**
 * Takes over what a record printed of PageAnonExclusive, and compares it with what was folded. The bit is folded from
 * rmap calls, forks, reuses, unmaps and KSM; where one of these is not told every sample is news. What may differ:
 * - raced: another task has announced an rmap call at its entry and sets or clears the bit in it;
 * - a reading between folio_move_anon_rmap and the mark that do_wp_page sets after it: the fold waits for the mark;
 * - records of a CPU are lost and told so only before its next record: others' samples are ahead of the loss;
 * - the page was freed and taken anew where neither is recorded, so the sample is another page's.
 */
export function noteExclusive(s: MmState, seq: number, row: number, flags: number, actor: number): void {
  const c = s.pages.col;
  const sampled = flags & PG_OWNER_2 ? TRI_TRUE : TRI_FALSE;
  const known = c.exclusive[row]!;
  const mapper = c.mapPid[row] === actor ? undefined : s.tasks.peek(c.mapPid[row]!);
  const underWay = mapper !== undefined && c.mapSeq[row]! > 0 && mapper.lastSeq === c.mapSeq[row];
  if (known === TRI_UNKNOWN || !s.tellsMappings || !tellsPtes(s)) {
    s.exclusive.unknown++;
    // What is read while an rmap call is under way says nothing of what it leaves behind.
    if (!underWay) c.exclusive[row] = sampled;
  } else if (known === sampled) s.exclusive.agree();
  else if (underWay) s.exclusive.race();
  else {
    s.exclusive.disagree(seq, known === TRI_TRUE ? 1 : 0, sampled === TRI_TRUE ? 1 : 0);
    c.exclusive[row] = sampled;
  }
}

/** KSM write-protects a page only after it took its exclusivity (mm/ksm.c:write_protect_page, AE6). */
export const exclusiveFolds: readonly Fold[] = [
  fold(ksmWriteProtect, (_s, e, task) => {
    task.protecting = e.args[e.at + ksmWriteProtect.at.pfn]!;
  }),
  fold(ksmWriteProtectEnd, (s, e, task) => {
    const row = task.protecting >= 0 ? s.pages.find(task.protecting) : -1;
    task.protecting = Number.NaN;
    if (row >= 0 && e.args[e.at + ksmWriteProtectEnd.at.ret] === 0) s.pages.col.exclusive[row] = TRI_FALSE;
  }),
];
