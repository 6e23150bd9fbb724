import type { EventKind } from '../events/declare.ts';
import { FOLL_LONGTERM } from '../events/flags.ts';
import { gupEnd, gupGrab, gupGrabFastEnd } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import type { Check } from './check.ts';
import { actorOf, heldOn, isWhole, placeOn } from './evidence.ts';

const ID = 'longterm-pin-movable';

export const longtermPinMovable: Check = {
  id: ID,
  statement:
    'A long-term pin is held on a page in CMA or ZONE_MOVABLE after GUP returned: the page cannot be moved away.',
  origin: 'mm/gup.c:check_and_migrate_movable_pages; 9a4e9f3b2d73',
  severity: 'high',
  needs: ['gup.begin', 'gup.grab', 'gup.end', 'page.unpinnable'],
  specificity: 2,
  example: `Fires:
  pin_user_pages_fast(LONGTERM)     | P lies in a CMA block
  skips the test of the zone: P pinned
Silent: P is unpinned, migrated (reason longterm_pin), and the new page is pinned`,
  start(context) {
    const s = context.state;
    /** Pages that a walk under way took, by pid: pfn and seq. */
    const taken = new Map<number, Array<readonly [pfn: number, seq: number]>>();

    const grab = (kind: EventKind, at: { readonly pfn: number; readonly flags: number }) =>
      [
        kind,
        (e: Cursor) => {
          const page = e.args[e.at + at.pfn]!;
          const walk = actorOf(s, e)?.gup ?? null;
          const told = e.args[e.at + at.flags]!;
          const flags = Number.isNaN(told) ? (walk?.flags ?? Number.NaN) : told;
          if (!(page >= 0) || !(flags & FOLL_LONGTERM)) return;
          if (s.machines.unpinnable.size === 0) {
            context.cannot('page.unpinnable');
            return;
          }
          const pages = taken.get(e.pid) ?? [];
          pages.push([page, e.seq]);
          taken.set(e.pid, pages);
        },
      ] as const;

    return {
      after: [grab(gupGrab, gupGrab.at), grab(gupGrabFastEnd, gupGrabFastEnd.at)],
      before: [
        [
          gupEnd,
          (e) => {
            const pages = taken.get(e.pid);
            if (pages === undefined) return;
            taken.delete(e.pid);
            for (const [pfn, seq] of pages) {
              const held = heldOn(s, pfn).find((other) => other.seq === seq && other.pin);
              context.judged();
              if (held === undefined || !s.machines.unpinnable.has(pfn)) continue;
              const certain = !held.doubtful && isWhole(s);
              context.report({
                check: ID,
                severity: 'high',
                verdict: certain ? 'proven' : 'suspect',
                cause: 'longterm-pin',
                moment: seq,
                place: placeOn(e, { pfn, mm: held.mm, va: held.va }),
                values: { pinner: held.pid },
                evidence: [
                  { seq, role: 'cause', text: 'FOLL_PIN | FOLL_LONGTERM taken' },
                  { seq: e.seq, role: 'decision', text: 'GUP returned with the pin' },
                ],
                missing: certain ? null : 'which pin the put ended',
              });
            }
          },
        ],
      ],
    };
  },
};
