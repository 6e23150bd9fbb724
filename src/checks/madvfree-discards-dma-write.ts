import { PG_SWAPBACKED } from '../core/pageflags.ts';
import { MAPPING_ANON, PIN_BIAS } from '../events/flags.ts';
import { dirtySet, unmapEnd } from '../events/index.ts';
import { residual } from '../state/folds/gup.ts';
import type { Check } from './check.ts';
import { actorOf, heldOn, placeOn } from './evidence.ts';
import { PinClaims } from './pin-claims.ts';

const ID = 'madvfree-discards-dma-write';

export const madvfreeDiscardsDmaWrite: Check = {
  id: ID,
  statement:
    'A page freed by MADV_FREE was discarded while a GUP reference could still write it, or after it had become dirty: what was written is lost.',
  origin: '6c8e2a256915; mm/rmap.c:try_to_unmap_one: count, then barrier, then dirty',
  severity: 'critical',
  needs: ['unmap.begin', 'unmap.end', 'gup.grab', 'ref.add'],
  specificity: 4,
  example: `Fires:
  O_DIRECT read pins P              | reclaim: P is lazyfree and clean
  the device writes P               | tests the mapcount only: discards P
Silent: refcount == 1 + mapcount behind a barrier, else the page stays`,
  start(context) {
    const s = context.state;
    /** Lazyfree pages that became dirty while they were unmapped: seq. */
    const dirtied = new Map<number, number>();
    const claims = new PinClaims(context, { id: ID });
    return claims.run({
      before: [
        [
          unmapEnd,
          (e) => {
            const unmap = actorOf(s, e)?.unmap ?? null;
            if (unmap === null || unmap.migrate) return;
            const dirtySeq = dirtied.get(unmap.pfn) ?? 0;
            dirtied.delete(unmap.pfn);
            const row = s.pages.find(unmap.pfn);
            if (row < 0 || e.args[e.at + unmapEnd.at.ok] !== 1) return;
            const c = s.pages.col;
            // Lazyfree: anon, and no longer swap backed.
            if (c.mapping[row] !== MAPPING_ANON + 1 || c.flagsSeq[row] === 0 || c.flags[row]! & PG_SWAPBACKED)
              return;
            const count = s.pages.count(row);
            const holds = heldOn(s, unmap.pfn).filter((held) => held.pin || held.write);
            const pin = count < PIN_BIAS ? undefined : holds.find((held) => held.pin);
            const get = residual(s, row, count, s.pages.mappings(row)) > 0 ? holds[0] : undefined;
            const held = pin ?? get;
            if (held === undefined && dirtySeq <= unmap.seq) {
              if (Number.isNaN(count) && holds.length > 0) context.cannot('ref.add');
              else context.judged();
              return;
            }
            context.judged();
            const lacks = held === undefined ? 'the order of two CPUs' : 'the put of the reference';
            claims.claim(
              unmap.pfn,
              {
                severity: 'critical',
                cause: pin !== undefined ? 'pin' : held !== undefined ? 'get' : 'dirty',
                moment: e.seq,
                place: placeOn(e, { pfn: unmap.pfn, mm: unmap.mm, va: unmap.va }),
                values: { pinned: pin !== undefined, pinner: held?.pid ?? null, dirty: dirtySeq > unmap.seq },
                evidence: [
                  ...(held === undefined
                    ? []
                    : [
                        {
                          seq: held.seq,
                          role: 'cause' as const,
                          text: held.pin ? 'FOLL_PIN taken: ref +1024' : 'FOLL_GET reference for writing',
                        },
                      ]),
                  ...(dirtySeq > unmap.seq
                    ? [{ seq: dirtySeq, role: 'cause' as const, text: 'page became dirty' }]
                    : []),
                  { seq: e.seq, role: 'decision', text: 'unmapped and discarded' },
                ],
              },
              pin !== undefined ? claims.doubtOf(pin, e) : lacks,
            );
          },
        ],
      ],
      after: [
        [
          dirtySet,
          (e) => {
            const pfn = e.args[e.at + dirtySet.at.pfn]!;
            for (const task of s.tasks.all())
              if (task.unmap !== null && task.unmap.pfn === pfn && !task.unmap.migrate)
                dirtied.set(pfn, e.seq);
          },
        ],
      ],
    });
  },
};
