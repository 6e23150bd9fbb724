import { describe, expect, test } from 'vitest';
import type { Inputs } from '../../src/state/decision.ts';
import { COW_RULES } from '../../src/variants/cow/index.ts';

/** A page whose every input is known. */
interface Page {
  readonly AE: boolean;
  readonly ksm: boolean;
  readonly large: boolean;
  readonly sc: boolean;
  readonly ref: number;
  readonly batch: number;
  readonly lru: boolean;
  readonly map: number;
  readonly swp: number;
  readonly locked: boolean;
  readonly wb: boolean;
  readonly stable: boolean;
  readonly unshare: boolean;
}

const BOTH = [false, true];

/** Every page that invariants allow: each mapping and the cache hold a reference, exclusive pages are one mm's own. */
function* pages(): Generator<Page> {
  for (const AE of BOTH)
    for (const ksm of AE ? [false] : BOTH)
      for (const large of ksm ? [false] : BOTH)
        for (const sc of BOTH)
          for (const map of AE ? [1] : [1, 2, 3])
            for (const swp of sc && !AE ? [0, 1, 2] : [0])
              for (const extra of [0, 1, 2, 3, 1024])
                for (const batch of [0, 1])
                  for (const lru of batch === 1 ? BOTH : [true])
                    for (const locked of BOTH)
                      for (const wb of sc ? BOTH : [false])
                        for (const stable of wb ? BOTH : [false])
                          for (const unshare of BOTH)
                            yield {
                              AE,
                              ksm,
                              large,
                              sc,
                              ref: map + (sc ? 1 : 0) + extra,
                              batch,
                              lru,
                              map,
                              swp,
                              locked,
                              wb,
                              stable,
                              unshare,
                            };
}

function inputsOf(page: Page): Inputs {
  return {
    exclusive: page.AE,
    exclusiveSeq: 1,
    anon: true,
    ksm: page.ksm,
    large: page.large,
    swapcache: page.sc,
    count: page.ref,
    countTold: true,
    countLow: page.ref,
    countHigh: page.ref,
    mappings: page.map,
    mappingsTold: true,
    swapcount: page.swp,
    onLru: page.lru,
    locked: page.locked,
    writeback: page.wb,
    swapFreed: undefined,
    unshare: page.unshare,
    batched: page.batch,
    stableWrites: page.stable,
    largeMappings: page.map,
    mappedShared: page.map > 1,
  };
}

type Table = (page: Page) => string;

const sum = ({ map, sc, swp }: Page): number => map + (map <= 1 && sc ? swp : 0);
/** A folio_free_swap that succeeds. */
const frees = ({ swp, wb }: Page): boolean => swp === 0 && !wb;

/** P4's test under the page lock. */
const reuseSwapPage: Table = (page) =>
  sum(page) > 1 || (page.sc && page.wb && page.stable) ? 'copy' : 'reuse';

/** P7. */
const P7: Table = (page) => {
  const { ksm, ref, batch, lru, sc, locked } = page;
  if (ksm || ref + batch > 3) return 'copy';
  const left = lru ? ref + batch : ref;
  if (left > (sc ? 2 : 1)) return 'copy';
  if (locked) return 'copy';
  return sc && !frees(page) ? 'copy' : 'reuse';
};

const noop: (page: Page, outcome: string) => string = ({ unshare }, outcome) =>
  unshare && outcome === 'reuse' ? 'noop' : outcome;

/** P8 and P9. */
const P9: Table = (page) => {
  if (page.AE) return noop(page, 'reuse');
  return page.large ? 'copy' : noop(page, P7(page));
};

/** The procedures in other words: what each says of a page, by id of the rule. KSM pages before 2.6.32: no answer. */
const TABLES: Readonly<Record<string, Table>> = {
  pc: ({ ksm, locked, ref, batch, sc, swp }) =>
    ksm
      ? 'unknown'
      : !locked && (ref + batch === 1 || (ref + batch === 2 && sc && swp === 0))
        ? 'reuse'
        : 'copy',
  trylock: (page) => (page.ksm ? 'unknown' : !page.locked && sum(page) === 1 ? 'reuse' : 'copy'),
  hugh: (page) => (page.ksm ? 'unknown' : page.map === 1 && sum(page) === 1 ? 'reuse' : 'copy'),
  waitlock: (page) => (page.ksm ? 'copy' : page.locked ? 'wait' : sum(page) === 1 ? 'reuse' : 'copy'),
  thp: (page) => (page.ksm ? 'copy' : page.locked ? 'wait' : reuseSwapPage(page)),
  ksmreuse: (page) => {
    const alone = !page.sc && page.ref + page.batch === 1;
    if (page.ksm) return alone ? (page.locked ? 'wait' : 'reuse') : 'copy';
    return page.locked ? 'wait' : reuseSwapPage(page);
  },
  refcount: ({ ksm, ref, batch, locked, map }) =>
    !ksm && ref + batch === 1 && !locked && map === 1 ? 'reuse' : 'copy',
  'refcount-swap': P7,
  exclusive: P9,
  'exclusive-large': (page) => {
    // A large folio that is mapped once is never reused; one that is mapped more often here is so by other mms too.
    return page.AE || !page.large ? P9(page) : 'copy';
  },
  'trylock-then-exclusive': (page) => (page.locked || page.ksm ? 'copy' : P9(page)),
};

