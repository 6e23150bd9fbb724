import type { Check } from './check.ts';
import { evidenceOf } from './write-fault.ts';

const ID = 'missed-cow';

export const missedCow: Check = {
  id: ID,
  statement: 'A page that other users can still see was made writable in place.',
  origin: 'Hugh Dickins to Robin Holt, 2008-06-23 (a sum seen too low); class of CVE-2020-29368',
  severity: 'critical',
  needs: ['wp.begin', 'wp.reuse', 'pte.set'],
  printed: true,
  specificity: 6,
  example: `Fires:
  map 1 read                        | B: swap_free(e) (count 1->0)   [mutant order]
  sum==1 -> reuse, pte W            | B: rmap add, pte=P R/O
Silent: B adds its rmap first (sum 3), then frees the slot`,
  start(context) {
    return {
      decided(fault) {
        const { d } = fault;
        if (d.outcome !== 'reuse' || (d.page !== 'anon' && d.page !== 'ksm')) return;
        const mapped = (d.wp.reuse ?? d.wp.test ?? d.wp.first)?.mapcount ?? Number.NaN;
        if (fault.sharers.length === 0) {
          if (mapped === 0 || d.inputs.exclusive === true) context.judged();
          else context.cannot(Number.isNaN(mapped) ? 'mapcount at the reuse' : 'PTEs of the other mms');
          return;
        }
        context.judged();
        // Sharers that do not map it are known only where every PTE is told; the mapcount does not have them.
        // Whoever is about to map it has a reference or finds it in the swap cache: else their PTEs changed unseen.
        const { count, countTold, swapcache } = d.inputs;
        const alone = countTold && count === 1 && swapcache === false;
        const unmapped = d.wp.unmappedSharers.length > 0 && !alone;
        // The page says itself that one PTE maps it: the other PTE was cleared unseen, or is just being cleared.
        if (!unmapped && (mapped === 0 || (Number.isNaN(mapped) && d.wp.mapBefore === 1))) return;
        const certain =
          (mapped >= 1 || unmapped) &&
          d.outcomeBy === 'probe' &&
          !context.state.lossy &&
          !context.state.blind;
        context.report({
          check: ID,
          severity: 'critical',
          verdict: certain ? 'proven' : 'suspect',
          cause: 'sharer-mapped',
          moment: d.seq,
          place: fault.place,
          values: { ...fault.values, sharers: fault.sharers.length },
          evidence: evidenceOf(fault),
          missing: certain ? null : 'a mapcount at the reuse',
        });
      },
    };
  },
};
