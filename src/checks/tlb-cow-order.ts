import { PTE_KIND, PTE_PRESENT } from '../core/pte.ts';
import { pteWrite, rmapDel, tlbFlush, wpBegin } from '../events/index.ts';
import type { Check } from './check.ts';
import { actorOf } from './evidence.ts';
import { Pending } from './pending.ts';
import { claimStale, confirmStale } from './stale-tlb.ts';

export const tlbCowOrder: Check = {
  id: 'tlb-cow-order',
  statement:
    'A copied page became visible, or its original lost its mapping, before the old translation was flushed.',
  origin: 'mm/memory.c:wp_page_copy: clear and flush, then the new PTE, then the rmap of the old page',
  severity: 'critical',
  needs: ['pte.write', 'tlb.flush', 'rmap.del'],
  specificity: 4,
  example: `Fires:
  pte P -> Q ; store 1 to Q         | reads P through its TLB: old value
  flush                             |
Silent:
  pte P -> none ; flush ; pte -> Q  | faults until Q is there`,
  start(context) {
    const s = context.state;
    const pending = new Pending(context, tlbCowOrder);
    const unjudged = (): boolean => {
      if (s.sources.seen[tlbFlush.code] === 1) return false;
      context.cannot('tlb.flush');
      return true;
    };
    return {
      before: [
        ...confirmStale(s, pending),
        [
          rmapDel,
          (e) => {
            if (s.tlb.clean || actorOf(s, e)?.fault?.kind !== 'wp') return;
            const { pfn, mm } = rmapDel.at;
            const through = e.args[e.at + mm]!;
            for (const stale of [...s.tlb.all(through)]) {
              if (stale.pfn !== e.args[e.at + pfn] || !stale.gone || stale.deferredSeq > 0) continue;
              if (unjudged()) return;
              claimStale(pending, e, stale, {
                severity: 'critical',
                cause: 'rmap-before-flush',
                text: 'mapping of the old page removed, not flushed yet',
              });
            }
          },
        ],
      ],
      after: [
        [
          wpBegin,
          () => {
            if (s.sources.seen[pteWrite.code] === 0) context.cannot('pte.write');
          },
        ],
        [
          pteWrite,
          (e) => {
            const { mm, va, value } = pteWrite.at;
            if ((e.args[e.at + value]! & PTE_KIND) !== PTE_PRESENT) return;
            const page = e.args[e.at + value + 1]!;
            const stale = s.tlb.at(e.args[e.at + mm]!, e.args[e.at + va]!);
            if (stale === undefined) {
              context.judged();
              return;
            }
            // A deferred flush is the unmapper's own affair (tlb-batched-reclaim-race); the same page is the same memory.
            if (!stale.gone || stale.deferredSeq > 0 || stale.pfn === page || unjudged()) return;
            context.judged();
            claimStale(pending, e, stale, {
              severity: 'critical',
              cause: 'new-before-flush',
              newPfn: page,
              text: 'new PTE visible, the old one not flushed yet',
            });
          },
        ],
      ],
      finish: () => pending.finish(),
    };
  },
};
