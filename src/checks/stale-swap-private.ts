import { entryType } from '../core/pte.ts';
import type { EventKind } from '../events/declare.ts';
import { siFreed, swapcacheAdd, swapcacheDel, swapcachePeek, swapFreeFolio } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { TRI_TRUE } from '../state/pages.ts';
import type { Check } from './check.ts';
import { Suspicions, slotPlace } from './swap-slots.ts';

const ID = 'stale-swap-private';

export const staleSwapPrivate: Check = {
  id: ID,
  statement:
    "A reader saw that a page is in the swap cache and took the swap entry from it, but the entry was not the one of the page's present membership.",
  origin: 'Hugh Dickins to Robin Holt, 2008-06-23 (page_private before SetPageSwapCache, smp_wmb)',
  severity:
    'high: the count of a wrong slot is consulted, the kernel copies needlessly or prints "Unused swap offset entry"',
  needs: ['swapcache.add', 'swapcache.del', 'swapcache.peek'],
  specificity: 3,
  example: `Fires (no smp_wmb):
  sees PG_swapcache of P            | P enters the cache under e: flag first,
  reads private: the old entry      | then private
Silent: private stays behind after the deletion, but the flag is clear`,
  start(context) {
    const s = context.state;
    const suspicions = new Suspicions(context);

    const reads = (
      kind: EventKind,
      pfnAt: number,
      entryAt: number,
    ): readonly [EventKind, (e: Cursor) => void] => [
      kind,
      (e) => {
        const pfn = e.args[e.at + pfnAt]!;
        const read = e.args[e.at + entryAt]!;
        const row = s.pages.find(pfn);
        if (row < 0 || Number.isNaN(read)) {
          context.cannot(kind === swapcachePeek ? 'swapcache.add of the page' : swapcachePeek.name);
          return;
        }
        const c = s.pages.col;
        const entry = c.entry[row]!;
        if (c.swapcache[row] !== TRI_TRUE || Number.isNaN(entry) || c.large[row] === 1) return;
        const slot = s.swap.table.find(entry);
        if (slot < 0 || s.swap.table.col.page[slot] !== pfn) return;
        context.judged();
        if (read === entry) return;
        suspicions.raise(entry, {
          finding: {
            check: ID,
            severity: 'high',
            cause: 'entry-of-another-membership',
            moment: e.seq,
            place: slotPlace(e, entry, pfn),
            values: { read, type: entryType(read) },
            evidence: [
              { seq: s.swap.table.col.addSeq[slot]!, role: 'context', text: 'page enters the swap cache' },
              { seq: e.seq, role: 'decision', text: 'reads another entry from it' },
            ],
          },
          missing: 'the deletion of the page from the cache, which names its entry',
          ns: e.ns,
          cpu: e.cpu,
          pfn,
        });
      },
    ];

    return {
      before: [
        reads(swapcachePeek, swapcachePeek.at.pfn, swapcachePeek.at.entry),
        // Read under the page lock: cannot be stale in a kernel that locks, and shows it where it does not.
        reads(swapFreeFolio, swapFreeFolio.at.pfn, swapFreeFolio.at.entry),
        [
          swapcacheDel,
          (e) => {
            const entry = e.args[e.at + swapcacheDel.at.entry]!;
            if (suspicions.peek(entry)?.pfn === e.args[e.at + swapcacheDel.at.pfn]!)
              suspicions.confirm(entry, e, 'it leaves the cache under the entry that it had throughout');
          },
        ],
        [swapcacheAdd, (e) => suspicions.settle(e.args[e.at + swapcacheAdd.at.entry]!)],
        [siFreed, () => suspicions.settleAll()],
      ],
      finish: () => suspicions.settleAll(),
    };
  },
};
