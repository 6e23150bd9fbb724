import type { Check } from './check.ts';
import { placeOn } from './evidence.ts';
import { Pending } from './pending.ts';
import { mapperEvidence, watchSharing } from './sharing.ts';

export const twoWritablePtes: Check = {
  id: 'two-writable-ptes',
  statement: 'Two writable PTEs map one private anonymous page.',
  origin: 'mm/page_table_check.c; include/linux/rmap.h: an exclusive page has one mapping',
  severity: 'critical',
  needs: ['pte.set', 'ref.add'],
  specificity: 4,
  example: `Fires:
  pte a = P writable                | pte b = P writable
Silent: mremap moves a PTE: both are there until it drops its locks
Silent: read-only duplicates (KSM, fork)`,
  start(context) {
    const pending = new Pending(context, twoWritablePtes);
    return watchSharing(context, pending, (e, _row, pfn, mappers) => {
      const [second, first] = mappers.filter(({ write }) => write === true).sort((a, b) => b.seq - a.seq);
      if (first === undefined || second === undefined) return;
      pending.claim(`${pfn}`, {
        severity: 'critical',
        cause: first.mm === second.mm ? 'same-mm' : 'two-mms',
        moment: e.seq,
        place: placeOn(e, { mm: second.mm, va: second.va, pfn }),
        values: { sharers: first.mm === second.mm ? 0 : 1 },
        evidence: [mapperEvidence(first, pfn, 'context'), mapperEvidence(second, pfn, 'decision')],
        missing: 'a mapcount of the page while both PTEs map it',
      });
    });
  },
};
