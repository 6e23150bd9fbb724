import { describe, expect, test } from 'vitest';
import { judge, told, without } from '../notation.ts';
import {
  ALLOCATED,
  copyFault,
  PINNED,
  PROBES_LIVE,
  PROTECTED,
  RECLAIMER_HOLDS_LOCK,
  reuseFault,
  SHARED,
} from './stories.ts';

const EXCLUSIVE = 'lru|swapbacked|uptodate|ae';
const ORDINARY = 'lru|swapbacked|uptodate';
const BASE = PROBES_LIVE + ALLOCATED + PROTECTED;
const COPIED = BASE + copyFault({ flags: EXCLUSIVE, count: 2 });
const FIRST_MAIL =
  BASE +
  PINNED +
  RECLAIMER_HOLDS_LOCK +
  copyFault({ flags: 'locked|swapbacked|uptodate|ae', count: 1026, after: 1025 });
/** FOLL_GET instead of FOLL_PIN. */
const REFERENCED =
  BASE +
  PINNED.replaceAll('pin|write', 'get|write')
    .replaceAll('how=pin', 'how=locked')
    .replace('delta=1024 count=1025', 'delta=1 count=2');

/** Divergences that name this check, as head or as consequence. */
function about(check: string, text: string, variant: string | null = '6.12'): string[] {
  return told(judge(text, { variant })).filter((line) =>
    line.split(' ').some((word) => word.replace(',', '') === check),
  );
}

describe('unexpected-cow', () => {
  test('an AnonExclusive page was copied: its severity is that of the declared variant', () => {
    expect(told(judge(COPIED, { variant: '6.12' }))).toEqual([
      'high proven unexpected-cow (unknown-ref) x1 with policy-mismatch',
    ]);
    expect(told(judge(COPIED, { variant: null }))).toEqual([
      'warning proven unexpected-cow (unknown-ref) x1',
    ]);
    // 5.9 computes the copy itself: by design.
    expect(told(judge(COPIED, { variant: '5.9' }))).toEqual(['info proven unexpected-cow (unknown-ref) x1']);
  });

  test('with a live pin it is critical, whether a variant is declared or not', () => {
    const copied = BASE + PINNED + copyFault({ flags: EXCLUSIVE, count: 1025 });
    for (const variant of ['6.12', null]) {
      const [found] = judge(copied, { variant }).divergences;
      const itself = found!.consequences.find((c) => c.check === 'unexpected-cow');
      expect(itself).toMatchObject({ severity: 'critical', verdict: 'proven' });
    }
  });

  test('a page that was exclusive by its counts alone: info without a variant', () => {
    const copied = BASE + copyFault({ flags: ORDINARY, count: 1 });
    expect(about('unexpected-cow', copied, null)).toEqual(['info proven unexpected-cow (unknown-ref) x1']);
  });

  test.each([
    [
      'a sibling maps the page: the copy is required',
      BASE + copyFault({ flags: ORDINARY, count: 2, mapcount: 1 }),
    ],
    ['an unshare fault copies by request', COPIED.replaceAll('write|user', 'unshare|user')],
    [
      'the PTE had changed: the copy was dropped',
      COPIED.replace(/.*(clear-flush mm=A|rmap.new pfn=Q|value=Q|rmap.del pfn=P).*\n/g, ''),
    ],
    ['reused', BASE + reuseFault({ flags: EXCLUSIVE, count: 2 })],
  ])('silent: %s', (_why, text) => {
    expect(about('unexpected-cow', text)).toEqual([]);
    expect(judge(text, { variant: '6.12' }).coverage.get('unexpected-cow')!.cannotJudge).toBe(0);
  });

  test('without what was read of the page it cannot judge, and says so', () => {
    const blind = COPIED.replaceAll(/ (flags=lru\S*|mapcount=\S+)/g, '');
    expect(told(judge(blind, { variant: '6.12' }))).toEqual([]);
    const { cannotJudge, missing } = judge(blind).coverage.get('unexpected-cow')!;
    expect(cannotJudge).toBe(2);
    expect(missing).toEqual(['history of the page']);
  });

  test('two tasks that copy the same page at once: info, by its cause', () => {
    const sibling = `
  1 11 fault.begin mm=A va=a flags=write|user
  1 11 wp.begin mm=A va=a flags=write|user pte=P:r
  1 11 ref.add pfn=P delta=1 count=2 mapcount=0 flags=${ORDINARY} mapping=anon
  1 11 wp.copy mm=A va=a pfn=P pte=P:r count=2 mapcount=0 flags=${ORDINARY}
`;
    const text = BASE + sibling + copyFault({ flags: ORDINARY, count: 2 });
    for (const variant of ['6.12', null])
      expect(about('unexpected-cow', text, variant)).toEqual(['info proven unexpected-cow (sibling-cow) x1']);
  });
});

