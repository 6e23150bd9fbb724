import { PG_LOCKED, PG_SWAPBACKED } from '../core/pageflags.ts';
import type { EventKind } from '../events/declare.ts';
import { lockRelease, lockTry, refAdd, swapcacheAdd, swapcacheDel } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { LIFE_FROZEN } from '../state/pages.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { placeOn } from './evidence.ts';
import { tell } from './pending.ts';
import { Waiting } from './waiting.ts';

const ID = 'lockless-swapcache-change';

interface Change {
  readonly pfn: number;
  readonly seq: number;
  readonly how: string;
  readonly gen: number;
  /** Refcount just before the cache's own reference is taken or dropped, NaN unknown. */
  readonly count: number;
}

export const locklessSwapcacheChange: Check = {
  id: ID,
  statement: 'A page entered or left the swap cache while it was not locked.',
  origin: 'mm/swap_state.c:__delete_from_swap_cache: VM_BUG_ON_FOLIO(!folio_test_locked(folio), folio)',
  severity: 'critical',
  needs: ['swapcache.add', 'swapcache.del', 'ref.add'],
  specificity: 4,
  example: `Fires:
  delete P from the swap cache, not locked | lookup finds P
Silent:
  lock P ; delete P from the swap cache    |
Silent: a fresh page that no other task can see and that never enters the cache (SWP_SYNCHRONOUS_IO)`,
  start(context) {
    const s = context.state;
    /** The last change of each task that waits for a reading of the page's flags, by the same task. */
    const changes = new Waiting<Change>();
    const changed = (
      kind: EventKind,
      how: string,
      pfnAt: number,
    ): readonly [EventKind, (e: Cursor) => void] => [
      kind,
      (e) => {
        const pfn = e.args[e.at + pfnAt]!;
        if (!(pfn >= 0) || (kind === swapcacheAdd && e.args[e.at + swapcacheAdd.at.ok] === 0)) return;
        const self = Tasks.actor(e);
        if (s.sources.seen[lockTry.code] === 0) {
          const row = s.pages.find(pfn);
          // A frozen page has no count that would change, so nothing reads its flags.
          const frozen = row < 0 || s.pages.col.life[row] === LIFE_FROZEN;
          if (changes.delete(self) || frozen) context.cannot('page flags beside the change');
          if (!frozen)
            changes.set(self, {
              pfn,
              seq: e.seq,
              how,
              gen: s.pages.col.gen[row]!,
              count: s.pages.count(row),
            });
          return;
        }
        context.judged();
        if (s.locks.holder(pfn) !== undefined) return;
        tell(
          context,
          ID,
          {
            severity: 'critical',
            cause: how,
            moment: e.seq,
            place: placeOn(e, { pfn }),
            values: { how },
            evidence: [
              { seq: e.seq, role: 'decision', text: `${how} the swap cache, nobody holds the page lock` },
            ],
          },
          'rests on the absence of lock.try',
        );
      },
    ];
    return {
      before: [
        [
          lockRelease,
          (e) => {
            const self = Tasks.actor(e);
            const change = changes.get(self);
            if (change === undefined || change.pfn !== e.args[e.at + lockRelease.at.pfn]) return;
            changes.delete(self);
            // The same task unlocks the page: it had locked it. page-unlock-not-locked looks at this release.
            context.judged();
          },
          changes.wake,
        ],
      ],
      after: [
        changed(swapcacheAdd, 'entered', swapcacheAdd.at.pfn),
        changed(swapcacheDel, 'left', swapcacheDel.at.pfn),
        [
          refAdd,
          (e) => {
            const self = Tasks.actor(e);
            const change = changes.get(self);
            if (change === undefined || change.pfn !== e.args[e.at + refAdd.at.pfn]) return;
            const flags = e.args[e.at + refAdd.at.flags]!;
            if (Number.isNaN(flags)) return;
            changes.delete(self);
            const row = s.pages.find(change.pfn);
            // Only the change of the count that is the cache's own is made in the same breath: one of another time
            // may stand behind an unlock that is not told.
            const delta = e.args[e.at + refAdd.at.delta]!;
            const own =
              row >= 0 &&
              s.sources.seen[lockRelease.code] === 1 &&
              (change.how === 'left' || s.tasks.peek(self)?.prevSeq === change.seq) &&
              s.pages.col.gen[row] === change.gen &&
              delta > 0 === (change.how === 'entered') &&
              e.args[e.at + refAdd.at.count] === change.count + delta;
            if (!own) {
              context.cannot('page flags beside the change');
              return;
            }
            context.judged();
            if (flags & PG_LOCKED || !(flags & PG_SWAPBACKED)) return;
            tell(
              context,
              ID,
              {
                severity: 'critical',
                cause: change.how,
                moment: change.seq,
                place: { ...placeOn(e, { pfn: change.pfn }), seq: change.seq },
                values: { how: change.how },
                evidence: [
                  { seq: change.seq, role: 'decision', text: `page ${change.how} the swap cache` },
                  { seq: e.seq, role: 'context', text: "the same task reads the page's flags: not locked" },
                ],
              },
              null,
            );
          },
          changes.wake,
        ],
      ],
    };
  },
};
