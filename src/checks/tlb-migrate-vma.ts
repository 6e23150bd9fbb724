import { PTE_KIND, PTE_MIGRATION } from '../core/pte.ts';
import { migrateUnmap, pteWrite, ptlUnlock } from '../events/index.ts';
import { Tasks } from '../state/tasks.ts';
import { regionOf } from '../state/tlb.ts';
import type { Check } from './check.ts';
import { Pending } from './pending.ts';
import { claimStale, confirmStale } from './stale-tlb.ts';

export const tlbMigrateVma: Check = {
  id: 'tlb-migrate-vma',
  statement:
    'Migration entries replaced PTEs, and the page-table lock was dropped before the old translations were flushed.',
  origin: '60bae7370896',
  severity: 'high',
  needs: ['pte.write', 'ptl.unlock', 'tlb.flush'],
  specificity: 4,
  example: `Fires:
  migrate_vma: pte P -> migration entry |
  unlock                                | store to P through the TLB: not in the copy
  flush                                 |
Silent:
  pte P -> migration entry ; flush ; unlock |
Silent: the flush is deferred and told so (try_to_migrate in a batch)`,
  start(context) {
    const s = context.state;
    const pending = new Pending(context, tlbMigrateVma);
    return {
      before: [...confirmStale(s, pending)],
      after: [
        [
          migrateUnmap,
          () => {
            if (s.sources.seen[pteWrite.code] === 0) context.cannot('pte.write');
          },
        ],
        [
          pteWrite,
          (e) => {
            if ((e.args[e.at + pteWrite.at.value]! & PTE_KIND) !== PTE_MIGRATION) return;
            if (s.sources.seen[ptlUnlock.code] === 0 && s.tlb.sections.length === 0)
              context.cannot('ptl.unlock');
          },
        ],
        [
          ptlUnlock,
          (e) => {
            const { mm, va } = ptlUnlock.at;
            const region = regionOf(e.args[e.at + va]!);
            for (const stale of [...s.tlb.all(e.args[e.at + mm]!)]) {
              if (!stale.migrating || stale.deferredSeq > 0) continue;
              if (stale.pid !== Tasks.actor(e) || regionOf(stale.va) !== region) continue;
              claimStale(pending, e, stale, {
                severity: 'high',
                cause: 'unlocked-before-flush',
                text: 'page-table lock dropped, old translation not flushed yet',
              });
            }
            context.judged();
          },
        ],
      ],
      finish: () => pending.finish(),
    };
  },
};
