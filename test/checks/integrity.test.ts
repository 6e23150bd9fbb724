import { describe, expect, test } from 'vitest';
import { judge, told, without } from '../notation.ts';

/** A page lives and dies as it should: page_ref, allocation, free and rmap are all told in this trace. */
const TELLING = `
  0 5 ref.set pfn=X value=1 count=1 mapcount=-1 flags=none mapping=none
  0 5 page.alloc pfn=X order=0
  0 5 rmap.new pfn=X mm=Z va=z exclusive=yes
  0 5 rmap.add pfn=X folio=X nr=1 mm=Y va=z anon=yes exclusive=no
  0 5 rmap.del pfn=X folio=X nr=1 mm=Y mapcount=1
  0 5 rmap.del pfn=X folio=X nr=1 mm=Z mapcount=0
  0 5 ref.add pfn=X delta=-1 zero=yes count=0 mapcount=-1
  0 5 page.free pfn=X order=0
`;
const ALLOCATED = `
  0 6 ref.set pfn=P value=1 count=1 mapcount=-1 flags=none mapping=none
  0 6 page.alloc pfn=P order=0
`;
const FREED = `
  0 6 ref.add pfn=P delta=-1 zero=yes count=0 mapcount=-1
  0 6 page.free pfn=P order=0
`;
/** Task 7 was heard of after the free, so what it does next was done after the free. */
const AWAKE = '\n  1 7 sys.enter call=-1\n';
const LOST = '\n  1 7 trace.lost cpu=1 count=2\n';

interface Case {
  readonly check: string;
  readonly fires: Readonly<Record<string, string>>;
  readonly suspects?: Readonly<Record<string, string>>;
  readonly silent: Readonly<Record<string, string>>;
  /** The last line is what fires; before it records may be lost. */
  readonly unlikeAnyOther: string;
}

