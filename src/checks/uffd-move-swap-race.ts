import { lockAcquired, lockTry, uffdMove } from '../events/index.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { hexText, isWhole, placeOn } from './evidence.ts';

const ID = 'uffd-move-swap-race';

export const uffdMoveSwapRace: Check = {
  id: ID,
  statement:
    'UFFDIO_MOVE moved a swap PTE while its folio sat in the swap cache without being locked: the folio keeps the index of the old address.',
  origin: 'mm/userfaultfd.c:move_swap_pte; c50f8e6053b0 (swap cache folios are moved with their entry)',
  severity: 'critical',
  needs: ['uffd.move', 'swapcache.add', 'lock.try'],
  specificity: 4,
  example: `Fires:
  c0: swap-in adds the folio        | c1: UFFDIO_MOVE moves the swap PTE, folio not locked
  maps it by the old index          |
Silent: the folio is locked and looked up again before the PTE moves`,
  start(context) {
    const s = context.state;
    return {
      before: [
        [
          uffdMove,
          (e) => {
            const { mm, from, entry } = uffdMove.at;
            const slot = e.args[e.at + entry]!;
            if (Number.isNaN(slot)) return;
            const row = s.swap.table.find(slot);
            const page =
              row < 0 || s.swap.table.col.cached[row] === 0 ? Number.NaN : s.swap.table.col.page[row]!;
            context.judged();
            if (Number.isNaN(page) || s.locks.holder(page)?.pid === Tasks.actor(e)) return;
            // Where tries are not told, a lock that nobody is told to hold may be held.
            const { seen } = s.sources;
            const told = seen[lockTry.code] === 1 || seen[lockAcquired.code] === 1;
            const certain = told && isWhole(s);
            context.report({
              check: ID,
              severity: 'critical',
              verdict: certain ? 'proven' : 'suspect',
              cause: 'cached-and-unlocked',
              moment: e.seq,
              place: placeOn(e, {
                mm: e.args[e.at + mm]!,
                va: e.args[e.at + from]!,
                pfn: page,
                entry: slot,
              }),
              values: {},
              evidence: [
                {
                  seq: e.seq,
                  role: 'decision',
                  text: `swap PTE moved while ${hexText(page)} caches its entry`,
                },
              ],
              missing: certain ? null : 'lock.try',
            });
          },
        ],
      ],
    };
  },
};
