import { describe, expect, test } from 'vitest';
import { judge, told, without } from '../notation.ts';
import {
  ALLOCATED,
  CHILD_READS,
  childUnmaps,
  copyFault,
  PROBES_LIVE,
  PROTECTED,
  reuseFault,
  SHARED,
} from './stories.ts';

const EXCLUSIVE = 'lru|swapbacked|uptodate|ae';
const ORDINARY = 'lru|swapbacked|uptodate';
const FORKED = PROBES_LIVE + ALLOCATED + SHARED;
const LEAK = FORKED + CHILD_READS + childUnmaps(2) + reuseFault({ flags: ORDINARY, count: 2 });
const MISSED = FORKED + reuseFault({ flags: ORDINARY, count: 2, mapcount: 1 });

function about(check: string, text: string, variant: string | null = '6.12'): string[] {
  return told(judge(text, { variant })).filter((line) =>
    line.split(' ').some((word) => word.replace(',', '') === check),
  );
}

describe('cow-leak-through-gup-ref', () => {
  test('the child keeps its reference over its unmap, the parent reuses the page', () => {
    expect(told(judge(LEAK, { variant: '6.12' }))).toEqual([
      'critical proven cow-leak-through-gup-ref (foreign-reference) x1 with policy-mismatch',
    ]);
    expect(told(judge(LEAK, { variant: null }))).toEqual([
      'critical proven cow-leak-through-gup-ref (foreign-reference) x1',
    ]);
    const { evidence, values } = judge(LEAK, { variant: '6.12' }).divergences[0]!;
    expect(evidence[0]).toMatchObject({ role: 'cause', text: 'reference taken through another mm' });
    expect(values).toMatchObject({ reader: 11 });
  });

  const put = `\n  1 11 ref.add pfn=P delta=-1 count=1 mapcount=0 flags=${ORDINARY} mapping=anon\n`;
  test.each([
    [
      'the reference was put before',
      FORKED + CHILD_READS + childUnmaps(2) + put + reuseFault({ flags: ORDINARY, count: 1 }),
    ],
    ['the page was copied', FORKED + CHILD_READS + childUnmaps(2) + copyFault({ flags: ORDINARY, count: 2 })],
    ['the parent itself took the reference', LEAK.replace('how=locked mm=B', 'how=locked mm=A')],
    ['nobody took one', without(LEAK, /gup\.grab/)],
  ])('silent: %s', (_why, text) => {
    expect(about('cow-leak-through-gup-ref', text)).toEqual([]);
    expect(judge(text, { variant: '6.12' }).coverage.get('cow-leak-through-gup-ref')!.cannotJudge).toBe(0);
  });

  test('a reference of unknown mm cannot be judged, and the check says what it needs', () => {
    const remote = LEAK.replace('how=locked mm=B', 'how=locked').replace(
      'refs=1 flags=get',
      'refs=1 flags=get|remote',
    );
    expect(about('cow-leak-through-gup-ref', remote)).toEqual([]);
    expect(judge(remote).coverage.get('cow-leak-through-gup-ref')!.missing).toEqual([
      'the mm of a GUP reference',
    ]);
  });

  test.each([
    ['counts that the task read', 'the counts of the page at the reuse', LEAK.replaceAll(/ count=\d+/g, '')],
    [
      'whole records',
      'the put of the reference',
      LEAK.replace('  0 10 fault.begin mm=A', '  0 10 trace.lost cpu=0 count=3\n  0 10 fault.begin mm=A'),
    ],
  ])('without %s: suspect', (_what, missing, text) => {
    const [found] = judge(text, { variant: '6.12' }).divergences;
    expect(found).toMatchObject({ check: 'cow-leak-through-gup-ref', verdict: 'suspect', missing });
  });

  test('where the clocks of two CPUs differ by more than what lies between: suspect', () => {
    const found = judge(LEAK, { variant: null, skewNs: 1_000_000 }).divergences[0]!;
    expect(found).toMatchObject({ verdict: 'suspect', missing: 'the order of two CPUs' });
    expect(
      judge(LEAK.replace('  0 10 fault.begin mm=A', '  + 2ms\n  0 10 fault.begin mm=A'), {
        skewNs: 1_000_000,
      }).divergences[0],
    ).toMatchObject({
      verdict: 'proven',
    });
  });
});

describe('missed-cow', () => {
  test('the child still maps the page', () => {
    expect(told(judge(MISSED, { variant: '6.12' }))).toEqual([
      'critical proven missed-cow (sharer-mapped) x1 with policy-mismatch',
    ]);
    expect(told(judge(MISSED, { variant: null }))).toEqual(['critical proven missed-cow (sharer-mapped) x1']);
  });

  test.each([
    ['the child unmapped it before', FORKED + childUnmaps(1) + reuseFault({ flags: ORDINARY, count: 1 })],
    [
      'the page itself says that one PTE maps it',
      MISSED.replace(/mapcount=1(?= flags=lru\|swapbacked\|uptodate\|ae\n)/, 'mapcount=0'),
    ],
    ['it was copied', FORKED + copyFault({ flags: ORDINARY, count: 2, mapcount: 1 })],
    ['never shared', PROBES_LIVE + ALLOCATED + PROTECTED + reuseFault({ flags: EXCLUSIVE, count: 1 })],
  ])('silent: %s', (_why, text) => {
    expect(about('missed-cow', text)).toEqual([]);
    expect(judge(text, { variant: '6.12' }).coverage.get('missed-cow')!.cannotJudge).toBe(0);
  });

  test('without a mapcount at the reuse: suspect', () => {
    const unread = MISSED.replaceAll(' mapcount=1', '');
    const [line] = about('missed-cow', unread, null);
    expect(line).toBe('critical suspect missed-cow (sharer-mapped) x1');
  });

  test('without the PTE of the child it cannot judge', () => {
    const untold = without(MISSED, /pte\.set mm=B/);
    expect(about('missed-cow', untold)).toEqual([]);
    expect(judge(untold).coverage.get('missed-cow')).toMatchObject({
      cannotJudge: 1,
      missing: ['PTEs of the other mms'],
    });
  });
});

