import { PTE_KIND, PTE_NONE, PTE_PRESENT } from '../core/pte.ts';
import { moveTables, pteWrite, ptlUnlock } from '../events/index.ts';
import { Tasks } from '../state/tasks.ts';
import { regionOf } from '../state/tlb.ts';
import type { Check } from './check.ts';
import { Pending } from './pending.ts';
import { claimStale, confirmStale } from './stale-tlb.ts';

/** A PTE that a task took from one address and put at another. */
interface Move {
  readonly mm: number;
  readonly from: number;
  readonly to: number;
}

/** PTEs that one task has cleared and may still put elsewhere. */
const CLEARED_KEPT = 512;

export const tlbMremapMove: Check = {
  id: 'tlb-mremap-move',
  statement: 'A PTE was moved, and the lock of its new place dropped before the old place was flushed.',
  origin: 'CVE-2018-18281, eb66ae030829',
  severity: 'critical',
  needs: ['pte.write', 'ptl.unlock', 'tlb.flush'],
  specificity: 5,
  example: `Fires:
  mremap: pte a -> b, unlock b      | madvise(b): page freed
  flush a                           | store to a through the TLB: lands in freed memory
Silent:
  mremap: pte a -> b, flush a, unlock b |`,
  start(context) {
    const s = context.state;
    const pending = new Pending(context, tlbMremapMove);
    /** By task: where it cleared each page's PTE, and what it has moved under locks it still holds. */
    const cleared = new Map<number, Map<number, { readonly mm: number; readonly va: number }>>();
    const moves = new Map<number, Move[]>();
    return {
      before: [...confirmStale(s, pending)],
      after: [
        [
          moveTables,
          () => {
            if (s.sources.seen[pteWrite.code] === 0) context.cannot('pte.write');
            else if (s.sources.seen[ptlUnlock.code] === 0) context.cannot('ptl.unlock');
          },
        ],
        [
          pteWrite,
          (e) => {
            const { mm, va, old, value } = pteWrite.at;
            const self = Tasks.actor(e);
            const through = e.args[e.at + mm]!;
            const address = e.args[e.at + va]!;
            const kind = e.args[e.at + value]! & PTE_KIND;
            if (kind === PTE_NONE && (e.args[e.at + old]! & PTE_KIND) === PTE_PRESENT) {
              const own = cleared.get(self) ?? new Map();
              cleared.set(self, own);
              own.set(e.args[e.at + old + 1]!, { mm: through, va: address });
              if (own.size > CLEARED_KEPT) own.delete(own.keys().next().value);
            } else if (kind === PTE_PRESENT) {
              const page = e.args[e.at + value + 1]!;
              const from = cleared.get(self)?.get(page);
              if (from === undefined || from.mm !== through || from.va === address) return;
              cleared.get(self)!.delete(page);
              moves.set(self, [...(moves.get(self) ?? []), { mm: through, from: from.va, to: address }]);
            }
          },
        ],
        [
          ptlUnlock,
          (e) => {
            const { mm, va } = ptlUnlock.at;
            const self = Tasks.actor(e);
            const region = regionOf(e.args[e.at + va]!);
            const own = moves.get(self);
            if (own === undefined) return;
            const left: Move[] = [];
            for (const move of own) {
              if (move.mm !== e.args[e.at + mm] || regionOf(move.to) !== region) {
                left.push(move);
                continue;
              }
              context.judged();
              const stale = s.tlb.at(move.mm, move.from);
              if (stale?.gone === true && stale.deferredSeq === 0)
                claimStale(pending, e, stale, {
                  severity: 'critical',
                  cause: 'unlocked-before-flush',
                  text: 'lock of the new place dropped, old place not flushed yet',
                });
            }
            if (left.length === 0) moves.delete(self);
            else moves.set(self, left);
          },
        ],
      ],
      finish: () => pending.finish(),
    };
  },
};
