import { expect, test } from 'vitest';
import { judge, told, without } from '../notation.ts';
import { describeCase } from './cases.ts';
import { ALLOCATED, childUnmaps, PINNED, PROBES_LIVE, reuseFault, SHARED } from './stories.ts';

const FLAGS = 'locked|swapbacked|uptodate|ae';

/** Task 10 collapses the range of P, which has `count` references and is mapped raw `mapcount` + 1 times. */
function collapse(count: number, { mapcount = 0, inside = '', copied = '', flags = FLAGS } = {}): string {
  return `
  0 10 thp.collapse.begin mm=A va=a
  0 10 pmd.clear mm=A value=none
  0 10 thp.isolate.begin mm=A va=a
  0 10 ref.add pfn=P delta=1 count=${count + 1} mapcount=${mapcount} flags=${flags} mapping=anon
${inside}
  0 10 thp.isolate.end ok=yes
  0 10 thp.copy pfn=P into=H
${copied}
  0 10 thp.collapse.commit mm=A va=a
`;
}

/** The small page is released with `count` references left, and the huge page put in place. */
function released(count: number): string {
  return `
  0 10 ref.add pfn=P delta=-1 count=${count + 1} mapcount=0 flags=swapbacked|uptodate|ae mapping=anon
  0 10 rmap.del pfn=P folio=P nr=1 mm=A mapcount=0 count=${count + 1}
  0 10 ref.add pfn=P delta=-1 count=${count} mapcount=-1 flags=swapbacked|uptodate|ae mapping=anon
  0 10 pmd.set mm=A pmdp=M value=H:w
  0 10 thp.collapse.end ret=1
`;
}

const GIVEN_UP = `
  0 10 thp.collapse.begin mm=A va=a
  0 10 pmd.clear mm=A value=none
  0 10 thp.isolate.begin mm=A va=a
  0 10 thp.isolate.end ok=no
  0 10 thp.collapse.end ret=11
`;

/** Task 12 runs on mm A too, and pins P by the fast walk. */
const THREAD = `
  1 12 fault.begin mm=A va=b flags=user
  1 12 fault.end ret=0
`;
function fastPin(pid: number, count: number): string {
  return `
  1 ${pid} gup.begin how=pin-fast start=a nr=1 flags=pin|write
  1 ${pid} gup.grab-fast.begin pfn=P refs=1 flags=pin|write
  1 ${pid} ref.add pfn=P delta=1024 count=${count} mapcount=0 flags=${FLAGS} mapping=anon
  1 ${pid} gup.grab-fast.end pfn=P refs=1 flags=pin|write
  1 ${pid} gup.end how=pin-fast ret=1
`;
}

const BROKEN = ALLOCATED + PINNED + collapse(1025) + released(1024);
const EXTRA = `
  1 20 ref.add pfn=P delta=1 count=2 mapcount=0 flags=swapbacked|uptodate|ae mapping=anon
`;
const LATE = ALLOCATED + THREAD + collapse(1, { inside: fastPin(12, 1026) }) + released(1024);

test('a pinned page that was collapsed is one divergence', () => {
  expect(told(judge(BROKEN))).toEqual([
    'critical proven gup-pin-broken-by-collapse (pin) x1 with collapse-extra-refs',
  ]);
  expect(judge(BROKEN).divergences[0]!.values).toMatchObject({ refcount: 1025, mapcount: 1, pinner: 10 });
});

describeCase({
  check: 'gup-pin-broken-by-collapse',
  trigger: BROKEN,
  severity: 'critical',
  cause: 'pin',
  silent: [
    ['the collapse was given up', ALLOCATED + PINNED + GIVEN_UP],
    [
      'unpinned before the check',
      `${ALLOCATED + PINNED}
  0 10 gup.put pfn=P refs=1 flags=pin count=1025
  0 10 ref.add pfn=P delta=-1024 count=1 mapcount=0 flags=lru|swapbacked|uptodate|ae mapping=anon
${collapse(1)}${released(0)}`,
    ],
    ['the count has no room for the pin', ALLOCATED + PINNED + collapse(1) + released(0)],
    ['no pin at all', ALLOCATED + collapse(1) + released(0)],
  ],
  without: [
    ['what pins pages', without(without(BROKEN, /ref\./), /gup\./), 'thp.isolate.begin'],
    [
      'the pages that were isolated',
      without(BROKEN, /isolate|thp\.copy|ref\.add pfn=P delta=1 /),
      'thp.isolate.begin',
    ],
  ],
  suspect: [
    ['the mm of the pin is not told', without(BROKEN, /gup\./), 'the mm through which the pin was taken'],
    ['no count after the copy', without(BROKEN, /delta=-1 /), 'a count of the page after the copy'],
  ],
});

