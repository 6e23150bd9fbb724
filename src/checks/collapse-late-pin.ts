import { PTE_WRITE } from '../core/pte.ts';
import { SLOT_KNOWN } from '../state/ptes.ts';
import type { Check } from './check.ts';
import { onCollapse, placeInCollapse, weigh } from './collapsed.ts';
import { type Held, heldOn, hexText, isThrough, isWhole } from './evidence.ts';
import { surelyBefore } from './integrity.ts';

const ID = 'collapse-late-pin';

export const collapseLatePin: Check = {
  id: ID,
  statement:
    'A page got a GUP reference between the check of its references and its release by the collapse.',
  origin: 'Kirill Shutemov and John Hubbard, 2020-04-10 ("New pins can come later"); 70cbc3cc78a9',
  severity:
    'critical through the collapsing mm; info through another mm with a read-only mapping, which the check allows for',
  needs: ['thp.isolate.begin', 'thp.collapse.commit', 'gup.grab', 'ref.add'],
  specificity: 3,
  example: `Fires:
  gup_fast: read PMD, read pte P    | khugepaged: clear PMD, check P: ok
  ref+=1024, pte same -> pinned     | copy, install the huge page
Info: B pins the page that it shares read-only with A while A's range collapses
Silent: the isolation's own reference`,
  start(context) {
    const s = context.state;

    /** Another mm may hold a read-only mapping and pin it: its content does not change under it. */
    function mayWrite(held: Held, pfn: number): boolean | undefined {
      const owner = s.ptes.mms.find(held.mm);
      const slot = owner < 0 ? -1 : s.ptes.onlySlotOf(owner, pfn);
      if (slot < 0 || s.ptes.know[slot] !== SLOT_KNOWN) return held.write ? undefined : false;
      return (s.ptes.bits[slot]! & PTE_WRITE) !== 0;
    }

    return onCollapse(context, (collapse) => {
      const over = collapse.commitSeq > 0 ? collapse.commitSeq : Number.POSITIVE_INFINITY;
      for (const page of collapse.pages.values()) {
        const late = heldOn(s, page.pfn).findLast((held) => held.seq > page.seq && held.seq < over);
        if (late === undefined) {
          context.judged();
          continue;
        }
        const own = isThrough(s, late, collapse.mm);
        const writable = own === false ? mayWrite(late, page.pfn) : undefined;
        if (own === undefined || (own === false && writable === undefined)) {
          context.cannot(own === undefined ? 'the mm of the GUP reference' : 'pte.set');
          continue;
        }
        context.judged();
        const { extra } = weigh(s, page);
        const critical = own || writable === true;
        // The count at the check had no room for it: whatever the clocks say, it came behind.
        const ordered = extra === 0 || surelyBefore(page, late, context.skewNs());
        const there = late.pin ? page.countAfter >= 1024 : false;
        const certain = ordered && there && !late.doubtful && isWhole(s);
        context.report({
          check: ID,
          severity: critical ? 'critical' : 'info',
          verdict: certain ? 'proven' : 'suspect',
          cause: own ? 'own-mm' : 'other-mm',
          moment: page.seq,
          place: placeInCollapse(collapse, page),
          values: { pinned: late.pin, pinner: late.pid, own },
          evidence: [
            { seq: page.seq, role: 'context', text: `${hexText(page.pfn)} checked and isolated` },
            {
              seq: late.seq,
              role: 'cause',
              text: late.pin
                ? 'FOLL_PIN taken behind the check'
                : 'FOLL_GET reference taken behind the check',
            },
          ],
          missing: certain
            ? null
            : !ordered
              ? 'the order of two CPUs'
              : 'a count of the page after the copy that holds the reference',
        });
      }
    });
  },
};
