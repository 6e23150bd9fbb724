import { PTE_KIND, PTE_PRESENT, PTE_WRITE } from '../core/pte.ts';
import type { EventKind } from '../events/declare.ts';
import { FOLL_FORCE, FOLL_WRITE, MAPPING_ANON, MAPPING_FILE } from '../events/flags.ts';
import { gupEnd, gupGrab, gupGrabFastEnd } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { TRI_FALSE, TRI_UNKNOWN } from '../state/pages.ts';
import { SLOT_KNOWN } from '../state/ptes.ts';
import type { Check } from './check.ts';
import { actorOf, heldOn, hexText, isWhole, placeOn } from './evidence.ts';

const ID = 'foll-force-without-cow';

/** From here on a forced write asks for AnonExclusive (5535be309971), before for a dirty PTE. */
const ASKS_EXCLUSIVE = 519;

const FORCED = FOLL_WRITE | FOLL_FORCE;

export const follForceWithoutCow: Check = {
  id: ID,
  statement:
    'A forced write through GUP got a page that was never broken out of its sharing: it lands in the page cache, or in what others see.',
  origin: 'CVE-2016-5195 (Dirty COW, 19be0eaffa3a); CVE-2022-2590 (5535be309971); 4ceb5db9757a',
  severity: 'critical',
  needs: ['gup.begin', 'gup.grab', 'ref.add', 'pte.set'],
  specificity: 5,
  example: `Fires:
  gup write: fault COWs, pte=Q dirty | madvise(DONTNEED): pte none
  retry without WRITE: gets the file page
  the write lands in the page cache |
Silent: the retry still asks for a COWed page: faults again`,
  start(context) {
    const s = context.state;
    /** Pages that forced walks under way took, by pid. */
    const taken = new Map<number, Array<{ readonly pfn: number; readonly seq: number }>>();
    const grab = (kind: EventKind, at: { readonly pfn: number; readonly flags: number }) =>
      [
        kind,
        (e: Cursor) => {
          const told = e.args[e.at + at.flags]!;
          const walk = actorOf(s, e)?.gup ?? null;
          const flags = Number.isNaN(told) ? (walk?.flags ?? Number.NaN) : told;
          // A walk that was asked to force a write, whatever it grabs with.
          const forced = (flags & FORCED) === FORCED || ((walk?.flags ?? 0) & FORCED) === FORCED;
          const pfn = e.args[e.at + at.pfn]!;
          if (!forced || !(pfn >= 0)) return;
          const pages = taken.get(e.pid) ?? [];
          pages.push({ pfn, seq: e.seq });
          taken.set(e.pid, pages);
        },
      ] as const;

    function look(e: Cursor, pfn: number, seq: number): void {
      const held = heldOn(s, pfn).find((other) => other.seq === seq);
      const row = s.pages.find(pfn);
      if (held === undefined || row < 0) {
        context.judged();
        return;
      }
      const c = s.pages.col;
      const slot = s.ptes.slotAt(s.ptes.mms.find(held.mm), held.va);
      if (slot < 0 || s.ptes.know[slot] !== SLOT_KNOWN || Number.isNaN(held.va)) {
        context.cannot('pte.set');
        return;
      }
      // Written behind the grab: a page that was written back is protected anew, for one.
      if (s.ptes.seq[slot]! > seq) {
        context.cannot('pte.set');
        return;
      }
      const kernel = context.kernel();
      const kind = c.mapping[row]! - 1;
      const anon = kind === MAPPING_ANON;
      if (
        c.mapping[row] === 0 ||
        (anon && (kernel === null || kernel < ASKS_EXCLUSIVE || c.exclusive[row] === TRI_UNKNOWN))
      ) {
        context.cannot(c.mapping[row] === 0 ? 'ref.add' : 'AnonExclusive');
        return;
      }
      context.judged();
      const bits = s.ptes.bits[slot]!;
      const readOnly = (bits & (PTE_KIND | PTE_WRITE)) === PTE_PRESENT && s.ptes.frame[slot] === pfn;
      if (!readOnly || (kind !== MAPPING_FILE && !(anon && c.exclusive[row] === TRI_FALSE))) return;
      const certain = isWhole(s);
      context.report({
        check: ID,
        severity: 'critical',
        verdict: certain ? 'proven' : 'suspect',
        cause: anon ? 'shared-anon' : 'page-cache',
        moment: seq,
        place: placeOn(e, { mm: held.mm, va: held.va, pfn }),
        values: { anon, pinner: held.pid },
        evidence: [
          { seq: s.ptes.seq[slot]!, role: 'context', text: `PTE ${hexText(pfn)} is read-only` },
          { seq, role: 'cause', text: 'reference taken for FOLL_WRITE | FOLL_FORCE' },
          { seq: e.seq, role: 'decision', text: anon ? 'page is not AnonExclusive' : 'page is page cache' },
        ],
        missing: certain ? null : 'the lost records',
      });
    }

    return {
      after: [grab(gupGrab, gupGrab.at), grab(gupGrabFastEnd, gupGrabFastEnd.at)],
      before: [
        [
          gupEnd,
          (e) => {
            const pages = taken.get(e.pid);
            if (pages === undefined) return;
            taken.delete(e.pid);
            for (const { pfn, seq } of pages) {
              // Nothing was kept: the walk failed.
              if (e.args[e.at + gupEnd.at.ret]! <= 0) context.judged();
              else look(e, pfn, seq);
            }
          },
        ],
      ],
    };
  },
};
