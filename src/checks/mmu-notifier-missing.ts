import { PTE_KIND, PTE_PRESENT } from '../core/pte.ts';
import { mnChangePte, mnInvalidate, mnStart, pteWrite, ptlUnlock } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { covers } from '../state/secondary.ts';
import type { MmState } from '../state/state.ts';
import { Tasks } from '../state/tasks.ts';
import { regionOf } from '../state/tlb.ts';
import type { Check } from './check.ts';
import { hexText, placeOn } from './evidence.ts';
import { tell } from './pending.ts';

const ID = 'mmu-notifier-missing';

/** A page that an address stopped to mean, and nobody has told the devices yet. */
interface Lost {
  readonly mm: number;
  readonly va: number;
  readonly pfn: number;
  readonly seq: number;
  readonly pid: number;
}

/** Changes that wait for their notification; the oldest go first where sections are not told. */
const LOST_KEPT = 4096;

/** Seq since which an mm is known to have a notifier, NaN if it is not. */
function listening(s: MmState, mm: number): number {
  const since = s.secondary.listening.get(mm) ?? Number.NaN;
  const row = s.ptes.mms.find(mm);
  // The same pointer in an earlier life was another mm.
  return row >= 0 && since >= s.ptes.mms.col.since[row]! && s.ptes.mms.col.dying[row] === 0
    ? since
    : Number.NaN;
}

export const mmuNotifierMissing: Check = {
  id: ID,
  statement:
    'An address got another page in an mm with a registered notifier, and no notification went with it.',
  origin: 'Andrea Arcangeli to Robin Holt, 2010-02-03; Documentation/mm/mmu_notifier.rst',
  severity: 'high',
  needs: ['mn.start', 'wp.begin'],
  specificity: 3,
  example: `Fires:
  pte P -> none ; pte none -> Q     | device: spte -> P, never told
Silent:
  range_start ; pte P -> Q ; range_end
Silent: none -> P: nothing was mapped, nothing to invalidate`,
  start(context) {
    const s = context.state;
    /** Last notification at one address or range without start and end, by task. */
    const told = new Map<
      number,
      { readonly mm: number; readonly start: number; readonly end: number; readonly seq: number }
    >();
    const lost = new Map<string, Lost>();
    const report = (e: Cursor, from: Lost, to: number, how: string): void => {
      tell(
        context,
        ID,
        {
          severity: 'high',
          cause: how,
          moment: e.seq,
          place: placeOn(e, { mm: from.mm, va: from.va, pfn: from.pfn, newPfn: to }),
          evidence: [
            {
              seq: s.secondary.listening.get(from.mm) ?? from.seq,
              role: 'context',
              text: 'mm has a notifier',
            },
            { seq: e.seq, role: 'decision', text: `PTE ${hexText(from.pfn)} -> ${hexText(to)}` },
          ],
        },
        'rests on the absence of mn.start and mn.invalidate',
      );
    };
    const notified = (e: Cursor, mm: number, start: number, end: number): void => {
      const self = Tasks.actor(e);
      told.set(self, { mm, start, end, seq: e.seq });
      for (const [key, one] of lost)
        if (one.mm === mm && one.pid === self && covers({ start, end }, one.va)) lost.delete(key);
    };
    return {
      after: [
        [
          mnInvalidate,
          (e) => {
            const { mm, start, end } = mnInvalidate.at;
            notified(e, e.args[e.at + mm]!, e.args[e.at + start]!, e.args[e.at + end]!);
          },
        ],
        [
          mnChangePte,
          (e) => {
            const va = e.args[e.at + mnChangePte.at.va]!;
            notified(e, e.args[e.at + mnChangePte.at.mm]!, va, va + 4096);
          },
        ],
        [
          ptlUnlock,
          (e) => {
            const { mm, va } = ptlUnlock.at;
            for (const [key, one] of lost) {
              if (one.mm !== e.args[e.at + mm] || one.pid !== Tasks.actor(e)) continue;
              if (regionOf(one.va) !== regionOf(e.args[e.at + va]!)) continue;
              lost.delete(key);
              report(e, one, Number.NaN, 'unmapped');
            }
          },
        ],
      ],
      before: [
        [
          pteWrite,
          (e) => {
            const { mm, va, old, value } = pteWrite.at;
            const pointer = e.args[e.at + mm]!;
            if (Number.isNaN(listening(s, pointer))) return;
            const address = Math.floor(e.args[e.at + va]! / 4096) * 4096;
            const key = `${pointer} ${address}`;
            const present = (e.args[e.at + value]! & PTE_KIND) === PTE_PRESENT;
            const page = present ? e.args[e.at + value + 1]! : Number.NaN;
            const was =
              (e.args[e.at + old]! & PTE_KIND) === PTE_PRESENT ? e.args[e.at + old + 1]! : Number.NaN;
            const earlier = lost.get(key);
            lost.delete(key);
            if (earlier !== undefined && present && page !== earlier.pfn) {
              context.judged();
              report(e, earlier, page, 'replaced');
              return;
            }
            if (Number.isNaN(was) || was === page) return;
            context.judged();
            if (s.secondary.over(pointer, address).length > 0) return;
            const last = told.get(Tasks.actor(e));
            const task = s.tasks.peek(Tasks.actor(e));
            if (last?.mm === pointer && covers(last, address) && last.seq >= (task?.lastSeq ?? 0)) return;
            lost.set(key, { mm: pointer, va: address, pfn: was, seq: e.seq, pid: Tasks.actor(e) });
            if (lost.size > LOST_KEPT) lost.delete(lost.keys().next().value!);
          },
        ],
      ],
      decided({ d }) {
        if (!d.committed || Number.isNaN(d.mm)) return;
        const since = listening(s, d.mm);
        if (!(since < d.seq)) {
          if (s.sources.seen[mnStart.code] === 0) context.cannot('mn.start');
          return;
        }
        context.judged();
        const range = s.secondary.recent.get(d.pid);
        const within = (one: typeof range | undefined): boolean =>
          one !== undefined && one.mm === d.mm && one.seq > d.seq && covers(one, d.va);
        const last = told.get(d.pid);
        if (
          within(range) ||
          (last !== undefined && last.mm === d.mm && last.seq > d.seq && covers(last, d.va))
        )
          return;
        // An outer range, as of a walk that faults pages in for itself.
        if (s.secondary.over(d.mm, d.va).length > 0) return;
        context.report({
          check: ID,
          severity: 'high',
          verdict: 'suspect',
          cause: 'copied',
          moment: d.seq,
          place: {
            seq: d.seq,
            ns: d.ns,
            cpu: d.cpu,
            pid: d.pid,
            mm: d.mm,
            address: d.va,
            pfn: Number.isNaN(d.pfn) ? null : d.pfn,
            newPfn: Number.isNaN(d.newPfn) ? null : d.newPfn,
            entry: null,
          },
          values: {},
          evidence: [
            { seq: since, role: 'context', text: 'mm has a notifier' },
            { seq: d.outcomeSeq, role: 'decision', text: `PTE ${hexText(d.pfn)} -> ${hexText(d.newPfn)}` },
          ],
          missing: 'rests on the absence of mn.start and mn.invalidate',
        });
      },
    };
  },
};
