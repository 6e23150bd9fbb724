import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Decision, Inputs } from '../../src/state/decision.ts';
import { COW_RULES } from '../../src/variants/cow/index.ts';
import { judge } from '../../src/variants/judge.ts';
import { ALLOCATED, PROBES_LIVE, reuseFault } from '../checks/stories.ts';
import { events, judged, judge as judgeText } from '../notation.ts';

/** An anon page at one instant, as invariants allow it (an exclusive page is mapped once, and no swap PTE refers to it). */
const PAGE = fc
  .record({
    kind: fc.constantFrom('exclusive', 'ksm', 'shared', 'single'),
    large: fc.boolean(),
    swapcache: fc.boolean(),
    extra: fc.integer({ min: 0, max: 3 }),
    mappings: fc.integer({ min: 2, max: 4 }),
    swapcount: fc.integer({ min: 0, max: 2 }),
    locked: fc.boolean(),
    writeback: fc.boolean(),
    onLru: fc.boolean(),
    stableWrites: fc.boolean(),
  })
  .map((page): Inputs => {
    const mappings = page.kind === 'shared' ? page.mappings : 1;
    const swapcache = page.swapcache && page.kind !== 'ksm';
    const swapcount = swapcache && page.kind !== 'exclusive' ? page.swapcount : 0;
    const writeback = swapcache && page.writeback;
    const count = mappings + (swapcache ? 1 : 0) + page.extra;
    return {
      exclusive: page.kind === 'exclusive',
      exclusiveSeq: 7,
      anon: true,
      ksm: page.kind === 'ksm',
      large: page.large && page.kind !== 'ksm',
      swapcache,
      count,
      countTold: true,
      countLow: count,
      countHigh: count,
      mappings,
      mappingsTold: true,
      swapcount,
      onLru: page.onLru,
      locked: page.locked,
      writeback,
      swapFreed: swapcache ? !writeback && swapcount === 0 : undefined,
      unshare: false,
      batched: 0,
      stableWrites: page.stableWrites,
      largeMappings: mappings,
      mappedShared: mappings > 1,
    };
  });

/** What a trace may leave out of it, or tell by a range, or by the state alone. */
const GAPS = fc.record({
  unknown: fc.subarray([
    'exclusive',
    'ksm',
    'large',
    'swapcache',
    'locked',
    'writeback',
    'onLru',
    'swapFreed',
  ] as const),
  mappings: fc.constantFrom('told', 'state', 'unknown'),
  swapcount: fc.boolean(),
  count: fc.constantFrom('told', 'range', 'state', 'unknown'),
  around: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
});

function withGaps(page: Inputs, gaps: typeof GAPS extends fc.Arbitrary<infer T> ? T : never): Inputs {
  const inputs: { -readonly [K in keyof Inputs]: Inputs[K] | undefined } = { ...page };
  for (const name of gaps.unknown) inputs[name] = undefined;
  if (gaps.unknown.includes('onLru'))
    for (const name of ['swapcache', 'writeback'] as const) inputs[name] = undefined;
  if (gaps.mappings !== 'told') inputs.mappingsTold = false;
  if (gaps.mappings === 'unknown') inputs.mappings = Number.NaN;
  if (gaps.swapcount) inputs.swapcount = Number.NaN;
  if (gaps.count === 'range') {
    inputs.countLow = Math.max(1, page.count - gaps.around[0]);
    inputs.countHigh = page.count + gaps.around[1];
  }
  if (gaps.count === 'state' || gaps.count === 'unknown') inputs.countTold = false;
  if (gaps.count === 'unknown')
    for (const name of ['count', 'countLow', 'countHigh'] as const) inputs[name] = Number.NaN;
  return inputs as unknown as Inputs;
}

/** A decision as `judge` looks at it. */
function decision(outcome: 'reuse' | 'copy', inputs: Inputs): Decision {
  return { outcome, outcomeBy: 'probe', page: inputs.ksm ? 'ksm' : 'anon', inputs } as Decision;
}

const RUNS = { seed: 20200824, numRuns: 400 };

describe.each(COW_RULES.map((rule) => [rule.id, rule] as const))('%s', (_id, rule) => {
  test('what is certain with gaps holds for every way to fill them', () => {
    fc.assert(
      fc.property(PAGE, GAPS, (page, gaps) => {
        const whole = rule.decide(page);
        const part = rule.decide(withGaps(page, gaps));
        expect(['unknown', whole.outcome]).toContain(part.outcome);
        if (part.outcome === 'unknown') expect(part.missing.length).toBeGreaterThan(0);
      }),
      RUNS,
    );
  });

  test('it never convicts what it computes itself', () => {
    fc.assert(
      fc.property(PAGE, GAPS, (page, gaps) => {
        const { outcome } = rule.decide(rule.waits ? { ...page, locked: false } : page);
        if (outcome !== 'reuse' && outcome !== 'copy') return;
        expect(judge(rule, decision(outcome, withGaps(page, gaps))).agreement).not.toBe('differs');
        expect(judge(rule, decision(outcome, page)).agreement).toBe('agrees');
      }),
      RUNS,
    );
  });

  test('with everything told it convicts the other outcome, but for the lock, which no probe shows', () => {
    fc.assert(
      fc.property(PAGE, (page) => {
        const rulings = [true, false].map(
          (locked) => rule.decide({ ...page, locked: rule.waits ? false : locked }).outcome,
        );
        if (rulings[0] !== rulings[1] || page.ksm === true || page.writeback === true) return;
        const [outcome] = rulings;
        if (outcome !== 'reuse' && outcome !== 'copy') return;
        const other = outcome === 'reuse' ? 'copy' : 'reuse';
        // The swap users are the state's word; where they decide, nobody is convicted by them.
        const told = { ...page, swapcount: Number.NaN };
        const locks = rule.waits ? [false] : [true, false];
        if (locks.some((locked) => rule.decide({ ...told, locked }).outcome === 'unknown')) return;
        expect(judge(rule, decision(other, page)).agreement).toBe('differs');
      }),
      RUNS,
    );
  });
});

describe('judging', () => {
  test('a sample of the lock before the trylock convicts nobody of a reuse', () => {
    const reused = reuseFault({ flags: 'lru|swapbacked|uptodate', count: 1 }).replace(
      'flags=lru',
      'flags=locked|lru',
    );
    expect(judgeText(PROBES_LIVE + ALLOCATED + reused, { variant: '6.12' }).divergences).toEqual([]);
  });

  test('a folded text is judged as its batches are', () => {
    const text = PROBES_LIVE + ALLOCATED + reuseFault({ flags: 'lru|swapbacked|uptodate', count: 1 });
    expect(judged([events(text)], { variant: '6.12' }).coverage).toEqual(
      judgeText(text, { variant: '6.12' }).coverage,
    );
  });
});
