import { faultBegin, faultEnd, mnEnd, sysEnter, sysExit } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { placeOn } from './evidence.ts';
import { tell } from './pending.ts';

const ID = 'mmu-notifier-unbalanced';

export const mmuNotifierUnbalanced: Check = {
  id: ID,
  statement: 'An invalidation of secondary MMUs ended that had not started, or did not end.',
  origin: 'include/linux/mmu_notifier.h: start and end come in pairs, or drivers wait for ever',
  severity: 'warning',
  needs: ['mn.start', 'mn.end'],
  specificity: 2,
  example: `Fires:
  range_start ; error path returns  | driver: faults wait for range_end
Silent:
  range_start ; ... ; range_end     |
Silent: the trace ends between start and end`,
  start(context) {
    const s = context.state;
    /** Seq of the entry of the system call that each task is in, or, negative, of the fault outside of one. */
    const entered = new Map<number, number>();
    const enter =
      (call: boolean) =>
      (e: Cursor): void => {
        const self = Tasks.actor(e);
        // A fault within a system call: the call is the outer one. A call always is.
        if (call) entered.set(self, e.seq);
        else if (!(entered.get(self)! > 0)) entered.set(self, -e.seq);
      };
    const leave = (e: Cursor): void => {
      const self = Tasks.actor(e);
      const since = Math.abs(entered.get(self) ?? 0);
      entered.delete(self);
      if (since === 0 || s.secondary.open.length === 0) return;
      for (const range of s.secondary.open) {
        if (range.pid !== self || range.seq < since) continue;
        context.judged();
        tell(
          context,
          ID,
          {
            severity: 'warning',
            cause: 'start-without-end',
            moment: range.seq,
            place: placeOn(e, { mm: range.mm, va: range.start }),
            evidence: [
              { seq: range.seq, role: 'cause', text: 'invalidation starts' },
              { seq: e.seq, role: 'decision', text: 'task returns, invalidation not ended' },
            ],
          },
          'rests on the absence of mn.end',
        );
      }
    };
    return {
      before: [
        [faultBegin, enter(false)],
        [sysEnter, enter(true)],
        [
          mnEnd,
          (e) => {
            const { mm, start, end } = mnEnd.at;
            const self = Tasks.actor(e);
            const range = s.secondary.open.findLast(
              (one) =>
                one.pid === self &&
                one.mm === e.args[e.at + mm] &&
                one.start === e.args[e.at + start] &&
                one.end === e.args[e.at + end],
            );
            const since = Math.abs(entered.get(self) ?? 0);
            // Before the trace began, or among lost records: only where the task is known to have entered later.
            if (range === undefined && since <= s.horizon) {
              context.cannot('mn.start');
              return;
            }
            context.judged();
            if (range !== undefined) return;
            tell(
              context,
              ID,
              {
                severity: 'warning',
                cause: 'end-without-start',
                moment: e.seq,
                place: placeOn(e, { mm: e.args[e.at + mm]!, va: e.args[e.at + start]! }),
                evidence: [
                  { seq: since, role: 'context', text: 'task enters the kernel' },
                  { seq: e.seq, role: 'decision', text: 'invalidation ends' },
                ],
              },
              'rests on the absence of mn.start',
            );
          },
        ],
      ],
      after: [
        [
          faultEnd,
          (e) => {
            if (entered.get(Tasks.actor(e))! < 0) leave(e);
          },
        ],
        [sysExit, leave],
      ],
    };
  },
};
