import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventBatch } from '../../src/events/batch.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { judged } from '../notation.ts';
import { analyzeText, type Capture, capture, fresh, type Proof, proofs, textOf } from './capture-text.ts';
import { cut, dropped, lost, skewed, swapped, withoutEvents } from './damage.ts';

const FOUND = ['V1-pin-guptest', 'V2-pin-guptest', 'V3-vmsplice'];
const HEALTHY = ['base-pin-guptest', 'stock-cow-core', 'deb612-cow'];

/** A run count times the captures: the suite must stay short. Seeds make a failure repeat. */
const RUNS = { seed: 20080623, numRuns: 2 };
const SEED = fc.integer({ min: 1, max: 1e9 });
const CAPTURES = new Map<string, { readonly whole: Capture; readonly proofs: Promise<Proof[]> }>();

function known(name: string): { readonly whole: Capture; readonly proofs: Promise<Proof[]> } {
  let found = CAPTURES.get(name);
  if (found === undefined) {
    const whole = capture(name);
    found = { whole, proofs: analyzeText(textOf(whole.head, whole.lines), '6.12').then(proofs) };
    CAPTURES.set(name, found);
  }
  return found;
}

/** What a damaged text proves that the whole one does not. */
async function added(name: string, text: string, toleranceUs = 0): Promise<Proof[]> {
  return fresh(proofs(await analyzeText(text, '6.12')), await known(name).proofs, toleranceUs);
}

async function eventsOf(name: string): Promise<EventBatch[]> {
  const batches: EventBatch[] = [];
  for await (const { events } of ingestHere(`traces/${name}.txt.gz`)) batches.push(events);
  return batches;
}

/** The same events in batches that end at these shares of all. */
function rebatched(batches: readonly EventBatch[], sizes: readonly number[]): EventBatch[] {
  const out: EventBatch[] = [];
  let turn = 0;
  for (const batch of batches) {
    for (let from = 0; from < batch.count; ) {
      const to = Math.min(batch.count, from + sizes[turn++ % sizes.length]!);
      out.push({
        count: to - from,
        firstSeq: batch.firstSeq + from,
        kind: batch.kind.subarray(from, to),
        at: batch.at.subarray(from, to),
        args: batch.args,
        ns: batch.ns.subarray(from, to),
        cpu: batch.cpu.subarray(from, to),
        pid: batch.pid.subarray(from, to),
        ctx: batch.ctx.subarray(from, to),
        record: batch.record.subarray(from, to),
      });
      from = to;
    }
  }
  return out;
}

describe('a fold', () => {
  test.each(['V1-pin-guptest', 'deb612-cow'])(
    '%s: batches of any size give the same state and divergences',
    async (name) => {
      const batches = await eventsOf(name);
      const whole = judged(batches, { variant: '6.12' });
      const image = whole.state.image();
      await fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 5 }), (sizes) => {
          const parts = judged(rebatched(batches, sizes), { variant: '6.12' });
          expect(parts.divergences).toEqual(whole.divergences);
          expect(parts.coverage).toEqual(whole.coverage);
          expect(parts.state.image()).toEqual(image);
        }),
        RUNS,
      );
    },
  );

  test.each(FOUND)('%s: run twice, the same', async (name) => {
    const { whole } = known(name);
    const text = textOf(whole.head, whole.lines);
    const { trace: _, ...first } = await analyzeText(text, '6.12');
    const { trace: __, ...second } = await analyzeText(text, '6.12');
    expect(second).toEqual(first);
  });
});

describe('less is never proven more', () => {
  const each = test.each([...FOUND, ...HEALTHY]);

  each('%s: a part of the trace', async (name) => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(share, share, async (a, b) => {
        expect(await added(name, cut(known(name).whole, 0, Math.max(0.02, a)))).toEqual([]);
        expect(await added(name, cut(known(name).whole, Math.min(a, b, 0.98), 1))).toEqual([]);
      }),
      RUNS,
    );
  });

  each('%s: lost records that are announced', async (name) => {
    await fc.assert(
      fc.asyncProperty(SEED, fc.constantFrom(0.01, 0.1, 0.3), async (seed, share) => {
        expect(await added(name, lost(known(name).whole, share, seed))).toEqual([]);
      }),
      RUNS,
    );
  });

  each('%s: neighbours in the order in which they may have been', async (name) => {
    await fc.assert(
      fc.asyncProperty(SEED, fc.constantFrom(1, 20), async (seed, withinUs) => {
        expect(await added(name, swapped(known(name).whole, seed, withinUs), withinUs)).toEqual([]);
      }),
      RUNS,
    );
  });

  each('%s: clocks of two CPUs that differ by less than the skew that is assumed', async (name) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -999, max: 999 }), async (us) => {
        expect(await added(name, skewed(known(name).whole, us), 1000)).toEqual([]);
      }),
      RUNS,
    );
  });

  each('%s: records removed in silence', async (name) => {
    await fc.assert(
      fc.asyncProperty(SEED, fc.constantFrom(0.01, 0.05, 0.3), async (seed, share) => {
        expect(await added(name, dropped(known(name).whole, share, seed))).toEqual([]);
      }),
      RUNS,
    );
  });

  each('%s: probes that were not there', async (name) => {
    const { whole } = known(name);
    const names = [...new Set(whole.lines.map(({ event }) => event))].sort();
    await fc.assert(
      fc.asyncProperty(fc.subarray(names, { minLength: 1, maxLength: 8 }), async (gone) => {
        expect(await added(name, withoutEvents(whole, new Set(gone)))).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe('the damage done here is damage', () => {
  const { head, lines } = capture('V1-pin-guptest');
  const whole = textOf(head, lines);

  test('records go, and lost ones are announced', async () => {
    const text = lost({ head, lines }, 0.1, 7);
    const told = [...text.matchAll(/\[LOST (\d+) EVENTS\]/g)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
    expect(told).toBeGreaterThan(lines.length * 0.05);
    const { trace } = await analyzeText(text, null);
    expect(trace.lost.reduce((sum, { count }) => sum + (count ?? 0), 0)).toBe(told);
    // Records of a CPU that has no later one are told by nobody.
    expect(trace.records).toBeLessThanOrEqual(lines.length - told);
    expect(trace.records).toBeGreaterThan(lines.length - told - 40);
  });

  test('neighbours change places, and none goes', () => {
    const text = swapped({ head, lines }, 7, 100);
    expect(text).not.toBe(whole);
    expect(text.length).toBe(whole.length);
    expect(skewed({ head, lines }, 500).length).toBe(whole.length);
    expect(skewed({ head, lines }, 0)).toBe(whole);
  });
});
