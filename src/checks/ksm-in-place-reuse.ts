import { PTE_WRITE } from '../core/pte.ts';
import type { EventKind } from '../events/declare.ts';
import { MAPPING_KSM } from '../events/flags.ts';
import { refAdd, refFreeze, rmapMove } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import type { Check } from './check.ts';
import { actorOf, placeOn } from './evidence.ts';
import type { Place } from './finding.ts';
import { Pending } from './pending.ts';
import { onWrittenPte } from './written-ptes.ts';

const ID = 'ksm-in-place-reuse';

export const ksmInPlaceReuse: Check = {
  id: ID,
  statement:
    'A page that is still registered in the stable tree of KSM became writable: ksmd may map it for others while it is written.',
  origin: 'Kirill Tkhai, Jan Kara and Linus Torvalds, 2020-08-24; 52d1e606ee73',
  severity: 'critical',
  needs: ['ksm.node', 'pte.set', 'ref.add'],
  specificity: 4,
  example: `Fires (a kernel that only counts references):
  write fault on K: ref 1           | the stable node holds none
  -> reuse: PTE W                   | ksmd: K has the same bytes, map it for B
Silent (5.1 to 5.8): freeze the count, leave the stable tree, then set the write bit
Silent (5.9 on): KSM pages are copied`,
  start(context) {
    const s = context.state;
    // That it did not leave the stable tree unseen is shown by what the page says of its mapping later.
    const pending = new Pending(context, { id: ID });
    const confirm = (kind: EventKind, at: { readonly pfn: number; readonly mapping: number }) =>
      [
        kind,
        (e: Cursor) => {
          const key = String(e.args[e.at + at.pfn]!);
          const mapping = e.args[e.at + at.mapping]!;
          if (pending.get(key) === undefined || Number.isNaN(mapping)) return;
          if (mapping === MAPPING_KSM)
            pending.confirm(key, { seq: e.seq, role: 'harm', text: 'still a page of the stable tree' });
          else pending.drop(key);
        },
        pending.wake,
      ] as const;
    /** KSM pages that left the stable tree in the sight of the trace: by pfn, generation. */
    const own = new Map<number, number>();
    const leave = (pfn: number): void => {
      const row = s.pages.find(pfn);
      if (row >= 0 && s.pages.col.mapping[row] === MAPPING_KSM + 1) own.set(pfn, s.pages.col.gen[row]!);
    };
    /** Moment of the last finding. */
    let told = 0;
    function tell(place: Place, pfn: number, moment: number, text: string): void {
      const c = s.pages.col;
      const row = s.pages.find(pfn);
      const node = s.machines.ksm.get(pfn);
      const there = node !== undefined && node.gen === c.gen[row] && node.leftSeq === 0;
      const since = there ? node.seq : c.flagsSeq[row]!;
      const key = String(pfn);
      pending.settle(key);
      pending.claim(key, {
        severity: 'critical',
        cause: 'writable',
        moment,
        place,
        values: { merged: node?.merged ?? null },
        evidence: [
          { seq: since, role: 'cause', text: 'page of the stable tree' },
          { seq: place.seq, role: 'decision', text },
        ],
        missing: 'a later sample of the mapping of the page',
      });
      if (since === 0) pending.settle(key);
    }

    return {
      before: [
        [
          refFreeze,
          (e) => {
            if (e.args[e.at + refFreeze.at.ok] === 1) leave(e.args[e.at + refFreeze.at.pfn]!);
          },
        ],
        [rmapMove, (e) => leave(e.args[e.at + rmapMove.at.pfn]!)],
      ],
      after: [
        confirm(refAdd, refAdd.at),
        confirm(refFreeze, refFreeze.at),
        ...onWrittenPte(s, PTE_WRITE, ({ mm, va, pfn }, e) => {
          const row = s.pages.find(pfn);
          if (row < 0 || s.pages.col.mapping[row] !== MAPPING_KSM + 1) return;
          context.judged();
          if (own.get(pfn) === s.pages.col.gen[row]) return;
          const fault = actorOf(s, e)?.fault ?? null;
          const moment = fault !== null && fault.kind === 'wp' ? fault.seq : e.seq;
          told = moment;
          tell(placeOn(e, { mm, va, pfn }), pfn, moment, 'its PTE becomes writable');
        }),
      ],
      decided({ d, place }) {
        if (d.page !== 'ksm' || d.outcome === 'unknown') return;
        context.judged();
        const row = s.pages.find(d.pfn);
        // The write bit itself was told, or is not told by any probe.
        if (d.outcome !== 'reuse' || told === d.seq || row < 0 || own.get(d.pfn) === s.pages.col.gen[row])
          return;
        if (d.outcomeBy === 'probe') tell(place, d.pfn, d.seq, 'reused in place');
      },
      finish: () => pending.finish(),
    };
  },
};
