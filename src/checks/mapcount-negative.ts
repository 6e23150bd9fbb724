import { EXACT } from '../core/knowledge.ts';
import { rmapDel } from '../events/index.ts';
import type { Check } from './check.ts';
import { incomplete, placeOf } from './integrity.ts';

const ID = 'mapcount-negative';

export const mapcountNegative: Check = {
  id: ID,
  statement: 'A mapping was removed from a page that had none.',
  origin: 'mm/rmap.c:__folio_remove_rmap: a page is unmapped as often as it was mapped',
  severity: 'critical',
  needs: ['page.alloc', 'page.free', 'rmap.del', 'rmap.add'],
  specificity: 4,
  example: `Fires:  zap va ; zap va (raw mapcount 0 -> -1 -> -2)
Silent: a raw -1 sample, which means unmapped`,
  start(context) {
    const s = context.state;
    return {
      before: [
        [
          rmapDel,
          (e) => {
            const pfn = e.args[e.at + rmapDel.at.pfn]!;
            const row = s.pages.find(pfn);
            const raw = e.args[e.at + rmapDel.at.mapcount]!;
            const why = incomplete(s);
            if (
              row < 0 ||
              why !== null ||
              s.lossy ||
              s.blind ||
              s.pages.col.large[row] === 1 ||
              s.pages.col.mapGrade[row] !== EXACT
            ) {
              context.cannot(why ?? 'history of the page since its allocation');
              return;
            }
            context.judged();
            // Both must say so: what was folded, and what the probe read at entry.
            if (s.pages.col.map[row]! > 0 || raw !== -1) return;
            context.report({
              check: ID,
              severity: 'critical',
              verdict: 'proven',
              cause: 'unmapped-twice',
              moment: e.seq,
              place: placeOf(e, pfn),
              values: { mapcount: 0 },
              evidence: [{ seq: e.seq, role: 'decision', text: 'mapping removed from an unmapped page' }],
              missing: null,
            });
          },
        ],
      ],
    };
  },
};
