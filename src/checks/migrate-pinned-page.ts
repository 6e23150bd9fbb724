import { PIN_BIAS } from '../events/flags.ts';
import { gupGrab, gupGrabFastEnd, migrateMappingEnd, refAdd } from '../events/index.ts';
import type { Check } from './check.ts';
import { actorOf, heldOn, placeOn } from './evidence.ts';
import { PinClaims } from './pin-claims.ts';

const ID = 'migrate-pinned-page';

export const migratePinnedPage: Check = {
  id: ID,
  statement: 'A page was migrated while a pin on it was live: the pin still targets the page that was left.',
  origin: 'mm/migrate.c:folio_migrate_mapping: the refcount must be the expected one',
  severity: 'critical',
  needs: ['mig.copy', 'mig.copied', 'gup.grab', 'ref.add'],
  specificity: 4,
  example: `Fires:
  pin(P): ref +1024                 | migrate P without the test of the count
  DMA into P is lost                | copy P to Q, PTE -> Q
Silent: a long-term pin migrates the page before it takes the reference
Silent: the test of the count fails, the migration is undone`,
  start(context) {
    const s = context.state;
    const claims = new PinClaims(context, { id: ID });
    return claims.run({
      before: [
        [
          migrateMappingEnd,
          (e) => {
            const task = actorOf(s, e);
            if (task === undefined || !(task.moving >= 0)) return;
            const { seen } = s.sources;
            if (seen[gupGrab.code] === 0 && seen[gupGrabFastEnd.code] === 0 && seen[refAdd.code] === 0) {
              context.cannot('gup.grab');
              return;
            }
            context.judged();
            if (e.args[e.at + migrateMappingEnd.at.ret] !== 0) return;
            const pfn = task.moving;
            const pin = heldOn(s, pfn).find((held) => held.pin);
            if (pin === undefined) return;
            const row = s.pages.find(pfn);
            const count = s.pages.count(row);
            // No pin is in the count: its put was not told.
            if (count < PIN_BIAS && s.pages.col.large[row] === 0) return;
            claims.claim(
              pfn,
              {
                severity: 'critical',
                cause: 'pin',
                moment: e.seq,
                place: placeOn(e, { pfn, newPfn: task.movingTo, mm: pin.mm, va: pin.va }),
                values: { pinned: true, pinner: pin.pid, refcount: Number.isNaN(count) ? null : count },
                evidence: [
                  { seq: pin.seq, role: 'cause', text: 'FOLL_PIN taken: ref +1024' },
                  { seq: e.seq, role: 'decision', text: 'the mapping went over to the new page' },
                ],
              },
              claims.doubtOf(pin, e),
            );
          },
        ],
      ],
    });
  },
};
