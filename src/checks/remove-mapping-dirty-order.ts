import { PG_DIRTY } from '../core/pageflags.ts';
import { refFreeze, refUnfreeze, removeMapping, removeMappingEnd } from '../events/index.ts';
import type { Check } from './check.ts';
import { actorOf, isWhole, placeOn } from './evidence.ts';

const ID = 'remove-mapping-dirty-order';

export const removeMappingDirtyOrder: Check = {
  id: ID,
  statement: 'Reclaim freed a page that was dirty when its references were frozen: what was written is lost.',
  origin: 'mm/vmscan.c:__remove_mapping: freeze first, then look at the dirty flag',
  severity: 'critical',
  needs: ['remove-mapping.begin', 'ref.freeze', 'remove-mapping.end'],
  specificity: 4,
  example: `Fires:
  reclaim: P is clean               | GUP writes P, sets it dirty, puts its reference
  freeze P at 2: succeeds           |
  P leaves the cache and is freed   |
Silent: freeze, then the dirty flag: the page is thawed and kept`,
  start(context) {
    const s = context.state;
    /** What a task froze inside __remove_mapping: by pid. */
    const frozen = new Map<number, { readonly pfn: number; readonly seq: number; readonly flags: number }>();
    return {
      after: [
        [
          refFreeze,
          (e) => {
            const { pfn, ok, flags } = refFreeze.at;
            const task = actorOf(s, e);
            if (task === undefined || task.removing !== e.args[e.at + pfn] || e.args[e.at + ok] !== 1) return;
            frozen.set(task.pid, { pfn: task.removing, seq: e.seq, flags: e.args[e.at + flags]! });
          },
        ],
        [removeMapping, (e) => void frozen.delete(e.pid)],
        [refUnfreeze, (e) => void frozen.delete(e.pid)],
      ],
      before: [
        [
          removeMappingEnd,
          (e) => {
            const task = actorOf(s, e);
            const freeze = task === undefined ? undefined : frozen.get(task.pid);
            if (task !== undefined) frozen.delete(task.pid);
            if (e.args[e.at + removeMappingEnd.at.ok] !== 1) return;
            if (freeze === undefined || Number.isNaN(freeze.flags)) {
              context.cannot('ref.freeze');
              return;
            }
            context.judged();
            if (!(freeze.flags & PG_DIRTY)) return;
            const certain = isWhole(s);
            context.report({
              check: ID,
              severity: 'critical',
              verdict: certain ? 'proven' : 'suspect',
              cause: 'dirty-at-freeze',
              moment: freeze.seq,
              place: placeOn(e, { pfn: freeze.pfn }),
              values: {},
              evidence: [
                { seq: freeze.seq, role: 'cause', text: 'frozen, and dirty' },
                { seq: e.seq, role: 'decision', text: 'left the cache all the same' },
              ],
              missing: certain ? null : 'the lost records',
            });
          },
        ],
      ],
    };
  },
};
