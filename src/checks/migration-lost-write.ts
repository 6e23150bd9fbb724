import { ACCESS_DEVICE } from '../events/access.ts';
import { access, migrateMappingEnd, migrateUndo } from '../events/index.ts';
import type { Check } from './check.ts';
import { actorOf, hexText, isWhole, placeOn } from './evidence.ts';
import { LeftBehind } from './left-behind.ts';

const ID = 'migration-lost-write';

export const migrationLostWrite: Check = {
  id: ID,
  statement:
    'A page was written after its migration had copied it: the new page does not have what was written.',
  origin: '20841405940e; mm/migrate.c: TLB entries must be flushed before the copy',
  severity: 'critical',
  needs: ['access', 'mig.copied'],
  specificity: 5,
  example: `Fires:
  store through a stale TLB entry   | migrate: entries set, flush missing
  lands in P                        | copied P to Q before
Silent: the flush comes before the copy: the store faults and waits`,
  start(context) {
    const s = context.state;
    const left = new LeftBehind(s);
    return {
      before: [
        [
          migrateMappingEnd,
          (e) => {
            const task = actorOf(s, e);
            if (task === undefined || !(task.moving >= 0) || e.args[e.at + migrateMappingEnd.at.ret] !== 0)
              return;
            left.note(task.moving, Number.NaN, task.movingTo, e.seq);
            if (s.sources.seen[access.code] === 1) context.judged();
            else context.cannot('access');
          },
        ],
        [migrateUndo, (e) => left.back(e.args[e.at + migrateUndo.at.pfn]!)],
      ],
      after: [
        [
          access,
          (e) => {
            const gone = left.writtenBy(e);
            if (gone === undefined) return;
            const pfn = e.args[e.at + access.at.pfn]!;
            const device = e.args[e.at + access.at.agent] === ACCESS_DEVICE;
            context.report({
              check: ID,
              severity: 'critical',
              verdict: isWhole(s) ? 'proven' : 'suspect',
              cause: device ? 'device' : 'stale-tlb',
              moment: e.seq,
              place: placeOn(e, {
                pfn,
                newPfn: gone.newPfn,
                mm: e.args[e.at + access.at.mm]!,
                va: e.args[e.at + access.at.va]!,
              }),
              values: { device },
              evidence: [
                { seq: gone.seq, role: 'cause', text: `${hexText(pfn)} copied to ${hexText(gone.newPfn)}` },
                { seq: e.seq, role: 'harm', text: device ? 'written by a device' : 'written by a CPU' },
              ],
              missing: isWhole(s) ? null : 'the lost records',
            });
          },
        ],
      ],
    };
  },
};
