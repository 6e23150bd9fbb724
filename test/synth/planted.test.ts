import { describe, expect, test } from 'vitest';
import { PLANTS } from '../../src/synth/plants/index.ts';
import { judge, make, planted, said } from './runs.ts';

describe('planted divergences are found, and nothing else', () => {
  test.each(PLANTS.map((kind, seed) => [kind.id, seed, kind] as const))(
    '%s, seed %i',
    async (_id, seed, kind) => {
      const { text, truth } = planted(kind, seed, { format: kind.tellable && seed % 2 ? 'text' : 'jsonl' });
      const [{ from, to, pid }] = truth as [(typeof truth)[0]];
      const found = said(await judge(text));
      const inside = found.filter(({ seq }) => seq >= from && seq <= to + 2);
      const first = inside.filter(({ check }) => check === kind.checks[0]);
      const [best] = [...first].sort((a, b) => a.verdict.localeCompare(b.verdict));
      expect(best).toMatchObject({ verdict: kind.verdict });
      expect([pid, null]).toContain(best!.pid);
      for (const check of kind.checks) expect(inside.map((one) => one.check)).toContain(check);
      expect(found.filter((one) => !inside.includes(one))).toEqual([]);
      // What else is said of the story is no proof: it is not what was planted.
      expect(
        inside.filter(({ check, verdict }) => verdict === 'proven' && !kind.checks.includes(check)),
      ).toEqual([]);
    },
  );
});

describe('clean traces', () => {
  test.each([
    ['text', 1],
    ['text', 2],
    ['jsonl', 3],
    ['jsonl', 4],
  ] as const)(
    '%s, seed %i: nothing is found, and what is printed agrees with the fold',
    async (format, seed) => {
      const rates = { fault: 100, fork: 6, exit: 4, unmap: 6, protect: 4, reclaim: 12, swap: 30, pin: 5 };
      const { text } = make(
        { seed, events: 8000, cpus: 1 + seed, rates: { ...rates, ksm: 8, collapse: 4, swapoff: 2 } },
        { format },
      );
      const analysis = await judge(text);
      expect(said(analysis)).toEqual([]);
      for (const [what, { compared, agreed, raced }] of Object.entries(analysis.fidelity)) {
        // add_to_swap_cache takes its reference before it sets the flag: its record is ahead of it, as in a kernel.
        expect([what, agreed + (what === 'swapcache' ? raced : 0)]).toEqual([what, compared]);
        // Map bytes are told where swap PTEs are unmapped only; folios of the synthetic machine are small.
        if (what !== 'swapcount' && what !== 'large_mapcount')
          expect([what, compared > 0]).toEqual([what, true]);
      }
      expect(analysis.trace.lost).toEqual([]);
    },
  );
});
