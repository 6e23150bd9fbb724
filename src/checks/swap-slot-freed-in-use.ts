import { entryType } from '../core/pte.ts';
import type { EventKind } from '../events/declare.ts';
import {
  siFreed,
  swapAlloc,
  swapcacheAdd,
  swapcacheDel,
  swapDup,
  swapFree,
  swapFreeCache,
  swapSlotFree,
} from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { entriesOf, Suspicions, slotPlace } from './swap-slots.ts';

const ID = 'swap-slot-freed-in-use';

export const swapSlotFreedInUse: Check = {
  id: ID,
  statement:
    'A swap slot went back to the pool, or was handed out again, while PTEs still counted on it or a folio was still cached under it.',
  origin: 'mm/swapfile.c:swap_entry_range_free; Hugh Dickins to Robin Holt, 2008-06-23 (try_to_free_swap)',
  severity: 'critical',
  needs: ['swap.alloc', 'swap.dup', 'swap.free', 'swapcache.add', 'swapcache.del', 'swap.slotfree'],
  specificity: 5,
  example: `Fires:
  A: PTE holds swap entry e         |
                                    | reclaim frees slot e (count 1)
  A: swap-in of e: another's data   |
Silent: a clean folio leaves the cache with count > 0: the slot is kept
Silent: count 0, folio left the cache: then the slot goes`,
  start(context) {
    const s = context.state;
    const suspicions = new Suspicions(context);

    function raise(e: Cursor, entry: number, cause: string, was: string, wasSeq: number, pfn: number): void {
      const what = e.kind === swapAlloc.code ? 'is handed out again' : 'goes back to the pool';
      suspicions.raise(entry, {
        finding: {
          check: ID,
          severity: 'critical',
          cause,
          moment: e.seq,
          place: slotPlace(e, entry, pfn),
          values: { count: s.swap.exactUsers(entry) },
          evidence: [
            { seq: wasSeq, role: 'cause', text: was },
            { seq: e.seq, role: 'decision', text: `slot ${what}` },
          ],
        },
        missing:
          cause === 'counted'
            ? 'that someone still counts on the slot: none of its users was heard of afterwards'
            : 'that the folio was still cached: it was not heard of afterwards',
        ns: e.ns,
        cpu: e.cpu,
        pfn,
      });
    }

    function onSlotFree(e: Cursor): void {
      const { entry, nr } = swapSlotFree.at;
      for (const slot of entriesOf(e.args[e.at + entry]!, e.args[e.at + nr]!)) {
        const row = s.swap.table.find(slot);
        const users = s.swap.exactUsers(slot);
        const c = s.swap.table.col;
        if (row < 0 || Number.isNaN(users)) {
          context.cannot('swap.alloc: the history of the slot');
          continue;
        }
        context.judged();
        if (users > 0) raise(e, slot, 'counted', `slot has ${users} users`, c.seq[row]!, Number.NaN);
        else if (c.cached[row] === 1 && s.sources.seen[swapcacheDel.code] === 1)
          raise(e, slot, 'cached', 'a folio is cached under it', c.addSeq[row]!, c.page[row]!);
      }
    }

    const drops = (
      kind: EventKind,
      entryAt: number,
      nrAt: number,
    ): readonly [EventKind, (e: Cursor) => void] => [
      kind,
      (e) => {
        for (const entry of entriesOf(e.args[e.at + entryAt]!, e.args[e.at + nrAt]!))
          if (suspicions.peek(entry)?.finding.cause === 'counted')
            suspicions.confirm(entry, e, 'drops a count that it still held');
      },
    ];

    return {
      before: [
        [swapSlotFree, onSlotFree],
        drops(swapFree, swapFree.at.entry, swapFree.at.nr),
        drops(swapFreeCache, swapFreeCache.at.entry, swapFreeCache.at.nr),
        [
          swapAlloc,
          (e) => {
            const entry = e.args[e.at + swapAlloc.at.entry]!;
            const row = s.swap.table.find(entry);
            suspicions.settle(entry);
            if (row < 0 || s.sources.seen[swapcacheDel.code] === 0) return;
            const c = s.swap.table.col;
            if (c.cached[row] !== 1 || Number.isNaN(c.page[row]!)) return;
            // Recent kernels cache the folio inside the allocation, whose return is what is told.
            if (c.addPid[row] === Tasks.actor(e)) return;
            raise(e, entry, 'cached', 'a folio is cached under it', c.addSeq[row]!, c.page[row]!);
          },
        ],
        [
          swapcacheDel,
          (e) => {
            const entry = e.args[e.at + swapcacheDel.at.entry]!;
            const held = suspicions.peek(entry);
            if (held === undefined || held.finding.cause !== 'cached') return;
            const pfn = e.args[e.at + swapcacheDel.at.pfn]!;
            if (Object.is(held.pfn, pfn)) suspicions.confirm(entry, e, 'the folio leaves the cache only now');
          },
        ],
        [
          swapcacheAdd,
          (e) => {
            const entry = e.args[e.at + swapcacheAdd.at.entry]!;
            const pfn = e.args[e.at + swapcacheAdd.at.pfn]!;
            const held = suspicions.peek(entry);
            // The same folio again, or one that is not told: what leaves the cache later says nothing.
            if (held !== undefined && (Object.is(held.pfn, pfn) || Number.isNaN(pfn)))
              suspicions.settle(entry);
          },
        ],
        [
          swapDup,
          (e) => {
            const first = e.args[e.at + swapDup.at.entry]!;
            // A new user: a count dropped later may be its.
            for (const entry of entriesOf(first, e.args[e.at + swapDup.at.nr]!))
              if (suspicions.peek(entry)?.finding.cause === 'counted') suspicions.settle(entry);
          },
        ],
        [
          siFreed,
          (e) => {
            const type = e.args[e.at + siFreed.at.type]!;
            suspicions.settleAll((entry) => Number.isNaN(type) || entryType(entry) === type);
          },
        ],
      ],
      finish: () => suspicions.settleAll(),
    };
  },
};
