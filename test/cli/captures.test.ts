import { describe, expect, test } from 'vitest';
import { expectGolden } from '../golden.ts';
import { built, builtHere } from './built.ts';
import { transcript } from './harness.ts';

const RUNS: Readonly<Record<string, string>> = {
  'V1-pin-guptest': 'analyze traces/V1-pin-guptest.txt.gz',
  'V1-pin-guptest-6.12': 'analyze traces/V1-pin-guptest.txt.gz --variant 6.12',
  'V4-swapoff-race': 'analyze traces/V4-swapoff-race.txt.gz --variant 6.12',
  'V5-thp-collapse-pin': 'analyze traces/V5-thp-collapse-pin.txt.gz --variant 6.12',
  'base-pin-guptest': 'analyze traces/base-pin-guptest.txt.gz',
  'info-base-pin-guptest': 'info traces/base-pin-guptest.txt.gz',
  'replay-V1-pin-guptest':
    'replay traces/V1-pin-guptest.txt.gz --variant 2.6.26,hugh-2008,5.9,6.12+cow=trylock-then-exclusive,6.12',
  'replay-base-vmsplice': 'replay traces/base-vmsplice.txt.gz --variant 2.6.29,6.12',
  'replay-bisect': 'replay traces/V1-pin-guptest.txt.gz --bisect 5.8,6.12',
  'diff-V2-pin-guptest': 'diff traces/base-pin-guptest.txt.gz traces/V2-pin-guptest.txt.gz',
  'diff-stock-vmsplice': 'diff traces/base-vmsplice.txt.gz traces/stock-vmsplice.txt.gz',
  'diff-nothing-told': 'diff traces/base-cow-tracepoints-only.txt.gz traces/stock-cow-core.txt.gz',
  'not-a-trace': 'analyze package.json',
  'no-such-file': 'analyze traces/none.txt',
};

describe('the built program on real captures', () => {
  for (const [name, line] of Object.entries(RUNS)) {
    test(line, async () => {
      const args = line.split(' ');
      expectGolden(`captures/${name}.txt`, transcript(args, await builtHere(args)));
    });
  }

  test('V4-swapoff-race: one call of 100 is inside as the device is torn down, proven; the access itself is suspect', async () => {
    const args = ['analyze', 'traces/V4-swapoff-race.txt.gz', '--json'];
    const { divergences, coverage } = JSON.parse((await builtHere(args)).stdout);
    const brief = divergences.map(
      (d: Record<string, unknown>) =>
        `${d['severity']} ${d['verdict']} ${d['check']} x${d['count']} at ${d['ns']}`,
    );
    expect(brief).toEqual([
      'critical suspect swapoff-uaf-si x1 at 49850537000',
      'high proven swapoff-unprotected-si-use x1 at 49850537000',
    ]);
    const judged = (id: string) => coverage.find((c: { check: string }) => c.check === id).judged;
    expect(judged('swapoff-unprotected-si-use')).toBe(100);
  });

  test('gives the same bytes in every process', async () => {
    const args = ['analyze', 'traces/V1-pin-guptest.txt.gz', '--json'];
    expect(built(args)).toEqual(await builtHere(args));
  });
});
