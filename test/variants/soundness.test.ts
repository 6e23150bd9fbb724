import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Inputs } from '../../src/state/decision.ts';
import { COLLAPSE_RANGES, COLLAPSE_RULES, type CollapsePage } from '../../src/variants/collapse.ts';
import { COW_RULES } from '../../src/variants/cow/index.ts';
import type { Facts, Known, Ranges } from '../../src/variants/facts.ts';
import { PRESETS } from '../../src/variants/presets.ts';
import { SWAPIN_RANGES, SWAPIN_RULES, type SwapinPage } from '../../src/variants/swapin-reuse.ts';

/** A page at one instant, every input known, as the invariants of references and exclusivity allow. */
const PAGE = fc
  .record({
    exclusive: fc.boolean(),
    ksm: fc.boolean(),
    large: fc.boolean(),
    swapcache: fc.boolean(),
    extra: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constant(1024)),
    mappings: fc.integer({ min: 1, max: 4 }),
    swapcount: fc.integer({ min: 0, max: 3 }),
    locked: fc.boolean(),
    writeback: fc.boolean(),
    stableWrites: fc.boolean(),
    unshare: fc.boolean(),
  })
  .map((page): Inputs => {
    const count = page.mappings + (page.swapcache ? 1 : 0) + page.extra;
    return {
      exclusive: page.exclusive && !page.ksm,
      exclusiveSeq: 1,
      anon: true,
      ksm: page.ksm,
      large: page.large,
      swapcache: page.swapcache,
      count,
      countTold: true,
      countLow: count,
      countHigh: count,
      mappings: page.mappings,
      mappingsTold: true,
      swapcount: page.swapcache ? page.swapcount : 0,
      onLru: true,
      locked: page.locked,
      writeback: page.writeback,
      swapFreed: undefined,
      unshare: page.unshare,
      stableWrites: page.stableWrites,
      largeMappings: page.mappings,
      mappedShared: page.mappings > 1,
    };
  });

const GAPS = fc.record({
  booleans: fc.subarray(['exclusive', 'ksm', 'large', 'swapcache', 'locked', 'writeback', 'stableWrites']),
  numbers: fc.subarray(['count', 'mappings', 'swapcount']),
  below: fc.integer({ min: 0, max: 3 }),
  above: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(Number.NaN)),
  folio: fc.boolean(),
});

/** The page with some of its inputs not known, or known within bounds. */
function forget(page: Inputs, gaps: typeof GAPS extends fc.Arbitrary<infer T> ? T : never): Inputs {
  const blind: Record<string, unknown> = { ...page };
  for (const name of gaps.booleans) blind[name] = undefined;
  for (const name of gaps.numbers) blind[name] = Number.NaN;
  if (gaps.numbers.includes('count')) {
    blind['countLow'] = Math.max(1, page.count - gaps.below);
    blind['countHigh'] = page.count + gaps.above;
  }
  if (gaps.folio) {
    delete blind['largeMappings'];
    delete blind['mappedShared'];
  }
  return blind as unknown as Inputs;
}

describe('an answer that is given holds for every way to fill the gaps', () => {
  for (const rule of COW_RULES)
    test(`cow=${rule.id}`, () => {
      fc.assert(
        fc.property(PAGE, GAPS, (page, gaps) => {
          const { outcome } = rule.decide(forget(page, gaps));
          if (outcome !== 'unknown') expect(outcome).toBe(rule.decide(page).outcome);
        }),
        { numRuns: 400 },
      );
    });

  test('presets with another KSM axis than their rule', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PRESETS), PAGE, GAPS, ({ cow }, page, gaps) => {
        const { outcome } = cow.decide(forget(page, gaps));
        if (outcome !== 'unknown') expect(outcome).toBe(cow.decide(page).outcome);
      }),
      { numRuns: 400 },
    );
  });

  /** Every page of the ranges, every set of gaps. */
  function exhaust<F extends Facts>(
    ranges: Ranges<F>,
    decide: (known: Known<F>) => { readonly outcome: string },
  ): string[] {
    const names = Object.keys(ranges) as (keyof F & string)[];
    let pages: Record<string, boolean | number>[] = [{}];
    for (const name of names)
      pages = pages.flatMap((page) => ranges[name].map((value) => ({ ...page, [name]: value })));
    const wrong: string[] = [];
    for (const [i, page] of pages.entries()) {
      const whole = decide(page as Known<F>).outcome;
      for (let gaps = 1 + (i % 3); gaps < 1 << names.length; gaps += 3) {
        const known = Object.fromEntries(
          names.map((name, bit) => [name, gaps & (1 << bit) ? undefined : page[name]]),
        );
        const { outcome } = decide(known as Known<F>);
        if (outcome !== 'unknown' && outcome !== whole)
          wrong.push(`${JSON.stringify(known)}: ${outcome}, not ${whole}`);
      }
    }
    return wrong.slice(0, 3);
  }

  test.each(COLLAPSE_RULES.map((rule) => [rule.id, rule] as const))('collapse=%s', (_id, rule) => {
    expect(exhaust<CollapsePage>(COLLAPSE_RANGES, (known) => rule.decide(known))).toEqual([]);
  });

  test.each(SWAPIN_RULES.map((rule) => [rule.id, rule] as const))('swapin-reuse=%s', (_id, rule) => {
    const some: Ranges<SwapinPage> = { ...SWAPIN_RANGES, stableWrites: [false], write: [true] };
    expect(exhaust<SwapinPage>(some, (known) => rule.decide(known))).toEqual([]);
  });
});
