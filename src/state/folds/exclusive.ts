import { PG_OWNER_2 } from '../../core/pageflags.ts';
import { ksmWriteProtect, ksmWriteProtectEnd } from '../../events/index.ts';
import { TRI_FALSE, TRI_TRUE, TRI_UNKNOWN } from '../pages.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import { tellsPtes } from './rmap.ts';

/**
 * Takes over what a record printed of PageAnonExclusive, and compares it with what was folded. The bit is folded
 * from rmap calls, forks, reuses, unmaps and KSM; where one of these is not told every sample is news.
 */
export function noteExclusive(s: MmState, seq: number, row: number, flags: number, actor: number): void {
  const c = s.pages.col;
  const sampled = flags & PG_OWNER_2 ? TRI_TRUE : TRI_FALSE;
  const known = c.exclusive[row]!;
  if (known === TRI_UNKNOWN || c.large[row] === 1 || !s.tellsMappings || !tellsPtes(s)) {
    s.exclusive.unknown++;
    c.exclusive[row] = sampled;
    return;
  }
  if (known === sampled) {
    s.exclusive.agree();
    return;
  }
  // Another task announced at the entry of an rmap call what it is about to do, and was not heard of since.
  const mapper = c.mapPid[row] === actor ? undefined : s.tasks.peek(c.mapPid[row]!);
  if (mapper !== undefined && mapper.lastSeq === c.mapSeq[row]) {
    s.exclusive.race();
    return;
  }
  s.exclusive.disagree(seq, known === TRI_TRUE ? 1 : 0, sampled === TRI_TRUE ? 1 : 0);
  c.exclusive[row] = sampled;
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
