import { describe, expect, test } from 'vitest';
import { NO_LOSS } from '../../src/synth/loss.ts';
import { PLANTS } from '../../src/synth/plants/index.ts';
import { judge, planted, type Said, said } from './runs.ts';

const proofs = (all: readonly Said[]): Said[] => all.filter(({ verdict }) => verdict === 'proven');

/** Whether the whole trace has this proof: the same moment, seqs differ. */
function has(whole: readonly Said[], one: Said): boolean {
  return whole.some(
    ({ check, pid, pfn, us }) =>
      check === one.check && pid === one.pid && pfn === one.pfn && Math.abs(us - one.us) <= 1000,
  );
}

const CASES = [0.01, 0.05, 0.1, 0.3].flatMap((share, i) =>
  [0, 1].map((n) => [share, (i * 2 + n) * 5 + 1] as const),
);

describe('a trace of which something is missing proves nothing that the whole one does not', () => {
  test.each(CASES)('%d lost and said so, seed %i', async (share, seed) => {
    const kind = PLANTS.filter(({ tellable }) => tellable)[seed % 18]!;
    const whole = proofs(said(await judge(planted(kind, seed).text)));
    const loss = { ...NO_LOSS, said: share };
    const { text } = planted(kind, seed, { layout: 'pipe', loss });
    const analysis = await judge(text);
    expect(proofs(said(analysis)).filter((one) => !has(whole, one))).toEqual([]);
    expect(analysis.trace.lost.length > 0).toBe(text.includes('[LOST '));
  });

  test('what was overwritten is told by the header', async () => {
    const kind = PLANTS[1]!;
    const whole = proofs(said(await judge(planted(kind, 5).text)));
    const loss = { ...NO_LOSS, overwritten: 700 };
    const { text } = planted(kind, 5, { loss });
    expect(text).toMatch(/^# entries-in-buffer\/entries-written: (\d+)\/(\d+) /m);
    const analysis = await judge(text);
    expect(analysis.trace.lost).toMatchObject([{ count: 700 }]);
    expect(proofs(said(analysis)).filter((one) => !has(whole, one))).toEqual([]);
  });
});