describe('each rule of do_wp_page decides every known page as its table says', () => {
  for (const rule of COW_RULES) {
    test(rule.id, () => {
      const table = TABLES[rule.id]!;
      const wrong: string[] = [];
      let seen = 0;
      for (const page of pages()) {
        seen++;
        const { outcome } = rule.decide(inputsOf(page));
        if (outcome !== table(page)) wrong.push(`${JSON.stringify(page)}: ${outcome}, not ${table(page)}`);
      }
      expect(seen).toBeGreaterThan(1000);
      expect(wrong.slice(0, 3)).toEqual([]);
    });
  }
});

describe('a large folio of one mm under 6.15', () => {
  const rule = COW_RULES.find(({ id }) => id === 'exclusive-large')!;
  const page = inputsOf({
    AE: false,
    ksm: false,
    large: true,
    sc: false,
    ref: 4,
    batch: 0,
    lru: true,
    map: 1,
    swp: 0,
    locked: true,
    wb: false,
    stable: false,
    unshare: false,
  });
  const ROWS: ReadonlyArray<readonly [string, Partial<Inputs>, string]> = [
    ['every reference maps it', { largeMappings: 4, mappedShared: false }, 'reuse'],
    ['one reference is not a mapping', { largeMappings: 3, mappedShared: false }, 'copy'],
    ['another mm maps it too', { largeMappings: 4, mappedShared: true }, 'copy'],
    ['mapped once', { largeMappings: 1, mappedShared: false, count: 1 }, 'copy'],
    ['in the swap cache, locked', { largeMappings: 3, mappedShared: false, swapcache: true }, 'copy'],
    [
      'in the swap cache, slot freed',
      { largeMappings: 3, mappedShared: false, swapcache: true, locked: false },
      'reuse',
    ],
    [
      'in the swap cache, slot in use',
      { largeMappings: 3, mappedShared: false, swapcache: true, locked: false, swapcount: 1 },
      'copy',
    ],
  ];
  test.each(ROWS)('%s', (_name, over, outcome) => {
    expect(rule.decide({ ...page, ...over }).outcome).toBe(outcome);
  });

  test('mappings of the folio not known', () => {
    const { largeMappings: _, ...untold } = page;
    expect(rule.decide({ ...untold, mappedShared: false }).outcome).toBe('unknown');
  });
});

describe('known facts decide though others are not known', () => {
  const NOTHING: Inputs = {
    exclusive: undefined,
    exclusiveSeq: 0,
    anon: true,
    ksm: undefined,
    large: undefined,
    swapcache: undefined,
    count: Number.NaN,
    countTold: false,
    countLow: Number.NaN,
    countHigh: Number.NaN,
    mappings: Number.NaN,
    mappingsTold: false,
    swapcount: Number.NaN,
    onLru: undefined,
    locked: undefined,
    writeback: undefined,
    swapFreed: undefined,
    unshare: false,
  };
  const ROWS: ReadonlyArray<readonly [rule: string, known: Partial<Inputs>, outcome: string]> = [
    ['refcount', { count: 2 }, 'copy'],
    ['refcount', { count: 1 }, 'unknown'],
    ['refcount', { count: 1, locked: true }, 'copy'],
    ['refcount', { mappings: 2 }, 'copy'],
    ['exclusive', { exclusive: true }, 'reuse'],
    ['exclusive', { exclusive: false, count: 1026 }, 'copy'],
    ['exclusive', { exclusive: false, mappings: 3 }, 'copy'],
    ['exclusive', { count: 1026 }, 'unknown'],
    ['trylock', { ksm: false, locked: true }, 'copy'],
    ['trylock', { ksm: false, mappings: 2 }, 'copy'],
    ['hugh', { ksm: false, mappings: 1, swapcache: false }, 'reuse'],
    ['waitlock', { ksm: false, locked: false, mappings: 1, swapcache: false }, 'reuse'],
    ['trylock-then-exclusive', { exclusive: true, locked: true }, 'copy'],
    ['trylock-then-exclusive', { exclusive: true }, 'unknown'],
  ];
  test.each(ROWS)('%s with %o: %s', (id, known, outcome) => {
    const rule = COW_RULES.find((value) => value.id === id)!;
    expect(rule.decide({ ...NOTHING, ...known }).outcome).toBe(outcome);
  });

  test('what is missing is named', () => {
    const rule = COW_RULES.find(({ id }) => id === 'exclusive')!;
    const { missing } = rule.decide({ ...NOTHING, ksm: false, large: false, count: 1, swapcache: false });
    expect(missing).toEqual(['AnonExclusive', 'page lock']);
  });
});
