import type { EventKind } from '../events/declare.ts';
import {
  anonBegin,
  faultBegin,
  removeMapping,
  swapAdd,
  swapcacheDel,
  swapcacheFound,
  swapinBegin,
  swapinEnd,
  swapReclaim,
  swapReclaimEnd,
  sysExit,
  wpBegin,
} from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { surelyBefore } from './integrity.ts';
import { doubt, slotPlace } from './swap-slots.ts';

const ID = 'swapcache-delete-wrong-entry';
/** Slots that a folio can span at most: a huge page of 2 MiB, the largest that is swapped. */
const FOLIO_SLOTS = 512;

/** What begins something else than what a lookup was for. */
const NEXT: readonly EventKind[] = [faultBegin, swapinBegin, anonBegin, wpBegin, swapAdd, removeMapping];

interface LookUp {
  readonly pfn: number;
  readonly entry: number;
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
}

export const swapcacheDeleteWrongEntry: Check = {
  id: ID,
  statement:
    'A folio was deleted from the swap cache under another entry than the one it was looked up under: it had moved, and nobody looked again.',
  origin: '68bdc8d64742',
  severity: 'critical: the slot of another page is dropped, its stale content is read later',
  needs: ['swapcache.add', 'swapcache.found', 'swapcache.del', 'swap.reclaim.begin'],
  specificity: 5,
  example: `Fires:
  finds P in the cache under e      | reclaim: P leaves e, is cached under f
  locks P, deletes P (under f)      |
Silent: P locked, its entry read again: no longer e, P is left alone
Silent: f has no users left: swapoff frees what nobody needs, under whatever entry`,
  start(context) {
    const s = context.state;
    const found = new Map<number, LookUp>();
    const end = (e: Cursor): void => {
      if (found.size > 0) found.delete(Tasks.actor(e));
    };
    return {
      before: [
        [
          swapReclaim,
          (e) => {
            const entry = e.args[e.at + swapReclaim.at.entry]!;
            const row = s.swap.table.find(entry);
            end(e);
            if (row < 0 || s.swap.table.col.cached[row] === 0) return;
            found.set(Tasks.actor(e), {
              pfn: s.swap.table.col.page[row]!,
              entry,
              seq: e.seq,
              ns: e.ns,
              cpu: e.cpu,
            });
          },
        ],
        [
          swapcacheFound,
          (e) => {
            const pfn = e.args[e.at + swapcacheFound.at.pfn]!;
            const row = s.pages.find(pfn);
            end(e);
            if (row < 0 || Number.isNaN(s.pages.col.entry[row]!)) return;
            found.set(Tasks.actor(e), {
              pfn,
              entry: s.pages.col.entry[row]!,
              seq: e.seq,
              ns: e.ns,
              cpu: e.cpu,
            });
          },
        ],
        [swapReclaimEnd, end],
        // What a task begins with next has nothing to do with what it looked up; a reclaimer looks at its own list.
        ...NEXT.map((kind) => [kind, end] as const),
        [swapinEnd, end],
        [sysExit, end],
        [
          swapcacheDel,
          (e) => {
            const look = found.get(Tasks.actor(e));
            const pfn = e.args[e.at + swapcacheDel.at.pfn]!;
            const entry = e.args[e.at + swapcacheDel.at.entry]!;
            if (look === undefined || Number.isNaN(entry)) return;
            if (!(pfn >= 0) || Number.isNaN(look.pfn)) {
              // Pages are not known: an entry that is the folio's own is right all the same.
              if (look.entry >= entry && look.entry < entry + FOLIO_SLOTS) context.judged();
              else context.cannot('the pfn of the folio');
              return;
            }
            if (look.pfn !== pfn) return;
            context.judged();
            end(e);
            if (look.entry >= entry && look.entry < entry + FOLIO_SLOTS) return;
            // Nobody needs what is deleted: folio_free_swap may do so wherever the folio is by now (try_to_unuse).
            const users = s.swap.users(entry);
            if (users === 0) return;
            const row = s.swap.table.find(entry);
            const added = row < 0 ? 0 : s.swap.table.col.addSeq[row]!;
            // Where the folio was cached anew in between, both entries are told and nothing rests on an absence.
            const moved = row >= 0 && s.swap.table.col.page[row] === pfn && added > look.seq;
            const c = s.swap.table.col;
            const ordered =
              !moved || surelyBefore(look, { ns: c.addNs[row]!, cpu: c.addCpu[row]! }, context.skewNs());
            const why =
              doubt(s) ??
              (ordered ? null : 'the order of two CPUs') ??
              (users > 0 ? null : 'swap.alloc: whether the slot has users');
            context.report({
              check: ID,
              severity: 'critical',
              verdict: moved && why === null ? 'proven' : 'suspect',
              cause: 'moved-since-lookup',
              moment: e.seq,
              place: slotPlace(e, entry, pfn),
              values: { lookedUp: look.entry },
              evidence: [
                { seq: look.seq, role: 'context', text: 'folio looked up under another entry' },
                ...(moved
                  ? [{ seq: added, role: 'cause' as const, text: 'folio cached under this entry' }]
                  : []),
                { seq: e.seq, role: 'decision', text: 'deleted from the cache under the new entry' },
              ],
              missing: why ?? (moved ? null : 'swapcache.add of the folio under its new entry'),
            });
          },
        ],
      ],
    };
  },
};
