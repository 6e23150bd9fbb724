import { MAPPING_KSM } from '../events/flags.ts';
import { ksmInsert, ksmMerge, ksmMergeEnd, ksmReplaceEnd, ksmWriteProtect } from '../events/index.ts';
import { LIFE_FREE } from '../state/pages.ts';
import type { Check } from './check.ts';
import { actorOf, hexText, isWhole, placeOn } from './evidence.ts';

const ID = 'ksm-stale-stable-node';

export const ksmStaleStableNode: Check = {
  id: ID,
  statement:
    'A page was merged into a stable node whose page no longer points back to it: it was freed, used for something else, or left.',
  origin: '52d1e606ee73; mm/ksm.c:ksm_get_folio, folio_migrate_ksm (order of kpfn and mapping)',
  severity: 'critical',
  needs: ['ksm.node', 'ksm.replace.begin', 'ksm.replace.end', 'page.free'],
  specificity: 4,
  example: `Fires:
  last mapping of K goes, K is freed | ksmd: node -> K, not looked at again
  K is allocated for something else  | replace_page(B -> K)
Silent: the node is found stale and removed
Silent: K is merged anew, and enters the tree behind the merge`,
  start(context) {
    const s = context.state;
    /** Pages that KSM made its own and that are not in the stable tree yet: generation, by pfn. */
    const own = new Map<number, number>();
    const makesOwn = (pfn: number): void => {
      const row = s.pages.find(pfn);
      if (row >= 0) own.set(pfn, s.pages.col.gen[row]!);
    };
    return {
      before: [
        [ksmInsert, (e) => void own.delete(e.args[e.at + ksmInsert.at.pfn]!)],
        [ksmWriteProtect, (e) => makesOwn(e.args[e.at + ksmWriteProtect.at.pfn]!)],
        [
          ksmMergeEnd,
          (e) => {
            const merge = actorOf(s, e)?.merge ?? null;
            if (merge !== null && !(merge.kpage >= 0) && e.args[e.at + ksmMergeEnd.at.ret] === 0)
              makesOwn(merge.page);
          },
        ],
        [
          ksmReplaceEnd,
          (e) => {
            const merge = actorOf(s, e)?.merge ?? null;
            if (merge === null || e.args[e.at + ksmReplaceEnd.at.ret] !== 0) return;
            const node = s.machines.ksm.get(merge.kpage);
            const row = s.pages.find(merge.kpage);
            // Without a node: the first merge of two pages, or a merge with the zero page.
            if (node === undefined || row < 0) {
              if (s.lossy) context.cannot('ksm.node');
              else context.judged();
              return;
            }
            context.judged();
            const c = s.pages.col;
            const gone = node.leftSeq > 0 && node.leftSeq < merge.seq;
            const other = c.mapping[row] !== 0 && c.mapping[row] !== MAPPING_KSM + 1;
            if (!gone && !other) return;
            // Freed and found again under the same node would have been told as a new node; its record may be missing.
            const elsewhere = c.life[row] === LIFE_FREE || other;
            // Allocated anew, and nothing says as what, or KSM has it again: the first merge of a new pair, whose node is
            // still to come.
            if (own.get(merge.kpage) === c.gen[row] || (!elsewhere && c.gen[row] !== node.gen)) return;
            // That KSM has it again would be told.
            const { seen } = s.sources;
            const told = seen[ksmMerge.code] === 1 || seen[ksmWriteProtect.code] === 1;
            const certain = gone && elsewhere && told && c.gen[row] !== node.gen && isWhole(s);
            context.report({
              check: ID,
              severity: 'critical',
              verdict: certain ? 'proven' : 'suspect',
              cause: gone ? 'freed' : 'not-ksm',
              moment: merge.seq,
              place: placeOn(e, { mm: merge.mm, pfn: merge.kpage }),
              values: { page: hexText(merge.page) },
              evidence: [
                { seq: node.seq, role: 'context', text: `${hexText(merge.kpage)} entered the stable tree` },
                ...(gone ? [{ seq: node.leftSeq, role: 'cause' as const, text: 'the page was freed' }] : []),
                { seq: merge.seq, role: 'decision', text: `${hexText(merge.page)} merged into it` },
              ],
              missing: certain ? null : 'page.free and ksm.remove',
            });
          },
        ],
      ],
    };
  },
};
