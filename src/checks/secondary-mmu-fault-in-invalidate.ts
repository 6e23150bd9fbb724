import { ACCESS_DEVICE } from '../events/access.ts';
import { access, mnEnd, mnStart, spteClear, spteSet } from '../events/index.ts';
import { covers } from '../state/secondary.ts';
import type { Check } from './check.ts';
import { hexText, placeOn } from './evidence.ts';
import type { Evidence } from './finding.ts';
import { Pending } from './pending.ts';
import { movedFrom, spteKey, tellsSptes } from './secondary-mmu.ts';

const ID = 'secondary-mmu-fault-in-invalidate';

/** A mapping that a device made inside a range, before it is known whether it keeps it. */
interface Made {
  readonly key: string;
  readonly evidence: Evidence[];
  readonly moment: number;
  readonly place: ReturnType<typeof placeOn>;
  readonly device: number;
}

export const secondaryMmuFaultInInvalidate: Check = {
  id: ID,
  statement: 'A device mapped an address while an invalidation of it was under way, and kept the mapping.',
  origin: 'include/linux/mmu_notifier.h: nothing may be established between range_start and range_end',
  severity: 'high; critical where the page differs from that of the PTE at the end of the range',
  needs: ['mn.start', 'mn.end', 'spte.set'],
  specificity: 5,
  example: `Fires:
  range_start ; pte P -> Q          | driver: GUP got P before
  range_end                         | installs spte -> P, no retry check
Silent:
  range_start ; pte P -> Q          | installs spte, sees that the sequence moved,
  range_end                         | drops it before use`,
  start(context) {
    const s = context.state;
    const pending = new Pending(context, secondaryMmuFaultInInvalidate);
    /** By key of the mapping. */
    const made = new Map<string, Made>();
    return {
      before: [
        [
          spteClear,
          (e) => {
            const { dev, mm, va } = spteClear.at;
            const key = spteKey(e.args[e.at + dev]!, e.args[e.at + mm]!, e.args[e.at + va]!);
            // Dropped before it was used: the driver retries, as it should.
            made.delete(key);
            pending.drop(key);
          },
        ],
      ],
      after: [
        [
          mnStart,
          () => {
            if (!tellsSptes(s)) context.cannot('spte.set');
          },
        ],
        [
          spteSet,
          (e) => {
            const { dev, mm, va, pfn } = spteSet.at;
            const through = e.args[e.at + mm]!;
            const address = e.args[e.at + va]!;
            const device = e.args[e.at + dev]!;
            const key = spteKey(device, through, address);
            made.delete(key);
            pending.settle(key);
            context.judged();
            const [range] = s.secondary.over(through, address);
            if (range === undefined) return;
            made.set(key, {
              key,
              moment: e.seq,
              device,
              place: placeOn(e, { mm: through, va: address, pfn: e.args[e.at + pfn]! }),
              evidence: [
                { seq: range.seq, role: 'cause', text: 'invalidation starts' },
                {
                  seq: e.seq,
                  role: 'decision',
                  text: `device ${device} maps ${hexText(e.args[e.at + pfn]!)}`,
                },
              ],
            });
          },
        ],
        [
          mnEnd,
          (e) => {
            if (made.size === 0) return;
            const { mm, start, end } = mnEnd.at;
            const range = { start: e.args[e.at + start]!, end: e.args[e.at + end]! };
            for (const one of [...made.values()]) {
              const { place } = one;
              if (place.mm !== e.args[e.at + mm] || !covers(range, place.address!)) continue;
              made.delete(one.key);
              const spte = s.secondary.at(place.mm!, place.address!).find(({ dev }) => dev === one.device);
              if (spte === undefined) continue;
              const now = movedFrom(s, spte);
              pending.claim(one.key, {
                severity: now === null ? 'high' : 'critical',
                cause: 'no-retry',
                moment: one.moment,
                place: { ...place, newPfn: now?.pfn ?? null },
                values: { device: one.device },
                evidence: [
                  ...one.evidence,
                  { seq: e.seq, role: 'context', text: 'invalidation ends, mapping still there' },
                ],
                missing: 'rests on the absence of spte.clear: no use of the mapping was told',
              });
            }
          },
        ],
        [
          access,
          (e) => {
            const { agent, mm, va } = access.at;
            if (e.args[e.at + agent] !== ACCESS_DEVICE) return;
            for (const { dev } of s.secondary.at(e.args[e.at + mm]!, e.args[e.at + va]!))
              pending.confirm(spteKey(dev, e.args[e.at + mm]!, e.args[e.at + va]!), {
                seq: e.seq,
                role: 'harm',
                text: 'device uses the mapping',
              });
          },
        ],
      ],
      finish: () => pending.finish(),
    };
  },
};
