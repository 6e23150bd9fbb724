import { pageFree } from '../events/index.ts';
import { FREED_ONCE } from '../state/folds/refs.ts';
import { LIFE_FREE } from '../state/pages.ts';
import type { Check } from './check.ts';
import { incomplete, placeOf, surelyBefore } from './integrity.ts';

const ID = 'double-free-page';

export const doubleFreePage: Check = {
  id: ID,
  statement: 'A page was freed twice without an allocation in between.',
  origin: 'mm/page_alloc.c:free_pages_prepare',
  severity: 'critical',
  needs: ['page.alloc', 'page.free', 'ref.set'],
  specificity: 4,
  example: `Fires:  page.free P ; page.free P
Silent: page.free-batched P ; page.free P (one free, told twice)`,
  start(context) {
    const s = context.state;
    return {
      before: [
        [
          pageFree,
          (e) => {
            const pfn = e.args[e.at + pageFree.at.pfn]!;
            const row = s.pages.find(pfn);
            const why = incomplete(s);
            // Bulk allocations are not told (formats.md 5.12): a count that was set in between is one.
            if (row < 0 || why !== null || s.lossy || s.blind) {
              context.cannot(why ?? 'history of the page');
              return;
            }
            context.judged();
            const c = s.pages.col;
            if (c.life[row] !== LIFE_FREE || (c.freed[row]! & FREED_ONCE) === 0) return;
            // An allocation between two frees may stand behind the second where the clocks of two CPUs differ.
            if (!surelyBefore({ ns: c.freeNs[row]!, cpu: c.freeCpu[row]! }, e, context.skewNs())) return;
            context.report({
              check: ID,
              severity: 'critical',
              // That nothing allocated it in between rests on records that are not there: no record states it.
              verdict: 'suspect',
              cause: 'freed-twice',
              moment: e.seq,
              place: placeOf(e, pfn),
              values: {},
              evidence: [
                { seq: c.freeSeq[row]!, role: 'cause', text: 'page freed' },
                { seq: e.seq, role: 'decision', text: 'page freed again' },
              ],
              missing: 'rests on the absence of page.alloc and ref.set between the two',
            });
          },
        ],
      ],
    };
  },
};
