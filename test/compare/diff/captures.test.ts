import { describe, expect, test } from 'vitest';
import { headline } from '../../../src/report/diff.ts';
import { compareCaptures } from './sides.ts';

describe('what was planted in a patched kernel is the first difference', () => {
  test('V1: an exclusive, pinned page is copied because its lock is held', async () => {
    const { differences, same, matching } = await compareCaptures('base-pin-guptest', 'V1-pin-guptest');
    expect(same).toBe(false);
    expect(differences).toHaveLength(1);
    const [first] = differences;
    expect(headline(first!)).toBe('write fault (exclusive, pinned, locked): A reuse 96 of 96, B copy 1 of 1');
    expect(first).toMatchObject({ verdict: 'proven', severity: 'critical', count: { a: 0, b: 1 } });
    expect(first!.rules).toMatchObject({ a: { value: 'exclusive' }, b: { value: 'trylock-then-exclusive' } });
    expect(first!.example).toMatchObject({ decision: { seq: 17_581 }, lacking: ['locked'] });
    // The other lane is the same decision of the other run: same task, same page of the same mapping.
    const { decision, counterpart } = first!.example!;
    expect(counterpart?.how).toBe('same');
    expect(matching.names.b.place(decision)).toBe(matching.names.a.place(counterpart!.decision));
    expect(matching.names.b.task(decision)).toBe('wl#1');
    expect([counterpart!.decision.pfn, counterpart!.decision.va, counterpart!.decision.pid]).not.toContain(
      decision.pfn,
    );
    expect(first!.gained.map(({ divergence }) => divergence.check)).toEqual(['gup-pin-broken-by-cow']);
  });

  test('V2: exclusive, pinned pages are copied because of their references', async () => {
    const { differences } = await compareCaptures('base-pin-guptest', 'V2-pin-guptest');
    expect(headline(differences[0]!)).toBe(
      'write fault (exclusive, pinned, lru): A reuse 62 of 62, B copy 6 of 6',
    );
    expect(differences[0]).toMatchObject({
      verdict: 'proven',
      rules: { a: { value: 'exclusive' }, b: { value: 'refcount' } },
      count: { a: 96, b: 17 },
      example: { decision: { seq: 8574 } },
    });
  });

  test('V3: pages with a foreign reference are reused, and leak', async () => {
    const { differences } = await compareCaptures('base-vmsplice', 'V3-vmsplice');
    expect(differences).toHaveLength(1);
    // Earlier ones, from seq 536 on, reuse pages whose other reference is harmless: no finding rests on them.
    expect(differences[0]).toMatchObject({
      verdict: 'proven',
      severity: 'critical',
      firstSeq: { b: 536 },
      example: { decision: { seq: 15_094, observed: 'reuse' }, counterpart: { how: 'same' } },
    });
    expect(differences[0]!.gained.map(({ divergence }) => divergence.check)).toEqual([
      'cow-leak-through-gup-ref',
    ]);
  });

  test('V4: a device is used across its swapoff; the workload need not be the same for that', async () => {
    const { differences } = await compareCaptures('stock-cow-core', 'V4-swapoff-race');
    expect(differences[0]).toMatchObject({
      axis: 'swapoff',
      verdict: 'proven',
      severity: 'high',
      rules: { a: { value: 'getdev' }, b: { value: 'window' } },
      // Every free of swap entries goes without the device; the one during which it was freed is what matters.
      count: { b: 100 },
      firstSeq: { b: 4388 },
      example: { side: 'b', decision: { seq: 7894, observed: 'device freed meanwhile' } },
    });
    expect(differences[0]!.gained.map(({ divergence }) => divergence.check).sort()).toEqual([
      'swapoff-uaf-si',
      'swapoff-unprotected-si-use',
    ]);
  });

  test('turned round, the same difference is found', async () => {
    const { differences, gained, lost } = await compareCaptures('V1-pin-guptest', 'base-pin-guptest');
    expect(differences).toHaveLength(1);
    expect(differences[0]).toMatchObject({
      verdict: 'proven',
      count: { a: 1, b: 0 },
      example: { side: 'a' },
    });
    expect(gained).toEqual([]);
    expect(lost.map(({ divergence }) => divergence.check)).toEqual(['gup-pin-broken-by-cow']);
  });
});

describe('where nothing was planted', () => {
  test.each(['V1-pin-guptest', 'V4-swapoff-race', 'stock-vmsplice', 'base-cow-trace-pipe-lost'])(
    '%s is the same as itself, decision by decision',
    async (name) => {
      const { same, differences, gained, lost, comparability, matching } = await compareCaptures(name, name);
      expect({ same, differences, gained, lost }).toEqual({
        same: true,
        differences: [],
        gained: [],
        lost: [],
      });
      expect(comparability).toMatchObject({ score: 1, possible: true });
      expect(matching.unmatched).toEqual({ a: 0, b: 0 });
    },
  );

  test('a kernel with other probes behaves the same, and the limits are told', async () => {
    const { same, differences, comparability } = await compareCaptures('base-vmsplice', 'stock-vmsplice');
    expect(differences).toEqual([]);
    expect(same).toBe(true);
    expect(comparability.score).toBeGreaterThan(0.75);
    expect(comparability.limits.map(({ about }) => about)).toContain('events');
  });

  test('a capture without inputs cannot be compared: nothing is called the same', async () => {
    const { same, comparability } = await compareCaptures('base-cow-tracepoints-only', 'stock-cow-core');
    expect(same).toBeNull();
    expect(comparability).toMatchObject({ kinds: [], possible: false });
  });
});
