import { PG_DIRTY } from '../core/pageflags.ts';
import { PTE_WRITE } from '../core/pte.ts';
import type { EventKind } from '../events/declare.ts';
import { FOLL_PIN, PIN_BIAS } from '../events/flags.ts';
import { dirtySet, gupGrab, pageZero, refAdd, rmapAdd, rmapNew } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import type { Check } from './check.ts';
import { isWhole, placeOn } from './evidence.ts';
import type { Severity, Verdict } from './finding.ts';
import { Wake } from './waiting.ts';
import { onWrittenPte } from './written-ptes.ts';

const ID = 'zero-page-violation';

/** pin_user_pages does not count pins of the zero page from 6.5 on (c8070b787519). */
const ZERO_PAGE_UNCOUNTED = 605;

export const zeroPageViolation: Check = {
  id: ID,
  statement: 'The zero page got a writable PTE, a pin, a reverse mapping, or was marked dirty.',
  origin: 'mm/memory.c: the zero page is shared by all and never written; c8070b787519',
  severity: 'critical for a writable PTE and for dirty data, high for a pin or a reverse mapping',
  needs: ['page.zero', 'pte.set', 'ref.add', 'rmap.add'],
  specificity: 5,
  example: `Fires:  pte.set(zero page, writable)
Silent: KSM put the zero page in place of a page of zeroes: its PTE is dirty, but read-only`,
  start(context) {
    const s = context.state;
    const zero = s.machines.zeroPfns;
    const known = new Wake();
    function tell(
      e: Cursor,
      cause: string,
      pfn: number,
      severity: Severity,
      on: { mm?: number; va?: number },
      verdict: Verdict = isWhole(s) ? 'proven' : 'suspect',
    ): void {
      context.report({
        check: ID,
        severity,
        verdict,
        cause,
        moment: e.seq,
        place: placeOn(e, { ...on, pfn }),
        values: {},
        evidence: [{ seq: e.seq, role: 'decision', text: `zero page: ${cause.replaceAll('-', ' ')}` }],
        missing:
          verdict === 'proven'
            ? null
            : isWhole(s)
              ? 'whether this kernel counts pins of the zero page'
              : 'the lost records',
      });
    }
    const mapped = (
      kind: EventKind,
      at: { readonly pfn: number; readonly mm: number; readonly va: number },
    ) =>
      [
        kind,
        (e: Cursor) => {
          if (!zero.has(e.args[e.at + at.pfn]!)) return;
          context.judged();
          tell(e, 'reverse-mapping', e.args[e.at + at.pfn]!, 'high', {
            mm: e.args[e.at + at.mm]!,
            va: e.args[e.at + at.va]!,
          });
        },
        known,
      ] as const;

    function pinned(e: Cursor, pfn: number): void {
      const kernel = context.kernel();
      context.judged();
      if (kernel !== null && kernel < ZERO_PAGE_UNCOUNTED) return;
      tell(e, 'pinned', pfn, 'high', {}, kernel === null || !isWhole(s) ? 'suspect' : 'proven');
    }

    return {
      after: [
        [
          pageZero,
          () => {
            known.any = true;
          },
        ],
        ...onWrittenPte(s, PTE_WRITE, ({ mm, va, pfn }, e) => {
          if (zero.size === 0 || !zero.has(pfn)) return;
          context.judged();
          tell(e, 'writable-pte', pfn, 'critical', { mm, va });
        }),
        mapped(rmapNew, rmapNew.at),
        mapped(rmapAdd, rmapAdd.at),
        [
          refAdd,
          (e) => {
            if (!zero.has(e.args[e.at + refAdd.at.pfn]!)) return;
            const pfn = e.args[e.at + refAdd.at.pfn]!;
            const delta = e.args[e.at + refAdd.at.delta]!;
            if (delta >= PIN_BIAS && delta % PIN_BIAS === 0) pinned(e, pfn);
            else if (e.args[e.at + refAdd.at.flags]! & PG_DIRTY) tell(e, 'dirty', pfn, 'critical', {});
          },
          known,
        ],
        [
          gupGrab,
          (e) => {
            const pfn = e.args[e.at + gupGrab.at.pfn]!;
            // Where references are told, the pin is known by what it adds.
            if (!zero.has(pfn) || s.sources.seen[refAdd.code] === 1) return;
            if (e.args[e.at + gupGrab.at.flags]! & FOLL_PIN) context.cannot('ref.add');
          },
          known,
        ],
        [
          dirtySet,
          (e) => {
            if (!zero.has(e.args[e.at + dirtySet.at.pfn]!)) return;
            context.judged();
            tell(e, 'dirty', e.args[e.at + dirtySet.at.pfn]!, 'critical', {});
          },
          known,
        ],
      ],
      finish() {
        if (zero.size === 0) context.cannot('page.zero');
        else context.judged();
      },
    };
  },
};