describeCase({
  check: 'collapse-extra-refs',
  trigger: PROBES_LIVE + ALLOCATED + EXTRA + collapse(2) + released(1),
  severity: 'high',
  cause: 'extra-reference',
  silent: [
    ['the references are those of the mapping', ALLOCATED + collapse(1) + released(0)],
    ['the collapse was given up', ALLOCATED + EXTRA + GIVEN_UP],
    [
      'the swap cache holds one',
      ALLOCATED + EXTRA + collapse(2, { flags: `${FLAGS}|swapcache` }) + released(1),
    ],
    [
      'the reference came behind the check',
      ALLOCATED + THREAD + collapse(1, { inside: fastPin(12, 1026) }) + released(1024),
    ],
  ],
  without: [
    [
      'the isolation of the page',
      without(ALLOCATED + EXTRA + collapse(2) + released(1), /delta=1 count=3/),
      'thp.isolate.begin',
    ],
  ],
  suspect: [
    [
      'the reference was taken while the pages were checked',
      (ALLOCATED + collapse(2) + released(1)).replace(
        'thp.isolate.begin mm=A va=a',
        `thp.isolate.begin mm=A va=a${EXTRA}`,
      ),
      'the count just before the check',
    ],
    [
      'what maps the page is not told',
      ALLOCATED + EXTRA + collapse(2) + released(1),
      'the mapcount just before the check',
    ],
  ],
});

describeCase({
  check: 'collapse-late-pin',
  trigger: LATE,
  severity: 'critical',
  cause: 'late-pin',
  silent: [
    ['pinned before the check', BROKEN],
    [
      'the fast walk saw the PMD change and unpinned',
      `${ALLOCATED + THREAD}${collapse(1, {
        inside: `${fastPin(12, 1026)}
  1 12 gup.put pfn=P refs=1 flags=pin count=1026
  1 12 ref.add pfn=P delta=-1024 count=2 mapcount=0 flags=${FLAGS} mapping=anon`,
      })}${released(0)}`,
    ],
  ],
  without: [
    ['the mm of the task that pins', LATE.replace(THREAD, ''), 'the mm of the GUP reference'],
    ['the pages that were isolated', without(LATE, /delta=1 |thp\.copy/), 'thp.isolate.begin'],
  ],
});

test('a pin through another mm that shares the page read-only is what the check allows for', () => {
  const other = `
  1 11 gup.begin how=locked mm=B start=a nr=1 flags=pin
  1 11 gup.grab pfn=P refs=1 flags=pin count=3
  1 11 ref.add pfn=P delta=1024 count=1027 mapcount=1 flags=locked|swapbacked|uptodate mapping=anon
  1 11 gup.end how=locked ret=1
`;
  const shared =
    ALLOCATED +
    SHARED +
    collapse(2, { mapcount: 1, inside: other, flags: 'locked|swapbacked|uptodate' }) +
    released(1025);
  expect(told(judge(shared))).toEqual(['info proven collapse-late-pin (other-mm) x1']);
});

const STORE = `
  1 12 access agent=0 mm=A va=a pfn=P write=yes
`;
describeCase({
  check: 'collapse-lost-write',
  trigger: ALLOCATED + collapse(1, { copied: STORE }) + released(0),
  severity: 'critical',
  cause: 'stale-tlb',
  silent: [
    ['written before the copy', ALLOCATED + collapse(1, { inside: STORE }) + released(0)],
    [
      'written through another mm',
      ALLOCATED + collapse(1, { copied: STORE.replace('mm=A', 'mm=B') }) + released(0),
    ],
    ['only read', ALLOCATED + collapse(1, { copied: STORE.replace('yes', 'no') }) + released(0)],
  ],
  without: [['accesses', ALLOCATED + collapse(1) + released(0), 'access']],
});

const LISTENING = `
  0 10 mn.start mm=A start=c end=c+1 event=1
  0 10 mn.end mm=A start=c end=c+1 event=1
`;
const NOTIFIED = '  0 10 mn.start mm=A start=a end=a+512 event=1\n';
const GAP =
  ALLOCATED +
  LISTENING +
  (collapse(1) + released(0)).replace('  0 10 thp.isolate.begin', `${NOTIFIED}  0 10 thp.isolate.begin`);
describeCase({
  check: 'collapse-notifier-gap',
  trigger: GAP,
  severity: 'critical',
  cause: 'late',
  silent: [
    [
      'told before the PMD is cleared',
      ALLOCATED +
        LISTENING +
        (collapse(1) + released(0)).replace('  0 10 pmd.clear', `${NOTIFIED}  0 10 pmd.clear`),
    ],
    ['the mm has no notifier', ALLOCATED + LISTENING.replaceAll('mm=A', 'mm=B') + collapse(1) + released(0)],
  ],
  without: [
    ['invalidations', ALLOCATED + collapse(1) + released(0), 'mn.start'],
    ['the PMD', without(GAP, /pmd\.clear/), 'pmd.clear'],
  ],
  suspect: [
    [
      'no invalidation is told',
      ALLOCATED + LISTENING + collapse(1) + released(0),
      'rests on the absence of mn.start',
    ],
  ],
});

const HUGE = 'lru|swapbacked|uptodate|head';
const FORKED = PROBES_LIVE + ALLOCATED + SHARED + childUnmaps(1);
const SPLIT = (at: string): string =>
  FORKED + reuseFault({ flags: HUGE, count: 1 }).replace('  0 10 wp.test', `${at}  0 10 wp.test`);
describeCase({
  check: 'thp-mapcount-race',
  trigger: SPLIT('  1 11 thp.mapcount pfn=P value=2\n'),
  severity: 'critical',
  cause: 'split',
  silent: [['the steps say one mapping too', SPLIT('  1 11 thp.mapcount pfn=P value=1\n')]],
  without: [['the steps of the mapcount', SPLIT(''), 'thp.mapcount']],
});
