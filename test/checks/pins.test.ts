import { expect, test } from 'vitest';
import { judge, told, without } from '../notation.ts';
import { describeCase, saidBy } from './cases.ts';
import { ALLOCATED, PINNED } from './stories.ts';

/** Task 10 forks; the child gets P, whose count is then `count`. */
function fork(count: number, inside = ''): string {
  return `
  0 10 fork.begin child=B parent=A start=a end=a+8
  0 10 fork.ptes.begin child=B parent=A va=a max=1 dst=TB src=T
${inside}
  0 10 ref.add pfn=P delta=1 count=${count} mapcount=0 flags=lru|swapbacked|uptodate|ae mapping=anon
  0 10 pte.set mm=B ptep=TB old=none value=P:r nr=1
  0 10 fork.ptes.end nr=1
  0 10 fork.end ret=0
  0 10 mm.dup mm=B
  0 10 task.fork parent=10 child=11
`;
}
/** The page is pinned, so the child gets a copy at once. */
const EARLY_COPY = `
  0 10 fork.begin child=B parent=A start=a end=a+8
  0 10 fork.ptes.begin child=B parent=A va=a max=1 dst=TB src=T
  0 10 fork.ptes.end nr=0
  0 10 fork.ptes.begin child=B parent=A va=a max=1 dst=TB src=T
  0 10 rmap.new pfn=Q mm=B va=a exclusive=yes
  0 10 pte.set mm=B ptep=TB old=none value=Q:w nr=1
  0 10 fork.ptes.end nr=1
  0 10 mm.dup mm=B
  0 10 fork.ptes.begin child=C parent=A va=a+1 max=1 dst=TC src=T:1
  0 10 pte.set mm=C ptep=TC:1 old=none value=Q2:r nr=1
  0 10 fork.ptes.end nr=1
`;
const UNPINNED = `
  0 10 gup.put pfn=P refs=1 flags=pin count=1025
  0 10 ref.add pfn=P delta=-1024 count=1 mapcount=0 flags=lru|swapbacked|uptodate|ae mapping=anon
`;
const PUT_LATER =
  '  0 10 ref.add pfn=P delta=-1024 count=2 mapcount=1 flags=lru|swapbacked|uptodate mapping=anon\n';
const BROKEN = ALLOCATED + PINNED + fork(1026) + PUT_LATER;

describeCase({
  check: 'gup-pin-broken-by-fork',
  trigger: BROKEN,
  severity: 'critical',
  cause: 'pin',
  silent: [
    ['the child got a copy', ALLOCATED + PINNED + EARLY_COPY],
    ['unpinned before', ALLOCATED + PINNED + UNPINNED + fork(2)],
    ['the count has no room for the pin', ALLOCATED + PINNED + fork(2).replace('delta=1 ', 'delta=-1023 ')],
    ['pinned through another address', ALLOCATED + PINNED.replace('start=a', 'start=a+3') + fork(1026)],
  ],
  without: [
    ['the PTE of the child', without(without(BROKEN, /pte\.set/), /fork\.ptes/), 'pte.set'],
    ['the bracket of the copied PTEs', without(BROKEN, /fork\.ptes/), 'fork.ptes.begin'],
  ],
  suspect: [
    ['the mm of the pin is not told', without(BROKEN, /gup\./), 'the mm through which the pin was taken'],
    ['no count later has it', ALLOCATED + PINNED + fork(1026), 'a count of the page that still has the pin'],
  ],
});

test('a variant that shares pinned pages on fork has a known limit', () => {
  expect(saidBy('gup-pin-broken-by-fork', judge(BROKEN, { variant: '5.8' }))).toMatchObject({
    severity: 'warning',
  });
  expect(saidBy('gup-pin-broken-by-fork', judge(BROKEN, { variant: '6.12' }))).toMatchObject({
    severity: 'critical',
  });
});

/** Task 12 runs on mm A too. */
const THREAD = '  1 12 fault.begin mm=A va=b flags=user\n  1 12 fault.end ret=0\n';
const FAST = `
  1 12 gup.begin how=pin-fast start=a nr=1 flags=pin|write
  1 12 gup.grab-fast.begin pfn=P refs=1 flags=pin|write
  1 12 ref.add pfn=P delta=1024 count=1025 mapcount=0 flags=lru|swapbacked|uptodate|ae mapping=anon
  1 12 gup.grab-fast.end pfn=P refs=1 flags=pin|write
`;
const FAST_END = '  1 12 gup.end how=pin-fast ret=1\n';
const RECHECKED = `
  1 12 gup.put pfn=P refs=1 flags=pin count=1026
  1 12 ref.add pfn=P delta=-1024 count=2 mapcount=0 flags=lru|swapbacked|uptodate mapping=anon
`;
const RACE = ALLOCATED + THREAD + fork(1026, FAST) + FAST_END;

describeCase({
  check: 'gup-fast-fork-race',
  trigger: RACE,
  severity: 'critical',
  cause: 'pin-in-window',
  silent: [
    ['the sequence count has moved: it unpins', ALLOCATED + THREAD + fork(1026, FAST) + RECHECKED + FAST_END],
    ['pinned before the fork', ALLOCATED + THREAD + FAST + FAST_END + fork(1026)],
    ['pinned after the fork', ALLOCATED + THREAD + fork(2) + FAST + FAST_END],
  ],
  without: [['the fast walk', without(RACE, /grab-fast/), 'gup.grab-fast.end']],
});