const CASES: readonly Case[] = [
  {
    check: 'refcount-underflow',
    fires: {
      'one put too many': `${TELLING}${ALLOCATED}
  0 6 ref.add pfn=P delta=-2 zero=no count=-1 mapcount=-1`,
      'a put after the last one': `${TELLING}${ALLOCATED}${FREED}
  1 7 ref.add pfn=P delta=-1 zero=no count=-1 mapcount=-1`,
    },
    silent: {
      'the kernel’s own count does not say so: a get is recorded late': `${TELLING}${ALLOCATED}
  0 6 ref.add pfn=P delta=-2 zero=no count=0 mapcount=-1`,
      'a put recorded after the free was done before it': `${TELLING}${ALLOCATED}${FREED}
  1 7 ref.add pfn=P delta=-1 zero=no count=0 mapcount=-1`,
      'gets and puts in balance': `${TELLING}${ALLOCATED}
  0 6 ref.add pfn=P delta=1 count=2 mapcount=-1
  0 6 ref.add pfn=P delta=-1 zero=no count=1 mapcount=-1`,
    },
    unlikeAnyOther: '  0 6 ref.add pfn=P delta=-2 zero=no count=-1 mapcount=-1',
  },
  {
    check: 'use-after-free-page',
    fires: {
      'a reference on a page that had none': `${TELLING}${ALLOCATED}${FREED}${AWAKE}
  1 7 ref.add pfn=P delta=1 count=1 mapcount=-1`,
    },
    suspects: {
      'a reference beside others: its allocation may be missing': `${TELLING}${ALLOCATED}${FREED}${AWAKE}
  1 7 ref.add pfn=P delta=1 count=2 mapcount=-1`,
      'a mapping, which tells no count': `${TELLING}${ALLOCATED}${FREED}${AWAKE}
  1 7 rmap.add pfn=P folio=P nr=1 mm=Z va=z anon=yes exclusive=no`,
    },
    silent: {
      'a record that may be late: nothing was heard of the task since the free': `${TELLING}${ALLOCATED}${FREED}
  1 7 ref.add pfn=P delta=1 count=1 mapcount=-1`,
      'a get that the kernel refused': `${TELLING}${ALLOCATED}${FREED}${AWAKE}
  1 7 ref.refused pfn=P delta=1 count=0 mapcount=-1`,
      'allocated again': `${TELLING}${ALLOCATED}${FREED}${ALLOCATED}${AWAKE}
  1 7 ref.add pfn=P delta=1 count=2 mapcount=-1`,
      'a put': `${TELLING}${ALLOCATED}${FREED}${AWAKE}
  1 7 ref.add pfn=P delta=-1 zero=no count=0 mapcount=-1`,
    },
    unlikeAnyOther: '  1 7 ref.add pfn=P delta=1 count=1 mapcount=-1',
  },
  {
    check: 'double-free-page',
    fires: {},
    suspects: {
      'two frees and no allocation': `${TELLING}${ALLOCATED}${FREED}
  1 7 page.free pfn=P order=0`,
    },
    silent: {
      'one free, told by both tracepoints': `${TELLING}${ALLOCATED}
  0 6 page.free-batched pfn=P
  0 6 page.free pfn=P order=0`,
      'the same in the other order': `${TELLING}${ALLOCATED}
  0 6 page.free pfn=P order=0
  0 6 page.free-batched pfn=P`,
      'allocated in between': `${TELLING}${ALLOCATED}${FREED}${ALLOCATED}
  1 7 page.free pfn=P order=0`,
      'a bulk allocation, which only page_ref tells': `${TELLING}${ALLOCATED}${FREED}
  0 6 ref.set pfn=P value=1 count=1 mapcount=-1 flags=none mapping=none
  1 7 page.free pfn=P order=0`,
    },
    unlikeAnyOther: '  1 7 page.free pfn=P order=0',
  },
  {
    check: 'mapcount-negative',
    fires: {
      'unmapped twice': `${TELLING}${ALLOCATED}
  0 6 rmap.new pfn=P mm=Z va=z exclusive=yes
  0 6 rmap.del pfn=P folio=P nr=1 mm=Z mapcount=0
  0 6 rmap.del pfn=P folio=P nr=1 mm=Z mapcount=-1`,
    },
    silent: {
      'the page itself says that it was mapped': `${TELLING}${ALLOCATED}
  0 6 rmap.new pfn=P mm=Z va=z exclusive=yes
  0 6 rmap.del pfn=P folio=P nr=1 mm=Z mapcount=0
  0 6 rmap.del pfn=P folio=P nr=1 mm=Z mapcount=0`,
      'a raw -1 in another record: unmapped': `${TELLING}${ALLOCATED}
  0 6 rmap.new pfn=P mm=Z va=z exclusive=yes
  0 6 rmap.del pfn=P folio=P nr=1 mm=Z mapcount=0
  0 6 ref.add pfn=P delta=-1 zero=yes count=0 mapcount=-1`,
      'a large folio counts elsewhere': `${TELLING}
  0 6 ref.set pfn=P value=1 count=1 mapcount=-1 flags=head mapping=none
  0 6 page.alloc pfn=P order=2
  0 6 rmap.del pfn=P folio=P nr=1 mm=Z mapcount=-1`,
    },
    unlikeAnyOther: '  0 6 rmap.del pfn=P folio=P nr=1 mm=Z mapcount=-1',
  },
];

describe.each(CASES)('$check', ({ check, fires, suspects = {}, silent, unlikeAnyOther }) => {
  const named = (text: string): string[] => told(judge(text)).filter((line) => line.includes(` ${check} `));
  const triggers = Object.entries({ ...fires, ...suspects });

  test.each(Object.entries(fires))('proven: %s', (_why, text) => {
    expect(named(text).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['critical proven']);
  });

  test.each(Object.entries(suspects))('suspect: %s', (_why, text) => {
    expect(named(text).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['critical suspect']);
    expect(judge(text).divergences[0]!.missing).toMatch(/^rests on the absence of page\.alloc and ref\.set/);
  });

  test.each(Object.entries(silent))('silent: %s', (_why, text) => {
    expect(named(text)).toEqual([]);
  });

  test.each(triggers)('after lost records it cannot judge: %s', (_why, text) => {
    const lost = text.replace(/\n([^\n]*)$/, `${LOST}$1`);
    expect(lost).not.toBe(text);
    expect(named(lost)).toEqual([]);
    expect(judge(lost).coverage.get(check)!.cannotJudge).toBeGreaterThan(
      judge(text).coverage.get(check)!.cannotJudge,
    );
  });

  test.each(triggers)('where page_ref is filtered it cannot judge: %s', (_why, text) => {
    const filtered = without(text, /ref\.set pfn=P/);
    expect(named(filtered)).toEqual([]);
    expect(judge(filtered).coverage.get(check)!.missing).toContain('unfiltered page_ref');
  });

  test('a page whose beginning is not in the trace cannot be judged', () => {
    const { divergences, coverage } = judge(`${TELLING}${unlikeAnyOther}`);
    expect(divergences).toEqual([]);
    expect(coverage.get(check)!.cannotJudge).toBeGreaterThan(0);
  });
});
