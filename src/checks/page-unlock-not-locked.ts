import { PG_LOCKED } from '../core/pageflags.ts';
import { lockRelease, lockTry } from '../events/index.ts';
import type { Check } from './check.ts';
import { placeOn } from './evidence.ts';
import { tell } from './pending.ts';

const ID = 'page-unlock-not-locked';

export const pageUnlockNotLocked: Check = {
  id: ID,
  statement: 'A page lock was released that nobody held.',
  origin: 'mm/filemap.c:folio_unlock: VM_BUG_ON_FOLIO(!folio_test_locked(folio), folio)',
  severity: 'critical',
  needs: ['lock.release'],
  specificity: 4,
  example: `Fires:
  lock P ; unlock P ; unlock P      |
Silent:
  lock P ; unlock P                 | lock P ; unlock P`,
  start(context) {
    const s = context.state;
    return {
      before: [
        [
          lockRelease,
          (e) => {
            const pfn = e.args[e.at + lockRelease.at.pfn]!;
            const flags = e.args[e.at + lockRelease.at.flags]!;
            // Locked, as nearly always.
            if (flags & PG_LOCKED) {
              context.judged();
              return;
            }
            if (!(pfn >= 0)) return;
            const told = s.sources.seen[lockTry.code] === 1;
            const row = s.pages.find(pfn);
            const unlocked = row < 0 ? 0 : s.pages.col.unlockSeq[row]!;
            // The probe stands at the entry of the unlock, where the lock is still held: no race can clear the bit.
            if (Number.isNaN(flags) && (!told || (s.locks.holder(pfn) === undefined && unlocked === 0))) {
              context.cannot(told ? 'the holder of the page lock' : 'lock.try');
              return;
            }
            context.judged();
            const sampled = !Number.isNaN(flags);
            if (!sampled && s.locks.holder(pfn) !== undefined) return;
            tell(
              context,
              ID,
              {
                severity: 'critical',
                cause: 'unlocked-twice',
                moment: e.seq,
                place: placeOn(e, { pfn }),
                values: { unlocker: row < 0 || unlocked === 0 ? null : s.pages.col.unlockPid[row]!, sampled },
                evidence: [
                  ...(unlocked > 0
                    ? [{ seq: unlocked, role: 'context' as const, text: 'page lock released' }]
                    : []),
                  { seq: e.seq, role: 'decision', text: 'page lock released, page not locked' },
                ],
              },
              sampled ? null : 'rests on the absence of lock.try: no flags were read at the release',
            );
          },
        ],
      ],
    };
  },
};