describe('unexpected-cow-under-reclaim', () => {
  test('the holder of the lock reclaims: the moment is one divergence, the broken pin its head', () => {
    const { divergences } = judge(FIRST_MAIL, { variant: '6.12' });
    expect(told({ divergences })).toEqual([
      'critical proven gup-pin-broken-by-cow (page-lock) x1 with unexpected-cow-under-reclaim, unexpected-cow, policy-mismatch',
    ]);
    expect(
      divergences[0]!.consequences.every((c) => c.severity === 'critical' && c.verdict === 'proven'),
    ).toBe(true);
    expect(divergences[0]!.evidence.map(({ role }) => role)).toEqual([
      'context',
      'cause',
      'context',
      'context',
      'decision',
      'harm',
    ]);
    expect(divergences[0]!.values).toMatchObject({ pinned: true, holder: 20, pinner: 10 });
  });

  test('silent: the holder does not reclaim', () => {
    const elsewhere = without(FIRST_MAIL, /reclaim\.begin/);
    expect(about('unexpected-cow-under-reclaim', elsewhere)).toEqual([]);
    expect(about('unexpected-cow', elsewhere)).toHaveLength(1);
  });

  test('silent: who held the lock is not told', () => {
    const nobody = without(FIRST_MAIL, /lock\.release/);
    expect(about('unexpected-cow-under-reclaim', nobody)).toEqual([]);
    expect(judge(nobody, { variant: '6.12' }).divergences[0]!.values).toMatchObject({ holder: null });
  });
});

describe('gup-pin-broken-by-cow', () => {
  test('a pin that the unpin ended before is none', () => {
    const dropped = `\n  0 10 ref.add pfn=P delta=-1024 count=1 mapcount=0 flags=${EXCLUSIVE} mapping=anon\n`;
    expect(
      about('gup-pin-broken-by-cow', BASE + PINNED + dropped + copyFault({ flags: EXCLUSIVE, count: 2 })),
    ).toEqual([]);
  });

  test.each([
    ['another address', 'start=a', 'start=b'],
    ['another mm', 'how=pin mm=A', 'how=pin mm=B'],
  ])('a pin through %s is not this mapping’s', (_what, from, to) => {
    expect(about('gup-pin-broken-by-cow', FIRST_MAIL.replace(from, to))).toEqual([]);
  });

  test('silent: the pinned page was reused', () => {
    expect(
      about('gup-pin-broken-by-cow', BASE + PINNED + reuseFault({ flags: EXCLUSIVE, count: 1025 })),
    ).toEqual([]);
  });

  test.each([
    ['gup.grab', 'the mm through which the pin was taken', without(FIRST_MAIL, /gup\.grab/)],
    [
      'the count after the copy',
      'a count of the page after the copy',
      FIRST_MAIL.replace('count=1025 mapcount=-1', 'mapcount=-1'),
    ],
  ])('without %s a suspect that says what is missing', (_what, missing, text) => {
    const [found] = judge(text, { variant: '6.12' }).divergences;
    const itself = [found!, ...found!.consequences].find((c) => c.check === 'gup-pin-broken-by-cow');
    expect(itself).toMatchObject({ severity: 'critical', verdict: 'suspect' });
    if (found!.check === 'gup-pin-broken-by-cow') expect(found!.missing).toBe(missing);
  });

  test('lost records between pin and copy: suspect at most', () => {
    const lost = FIRST_MAIL.replace(
      '  0 10 fault.begin mm=A',
      '  1 20 trace.lost cpu=1 count=3\n  0 10 fault.begin mm=A',
    );
    const { divergences } = judge(lost, { variant: '6.12' });
    expect(divergences.find((d) => d.check === 'gup-pin-broken-by-cow')).toMatchObject({
      verdict: 'suspect',
    });
  });

  test('FOLL_GET: critical on an exclusive page, info where others share it, silent once it must be over', () => {
    for (const variant of ['6.12', null])
      expect(
        about('gup-pin-broken-by-cow', REFERENCED + copyFault({ flags: EXCLUSIVE, count: 2 }), variant)[0],
      ).toMatch(/^critical proven gup-pin-broken-by-cow \(own-gup\)/);
    expect(
      about('gup-pin-broken-by-cow', REFERENCED + copyFault({ flags: ORDINARY, count: 3, mapcount: 1 })),
    ).toEqual(['info proven gup-pin-broken-by-cow (get) x1']);
    const put = `\n  0 10 ref.add pfn=P delta=-1 count=1 mapcount=0 flags=${EXCLUSIVE} mapping=anon\n`;
    expect(
      about('gup-pin-broken-by-cow', REFERENCED + put + copyFault({ flags: EXCLUSIVE, count: 1 })),
    ).toEqual([]);
  });

  test('FOLL_GET on a kernel whose LRU batches may hold the extra reference: suspect', () => {
    const text = REFERENCED + copyFault({ flags: EXCLUSIVE, count: 2 });
    const [found] = judge(text, { variant: '6.1', kernel: 601 }).divergences;
    const itself = [found!, ...found!.consequences].find((c) => c.check === 'gup-pin-broken-by-cow');
    expect(itself).toMatchObject({ severity: 'critical', verdict: 'suspect' });
  });
});

