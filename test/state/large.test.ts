import { describe, expect, it, test } from 'vitest';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { Cursor } from '../../src/state/cursor.ts';
import { FOLDS } from '../../src/state/folds/index.ts';
import { TRI_TRUE } from '../../src/state/pages.ts';
import { MmState } from '../../src/state/state.ts';
import { PROBES_LIVE } from '../checks/stories.ts';
import { judge } from '../notation.ts';

/** What /proc/kpagecount held of pages of huge pages, as the workload read it: time, page, number of mappings. */
const KPAGECOUNT = [
  ['16.519917', 0xc800, 1],
  ['16.520556', 0xc801, 1],
  ['16.576446', 0xc800, 1],
  ['16.576502', 0xc801, 1],
  ['16.718779', 0xd000, 1],
  ['16.719170', 0xd001, 1],
] as const;

/** Mappings of one page, by PTEs and PMDs together. */
function mappingsOf(s: MmState, pfn: number): number {
  const folio = s.machines.folioWith(pfn);
  const row = s.pages.find(pfn);
  const own = row >= 0 ? s.pages.mappings(row) : folio?.ptes === 0 ? 0 : Number.NaN;
  return (folio?.entire ?? Number.NaN) + own;
}

it('V5-thp-collapse-pin: mappings of huge pages as kpagecount has them, and as every sample has them', async () => {
  const s = new MmState(FOLDS);
  const e = new Cursor();
  const asked = [...KPAGECOUNT];
  const found: number[] = [];
  for await (const { events, facts } of ingestHere('traces/V5-thp-collapse-pin.txt.gz')) {
    for (let i = 0; i < events.count; i++) {
      e.seek(events, i);
      while (asked.length > 0 && Number(asked[0]![0]) * 1e9 < Number(facts.originNs) + e.ns)
        found.push(mappingsOf(s, asked.shift()![1]));
      s.apply(e);
    }
  }
  expect(found).toEqual(KPAGECOUNT.map(([, , count]) => count));
  expect(s.largeMapcount.disagreed).toEqual([]);
  expect(s.largeMapcount.agreed).toBeGreaterThan(10);
  expect(s.largeMapcount.compared).toBe(s.largeMapcount.agreed);
  // Each was unmapped and freed.
  expect(s.machines.folios.size).toBe(0);
});

const H = 0x8000;
const FLAGS = 'head|lru|swapbacked|uptodate';
const sample = (mapcount: number, pfn = H, flags = FLAGS): string =>
  `  1 12 ref.add pfn=${pfn} delta=1 count=9 mapcount=${mapcount} flags=${flags} mapping=anon\n`;
const fold = (text: string): MmState => judge(PROBES_LIVE + text).state;
const counts = (text: string): object => fold(text).largeMapcount.counts();
const NONE = { compared: 0, agreed: 0, raced: 0, unknown: 0 };

const HUGE = `  0 10 page.alloc pfn=${H} order=9
  0 10 rmap.new pfn=${H} mm=A va=a exclusive=yes
`;
const SPLIT = `  0 10 thp.split-pmd mm=A va=a
  0 10 rmap.add pfn=${H} folio=${H} nr=512 mm=A va=a anon=yes exclusive=yes
  0 10 rmap.del-pmd pfn=${H} mm=A
`;
const SMALL_HUGE = `  0 10 page.alloc pfn=${H} order=2
  0 10 rmap.new pfn=${H} mm=A va=a exclusive=yes
`;

describe('large folios', () => {
  test('a new one that a PMD can map is mapped by it, and no page of it by a PTE', () => {
    const s = fold(HUGE);
    expect(s.machines.folios.get(H)).toMatchObject({ order: 9, entire: 1, ptes: 0 });
    expect(counts(HUGE + sample(-1))).toEqual({ ...NONE, compared: 1, agreed: 1 });
    expect(counts(HUGE + sample(0).repeat(17))).toEqual({ ...NONE, compared: 17 });
  });

  test('a split of its PMD maps every page', () => {
    const s = fold(HUGE + SPLIT);
    expect(s.machines.folios.get(H)).toMatchObject({ entire: 0, ptes: 512 });
    expect(s.pages.mappings(s.pages.find(H + 511))).toBe(1);
    const unmapped = `  0 10 rmap.del pfn=${H + 16} folio=${H} nr=64 mm=A mapcount=0\n`;
    expect(fold(HUGE + SPLIT + unmapped).machines.folios.get(H)).toMatchObject({ ptes: 448 });
    expect(counts(HUGE + SPLIT + unmapped + sample(0))).toEqual({ ...NONE, compared: 2, agreed: 2 });
  });

  test('a smaller one gets a PTE for each page, and fork adds to them', () => {
    expect(fold(SMALL_HUGE).machines.folios.get(H)).toMatchObject({ order: 2, entire: 0, ptes: 4 });
    const forked = `${SMALL_HUGE}  0 10 fork.ptes.begin child=C parent=A va=a dst=U:0 src=T:0 max=4
  0 10 pte.set mm=C ptep=U:0 old=none value=${H}:r nr=4
  0 10 fork.ptes.end nr=4
`;
    const s = fold(forked);
    expect(s.machines.folios.get(H)).toMatchObject({ ptes: 8 });
    expect(s.pages.col.exclusive[s.pages.find(H + 3)]).not.toBe(TRI_TRUE);
    expect(counts(forked + sample(1))).toEqual({ ...NONE, compared: 1, agreed: 1 });
  });

  test('one whose allocation is not told is known by the PMD that is written behind its first mapping', () => {
    const told = `  0 10 rmap.new pfn=${H} mm=A va=a exclusive=yes
${sample(-1)}  0 10 pmd.set mm=A pmdp=M value=${H}:wh
`;
    expect(fold(told).machines.folios.get(H)).toMatchObject({ order: 9, entire: 1, ptes: 0 });
    // The sample tells that it is large: what it says is learned.
    expect(counts(told)).toEqual({ ...NONE, unknown: 1 });
    expect(counts(told + sample(-1))).toEqual({ ...NONE, compared: 1, agreed: 1, unknown: 1 });
  });

  test('what nobody was seen to map is not compared', () => {
    expect(counts(`  0 10 page.alloc pfn=${H} order=3\n${sample(-1)}${sample(-1)}`)).toEqual(NONE);
  });

  test('the pages that a split leaves keep their PTEs, and are small', () => {
    const split = `${SMALL_HUGE}  0 10 thp.split.begin pfn=${H} order=0\n`;
    expect(fold(split).machines.splitOf(H + 1)).toMatchObject({ order: 0 });
    const s = fold(`${split}  0 10 thp.split.end ret=0\n${sample(0, H + 1, 'lru|swapbacked|uptodate')}`);
    expect([s.machines.splits.size, s.machines.folios.size]).toEqual([0, 0]);
    expect(s.mapcount.counts()).toMatchObject({ agreed: 1 });
    expect(fold(`${split}  0 10 thp.split.end ret=-16\n`).machines.folios.size).toBe(1);
  });

  test('its pages are gone with it', () => {
    const s = fold(`${SMALL_HUGE}  0 10 page.free pfn=${H} order=2\n`);
    expect(s.machines.folios.size).toBe(0);
    expect(s.pages.mappings(s.pages.find(H + 2))).toBeNaN();
  });
});
