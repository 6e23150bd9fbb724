import { PG_DIRTY, PG_UPTODATE } from '../core/pageflags.ts';
import type { EventKind } from '../events/declare.ts';
import {
  dirtySet,
  faultEnd,
  lockRelease,
  lruIsolate,
  pageFree,
  removeMapping,
  removeMappingEnd,
  swapAdd,
  swapcacheDel,
  swapinEnd,
  swapSlotFree,
  swapWrite,
  sysExit,
  unmapBegin,
  wpEnd,
} from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { doubt, entriesOf, slotPlace } from './swap-slots.ts';

const ID = 'swap-slot-freed-without-dirty';

/** What a task tells once it is done with the folio, or has begun with another: a release that was not seen by then is missing. */
const ENDS: readonly EventKind[] = [
  removeMapping,
  removeMappingEnd,
  pageFree,
  wpEnd,
  swapinEnd,
  faultEnd,
  sysExit,
  lruIsolate,
  unmapBegin,
  swapAdd,
  swapWrite,
];

/** A folio that a task took out of the swap cache and whose lock it has not released. */
interface Uncached {
  readonly pfn: number;
  readonly entry: number;
  readonly seq: number;
  readonly gen: number;
  freed: number;
}

export const swapSlotFreedWithoutDirty: Check = {
  id: ID,
  statement:
    'A page left the swap cache and its slot was freed, but the page was not marked dirty before its lock was released: reclaim may drop its only copy.',
  origin: '7b1fe59793e6 (delete_from_swap_cache, SetPageDirty); mm/swapfile.c:folio_free_swap',
  severity: 'warning: nothing is lost before reclaim frees the page as clean',
  needs: ['swapcache.del', 'swap.slotfree', 'lock.release'],
  specificity: 2,
  example: `Fires:  swapcache.del P e ; swap.slotfree e ; lock.release P, flags without dirty
Silent: SetPageDirty before the unlock
Silent: the slot is kept (count > 0): it still has the content
Suspect: outside of faults and reclaim, where MADV_FREE may do so`,
  start(context) {
    const s = context.state;
    const open = new Map<number, Uncached>();
    const end = (e: Cursor): void => {
      if (open.size > 0) open.delete(Tasks.actor(e));
    };
    const generation = (pfn: number): number => {
      const row = s.pages.find(pfn);
      return row < 0 ? 0 : s.pages.col.gen[row]!;
    };
    return {
      before: [
        [
          swapcacheDel,
          (e) => {
            const pfn = e.args[e.at + swapcacheDel.at.pfn]!;
            const entry = e.args[e.at + swapcacheDel.at.entry]!;
            // Without the page nothing can be said of its dirty flag; what reclaim frees needs none.
            if (
              !(pfn >= 0) ||
              Number.isNaN(entry) ||
              !Number.isNaN(s.tasks.peek(Tasks.actor(e))?.removing ?? Number.NaN)
            ) {
              open.delete(Tasks.actor(e));
              if (!(pfn >= 0)) context.cannot('the pfn of the folio');
              return;
            }
            open.set(Tasks.actor(e), { pfn, entry, seq: e.seq, gen: generation(pfn), freed: 0 });
          },
        ],
        [
          swapSlotFree,
          (e) => {
            const own = open.get(Tasks.actor(e));
            if (own === undefined) return;
            const { entry, nr } = swapSlotFree.at;
            if (entriesOf(e.args[e.at + entry]!, e.args[e.at + nr]!).includes(own.entry)) own.freed = e.seq;
          },
        ],
        [
          dirtySet,
          (e) =>
            void (
              open.get(Tasks.actor(e))?.pfn === e.args[e.at + dirtySet.at.pfn] && open.delete(Tasks.actor(e))
            ),
        ],
        ...ENDS.map((kind) => [kind, end] as const),
        [
          lockRelease,
          (e) => {
            if (open.size === 0) return;
            const own = open.get(Tasks.actor(e));
            if (own === undefined || e.args[e.at + lockRelease.at.pfn] !== own.pfn) return;
            open.delete(Tasks.actor(e));
            const flags = e.args[e.at + lockRelease.at.flags]!;
            if (Number.isNaN(flags)) {
              context.cannot('page flags at lock.release');
              return;
            }
            context.judged();
            if (own.freed === 0 || flags & PG_DIRTY || own.gen !== generation(own.pfn)) return;
            // Never read in: there is nothing to lose (mm/zswap.c:zswap_writeback_entry gives up like this).
            if (!(flags & PG_UPTODATE)) return;
            const task = s.tasks.peek(Tasks.actor(e));
            // madvise(MADV_FREE) makes the page clean on purpose (mm/madvise.c:madvise_free_pte_range).
            const reclaiming = (task?.reclaim ?? 0) !== 0;
            const elsewhere = (task?.fault ?? null) !== null || reclaiming;
            // What reclaim frees leaves the cache clean, too.
            const freeing = reclaiming && s.sources.seen[removeMapping.code] === 0;
            const why =
              doubt(s) ??
              (freeing
                ? 'remove-mapping.begin: whether reclaim was freeing the page'
                : elsewhere
                  ? null
                  : 'whether madvise made the page free to discard');
            context.report({
              check: ID,
              severity: 'warning',
              verdict: why === null ? 'proven' : 'suspect',
              cause: 'clean-without-slot',
              moment: e.seq,
              place: slotPlace(e, own.entry, own.pfn),
              values: {},
              evidence: [
                { seq: own.seq, role: 'context', text: 'page leaves the swap cache' },
                { seq: own.freed, role: 'cause', text: 'its slot is freed' },
                { seq: e.seq, role: 'decision', text: 'page unlocked, not dirty' },
              ],
              missing: why,
            });
          },
        ],
      ],
    };
  },
};
