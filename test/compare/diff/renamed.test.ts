import { describe, expect, test } from 'vitest';
import { compare } from '../../../src/compare/diff/compare.ts';
import type { Decision } from '../../../src/compare/diff/decision-log.ts';
import { type Capture, capture, chance, textOf } from '../../replay/capture-text.ts';
import { renaming } from '../../replay/renaming.ts';
import { noisy } from './noise.ts';
import { planted, reuses } from './planting.ts';
import { sideOfText } from './sides.ts';

/**
 * Another run of the same: other pids, page frames, addresses, slots and times, and records of somebody else between
 * the others. FAULTLINE_TRIALS sets how many runs are tried.
 */
const { FAULTLINE_TRIALS } = process.env;
const TRIALS = Number(FAULTLINE_TRIALS ?? 3);
const UNRELATED = 0.05;
/** A run takes a part of a second; a busy machine is slower. */
const TIMEOUT_MS = 10_000 + TRIALS * 5_000;

/** What of a decision says which one it is. */
function brief(decision: Decision | undefined): object {
  if (decision === undefined) return {};
  const { observed, pid, va, pfn } = decision;
  return { observed, pid, va, pfn };
}

/** The beginning of a capture with forks, pins and swap. */
const LINES = 10_500;

describe(`${TRIALS} other runs`, () => {
  const whole = capture('V2-pin-guptest');
  const story: Capture = { head: whole.head, lines: whole.lines.slice(0, LINES) };
  const candidates = reuses(story);
  const before = sideOfText(textOf(story.head, story.lines));

  test('of a story with forks, pins and swap', async () => {
    expect([...new Set(story.lines.map(({ event }) => event))]).toEqual(
      expect.arrayContaining(['do_swap_page', 'folio_alloc_swap_ret', 'try_grab_folio', 'copy_present_ptes']),
    );
    expect((await before).decisions.length).toBeGreaterThan(100);
    expect(candidates.length).toBeGreaterThan(25);
  });

  test(
    'do not differ',
    async () => {
      for (let seed = 1; seed <= TRIALS; seed++) {
        const to = renaming(seed, { names: false });
        const { differences, same, matching } = compare(
          await before,
          await sideOfText(to.text(noisy(story, UNRELATED, seed))),
        );
        const found = differences.map(({ about, example }) => ({ about, ...brief(example?.decision) }));
        expect({ seed, found, same }).toEqual({ seed, found: [], same: true });
        // Every decision of the story has its partner; those of somebody else have none.
        expect(matching.unmatched.a).toBe(0);
        expect(matching.tasks.b).toEqual(matching.unmatched.b > 0 ? ['noise#1'] : []);
      }
    },
    TIMEOUT_MS,
  );

  test(
    'with one planted change have it as their first difference',
    async () => {
      const missed: object[] = [];
      for (let seed = 1; seed <= TRIALS; seed++) {
        const fault = candidates[Math.floor(chance(seed * 7919)() * candidates.length)]!;
        const to = renaming(seed, { names: false });
        const changed = noisy(planted(story, fault), UNRELATED, seed);
        const { differences } = compare(await before, await sideOfText(to.text(changed)));
        const { example } = differences[0] ?? {};
        const found = { side: example?.side, ...brief(example?.decision) };
        const wanted = {
          side: 'b',
          observed: 'copy',
          pid: to.pid(fault.pid),
          va: to.address(fault.address),
          pfn: to.pfn(fault.pfn),
        };
        if (JSON.stringify(found) !== JSON.stringify(wanted))
          missed.push({ seed, line: fault.from, found, wanted, all: differences.length });
      }
      expect(missed).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
