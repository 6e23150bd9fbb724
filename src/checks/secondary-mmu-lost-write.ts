import { ACCESS_DEVICE } from '../events/access.ts';
import { access, mnStart } from '../events/index.ts';
import type { Check } from './check.ts';
import { hexText, placeOn } from './evidence.ts';
import { tell } from './pending.ts';
import { primaryAt } from './secondary-mmu.ts';

const ID = 'secondary-mmu-lost-write';

export const secondaryMmuLostWrite: Check = {
  id: ID,
  statement:
    'A device wrote the old page of an address after the process was given a new one: the write is lost.',
  origin: 'Andrea Arcangeli to Robin Holt, 2010-02-03: "data writes will be lost"',
  severity: 'critical',
  needs: ['access', 'pte.set'],
  specificity: 6,
  example: `Fires:
  COW: pte P -> Q                   | device: spte -> P, writes P
  read Q: the write is not there    |
Silent:
  invalidate: spte gone ; pte P -> Q| device faults, maps Q, writes Q`,
  start(context) {
    const s = context.state;
    return {
      after: [
        [
          mnStart,
          () => {
            if (s.sources.seen[access.code] === 0) context.cannot('access');
          },
        ],
        [
          access,
          (e) => {
            const { agent, mm, va, pfn, write } = access.at;
            if (e.args[e.at + agent] !== ACCESS_DEVICE || e.args[e.at + write] !== 1) return;
            const through = e.args[e.at + mm]!;
            const address = e.args[e.at + va]!;
            const page = e.args[e.at + pfn]!;
            const now = primaryAt(s, through, address);
            if (now === null || Number.isNaN(page)) {
              context.cannot('the PTE of the address');
              return;
            }
            context.judged();
            if (now.pfn === page) return;
            tell(
              context,
              ID,
              {
                severity: 'critical',
                cause: 'not-invalidated',
                moment: now.seq,
                place: placeOn(e, { mm: through, va: address, pfn: page, newPfn: now.pfn }),
                evidence: [
                  { seq: now.seq, role: 'cause', text: `PTE now ${hexText(now.pfn)}` },
                  { seq: e.seq, role: 'harm', text: `device writes ${hexText(page)}` },
                ],
              },
              null,
            );
          },
        ],
      ],
    };
  },
};