test('where the clocks of two CPUs differ by more than what lies between: suspect', () => {
  expect(saidBy('gup-fast-fork-race', judge(RACE, { skewNs: 1_000_000 }))).toMatchObject({
    verdict: 'suspect',
    missing: 'the order of two CPUs',
  });
});

/** A maps page F of a file read-only at a. Task 10 wants to write it by force. */
const FORCED = `
  0 10 pte.write mm=A va=a old=none value=F:r
  0 10 gup.begin how=locked mm=A start=a nr=1 flags=get|write|force
  0 10 gup.grab pfn=F refs=1 flags=get|write|force count=2
  0 10 ref.add pfn=F delta=1 count=3 mapcount=0 flags=lru|uptodate mapping=file
  0 10 gup.end how=locked ret=1
`;
describeCase({
  check: 'foll-force-without-cow',
  trigger: FORCED,
  severity: 'critical',
  cause: 'page-cache',
  silent: [
    [
      'COW was broken: the page is anon and exclusive',
      FORCED.replace('mapping=file', 'mapping=anon').replace('lru|', 'lru|swapbacked|ae|'),
    ],
    ['the PTE is writable', FORCED.replace('F:r', 'F:w')],
    ['the walk failed', FORCED.replace('ret=1', 'ret=-14')],
  ],
  without: [
    ['the PTE', without(FORCED, /pte\.write/), 'pte.set'],
    ['the kind of the page', without(FORCED, /ref\.add/), 'ref.add'],
  ],
});

test('a forced write to an anon page that is not exclusive', () => {
  const anon = FORCED.replace('mapping=file', 'mapping=anon').replace('lru|', 'lru|swapbacked|');
  expect(told(judge(anon))).toEqual(['critical proven foll-force-without-cow (shared-anon) x1']);
  // Before 5.19 the rule was another: COW was told by the dirty bit of the PTE.
  expect(told(judge(anon, { kernel: 510 }))).toEqual([]);
});

const GET = `
  0 10 gup.begin how=locked mm=A start=a nr=1 flags=get
  0 10 gup.grab pfn=P refs=1 flags=get count=1
  0 10 ref.add pfn=P delta=1 count=2 mapcount=0 flags=lru|swapbacked|uptodate|ae mapping=anon
  0 10 gup.end how=locked ret=1
`;
describeCase({
  check: 'gup-unpin-unbalanced',
  trigger: `${ALLOCATED}${GET}  0 10 gup.put pfn=P refs=1 flags=pin count=2\n`,
  severity: 'critical',
  cause: 'get-dropped-by-unpin',
  silent: [
    ['a pin is unpinned', ALLOCATED + PINNED + UNPINNED],
    [
      'a thousand plain references look like a pin',
      `${ALLOCATED}${GET}  0 10 gup.put pfn=P refs=1 flags=pin count=1500\n`,
    ],
  ],
  without: [
    [
      'the count at the unpin',
      `${ALLOCATED}${GET}  0 10 gup.put pfn=P refs=1 flags=pin\n`,
      'count at the unpin',
    ],
    [
      'whether the page is a small one',
      '  0 10 dirty.set pfn=P\n  0 10 lock.wait pfn=P\n  0 10 lru.activate pfn=P\n  0 10 ref.refused pfn=P delta=1\n  0 10 pte.write mm=A va=a old=none value=P:r\n  0 10 gup.put pfn=P refs=1 flags=pin count=2\n',
      'whether the folio is large, or the zero page',
    ],
  ],
});

test('a pin that put_page takes a part of', () => {
  const whole = '  0 1 page.free pfn=X order=0\n';
  const put =
    '  0 10 ref.add pfn=P delta=-1 count=1024 mapcount=0 flags=lru|swapbacked|uptodate|ae mapping=anon\n';
  expect(told(judge(whole + ALLOCATED + PINNED + put))).toEqual([
    'critical suspect gup-unpin-unbalanced (pin-dropped-by-put) x1',
  ]);
  expect(judge(whole + ALLOCATED + PINNED + put).divergences[0]!.missing).toBe('the caller of the put');
  // A reference of its own was put.
  expect(
    told(judge(whole + ALLOCATED + GET + PINNED.replace('1025', '1026') + put.replace('1024', '1025'))),
  ).toEqual([]);
});

const LONGTERM = `
  0 10 gup.begin how=pin mm=A start=a nr=1 flags=pin|longterm
  0 10 gup.grab pfn=P refs=1 flags=pin|longterm count=1
  0 10 ref.add pfn=P delta=1024 count=1025 mapcount=0 flags=lru|swapbacked|uptodate|ae mapping=anon
  0 10 gup.end how=pin ret=1
`;
const MOVABLE = '  0 1 page.unpinnable pfn=P\n';
describeCase({
  check: 'longterm-pin-movable',
  trigger: MOVABLE + ALLOCATED + LONGTERM,
  severity: 'high',
  cause: 'longterm-pin',
  silent: [
    ['another page is the unpinnable one', MOVABLE.replace('=P', '=X') + ALLOCATED + LONGTERM],
    [
      'unpinned again before GUP returned',
      MOVABLE + ALLOCATED + LONGTERM.replace('  0 10 gup.end', `${UNPINNED}  0 10 gup.end`),
    ],
  ],
  without: [['where the page lies', ALLOCATED + LONGTERM, 'page.unpinnable']],
});
