import { MAPPING_KSM } from '../../events/flags.ts';
import {
  ksmGet,
  ksmInsert,
  ksmMerge,
  ksmMergeEnd,
  ksmRemove,
  ksmReplace,
  ksmReplaceEnd,
} from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import { TRI_FALSE } from '../pages.ts';
import { type Fold, fold } from '../state.ts';
import type { MergeBracket } from '../tasks.ts';

function merging(
  e: Cursor,
  at: { readonly mm: number; readonly page: number; readonly kpage: number },
): MergeBracket {
  return {
    mm: e.args[e.at + at.mm]!,
    page: e.args[e.at + at.page]!,
    kpage: e.args[e.at + at.kpage]!,
    seq: e.seq,
  };
}

export const ksmFolds: readonly Fold[] = [
  fold(ksmMerge, (_s, e, task) => {
    task.merge = merging(e, ksmMerge.at);
  }),
  fold(ksmMergeEnd, (_s, _e, task) => {
    task.merge = null;
  }),
  fold(ksmReplace, (_s, e, task) => {
    task.merge = merging(e, ksmReplace.at);
  }),
  fold(ksmReplaceEnd, (s, e, task) => {
    const merge = task.merge;
    task.merge = null;
    if (merge === null || e.args[e.at + ksmReplaceEnd.at.ret] !== 0) return;
    const node = s.machines.ksm.get(merge.kpage);
    if (node !== undefined) node.merged++;
  }),
  fold(ksmInsert, (s, e) => {
    const pfn = e.args[e.at + ksmInsert.at.pfn]!;
    if (!(pfn >= 0)) return;
    const row = s.pages.ensure(pfn, e.seq);
    s.pages.col.mapping[row] = MAPPING_KSM + 1;
    // Its PTE was write-protected before, which took the bit (AE2, AE6; mm/ksm.c:write_protect_page).
    s.pages.col.exclusive[row] = TRI_FALSE;
    s.machines.ksm.set(pfn, {
      pfn,
      gen: s.pages.col.gen[row]!,
      seq: e.seq,
      leftSeq: 0,
      merged: 0,
      getSeq: 0,
      getNs: 0,
      getCpu: -1,
      getPid: 0,
    });
  }),
  fold(ksmGet, (s, e, task) => {
    const node = s.machines.ksm.get(e.args[e.at + ksmGet.at.pfn]!);
    if (node === undefined) return;
    node.getSeq = e.seq;
    node.getNs = e.ns;
    node.getCpu = e.cpu;
    node.getPid = task.pid;
  }),
  fold(ksmRemove, (s, e) => {
    s.machines.ksm.delete(e.args[e.at + ksmRemove.at.pfn]!);
  }),
];
