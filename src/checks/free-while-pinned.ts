import { PIN_BIAS } from '../events/flags.ts';
import { refAdd } from '../events/index.ts';
import type { MmState } from '../state/state.ts';
import type { Check } from './check.ts';
import { heldOn, placeOn } from './evidence.ts';
import { incomplete } from './integrity.ts';
import { tell } from './pending.ts';

const ID = 'free-while-pinned';

/** Whether the whole sum of changes since the allocation is known and no sample ever contradicted it. */
function summed(s: MmState, row: number): boolean {
  return incomplete(s) === null && s.pages.exact(row) && s.pages.col.countOff[row] === 0;
}

export const freeWhilePinned: Check = {
  id: ID,
  statement:
    'A page was freed while a FOLL_PIN on it was live: the device goes on with memory that is not its own.',
  origin: 'mm/gup.c: a pin holds GUP_PIN_COUNTING_BIAS references until its unpin',
  severity: 'critical',
  needs: ['gup.grab', 'ref.add', 'page.free'],
  specificity: 5,
  example: `Fires:
  pin P: ref 1025                   | 1,025 plain puts: ref 0, P is freed
Silent:
  pin P ; unpin P ; put P           |
Silent: refcount above 1024 by plain references alone`,
  start(context) {
    const s = context.state;
    return {
      lastUse(e, { pfn, row, at }) {
        const pin = heldOn(s, pfn).find((held) => held.pin);
        if (pin === undefined) {
          context.judged();
          return;
        }
        const delta = e.args[e.at + refAdd.at.delta]!;
        if (at === 'put' && delta <= -PIN_BIAS) {
          // The unpin itself was the last put.
          context.judged();
          return;
        }
        const exact = at === 'put' && summed(s, row);
        // The sum must come out at zero without the unpin: one record of an unpin too few would leave it in the sum.
        const certain =
          exact && s.pages.col.count[row]! + delta === 0 && e.args[e.at + refAdd.at.count] === 0;
        if (exact && !certain) {
          context.cannot('the put of the pin');
          return;
        }
        context.judged();
        tell(
          context,
          ID,
          {
            severity: 'critical',
            cause: 'put-without-unpin',
            moment: e.seq,
            place: placeOn(e, { pfn, mm: pin.mm, va: pin.va }),
            values: { pinner: pin.pid, pinned: true },
            evidence: [
              { seq: pin.seq, role: 'cause', text: 'FOLL_PIN taken: ref +1024' },
              { seq: e.seq, role: 'decision', text: at === 'put' ? 'last reference dropped' : 'page freed' },
            ],
          },
          certain ? null : 'rests on the absence of gup.put',
        );
      },
    };
  },
};
