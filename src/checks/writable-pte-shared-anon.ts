import type { Check } from './check.ts';
import { placeOn } from './evidence.ts';
import { Pending } from './pending.ts';
import { mapperEvidence, watchSharing } from './sharing.ts';

export const writablePteSharedAnon: Check = {
  id: 'writable-pte-shared-anon',
  statement: 'Two processes map one private anonymous page, and one of them may write to it.',
  origin: 'mm/page_table_check.c: BUG_ON(anon_map_count > 1 && rw)',
  severity: 'critical',
  needs: ['pte.set', 'ref.add'],
  specificity: 3,
  example: `Fires:
  fork: child pte = P R/O           | parent pte stays P writable
Silent:
  parent pte P writable             | child pte is a swap entry of another page`,
  start(context) {
    const pending = new Pending(context, writablePteSharedAnon);
    return watchSharing(context, pending, (e, _row, pfn, mappers) => {
      const writer = mappers.find(({ write }) => write === true);
      const other = mappers.find(({ mm }) => mm !== writer?.mm);
      if (writer === undefined || other === undefined) return;
      pending.claim(`${pfn}`, {
        severity: 'critical',
        cause: 'writable-and-shared',
        moment: e.seq,
        place: placeOn(e, { mm: writer.mm, va: writer.va, pfn }),
        values: { sharers: new Set(mappers.map(({ mm }) => mm)).size - 1 },
        evidence: [mapperEvidence(other, pfn, 'context'), mapperEvidence(writer, pfn, 'decision')].sort(
          (a, b) => a.seq - b.seq,
        ),
        missing: 'a mapcount of the page while both PTEs map it',
      });
    });
  },
};
