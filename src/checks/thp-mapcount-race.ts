import type { Check } from './check.ts';
import { evidenceOf } from './write-fault.ts';

const ID = 'thp-mapcount-race';

/** Pages of a PMD-mapped folio on x86 and others with 4 KiB pages. */
const PMD_PAGES = 512;

export const thpMapcountRace: Check = {
  id: ID,
  statement:
    'A page of a large folio was reused by a mapcount that was read while a PMD split was changing it.',
  origin: 'c444eb564fb1; CVE-2020-29368',
  severity: 'critical',
  needs: ['wp.begin', 'thp.mapcount'],
  specificity: 7,
  example: `Fires:
  split PMD: mapcounts of the PTEs  | write fault: total mapcount 1
  are added one by one              | -> reuse, although another mm maps it
Silent: the mapcount is read under the lock that the split holds`,
  start(context) {
    const s = context.state;
    return {
      decided(fault) {
        const { d } = fault;
        if (d.outcome !== 'reuse' || d.page !== 'anon' || d.inputs.large !== true) return;
        const folio =
          s.machines.folios.get(d.pfn) ?? s.machines.folios.get(d.pfn - (d.pfn % PMD_PAGES)) ?? null;
        if (folio === null || Number.isNaN(folio.total) || Number.isNaN(d.inputs.mappings)) {
          context.cannot('thp.mapcount');
          return;
        }
        context.judged();
        // The fault went by one mapping; the steps of a split around it add up to more.
        if (folio.total <= 1 || d.inputs.mappings !== 1) return;
        const inside = folio.totalSeq > d.seq;
        const certain = inside && d.outcomeBy === 'probe' && !s.lossy && !s.blind;
        context.report({
          check: ID,
          severity: 'critical',
          verdict: certain ? 'proven' : 'suspect',
          cause: 'split',
          moment: d.seq,
          place: fault.place,
          values: { ...fault.values, total: folio.total },
          evidence: [
            ...evidenceOf(fault),
            { seq: folio.totalSeq, role: 'cause', text: `total mapcount ${folio.total}` },
          ],
          missing: certain ? null : 'a step of the mapcount inside the fault',
        });
      },
    };
  },
};
