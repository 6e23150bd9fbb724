import { lockTry, lockWait } from '../events/index.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { placeOn } from './evidence.ts';
import { tell } from './pending.ts';

const ID = 'page-lock-recursion';

export const pageLockRecursion: Check = {
  id: ID,
  statement: 'A task waits for a page lock that it holds itself: it will wait for ever.',
  origin: 'mm/filemap.c:__folio_lock: page locks do not nest',
  severity: 'critical',
  needs: ['lock.try', 'lock.wait'],
  specificity: 4,
  example: `Fires:
  lock P ; lock P (sleeps)          |
Silent:
  lock P ; trylock P (fails)        |
Silent:
  lock P ; unlock P ; lock P (waits)| lock P`,
  start(context) {
    const s = context.state;
    return {
      before: [
        [
          lockWait,
          (e) => {
            const pfn = e.args[e.at + lockWait.at.pfn]!;
            if (s.sources.seen[lockTry.code] === 0) {
              context.cannot('lock.try');
              return;
            }
            context.judged();
            const holder = s.locks.holder(pfn);
            if (holder === undefined || holder.pid !== Tasks.actor(e)) return;
            // Had its own release gone untold, another would have to hold the lock it waits for, untold as well.
            tell(
              context,
              ID,
              {
                severity: 'critical',
                cause: 'self-deadlock',
                moment: e.seq,
                place: placeOn(e, { pfn, va: e.args[e.at + lockWait.at.va]! }),
                evidence: [
                  { seq: holder.seq, role: 'cause', text: 'page lock taken' },
                  { seq: e.seq, role: 'decision', text: 'the same task waits for it' },
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