describe('what is missing in silence', () => {
  test('a fault whose return and whose successor’s entry are missing says nothing of either page', () => {
    const other = copyFault({ flags: EXCLUSIVE, count: 2 })
      .replaceAll('pfn=P', 'pfn=R')
      .replaceAll('va=a', 'va=b')
      .replace(/.*wp\.begin.*\n/, '');
    const shared = copyFault({ flags: ORDINARY, count: 2, mapcount: 1 }).replace(
      /.*(wp\.end|wp\.copied|fault\.end).*\n/g,
      '',
    );
    const text = BASE + SHARED + shared + other.replace(/.*fault\.begin.*\n/, '');
    expect(told(judge(text, { variant: '6.12' }))).toEqual([]);
  });

  test('the state alone convicts nobody: a reuse whose counts were not read stays unjudged', () => {
    const reused = reuseFault({ flags: ORDINARY, count: 1 }).replaceAll(/ (count|mapcount)=\d+/g, '');
    const extra = `\n  1 30 ref.add pfn=P delta=1 count=2 mapcount=0 flags=${ORDINARY} mapping=anon\n`;
    const { divergences, coverage } = judge(BASE + extra + reused, { variant: '6.12' });
    expect(told({ divergences })).toEqual([]);
    expect(coverage.get('policy-mismatch')).toMatchObject({ judged: 1, cannotJudge: 1 });
  });
});

describe('the cause of a copy', () => {
  /** Task 20 takes P off its LRU list, in either order of flag and reference, and reclaims. */
  const isolated = (flags: string): string => `
  0 10 ref.add pfn=P delta=0 count=1 mapcount=0 flags=${ORDINARY} mapping=anon
  1 20 ref.add pfn=P delta=1 count=2 mapcount=0 flags=${flags} mapping=anon
  1 20 reclaim.begin how=list
`;
  const copied = copyFault({ flags: 'swapbacked|uptodate', count: 2 });

  test.each([
    ['the reference first', ORDINARY],
    ['the flag first', 'swapbacked|uptodate'],
  ])('isolated by a reclaimer, %s', (_order, flags) => {
    const { divergences } = judge(BASE + isolated(flags) + copied, { variant: '6.12' });
    expect(told({ divergences })).toEqual([
      'info proven unexpected-cow (lru-isolated) x1 with unexpected-cow-under-reclaim',
    ]);
    // That the reclaimer had not put it back yet is told by nothing.
    expect(divergences[0]!.consequences.map(({ verdict }) => verdict)).toEqual(['suspect']);
  });

  test('off the list, and nobody reclaims: a batch', () => {
    expect(
      told(judge(BASE + without(isolated(ORDINARY), /reclaim\.begin/) + copied, { variant: '6.12' })),
    ).toEqual(['info proven unexpected-cow (lru-batch) x1']);
  });

  test('a lock of unknown holder is no cause where references alone decide', () => {
    const locked = copyFault({ flags: `locked|${ORDINARY}`, count: 2 });
    const extra = `\n  1 30 ref.add pfn=P delta=1 count=2 mapcount=0 flags=locked|${ORDINARY} mapping=anon\n`;
    expect(told(judge(BASE + extra + locked, { variant: '6.12' }))).toEqual([
      'info proven unexpected-cow (unknown-ref) x1',
    ]);
  });
});
