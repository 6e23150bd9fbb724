import { mnStart, pmdClear } from '../events/index.ts';
import type { Check } from './check.ts';
import { onCollapse } from './collapsed.ts';
import { actorOf, isWhole, placeOn } from './evidence.ts';
import type { Place } from './finding.ts';

const ID = 'collapse-notifier-gap';

export const collapseNotifierGap: Check = {
  id: ID,
  statement:
    'The PMD was cleared for a collapse outside an invalidation of secondary MMUs: a device may go on using the small pages while they are copied.',
  origin: 'Andrea Arcangeli to Robin Holt, 2010-02-03; f268f6cf875f',
  severity: 'critical',
  needs: ['thp.collapse.begin', 'pmd.clear', 'mn.start'],
  specificity: 4,
  example: `Fires:
  khugepaged: clear PMD             | device: spte -> P
  copy P into H                     | device writes P: H never has it
  mn.start (too late)               |
Silent: mn.start covers the range before the PMD is cleared`,
  start(context) {
    const s = context.state;
    /** Invalidation that a task started inside its collapse, by pid: seq. */
    const started = new Map<number, { readonly collapse: number; readonly seq: number }>();
    /** Where a collapse cleared its PMD, by pid. */
    const cleared = new Map<number, Place>();
    const run = onCollapse(context, (collapse) => {
      if (s.sources.seen[mnStart.code] === 0 || collapse.pmdClearSeq === 0) {
        context.cannot(collapse.pmdClearSeq === 0 ? 'pmd.clear' : 'mn.start');
        return;
      }
      const told = started.get(collapse.pid);
      const notified = told !== undefined && told.collapse === collapse.seq ? told.seq : 0;
      context.judged();
      if (notified === 0 && !s.secondary.listening.has(collapse.mm)) return;
      if (notified > 0 && notified < collapse.pmdClearSeq) return;
      // Both by one task: their order is that of their records.
      const spte = [...s.secondary.within(collapse.mm, collapse.va, collapse.va + 512 * 4096)].find(
        ({ seq }) => seq < collapse.pmdClearSeq,
      );
      const certain = (notified > 0 || spte !== undefined) && isWhole(s);
      const { pid } = collapse;
      context.report({
        check: ID,
        severity: 'critical',
        verdict: certain ? 'proven' : 'suspect',
        cause: notified > 0 ? 'late' : 'missing',
        moment: collapse.pmdClearSeq,
        place: cleared.get(pid)!,
        values: { late: notified > 0 },
        evidence: [
          { seq: collapse.seq, role: 'context', text: 'collapse begins' },
          { seq: collapse.pmdClearSeq, role: 'decision', text: 'PMD cleared' },
          ...(spte === undefined
            ? []
            : [{ seq: spte.seq, role: 'cause' as const, text: 'a device still maps a small page' }]),
          ...(notified > 0
            ? [{ seq: notified, role: 'harm' as const, text: 'invalidation starts only now' }]
            : []),
        ],
        missing: certain ? null : 'rests on the absence of mn.start',
      });
    });
    return {
      before: run.before ?? [],
      after: [
        [
          pmdClear,
          (e) => {
            const task = actorOf(s, e);
            if (task === undefined || task.collapse === null || task.collapse.pmdClearSeq !== e.seq) return;
            cleared.set(task.pid, placeOn(e, { mm: task.collapse.mm, va: task.collapse.va }));
          },
        ],
        [
          mnStart,
          (e) => {
            const { mm, start, end } = mnStart.at;
            const task = actorOf(s, e);
            const collapse = task?.collapse ?? null;
            if (task === undefined || collapse === null || collapse.mm !== e.args[e.at + mm]) return;
            const covers =
              e.args[e.at + start]! <= collapse.va && e.args[e.at + end]! >= collapse.va + 512 * 4096;
            if (covers && started.get(task.pid)?.collapse !== collapse.seq)
              started.set(task.pid, { collapse: collapse.seq, seq: e.seq });
          },
        ],
      ],
      ...(run.finish === undefined ? {} : { finish: run.finish }),
    };
  },
};
