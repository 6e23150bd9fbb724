import { lockRelease, lockTry, swapRead } from '../events/index.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { placeOn } from './evidence.ts';
import { tell } from './pending.ts';

const ID = 'page-unlock-by-non-owner';

export const pageUnlockByNonOwner: Check = {
  id: ID,
  statement:
    'A task released a page lock that another task holds, and no read was under way that would end so.',
  origin: "mm/filemap.c: the lock of a page is its locker's, or that of the read that its locker submitted",
  severity: 'warning',
  needs: ['lock.try', 'lock.release'],
  specificity: 3,
  example: `Fires:
  lock P                            | unlock P
Silent:
  lock P ; submit a read of P       | (interrupt) read done: unlock P`,
  start(context) {
    const s = context.state;
    /** Pages with a read under way: its completion may unlock. */
    const reading = new Set<number>();
    return {
      before: [
        [swapRead, (e) => void reading.add(e.args[e.at + swapRead.at.pfn]!)],
        [
          lockRelease,
          (e) => {
            const pfn = e.args[e.at + lockRelease.at.pfn]!;
            const read = reading.delete(pfn);
            // Where single tries are not told, the lock may have changed hands unseen since its holder was told.
            if (s.sources.seen[lockTry.code] === 0) {
              context.cannot('lock.try');
              return;
            }
            const holder = s.locks.holder(pfn);
            if (holder === undefined) {
              context.cannot('the holder of the page lock');
              return;
            }
            context.judged();
            if (holder.pid === Tasks.actor(e) || read || e.inInterrupt) return;
            tell(
              context,
              ID,
              {
                severity: 'warning',
                cause: 'helper',
                moment: e.seq,
                place: placeOn(e, { pfn }),
                values: { holder: holder.pid },
                evidence: [
                  { seq: holder.seq, role: 'cause', text: 'page lock taken' },
                  { seq: e.seq, role: 'decision', text: 'page lock released by another task' },
                ],
              },
              null,
            );
          },
        ],
      ],
    };
  },
};
