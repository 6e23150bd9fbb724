import { PG_HWPOISON } from '../core/pageflags.ts';
import type { EventKind } from '../events/declare.ts';
import { refAdd, rmapAdd } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { LIFE_FREE } from '../state/pages.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { incomplete, placeOf, surelyBefore } from './integrity.ts';

const ID = 'use-after-free-page';

export const useAfterFreePage: Check = {
  id: ID,
  statement: 'A page gained a user between its free and its next allocation.',
  origin: 'mm/page_alloc.c: a free page has no users',
  severity: 'critical',
  needs: ['page.alloc', 'page.free', 'ref.set', 'ref.add', 'rmap.add'],
  specificity: 3,
  example: `Fires:  c0 frees P        | c1 get_page(P)
Silent: a speculative get that the kernel refused (mod_unless ret=0); a late record
Silent: a broken page is taken out of the allocator (hwpoison)`,
  start(context) {
    const s = context.state;
    const look = (kind: EventKind, pfnAt: number, use: string): readonly [EventKind, (e: Cursor) => void] => [
      kind,
      (e) => {
        if (kind === refAdd && !(e.args[e.at + refAdd.at.delta]! > 0)) return;
        // A broken page is taken from the allocator and held for ever (mm/memory-failure.c:page_handle_poison).
        if (kind === refAdd && e.args[e.at + refAdd.at.flags]! & PG_HWPOISON) return;
        const pfn = e.args[e.at + pfnAt]!;
        const row = s.pages.find(pfn);
        const why = incomplete(s);
        if (row < 0 || why !== null || s.lossy || s.blind) {
          context.cannot(why ?? 'history of the page');
          return;
        }
        context.judged();
        const c = s.pages.col;
        if (c.life[row] !== LIFE_FREE || c.freed[row] === 0) return;
        // The whole interval of the use must lie behind the free: the task's record before this one came after it.
        const task = s.tasks.peek(Tasks.actor(e));
        if (task === undefined || task.lastSeq <= c.freeSeq[row]!) return;
        const freed = { ns: c.freeNs[row]!, cpu: c.freeCpu[row]! };
        // Its own last record too, or a clock that is behind makes a late record of it.
        if (
          !surelyBefore(freed, e, context.skewNs()) ||
          task.lastNs < freed.ns ||
          !surelyBefore(freed, { ns: task.lastNs, cpu: e.cpu }, context.skewNs())
        )
          return;
        // A free page has no reference, and the kernel's own count must say so: else an allocation may just not be told.
        const alone = kind === refAdd && e.args[e.at + refAdd.at.count] === e.args[e.at + refAdd.at.delta];
        context.report({
          check: ID,
          severity: 'critical',
          verdict: alone ? 'proven' : 'suspect',
          cause: use,
          moment: e.seq,
          place: placeOf(e, pfn),
          values: { use },
          evidence: [
            { seq: c.freeSeq[row]!, role: 'cause', text: 'page freed' },
            { seq: e.seq, role: 'decision', text: use },
          ],
          missing: alone ? null : 'rests on the absence of page.alloc and ref.set between free and use',
        });
      },
    ];
    return {
      before: [
        look(refAdd, refAdd.at.pfn, 'reference taken'),
        look(rmapAdd, rmapAdd.at.pfn, 'mapping added'),
      ],
    };
  },
};
