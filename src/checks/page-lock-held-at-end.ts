import { PG_LOCKED } from '../core/pageflags.ts';
import { faultEnd, lockRelease, lockTry, lockWait, refAdd, swapRead, sysExit } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { placeOn } from './evidence.ts';
import { Pending } from './pending.ts';

const ID = 'page-lock-held-at-end';

export const pageLockHeldAtEnd: Check = {
  id: ID,
  statement: 'A task left its page fault or its system call with a page locked, and no read was under way.',
  origin: 'mm/memory.c, mm/filemap.c: error paths unlock what they locked',
  severity: 'warning',
  needs: ['lock.try', 'lock.release', 'fault.end', 'sys.exit'],
  specificity: 3,
  example: `Fires:
  fault: lock P ; error ; return    |
                                    | trylock P fails for ever
Silent:
  fault: lock P ; submit a read     | (interrupt) read done: unlock P`,
  start(context) {
    const s = context.state;
    const pending = new Pending(context, pageLockHeldAtEnd);
    const reading = new Set<number>();
    const left = (e: Cursor): void => {
      if (s.sources.seen[lockTry.code] === 0) {
        context.cannot('lock.try');
        return;
      }
      const self = Tasks.actor(e);
      const task = s.tasks.peek(self);
      // A fault within a system call is not its end.
      if (task === undefined || task.fault !== null) return;
      context.judged();
      for (const lock of s.locks.held(self)) {
        if (reading.has(lock.pfn)) continue;
        pending.claim(`${lock.pfn}`, {
          severity: 'warning',
          cause: 'never-unlocked',
          moment: lock.seq,
          place: placeOn(e, { pfn: lock.pfn }),
          evidence: [
            { seq: lock.seq, role: 'cause', text: 'page lock taken' },
            { seq: e.seq, role: 'decision', text: 'task returns with the page locked' },
          ],
          missing: 'rests on the absence of lock.release',
        });
      }
    };
    const stillLocked = (e: Cursor, pfn: number): void => {
      if (pending.any && s.locks.holder(pfn) !== undefined)
        pending.confirm(`${pfn}`, { seq: e.seq, role: 'harm', text: 'page still locked' });
    };
    return {
      before: [
        [swapRead, (e) => void reading.add(e.args[e.at + swapRead.at.pfn]!)],
        [
          lockRelease,
          (e) => {
            const pfn = e.args[e.at + lockRelease.at.pfn]!;
            if (reading.size > 0) reading.delete(pfn);
            if (pending.any) pending.drop(`${pfn}`);
          },
        ],
        [lockWait, (e) => stillLocked(e, e.args[e.at + lockWait.at.pfn]!)],
        [
          lockTry,
          (e) => {
            const pfn = e.args[e.at + lockTry.at.pfn]!;
            if (e.args[e.at + lockTry.at.ok] === 1) {
              if (pending.any) pending.drop(`${pfn}`);
            } else stillLocked(e, pfn);
          },
        ],
        [
          refAdd,
          (e) => {
            if (e.args[e.at + refAdd.at.flags]! & PG_LOCKED) stillLocked(e, e.args[e.at + refAdd.at.pfn]!);
          },
          pending.wake,
        ],
      ],
      after: [
        [faultEnd, left],
        [sysExit, left],
      ],
      finish: () => pending.finish(),
    };
  },
};
