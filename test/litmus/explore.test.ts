import { describe, expect, test } from 'vitest';
import { DEFAULTS, type ExploreOptions, explore } from '../../src/litmus/explore/explore.ts';
import { switches } from '../../src/litmus/explore/outcome.ts';
import { flagNames } from '../../src/litmus/flags.ts';
import type { Program } from '../../src/litmus/program.ts';
import { replay } from '../../src/litmus/replay.ts';
import { applies, expectationOf, runScenario } from '../../src/litmus/run.ts';
import { decode, encode, readToken, TOKEN_LENGTH_MAX } from '../../src/litmus/schedule.ts';
import { parseVariant } from '../../src/variants/parse.ts';
import { VARIANTS } from '../../src/variants/presets.ts';
import type { Variant } from '../../src/variants/variant.ts';
import { CATALOGUE, scenario } from './catalogue.ts';

const CASES = [...CATALOGUE.values()].flatMap((program) =>
  VARIANTS.filter((variant) => applies(program, variant)).map((variant) => ({ program, variant })),
);

/** Interleavings that the tests run one by one; the numbers for a million are in ARCHITECTURE.md. */
const BRUTE_MAX = 200n;

/** Where checks are asked about events, two variants of each expectation stand for all; `litmus run --all` asks every one. */
function isAsked(program: Program, variant: Variant): boolean {
  if (program.judged.length === 0) return true;
  const alike = VARIANTS.filter(
    (other) => applies(program, other) && expectationOf(program, other) === expectationOf(program, variant),
  );
  return alike.indexOf(variant) < 2;
}

test('every scenario finds what its file expects, under every preset and mutant', () => {
  const asked = CASES.filter(({ program, variant }) => isAsked(program, variant));
  const odd = asked
    .map(({ program, variant }) => runScenario(program, variant))
    .filter(({ surprises, expected }) => surprises.length > 0 || expected === undefined);
  expect(odd.map(({ program, variant, surprises }) => [program.name, variant.id, ...surprises])).toEqual([]);
});

describe('partial-order reduction', () => {
  test('runs one interleaving of each class that brute force tells apart, and sees the same', () => {
    let compared = 0;
    for (const { program, variant } of CASES) {
      const whole = explore(program, variant);
      if (whole.interleavings > BRUTE_MAX) continue;
      const brute = explore(program, variant, { ...DEFAULTS, strategy: 'brute' });
      const reduced = explore(program, variant, { ...DEFAULTS, strategy: 'por' });
      const where = `${program.name} under ${variant.id}`;
      expect(brute.interleavings, where).toBe(whole.interleavings);
      expect(reduced.classes, where).toBe(brute.classes);
      expect(reduced.found, where).toEqual(brute.found);
      expect(whole.found, where).toEqual(brute.found);
      compared++;
    }
    expect(compared).toBeGreaterThan(200);
  });
});

describe('a schedule', () => {
  const found = CASES.flatMap(({ program, variant }) =>
    [...explore(program, variant).witnesses].map(([flag, schedule]) => ({
      program,
      variant,
      flag,
      schedule,
    })),
  );

  test('is a word of at most 200 characters, and the word is the schedule', () => {
    for (const { program, variant, schedule } of found) {
      const word = encode(program, variant.id, schedule);
      expect(word.length).toBeLessThanOrEqual(TOKEN_LENGTH_MAX);
      const token = readToken(word);
      expect(token).toMatchObject({ scenario: program.name, variant: variant.id });
      expect(decode(program, token!)).toEqual(schedule);
    }
  });

  test('replays to what it was found for', () => {
    for (const { program, variant, flag, schedule } of found) {
      const run = replay(program, variant, schedule);
      expect(run.steps.map(({ thread }) => thread)).toEqual(schedule);
      expect(flagNames(run.flags)).toContain(flag);
    }
  });

  test('made long ago still means the same', () => {
    const program = scenario('s0a-reclaim');
    const token = readToken(encode(program, '2.6.26', [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]))!;
    expect(token.steps).toBe('d.DgB');
    const run = replay(program, parseVariant('2.6.26'), decode(program, token)!);
    expect(flagNames(run.flags)).toEqual(['unexpected-cow', 'unexpected-cow-under-reclaim']);
  });

  test('that is garbled is refused', () => {
    const program = scenario('s0a-reclaim');
    for (const steps of ['', 'd.D', 'd.DgBAAA=', '-1.A'])
      expect(
        decode(program, { scenario: 's0a-reclaim', text: '', variant: '6.12', steps }),
        steps,
      ).toBeNull();
    expect(readToken('L2~s0a-reclaim~x~6.12~d.DgB')).toBeNull();
    expect(readToken('s0a-reclaim')).toBeNull();
  });
});

describe('strategies', () => {
  const run = (options: Partial<ExploreOptions>) =>
    explore(scenario('s1-two-exits'), parseVariant('5.1'), { ...DEFAULTS, ...options });

  test('say what they are, and whether all was covered', () => {
    expect(run({}).strategy).toBe('exhaustive, states hashed');
    expect(run({ strategy: 'por' })).toMatchObject({ exhausted: true });
    expect(run({ strategy: 'por', runs: 10 })).toMatchObject({ exhausted: false });
    expect(run({ strategy: 'random', runs: 200 })).toMatchObject({
      strategy: 'random, seed 1',
      exhausted: false,
    });
    expect(run({ states: 20 })).toMatchObject({
      strategy: 'at most 3 preemptions, states hashed',
      exhausted: false,
    });
  });

  test('with few preemptions, with chance and with PCT find the race of the mail', () => {
    for (const strategy of ['bounded', 'random', 'pct'] as const)
      expect([...run({ strategy, runs: 3000 }).found.keys()], strategy).toContain('swapoff-uaf-si');
  });

  test('draw the same lots for the same seed, others for another', () => {
    const drawn = (seed: number) => run({ strategy: 'random', seed, runs: 300 });
    expect(drawn(7)).toEqual(drawn(7));
    expect([...drawn(7).witnesses.values()]).not.toEqual([...drawn(8).witnesses.values()]);
  });

  test('the witness of the exhaustive search has the fewest switches', () => {
    const best = switches(run({}).witnesses.get('swapoff-uaf-si')!);
    const brute = run({ strategy: 'por' }).witnesses.get('swapoff-uaf-si')!;
    expect(best).toBeLessThanOrEqual(switches(brute));
    expect(best).toBe(3);
  });
});
