import { PG_HEAD, PG_OWNER_PRIV_1, PG_PRIVATE, PG_SWAPBACKED, pageFlagText } from '../core/pageflags.ts';
import { collapseEnd } from '../events/index.ts';
import type { CollapseBracket, CollapsedPage } from '../state/collapse.ts';
import { TRI_TRUE, TRI_UNKNOWN } from '../state/pages.ts';
import type { MmState } from '../state/state.ts';
import type { CheckContext, CheckRun } from './check.ts';
import { actorOf } from './evidence.ts';
import type { Finding, Place } from './finding.ts';

/** SCAN_SUCCEED, the second of enum scan_result (mm/khugepaged.c, 3.8 on). */
const SUCCEEDED = 1;

/**
 * Calls back for each collapse that was carried out, while the state still holds it: its small pages are no longer
 * those of the mm. One that was given up has changed nothing; `given` is called for it.
 */
export function onCollapse(
  context: CheckContext,
  see: (collapse: CollapseBracket) => void,
  given: (collapse: CollapseBracket) => void = () => context.judged(),
): CheckRun {
  const s = context.state;
  return {
    before: [
      [
        collapseEnd,
        (e) => {
          const collapse = actorOf(s, e)?.collapse ?? null;
          if (collapse === null) return;
          const done = collapse.commitSeq > 0 || e.args[e.at + collapseEnd.at.ret] === SUCCEEDED;
          if (!done) given(collapse);
          else if (collapse.pages.size === 0) context.cannot('thp.isolate.begin');
          else see(collapse);
        },
      ],
    ],
    finish() {
      for (const task of s.tasks.all())
        if (task.collapse !== null && task.collapse.commitSeq > 0) see(task.collapse);
    },
  };
}

/** Place of one page of a collapse: the moment of its check. */
export function placeInCollapse(collapse: CollapseBracket, page: CollapsedPage): Place {
  return {
    seq: page.seq,
    ns: page.ns,
    cpu: page.cpu < 0 ? null : page.cpu,
    pid: collapse.pid > 0 ? collapse.pid : null,
    mm: Number.isNaN(collapse.mm) ? null : collapse.mm,
    address: Number.isNaN(page.va) ? null : page.va,
    pfn: page.pfn,
    newPfn: null,
    entry: null,
  };
}

/** What must hold a page at the check, and how many references are beyond it; NaN where an input is not told. */
export interface Weighed {
  readonly mappings: number;
  readonly swapcache: number;
  readonly extra: number;
  /** What the formula lacks, null where it has everything. */
  readonly missing: string | null;
}

function lacking(missing: string): Weighed {
  return { mappings: Number.NaN, swapcache: Number.NaN, extra: Number.NaN, missing };
}

/** Applies refcount == mappings + swap cache + private data (mm/khugepaged.c:is_refcount_suitable) to a page at its check. */
export function weigh(s: MmState, page: CollapsedPage): Weighed {
  const row = s.pages.find(page.pfn);
  const flags = page.flags;
  if (Number.isNaN(page.count)) return lacking('ref.add');
  if ((row >= 0 && s.pages.col.large[row] === 1) || flags & PG_HEAD)
    return lacking('mapcounts of large folios');
  if (!(page.mapcount >= 0)) return lacking('mapcount at the check');
  let swapcache = Number.NaN;
  if (!Number.isNaN(flags)) swapcache = flags & PG_SWAPBACKED && flags & PG_OWNER_PRIV_1 ? 1 : 0;
  else if (row >= 0 && s.pages.col.swapcache[row] !== TRI_UNKNOWN)
    swapcache = s.pages.col.swapcache[row] === TRI_TRUE ? 1 : 0;
  if (Number.isNaN(swapcache)) return lacking('page flags at the check');
  const mappings = page.mapcount + 1;
  const extra = page.count - mappings - swapcache - (flags & PG_PRIVATE ? 1 : 0);
  return { mappings, swapcache, extra, missing: null };
}

/** Whether a user page lies in the range of a collapse; undefined where its address is not known. */
export function isInside(collapse: CollapseBracket, va: number): boolean | undefined {
  return Number.isNaN(va) ? undefined : va >= collapse.va && va < collapse.va + 512 * 4096;
}

/** What the page was at its check, for the report. */
export function valuesAt(s: MmState, page: CollapsedPage): Finding['values'] {
  const { mappings, swapcache } = weigh(s, page);
  const known = (value: number): number | null => (Number.isNaN(value) ? null : value);
  const row = s.pages.find(page.pfn);
  return {
    generation: row < 0 ? null : page.gen,
    anon: true,
    pageflags: Number.isNaN(page.flags) ? null : pageFlagText(page.flags),
    refcount: known(page.count),
    mapcount: known(mappings),
    swapcache: Number.isNaN(swapcache) ? null : swapcache === 1,
  };
}
