import { pteSet, siFreed, swapcacheAdd, swapcacheDel } from '../events/index.ts';
import { TRI_TRUE } from '../state/pages.ts';
import type { Check } from './check.ts';
import { surelyBefore } from './integrity.ts';
import { installOf } from './swap-install.ts';
import { Suspicions, slotPlace } from './swap-slots.ts';

const ID = 'swapin-wrong-cache-page';

export const swapinWrongCachePage: Check = {
  id: ID,
  statement:
    'A swap-in installed a page of the swap cache that was cached under another entry than the PTE held.',
  origin: '31c4a3d3a0f8, 4969c1192d15',
  severity: "critical: the process sees another page's content",
  needs: ['swapcache.add', 'swapcache.del', 'pte.set'],
  specificity: 5,
  example: `Fires:
  finds P in the cache under e      | P leaves e, is cached under f
  locks P, installs it at e's PTE   |
Silent: after the lock the entry of P is read again: not e, the fault is retried`,
  start(context) {
    const s = context.state;
    // By the entry that the page is cached under: its deletion from there confirms it.
    const suspicions = new Suspicions(context);
    return {
      before: [
        [
          pteSet,
          (e) => {
            const install = installOf(e);
            if (install === null) return;
            const { entry, pfn } = install;
            const row = s.pages.find(pfn);
            const c = s.pages.col;
            if (row < 0 || c.swapcache[row] !== TRI_TRUE || Number.isNaN(c.entry[row]!)) {
              // Out of the cache by now, or never seen in it.
              if (s.sources.seen[swapcacheAdd.code] === 1) context.judged();
              else context.cannot(swapcacheAdd.name);
              return;
            }
            const under = c.entry[row]!;
            const slot = s.swap.table.find(under);
            // Entries of a large folio follow that of its head, under which it is cached.
            if (slot < 0 || s.swap.table.col.page[slot] !== pfn || c.large[row] === 1) {
              context.cannot('swapcache.add of the page');
              return;
            }
            context.judged();
            if (under === entry) return;
            const added = { ns: s.swap.table.col.addNs[slot]!, cpu: s.swap.table.col.addCpu[slot]! };
            if (!surelyBefore(added, e, context.skewNs())) return;
            suspicions.raise(under, {
              finding: {
                check: ID,
                severity: 'critical',
                cause: 'cached-elsewhere',
                moment: e.seq,
                place: { ...slotPlace(e, entry, pfn), mm: Number.isNaN(install.mm) ? null : install.mm },
                values: { under },
                evidence: [
                  {
                    seq: s.swap.table.col.addSeq[slot]!,
                    role: 'cause',
                    text: 'page cached under another entry',
                  },
                  { seq: e.seq, role: 'decision', text: 'installed at the PTE of this entry' },
                ],
              },
              missing: 'that the page stayed under the other entry: its deletion from there',
              ns: e.ns,
              cpu: e.cpu,
              pfn,
            });
          },
        ],
        [
          swapcacheDel,
          (e) => {
            const entry = e.args[e.at + swapcacheDel.at.entry]!;
            if (suspicions.peek(entry)?.pfn === e.args[e.at + swapcacheDel.at.pfn]!)
              suspicions.confirm(entry, e, 'page leaves the cache under the other entry');
          },
        ],
        [swapcacheAdd, (e) => suspicions.settle(e.args[e.at + swapcacheAdd.at.entry]!)],
        [siFreed, () => suspicions.settleAll()],
      ],
      finish: () => suspicions.settleAll(),
    };
  },
};
