import { ACCESS_DEVICE } from '../events/access.ts';
import { access, mnEnd, mnStart, pteSet, pteWrite, ptlUnlock, spteClear, spteSet } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { covers, type Spte } from '../state/secondary.ts';
import { regionOf } from '../state/tlb.ts';
import type { Check } from './check.ts';
import { hexText, placeOn } from './evidence.ts';
import { Pending } from './pending.ts';
import { movedFrom, spteKey, tellsSptes } from './secondary-mmu.ts';

const ID = 'secondary-mmu-stale-mapping';

export const secondaryMmuStaleMapping: Check = {
  id: ID,
  statement: 'A device still maps the old page of an address after the process was given a new one.',
  origin: 'Andrea Arcangeli to Robin Holt, 2010-02-03',
  severity: 'critical',
  needs: ['spte.set', 'pte.set'],
  specificity: 4,
  example: `Fires:
  COW: clear+flush, invalidate queued (async) | device: spte -> P
  pte=Q ; store 1 to Q                        | device reads P: old value
Silent: swap-out, then swap-in of the same page: the address means the same page again
Silent: reuse: the page did not change, nothing to invalidate`,
  start(context) {
    const s = context.state;
    const pending = new Pending(context, secondaryMmuStaleMapping);
    const look = (e: Cursor, spte: Spte, atEnd: boolean): void => {
      const now = movedFrom(s, spte);
      if (now === null) return;
      // Read-only before and after: the content is the same, and the device may learn of it at the end of the range.
      const sameContent = !spte.write && !now.write;
      if (!atEnd && sameContent && s.secondary.over(spte.mm, spte.va).length > 0) return;
      pending.claim(spteKey(spte.dev, spte.mm, spte.va), {
        severity: 'critical',
        cause: 'not-invalidated',
        moment: now.seq,
        place: placeOn(e, { mm: spte.mm, va: spte.va, pfn: spte.pfn, newPfn: now.pfn }),
        values: { device: spte.dev },
        evidence: [
          { seq: spte.seq, role: 'cause', text: `device ${spte.dev} maps ${hexText(spte.pfn)}` },
          { seq: now.seq, role: 'decision', text: `PTE ${hexText(spte.pfn)} -> ${hexText(now.pfn)}` },
        ],
        missing: 'rests on the absence of spte.clear: no use of the old page was told',
      });
    };
    /** An address got a new PTE; inside a section of the page-table lock its invalidation may be still to come. */
    const changed = (e: Cursor, mm: number, va: number): void => {
      const region = regionOf(va);
      if (s.tlb.sections.some((section) => section.mm === mm && section.region === region)) return;
      context.judged();
      for (const spte of s.secondary.at(mm, va)) look(e, spte, false);
    };
    const keyOf = (e: Cursor, { dev, mm, va }: typeof spteClear.at | typeof spteSet.at): string =>
      spteKey(e.args[e.at + dev]!, e.args[e.at + mm]!, e.args[e.at + va]!);
    return {
      before: [
        // What is dropped only now was there until now.
        [
          spteClear,
          (e) =>
            pending.confirm(keyOf(e, spteClear.at), {
              seq: e.seq,
              role: 'harm',
              text: 'device drops its mapping only now',
            }),
          pending.wake,
        ],
        // A new mapping says nothing of when the old one went.
        [spteSet, (e) => pending.settle(keyOf(e, spteSet.at)), pending.wake],
      ],
      after: [
        [
          mnStart,
          () => {
            if (!tellsSptes(s)) context.cannot('spte.set');
          },
        ],
        [
          pteWrite,
          (e) => {
            if (tellsSptes(s)) changed(e, e.args[e.at + pteWrite.at.mm]!, e.args[e.at + pteWrite.at.va]!);
          },
        ],
        [
          pteSet,
          (e) => {
            const mm = e.args[e.at + pteSet.at.mm]!;
            const owner = s.ptes.mms.find(mm);
            if (owner < 0) return;
            const slot = s.ptes.slotOf(e.args[e.at + pteSet.at.ptep]!, owner);
            if (!s.ptes.isBound(slot)) {
              context.cannot('the address of a PTE');
              return;
            }
            const nr = e.args[e.at + pteSet.at.nr]!;
            for (let k = 0; k < (Number.isNaN(nr) ? 1 : nr); k++) changed(e, mm, s.ptes.address(slot + k));
          },
          s.secondary,
        ],
        [
          ptlUnlock,
          (e) => {
            const { mm, va } = ptlUnlock.at;
            if (!s.secondary.any) return;
            const start = regionOf(e.args[e.at + va]!) * 0x200000;
            for (const spte of s.secondary.within(e.args[e.at + mm]!, start, start + 0x200000))
              look(e, spte, false);
          },
        ],
        [
          mnEnd,
          (e) => {
            const { mm, start, end } = mnEnd.at;
            if (!s.secondary.any) return;
            const range = { start: e.args[e.at + start]!, end: e.args[e.at + end]! };
            for (const spte of s.secondary.within(e.args[e.at + mm]!, range.start, range.end))
              if (covers(range, spte.va)) look(e, spte, true);
          },
        ],
        [
          access,
          (e) => {
            const { agent, mm, va, pfn, write } = access.at;
            if (e.args[e.at + agent] !== ACCESS_DEVICE || !pending.any) return;
            const page = e.args[e.at + pfn]!;
            for (const spte of s.secondary.at(e.args[e.at + mm]!, e.args[e.at + va]!)) {
              if (spte.pfn !== page || movedFrom(s, spte) === null) continue;
              const how = e.args[e.at + write] === 1 ? 'writes' : 'reads';
              pending.confirm(spteKey(spte.dev, spte.mm, spte.va), {
                seq: e.seq,
                role: 'harm',
                text: `device ${how} the old page`,
              });
            }
          },
        ],
      ],
      finish: () => pending.finish(),
    };
  },
};
