import { expect, test } from 'vitest';
import { clockSkew } from '../../src/replay/analyze.ts';
import type { InputFacts } from '../../src/replay/input-facts.ts';

/** What matters here of what is known of a trace. */
function facts(clock: string | null, resolution: number): InputFacts['whole'] {
  return { clock, resolution } as InputFacts['whole'];
}

test.each([
  // declared clock, declared skew, clock and unit of the trace: ns that say nothing of the order of two CPUs
  [null, null, 'mono', 1, 0],
  [null, null, 'counter', 1, 0],
  ['global', null, null, 1000, 999],
  ['local', null, 'mono', 1, 1_000_000],
  [null, null, null, 1000, 1_000_999],
  [null, null, 'x86-tsc', 1, 1_000_000],
  [null, 250, 'local', 1, 250],
  ['mono', 500, null, 1000, 1499],
] as const)(
  'clock %s, skew %s, trace of %s in units of %i ns: %i ns',
  (clock, clockSkewNs, told, unit, ns) => {
    expect(clockSkew({ clock, clockSkewNs }, facts(told, unit))).toBe(ns);
  },
);

test('before the first record nothing is known of the clock', () => {
  expect(clockSkew({ clock: null, clockSkewNs: null }, null)).toBe(1_000_000);
});
