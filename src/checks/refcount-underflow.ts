import { refAdd } from '../events/index.ts';
import { LIFE_FREE } from '../state/pages.ts';
import type { Check } from './check.ts';
import { incomplete, placeOf } from './integrity.ts';

const ID = 'refcount-underflow';

export const refcountUnderflow: Check = {
  id: ID,
  statement: 'No order of the records keeps the reference count of a page at zero or more.',
  origin: 'include/linux/page_ref.h: a count below zero is a put without a get',
  severity: 'critical',
  needs: ['page.alloc', 'page.free', 'ref.set', 'ref.add'],
  specificity: 3,
  example: `Fires:  put ; put (count 1 -> 0 -> -1)
Silent: a sample below the sum after lost events; a late record of a preempted task; filtered page_ref`,
  start(context) {
    const s = context.state;
    return {
      before: [
        [
          refAdd,
          (e) => {
            const delta = e.args[e.at + refAdd.at.delta]!;
            if (delta >= 0) return;
            const pfn = e.args[e.at + refAdd.at.pfn]!;
            const row = s.pages.find(pfn);
            const why = incomplete(s);
            // A page that the last put freed has no reference: its count is known to be 0.
            const freed = row >= 0 && s.pages.col.life[row] === LIFE_FREE;
            if (row < 0 || why !== null || s.lossy || s.blind || (!freed && !s.pages.exact(row))) {
              context.cannot(why ?? 'history of the page since its allocation');
              return;
            }
            context.judged();
            const count = (freed ? 0 : s.pages.col.count[row]!) + delta;
            const printed = e.args[e.at + refAdd.at.count]!;
            // The kernel's own count must say so too: a delayed record of a get would raise the sum, not the count.
            if (count >= 0 || !(printed < 0)) return;
            context.report({
              check: ID,
              severity: 'critical',
              verdict: 'proven',
              cause: 'put-without-get',
              moment: e.seq,
              place: placeOf(e, pfn),
              values: { refcount: count },
              evidence: [{ seq: e.seq, role: 'decision', text: `ref ${delta}: ${count}` }],
              missing: null,
            });
          },
        ],
      ],
    };
  },
};
