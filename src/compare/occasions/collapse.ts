import type { CheckRun } from '../../checks/check.ts';
import { PG_OWNER_PRIV_1, PG_SWAPBACKED } from '../../core/pageflags.ts';
import { collapseEnd, collapseStatus } from '../../events/index.ts';
import { TRI_FALSE, TRI_TRUE } from '../../state/pages.ts';
import type { MmState } from '../../state/state.ts';
import { Tasks } from '../../state/tasks.ts';
import type { CollapsePage } from '../../variants/collapse.ts';
import type { Known } from '../../variants/facts.ts';
import { type Occasion, told, voteFor } from '../occasion.ts';
import { collapseRuleOf } from './rules.ts';

type Place = Pick<Occasion, 'seq' | 'ns' | 'cpu' | 'pid' | 'mm' | 'va' | 'pfn'>;

function occasionOf(
  place: Place,
  known: Known<CollapsePage>,
  observed: 'collapse' | 'refuse',
  pinned: boolean,
): Occasion {
  const extra = known.count! - known.mappings! - (known.swapcache === true ? 1 : 0);
  return {
    kind: 'collapse',
    axis: 'collapse',
    ...place,
    entry: Number.NaN,
    inputs: {
      refcount: told(known.count),
      mapcount: told(known.mappings),
      swapcache: told(known.swapcache),
      pinned,
    },
    observed,
    vote(value) {
      const vote = voteFor(collapseRuleOf(value).decide(known), observed);
      // A range is refused for many reasons: that this rule would not have refused it contradicts nothing.
      return vote.agreement === 'differs' && observed === 'refuse' ? { ...vote, agreement: 'unknown' } : vote;
    },
    fires(outcome) {
      if (outcome !== 'collapse') return [];
      return [
        ...(extra > 0 ? ['collapse-extra-refs'] : []),
        ...(pinned ? ['gup-pin-broken-by-collapse'] : []),
      ];
    },
  };
}

/** Watches khugepaged and MADV_COLLAPSE: is a page with extra references collapsed? */
export function watchCollapses(s: MmState, raise: (occasion: Occasion) => void): CheckRun {
  const pinned = (pfn: number): boolean => {
    const row = s.pages.find(pfn);
    if (row < 0) return false;
    for (const hold of s.holds.of(row)) if (s.holds.isPin(hold)) return true;
    return false;
  };
  return {
    before: [
      [
        collapseEnd,
        (e) => {
          const collapse = s.tasks.peek(Tasks.actor(e))?.collapse ?? null;
          if (collapse === null || collapse.commitSeq === 0) return;
          for (const page of collapse.pages.values()) {
            const { flags } = page;
            const anon = !Number.isNaN(flags) && (flags & PG_SWAPBACKED) !== 0;
            raise(
              occasionOf(
                {
                  seq: page.seq,
                  ns: page.ns,
                  cpu: page.cpu,
                  pid: collapse.pid,
                  mm: collapse.mm,
                  va: page.va,
                  pfn: page.pfn,
                },
                {
                  count: page.count,
                  mappings: page.mapcount + 1,
                  swapcache: anon ? (flags & PG_OWNER_PRIV_1) !== 0 : undefined,
                  privates: false,
                },
                'collapse',
                pinned(page.pfn),
              ),
            );
          }
        },
      ],
    ],
    after: [
      [
        collapseStatus,
        (e) => {
          const pfn = e.args[e.at + collapseStatus.at.pfn]!;
          const row = s.pages.find(pfn);
          if (!(pfn >= 0) || row < 0 || e.args[e.at + collapseStatus.at.ok] !== 0) return;
          const cached = s.pages.col.swapcache[row]!;
          raise(
            occasionOf(
              {
                seq: e.seq,
                ns: e.ns,
                cpu: e.cpu,
                pid: Tasks.actor(e),
                mm: s.tasks.peek(Tasks.actor(e))?.collapse?.mm ?? Number.NaN,
                va: Number.NaN,
                pfn,
              },
              {
                count: s.pages.count(row),
                mappings: s.pages.mappings(row),
                swapcache: cached === TRI_TRUE ? true : cached === TRI_FALSE ? false : undefined,
                privates: false,
              },
              'refuse',
              pinned(pfn),
            ),
          );
        },
      ],
    ],
  };
}
