import { pteWrite, tlbFlush } from '../events/index.ts';
import type { Check } from './check.ts';
import { Pending } from './pending.ts';
import { claimStale, confirmStale } from './stale-tlb.ts';

export const tlbFlushMissingBeforeFree: Check = {
  id: 'tlb-flush-missing-before-free',
  statement: 'A page was freed while CPUs could still reach it through a translation that was not flushed.',
  origin: 'mm/rmap.c:try_to_unmap_flush, mm/mmu_gather.c: flush first, free then',
  severity: 'critical',
  needs: ['pte.write', 'tlb.flush', 'page.free'],
  specificity: 5,
  example: `Fires:
  clear pte of P, defer the flush   |
  free P                            | store through the cached translation: lands in freed memory
Silent:
  clear pte of P ; flush ; free P   |`,
  start(context) {
    const s = context.state;
    const pending = new Pending(context, tlbFlushMissingBeforeFree);
    return {
      before: confirmStale(s, pending),
      lastUse(e, { pfn, at }) {
        if (s.sources.seen[pteWrite.code] === 0 || s.sources.seen[tlbFlush.code] === 0) {
          if (at === 'free') context.cannot(s.sources.seen[pteWrite.code] === 0 ? 'pte.write' : 'tlb.flush');
          return;
        }
        context.judged();
        if (s.tlb.clean) return;
        for (const stale of [...s.tlb.all()])
          if (stale.pfn === pfn && stale.gone)
            claimStale(pending, e, stale, {
              severity: 'critical',
              cause: stale.deferredSeq > 0 ? 'deferred' : 'forgotten',
              text: 'page freed, its translation not flushed',
            });
      },
      finish: () => pending.finish(),
    };
  },
};
