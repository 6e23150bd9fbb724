import { lockTry, lockWait } from '../events/index.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { placeOn } from './evidence.ts';
import { tell } from './pending.ts';

const ID = 'page-lock-order-inversion';

export const pageLockOrderInversion: Check = {
  id: ID,
  statement: "Two tasks hold one page lock each and wait for the other's: neither will go on.",
  origin: 'mm/migrate.c, mm/swapfile.c: two page locks are taken in one order, or the second is only tried',
  severity: 'high',
  needs: ['lock.try', 'lock.wait'],
  specificity: 5,
  example: `Fires:
  lock P                            | lock Q
  lock Q (waits)                    | lock P (waits)
Silent:
  lock P                            | lock Q
  trylock Q fails ; unlock P        | lock P (waits)`,
  start(context) {
    const s = context.state;
    return {
      after: [
        [
          lockWait,
          (e) => {
            if (s.sources.seen[lockTry.code] === 0) {
              context.cannot('lock.try');
              return;
            }
            context.judged();
            const self = Tasks.actor(e);
            const pfn = e.args[e.at + lockWait.at.pfn]!;
            const holder = s.locks.holder(pfn);
            if (holder === undefined || holder.pid === self) return;
            const other = s.locks.waiting(holder.pid);
            const own = other === undefined ? undefined : s.locks.holder(other.pfn);
            if (other === undefined || own?.pid !== self) return;
            tell(
              context,
              ID,
              {
                severity: 'high',
                cause: 'two-locks',
                moment: e.seq,
                place: placeOn(e, { pfn }),
                values: { holder: holder.pid, wanted: other.pfn },
                evidence: [
                  { seq: own.seq, role: 'context', text: 'first lock taken' },
                  { seq: holder.seq, role: 'cause', text: 'second lock taken by another task' },
                  { seq: other.seq, role: 'context', text: 'the other task waits for the first' },
                  { seq: e.seq, role: 'decision', text: 'waits for the second' },
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
