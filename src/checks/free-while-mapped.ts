import { PG_HEAD } from '../core/pageflags.ts';
import { PTE_KIND, PTE_PRESENT } from '../core/pte.ts';
import { MAPPING_NONE } from '../events/flags.ts';
import { pteWrite } from '../events/index.ts';
import { SLOT_KNOWN } from '../state/ptes.ts';
import type { MmState } from '../state/state.ts';
import type { Check } from './check.ts';
import { hexText, placeOn } from './evidence.ts';
import { tell } from './pending.ts';

const ID = 'free-while-mapped';

/** A PTE that still maps the page, on a trace that tells every PTE; slot, -1 none. */
function mappedBy(s: MmState, row: number): number {
  if (row < 0 || s.sources.seen[pteWrite.code] === 0) return -1;
  for (let at = s.pages.col.slot[row]!; at !== 0; at = s.ptes.next[at - 1]!)
    if (s.ptes.know[at - 1] === SLOT_KNOWN && (s.ptes.bits[at - 1]! & PTE_KIND) === PTE_PRESENT)
      return at - 1;
  return -1;
}

export const freeWhileMapped: Check = {
  id: ID,
  statement: "A page was freed while a PTE mapped it: who writes through it writes the next owner's memory.",
  origin: 'mm/page_alloc.c:free_page_is_bad: nonzero mapcount',
  severity: 'critical',
  needs: ['ref.add', 'page.free'],
  specificity: 5,
  example: `Fires:
  zap forgets a PTE of P            | put P (last reference), mapcount 0
Silent: the PTE is cleared, its TLB flush pending (tlb-flush-missing-before-free)
Silent: a large folio, whose _mapcount is not its number of mappings`,
  start(context) {
    const s = context.state;
    return {
      lastUse(e, { pfn, row, flags, mapcount, mapping }) {
        const slot = mappedBy(s, row);
        const large = (flags & PG_HEAD) !== 0 || (row >= 0 && s.pages.col.large[row] === 1);
        // What the putting task itself read, of a page that can be mapped: others keep something else in the word.
        const read = !Number.isNaN(mapcount) && !Number.isNaN(flags) && mapping > MAPPING_NONE && !large;
        if (!read && slot < 0 && s.sources.seen[pteWrite.code] === 0) {
          context.cannot(large ? 'mapcount of the whole folio' : 'mapcount at the last put');
          return;
        }
        context.judged();
        const byCount = read && mapcount >= 0;
        if (!byCount && slot < 0) return;
        tell(
          context,
          ID,
          {
            severity: 'critical',
            cause: byCount ? 'mapcount' : 'pte',
            moment: e.seq,
            place: placeOn(e, {
              pfn,
              ...(slot < 0 ? {} : { mm: s.ptes.mms.key(s.ptes.owner(slot)), va: s.ptes.address(slot) }),
            }),
            values: { mapcount: byCount ? mapcount + 1 : null },
            evidence: [
              ...(slot < 0
                ? []
                : [
                    {
                      seq: s.ptes.seq[slot]!,
                      role: 'cause' as const,
                      text: `PTE at ${hexText(s.ptes.address(slot))} maps it`,
                    },
                  ]),
              {
                seq: e.seq,
                role: 'decision',
                text: byCount ? `last reference dropped, mapcount ${mapcount + 1}` : 'page freed',
              },
            ],
          },
          byCount ? null : 'rests on the absence of pte.write: no mapcount was read at the free',
        );
      },
    };
  },
};
