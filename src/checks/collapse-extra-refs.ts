import { PIN_BIAS } from '../events/flags.ts';
import type { Check } from './check.ts';
import { onCollapse, placeInCollapse, valuesAt, weigh } from './collapsed.ts';
import { heldOn, isWhole } from './evidence.ts';

const ID = 'collapse-extra-refs';

export const collapseExtraRefs: Check = {
  id: ID,
  statement:
    'A page was collapsed into a huge page although it had more references than its mappings and the swap cache explain.',
  origin: 'Kirill Shutemov and John Hubbard, 2020-04-10; mm/khugepaged.c:is_refcount_suitable',
  severity: 'critical if one of the references is a pin, else high',
  needs: ['thp.isolate.begin', 'thp.collapse.commit', 'ref.add'],
  printed: true,
  specificity: 2,
  example: `Fires (a kernel without the test):
  pin(P): ref 1025                  | khugepaged: lock P, no test, isolate
                                    | copy P, install the huge page
Silent: pin before the test: not_suitable_page_count, the collapse is given up
Silent: another process pins the shared read-only page after the test`,
  start(context) {
    const s = context.state;
    return onCollapse(context, (collapse) => {
      for (const page of collapse.pages.values()) {
        const { extra, mappings, swapcache, missing } = weigh(s, page);
        if (missing !== null) {
          context.cannot(missing);
          continue;
        }
        context.judged();
        if (extra <= 0) continue;
        const pins = heldOn(s, page.pfn).filter((held) => held.pin && held.seq < page.seq);
        const pinned = pins.length > 0 || extra >= PIN_BIAS;
        // The count that was folded before the check says the same as the sample behind it: nobody came in between.
        // Whoever unmaps takes its mapping away first and puts its reference later; no unmap makes up for a pin.
        const counted = page.quiet === page.count;
        const certain = counted && (page.mapQuiet || extra >= PIN_BIAS) && isWhole(s);
        const severity = pinned ? 'critical' : 'high';
        context.report({
          check: ID,
          severity,
          verdict: certain ? 'proven' : 'suspect',
          cause: pinned ? 'pin' : 'extra-reference',
          moment: page.seq,
          place: placeInCollapse(collapse, page),
          values: {
            ...valuesAt(s, page),
            extra,
            pinned,
            pins: pins.length,
            pinner: pins[0]?.pid ?? null,
          },
          evidence: [
            ...pins.map(({ seq }) => ({ seq, role: 'cause' as const, text: 'FOLL_PIN taken: ref +1024' })),
            { seq: collapse.isolateSeq || page.seq, role: 'context', text: 'PMD cleared, pages are checked' },
            {
              seq: page.seq,
              role: 'decision',
              text: `isolated with ${page.count} references, ${mappings + swapcache} explained`,
            },
            ...(collapse.commitSeq > 0
              ? [{ seq: collapse.commitSeq, role: 'harm' as const, text: 'copied into the huge page' }]
              : []),
          ],
          missing: certain ? null : `the ${counted ? 'mapcount' : 'count'} just before the check`,
        });
      }
    });
  },
};
