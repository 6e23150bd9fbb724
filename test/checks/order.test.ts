import { expect, test } from 'vitest';
import { surelyBefore } from '../../src/checks/integrity.ts';

test.each([
  // CPUs, gap, skew: ordered
  [0, 0, 0, 5000, true],
  [0, 1, 0, 0, false],
  [0, 1, 1, 0, true],
  [0, 1, 999, 999, false],
  [0, 1, 1000, 999, true],
] as const)('CPU %i and CPU %i, %i ns apart, skew %i: ordered %s', (a, b, gap, skew, ordered) => {
  expect(surelyBefore({ ns: 100, cpu: a }, { ns: 100 + gap, cpu: b }, skew)).toBe(ordered);
});
