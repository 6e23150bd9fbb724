import { PIN_BIAS } from '../events/flags.ts';
import { gupGrab, gupGrabFastEnd, refAdd } from '../events/index.ts';
import type { CollapseBracket, CollapsedPage } from '../state/collapse.ts';
import type { Check, CheckContext } from './check.ts';
import { isInside, onCollapse, placeInCollapse, valuesAt } from './collapsed.ts';
import { type Held, heldOn, isThrough, isWhole } from './evidence.ts';

const ID = 'gup-pin-broken-by-collapse';

/** Why a broken pin is only suspect, null where it is certain. */
function lacks(
  context: CheckContext,
  page: CollapsedPage,
  held: Held,
  own: boolean | undefined,
): string | null {
  if (own !== true) return 'the mm through which the pin was taken';
  if (held.doubtful) return 'which pin the put ended';
  // At the check for a pin that came before it; behind the copy for both.
  if (held.seq < page.seq && !(page.count >= PIN_BIAS)) return 'a count of the page at the check';
  if (!(page.countAfter >= PIN_BIAS)) return 'a count of the page after the copy';
  return isWhole(context.state) ? null : 'the lost records';
}

/** A count without room for the pin, read while it was to be there: its put was not told. */
function isGone(page: CollapsedPage, held: Held): boolean {
  return (held.seq < page.seq && page.count < PIN_BIAS) || page.countAfter < PIN_BIAS;
}

function report(context: CheckContext, collapse: CollapseBracket, page: CollapsedPage, held: Held): void {
  const s = context.state;
  const own = isThrough(s, held, collapse.mm);
  const missing = lacks(context, page, held, own);
  context.report({
    check: ID,
    severity: 'critical',
    verdict: missing === null ? 'proven' : 'suspect',
    cause: held.seq < page.seq ? 'pin' : 'late-pin',
    moment: page.seq,
    place: placeInCollapse(collapse, page),
    values: {
      ...valuesAt(s, page),
      pins: 1,
      pinned: true,
      pinner: held.pid,
      late: held.seq > page.seq,
    },
    evidence: [
      { seq: held.seq, role: 'cause' as const, text: 'FOLL_PIN taken: ref +1024' },
      { seq: page.seq, role: 'decision' as const, text: 'isolated for the collapse' },
      ...(page.countAfterSeq > 0
        ? [
            {
              seq: page.countAfterSeq,
              role: 'harm' as const,
              text: `replaced by the huge page, ${page.countAfter} references left`,
            },
          ]
        : []),
    ].sort((a, b) => a.seq - b.seq),
    missing,
  });
}

export const gupPinBrokenByCollapse: Check = {
  id: ID,
  statement:
    'A page pinned through the collapsing mm was replaced by the huge page: what the pin reads or writes is no longer what the process sees.',
  origin:
    'Andrea Arcangeli to Robin Holt, 2010-02-03; Kirill Shutemov and John Hubbard, 2020-04-10; 70cbc3cc78a9; 2ba99c5e0881',
  severity: 'critical',
  needs: ['thp.isolate.begin', 'thp.collapse.commit', 'gup.grab', 'ref.add'],
  printed: true,
  specificity: 4,
  example: `Fires:
  gup_fast: read PMD, read pte P    | khugepaged: clear PMD, flush (no IPI)
                                    | lock P, ref ok, isolate
  ref+=1024, pte same -> pinned     | copy, install the huge page
  DMA into P is lost                |
Silent: the PMD is read again: unpin
Silent: pin before the check: not_suitable_page_count`,
  start(context) {
    const s = context.state;
    return onCollapse(context, (collapse) => {
      const { seen } = s.sources;
      if (seen[gupGrab.code] === 0 && seen[gupGrabFastEnd.code] === 0 && seen[refAdd.code] === 0) {
        context.cannot('gup.grab');
        return;
      }
      for (const page of collapse.pages.values()) {
        const pins = heldOn(s, page.pfn).filter(
          (held) => held.pin && isInside(collapse, held.va) !== false && !isGone(page, held),
        );
        const own = pins.find((held) => isThrough(s, held, collapse.mm) === true);
        // A pin whose mm is not told is this mm's only if nobody else maps the page.
        const unnamed =
          own === undefined && page.mapcount === 0
            ? pins.find((held) => isThrough(s, held, collapse.mm) === undefined)
            : undefined;
        const held = own ?? unnamed;
        if (held === undefined && pins.some((pin) => Number.isNaN(pin.mm))) {
          context.cannot('the mm of the pin');
          continue;
        }
        context.judged();
        if (held !== undefined) report(context, collapse, page, held);
      }
    });
  },
};