describe('policy-mismatch', () => {
  /** A reuse with an extra reference that the state saw too: no reading leaves room for a sole user. */
  const extra = `\n  1 30 ref.add pfn=P delta=1 count=2 mapcount=0 flags=${ORDINARY} mapping=anon\n`;
  const held = PROBES_LIVE + ALLOCATED + PROTECTED + extra + reuseFault({ flags: ORDINARY, count: 2 });

  test('what 6.12 would copy was reused', () => {
    expect(about('policy-mismatch', held)).toEqual([
      'high proven policy-mismatch (not exclusive, one mapping, referenced, lock free or unknown) x1',
    ]);
    expect(judge(held, { variant: '6.12' }).divergences[0]!.values).toMatchObject({
      variant: '6.12',
      observed: 'reuse',
      expected: 'copy',
    });
  });

  test('silent: no variant declared', () => {
    expect(about('policy-mismatch', held, null)).toEqual([]);
  });

  test.each([
    [
      'the sole-user test found the reference gone',
      held
        .replace(
          'mapcount=0 flags=lru|swapbacked|uptodate|ae\n',
          'mapcount=0 flags=lru|swapbacked|uptodate|ae\n',
        )
        .replace(/(wp\.reuse.*) count=2/, '$1 count=1'),
    ],
    [
      'the batch of this CPU may have been drained',
      held
        .replace(extra, '')
        .replaceAll(`flags=${ORDINARY}`, 'flags=swapbacked|uptodate')
        .replaceAll(/(wp\.reuse|lock\.release)(.*) count=2/g, '$1$2'),
    ],
    ['nothing was read of the count', held.replaceAll(/((?:wp|lock)\.\S+ .*) count=\d+/g, '$1')],
  ])('silent: %s', (_why, text) => {
    expect(about('policy-mismatch', text)).toEqual([]);
    expect(judge(text, { variant: '6.12' }).coverage.get('policy-mismatch')!.cannotJudge).toBe(1);
  });

  test('an exclusive page is reused whatever its count and its lock say', () => {
    const reused =
      PROBES_LIVE + ALLOCATED + PROTECTED + extra + reuseFault({ flags: `locked|${EXCLUSIVE}`, count: 2 });
    expect(about('policy-mismatch', reused)).toEqual([]);
    expect(judge(reused, { variant: '6.12' }).coverage.get('policy-mismatch')).toMatchObject({
      judged: 2,
      cannotJudge: 0,
    });
    // Under 5.9 the reference decides.
    expect(about('policy-mismatch', reused, '5.9')).toHaveLength(1);
  });

  /** Reuses of `n` pages, of which every `each`-th has an extra reference. */
  function many(n: number, each: number): string {
    let text = PROBES_LIVE;
    for (let i = 0; i < n; i++) {
      const page =
        ALLOCATED +
        PROTECTED +
        (i % each === 0 ? extra : '') +
        reuseFault({ flags: EXCLUSIVE, count: i % each === 0 ? 2 : 1 });
      text += page
        .replaceAll('pfn=P', `pfn=P${i}`)
        .replaceAll('=P:', `=P${i}:`)
        .replaceAll('va=a', `va=a+${i}`)
        .replaceAll('ptep=T', `ptep=T:${i}`);
    }
    return text;
  }

  test('more than 5 % of at least 50: the trace follows another variant, and the groups stay', () => {
    const lines = told(judge(many(60, 10), { variant: '5.9' }));
    expect(lines).toHaveLength(2);
    expect(lines.some((line) => line.startsWith('high proven policy-mismatch (another-variant)'))).toBe(true);
    expect(
      lines.some((line) => line.includes('(exclusive, one mapping, referenced, lock free or unknown) x6')),
    ).toBe(true);
    const whole = judge(many(60, 10), { variant: '5.9' }).divergences.find(
      (d) => d.cause === 'another-variant',
    )!;
    expect(whole.values).toMatchObject({ variant: '5.9', judged: 61, differing: 6 });
    expect(whole.values['best']).not.toBe('5.9');
  });

  test.each([
    ['fewer than 50 decisions', many(40, 10)],
    ['at most 5 % of them', many(60, 30)],
  ])('silent about another variant: %s', (_why, text) => {
    expect(told(judge(text, { variant: '5.9' })).filter((line) => line.includes('another-variant'))).toEqual(
      [],
    );
  });
});
