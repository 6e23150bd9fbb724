import { ACCESS_DEVICE } from '../events/access.ts';
import { access } from '../events/index.ts';
import type { CollapsedPage } from '../state/collapse.ts';
import type { Cursor } from '../state/cursor.ts';
import type { Check } from './check.ts';
import { onCollapse } from './collapsed.ts';
import { hexText, isWhole, placeOn } from './evidence.ts';
import type { Finding } from './finding.ts';
import { LeftBehind } from './left-behind.ts';

const ID = 'collapse-lost-write';

export const collapseLostWrite: Check = {
  id: ID,
  statement:
    'A page was written through the collapsing mm after it was copied: the huge page does not have what was written.',
  origin: 'Andrea Arcangeli to Robin Holt, 2010-02-03 ("data writes will be lost"); mm/khugepaged.c',
  severity: 'critical',
  needs: ['access', 'thp.collapse.commit'],
  specificity: 5,
  example: `Fires:
  khugepaged: copy P into H         | a CPU of the mm stores through a stale TLB entry
  install H                         | (or a device writes P): H never has it
Silent: another process writes the copy that its own COW made`,
  start(context) {
    const s = context.state;
    const left = new LeftBehind(s);
    /** Writes behind a copy whose collapse may still be given up, by page. */
    const waiting = new Map<number, Finding>();

    function told(e: Cursor, copySeq: number): Finding {
      const pfn = e.args[e.at + access.at.pfn]!;
      const device = e.args[e.at + access.at.agent] === ACCESS_DEVICE;
      return {
        check: ID,
        severity: 'critical',
        verdict: isWhole(s) ? 'proven' : 'suspect',
        cause: device ? 'device' : 'stale-tlb',
        moment: e.seq,
        place: placeOn(e, { pfn, mm: e.args[e.at + access.at.mm]!, va: e.args[e.at + access.at.va]! }),
        values: { device },
        evidence: [
          { seq: copySeq, role: 'cause', text: `${hexText(pfn)} copied into the huge page` },
          { seq: e.seq, role: 'harm', text: device ? 'written by a device' : 'written by a CPU' },
        ],
        missing: isWhole(s) ? null : 'the lost records',
      };
    }

    function copyOf(page: CollapsedPage, commitSeq: number): number {
      return page.copySeq > 0 ? page.copySeq : commitSeq;
    }

    const run = onCollapse(
      context,
      (collapse) => {
        for (const page of collapse.pages.values()) {
          const finding = waiting.get(page.pfn);
          waiting.delete(page.pfn);
          left.note(page.pfn, collapse.mm, Number.NaN, copyOf(page, collapse.commitSeq));
          if (finding !== undefined) context.report(finding);
          if (s.sources.seen[access.code] === 1) context.judged();
          else context.cannot('access');
        }
      },
      (collapse) => {
        for (const pfn of collapse.pages.keys()) waiting.delete(pfn);
        context.judged();
      },
    );
    return {
      ...run,
      after: [
        [
          access,
          (e) => {
            const gone = left.writtenBy(e);
            if (gone !== undefined) {
              context.report(told(e, gone.seq));
              return;
            }
            if (e.args[e.at + access.at.write] !== 1) return;
            const pfn = e.args[e.at + access.at.pfn]!;
            for (const task of s.tasks.all()) {
              const page = task.collapse?.pages.get(pfn);
              if (page === undefined || task.collapse!.mm !== e.args[e.at + access.at.mm]) continue;
              const copied = copyOf(page, task.collapse!.commitSeq);
              if (copied > 0) waiting.set(pfn, told(e, copied));
            }
          },
        ],
      ],
    };
  },
};
