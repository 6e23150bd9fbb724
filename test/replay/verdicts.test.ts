import { describe, expect, test } from 'vitest';
import { PLAIN } from '../../src/report/style.ts';
import { analysisText } from '../../src/report/text.ts';
import { expectGolden } from '../golden.ts';
import { analyzeCapture, isGrave, proofs } from './capture-text.ts';

const HEALTHY = [
  'base-pin-guptest',
  'base-vmsplice',
  'base-cow-tracepoints-only',
  'base-cow-trace-pipe-lost',
  'stock-cow-core',
  'stock-vmsplice',
  'deb612-cow',
];
const PATCHED = ['V1-pin-guptest', 'V2-pin-guptest', 'V3-vmsplice'];

/** How often each check is proven, at severity warning or above. */
async function proven(name: string, variant: string | null): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { check } of proofs(await analyzeCapture(name, variant)))
    counts[check] = (counts[check] ?? 0) + 1;
  return counts;
}

describe('captures of patched kernels, against the rules of 6.12', () => {
  test('V1-pin-guptest: the one pinned page that was copied while reclaim held its lock', async () => {
    const analysis = await analyzeCapture('V1-pin-guptest', '6.12');
    const grave = analysis.divergences.filter(isGrave);
    expect(grave).toHaveLength(1);
    expect(grave[0]).toMatchObject({
      check: 'gup-pin-broken-by-cow',
      severity: 'critical',
      cause: 'page-lock',
      count: 1,
      place: { pfn: 0x7fd7e, pid: 1212 },
    });
    expect(grave[0]!.consequences.map(({ check, severity, verdict }) => [check, severity, verdict])).toEqual([
      ['unexpected-cow-under-reclaim', 'critical', 'proven'],
      ['unexpected-cow', 'critical', 'proven'],
      ['policy-mismatch', 'critical', 'proven'],
    ]);
    const at = Number(analysis.trace.originNs) + grave[0]!.place.ns;
    expect(Math.abs(at / 1e9 - 79.9706)).toBeLessThan(0.001);
    // Its evidence: the pin, the reclaimer's lock, the fault, the page's flags, the copy, the pin that stays behind.
    expect(grave[0]!.evidence.map(({ role }) => role)).toEqual([
      'context',
      'cause',
      'context',
      'context',
      'decision',
      'harm',
    ]);
  });

  test('V2-pin-guptest: 8 broken pins, and 17 exclusive pages that 6.12 would not have copied', async () => {
    expect(await proven('V2-pin-guptest', '6.12')).toEqual({
      'gup-pin-broken-by-cow': 8,
      'unexpected-cow': 17,
      'policy-mismatch': 17,
    });
  });

  test('V3-vmsplice: 5 leaks, and 5 other pages that 6.12 would have copied', async () => {
    expect(await proven('V3-vmsplice', '6.12')).toEqual({
      'cow-leak-through-gup-ref': 5,
      'policy-mismatch': 10,
    });
    const { divergences } = await analyzeCapture('V3-vmsplice', '6.12');
    const leaks = divergences.find(({ check }) => check === 'cow-leak-through-gup-ref')!;
    expect(leaks.count).toBe(5);
    expect(leaks.consequences.map(({ check }) => check)).toEqual(['policy-mismatch']);
  });

  test('without a declared variant what broke is found all the same, and mismatches are not spoken of', async () => {
    expect(await proven('V1-pin-guptest', null)).toEqual({
      'gup-pin-broken-by-cow': 1,
      'unexpected-cow-under-reclaim': 1,
      'unexpected-cow': 1,
    });
    expect(await proven('V2-pin-guptest', null)).toMatchObject({ 'gup-pin-broken-by-cow': 8 });
    expect(await proven('V3-vmsplice', null)).toEqual({ 'cow-leak-through-gup-ref': 5 });
  });
});

describe('captures of kernels as released', () => {
  test.each(HEALTHY)('%s: nothing proven, few suspects', async (name) => {
    for (const variant of ['6.12', null]) {
      const { divergences } = await analyzeCapture(name, variant);
      expect(divergences.filter(isGrave)).toEqual([]);
      expect(divergences.filter(({ severity }) => severity !== 'info').length).toBeLessThanOrEqual(2);
    }
  });

  test.each(HEALTHY)('%s: what is reconstructed agrees with what is printed', async (name) => {
    const { fidelity, trace } = await analyzeCapture(name, '6.12');
    for (const [what, { compared, agreed, raced }] of Object.entries(fidelity)) {
      // A loss is told only before the next record of its CPU: until then a bit that a lost record changed is
      // compared with what other CPUs still read right (src/state/folds/exclusive.ts).
      if ((what === 'exclusive' || what === 'swapcache') && trace.lost.length > 0) continue;
      expect([what, compared - agreed - raced]).toEqual([what, 0]);
    }
  });
});

describe('reports', () => {
  test.each([...PATCHED, ...HEALTHY])('%s', async (name) => {
    const analysis = await analyzeCapture(name, '6.12');
    expectGolden(`analysis/${name}.txt`, analysisText(analysis, PLAIN));
  });
});
