import type { EventKind } from '../events/declare.ts';
import {
  rmapAdd,
  rmapDel,
  rmapNew,
  swapDup,
  swapFree,
  swapinEnd,
  unmapBegin,
  unmapEnd,
  wpBegin,
} from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check, CheckContext } from './check.ts';
import type { Finding } from './finding.ts';
import { surelyBefore } from './integrity.ts';
import { doubt } from './swap-slots.ts';
import { evidenceOf, type WriteFault } from './write-fault.ts';

const ID = 'swapcount-seen-too-low';

/** A moment at which one reference to a page is counted neither as mapping nor as user of its slot. */
interface Gap {
  readonly pfn: number;
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  readonly how: 'unmap' | 'swap-in';
  /** Event that counts the reference again, 0 not yet. */
  closed: number;
  /** Decisions that fell into it. */
  readonly hit: Array<Omit<Finding, 'verdict' | 'missing'>>;
}

function finding(context: CheckContext, fault: WriteFault, gap: Gap): Omit<Finding, 'verdict' | 'missing'> {
  const { d } = fault;
  const { mappings, swapcount } = d.inputs;
  return {
    check: ID,
    severity: context.declared?.cow.id === 'hugh' ? 'critical' : 'info',
    cause: gap.how,
    moment: d.seq,
    place: fault.place,
    values: { ...fault.values, sum: mappings + swapcount },
    evidence: [
      {
        seq: gap.seq,
        role: 'cause',
        text:
          gap.how === 'unmap'
            ? 'mapping removed, slot not counted yet'
            : 'slot freed, mapping not counted yet',
      },
      ...evidenceOf(fault),
    ],
  };
}

export const swapcountSeenTooLow: Check = {
  id: ID,
  statement:
    'A write fault was decided while another reference to the page was counted neither as a mapping nor as a user of its swap slot.',
  origin: 'Hugh Dickins to Robin Holt, 2008-06-23 (comment of page_swapcount)',
  severity: 'critical where the declared variant reads the sum without the page lock (cow=hugh); else info',
  needs: ['wp.begin', 'unmap.begin', 'rmap.del', 'swap.dup', 'swap.free', 'rmap.add'],
  specificity: 2,
  example: `Fires (hugh-2008):
  A wp fault, map 1, P locked       | B unmap: mapcount--, swap_duplicate to come
  sum 1 + 0: reuse                  |
                                    | swap_duplicate
Silent: swap_duplicate first, then mapcount--: the sum is never too low
Silent: the sum is too high for a moment: a copy, no harm`,
  start(context) {
    const s = context.state;
    /** Open gaps by task, and which a task's fault began inside of. */
    const gaps = new Map<number, Gap>();
    const began = new Map<number, { gap: Gap; seq: number }>();
    /** Last duplication of each task: in the right order it stands before the mapping goes. */
    const dupped = new Map<number, number>();

    function open(e: Cursor, pfn: number, how: Gap['how']): void {
      if (!(pfn >= 0)) return;
      gaps.set(Tasks.actor(e), { pfn, seq: e.seq, ns: e.ns, cpu: e.cpu, how, closed: 0, hit: [] });
    }

    function report(gap: Gap, closed: boolean): void {
      const why = doubt(s);
      for (const hit of gap.hit.splice(0)) {
        context.report({
          ...hit,
          evidence: closed
            ? [...hit.evidence, { seq: gap.closed, role: 'harm', text: 'reference counted again' }]
            : hit.evidence,
          verdict: closed && why === null ? 'proven' : 'suspect',
          missing: why ?? (closed ? null : 'the event that counts the reference again'),
        });
      }
    }

    function close(e: Cursor, how: Gap['how'], pfn: number): void {
      const gap = gaps.get(Tasks.actor(e));
      if (gap === undefined || gap.how !== how || (pfn >= 0 && gap.pfn !== pfn)) return;
      gap.closed = e.seq;
      gaps.delete(Tasks.actor(e));
      report(gap, true);
    }

    function abandon(e: Cursor): void {
      if (gaps.size === 0) return;
      const gap = gaps.get(Tasks.actor(e));
      gaps.delete(Tasks.actor(e));
      if (gap !== undefined) report(gap, false);
    }

    const mapped = (kind: EventKind, pfnAt: number): readonly [EventKind, (e: Cursor) => void] => [
      kind,
      (e) => {
        if (gaps.size > 0) close(e, 'swap-in', e.args[e.at + pfnAt]!);
      },
    ];

    return {
      before: [
        [unmapBegin, abandon],
        [unmapEnd, abandon],
        [swapinEnd, abandon],
        [
          rmapDel,
          (e) => {
            if (s.sources.seen[swapDup.code] === 0) return;
            const pid = Tasks.actor(e);
            const unmap = s.tasks.peek(pid)?.unmap;
            const pfn = e.args[e.at + rmapDel.at.pfn]!;
            if (!unmap || unmap.migrate || unmap.pfn !== pfn) return;
            const row = s.pages.find(pfn);
            // Only a page of the swap cache gets a swap PTE; a page that was unmapped otherwise is none of this.
            if (row < 0 || Number.isNaN(s.pages.col.entry[row]!) || (dupped.get(pid) ?? 0) > unmap.seq)
              return;
            open(e, pfn, 'unmap');
          },
        ],
        [
          swapDup,
          (e) => {
            dupped.set(Tasks.actor(e), e.seq);
            close(e, 'unmap', Number.NaN);
          },
        ],
        [
          swapFree,
          (e) => {
            if (s.tasks.peek(Tasks.actor(e))?.fault?.kind !== 'swapin') return;
            const row = s.swap.table.find(e.args[e.at + swapFree.at.entry]!);
            if (row >= 0 && s.swap.table.col.cached[row] === 1)
              open(e, s.swap.table.col.page[row]!, 'swap-in');
          },
        ],
        mapped(rmapAdd, rmapAdd.at.pfn),
        mapped(rmapNew, rmapNew.at.pfn),
        [
          wpBegin,
          (e) => {
            if (gaps.size === 0 && began.size === 0) return;
            const pid = Tasks.actor(e);
            began.delete(pid);
            for (const [other, gap] of gaps) {
              if (gap.pfn !== e.args[e.at + wpBegin.at.pte + 1]! || other === pid) continue;
              // Told at entry: it is done for certain once its task was heard of again.
              const done = (s.tasks.peek(other)?.lastSeq ?? 0) > gap.seq;
              if (done && surelyBefore(gap, e, context.skewNs())) began.set(pid, { gap, seq: e.seq });
            }
          },
        ],
      ],
      decided(fault) {
        const { d } = fault;
        if (d.outcome !== 'reuse' || d.page !== 'anon') return;
        context.judged();
        const inside = began.get(d.pid);
        if (inside === undefined || inside.seq !== d.seq) return;
        const { gap } = inside;
        if (gap.closed > 0 && gap.closed < d.outcomeSeq) return;
        gap.hit.push(finding(context, fault, gap));
        if (gap.closed > 0) report(gap, true);
      },
      finish() {
        for (const gap of gaps.values()) report(gap, false);
      },
    };
  },
};
