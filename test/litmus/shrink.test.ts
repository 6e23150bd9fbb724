import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Divergence } from '../../src/checks/finding.ts';
import { EventList } from '../../src/events/event-list.ts';
import { explore } from '../../src/litmus/explore/explore.ts';
import { type JudgeFacts, judgeEvents } from '../../src/litmus/judge.ts';
import { replay } from '../../src/litmus/replay.ts';
import { ddmin } from '../../src/litmus/shrink/ddmin.ts';
import { shrink } from '../../src/litmus/shrink/shrink.ts';
import { parseVariant } from '../../src/variants/parse.ts';
import { scenario } from './catalogue.ts';

describe('ddmin', () => {
  test('keeps what is needed and nothing else', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(200), { minLength: 1, maxLength: 8 }),
        fc.nat(200),
        (needed, more) => {
          const units = Array.from({ length: 201 + more }, (_, i) => i);
          const kept = ddmin(units, (part) => needed.every((unit) => part.includes(unit)));
          expect(kept).toEqual([...needed].sort((a, b) => a - b));
        },
      ),
      { seed: 9, numRuns: 100 },
    );
  });

  test('is 1-minimal where one unit stands in for another', () => {
    // Either of two pairs will do.
    const holds = (part: readonly number[]): boolean =>
      (part.includes(3) && part.includes(90)) || (part.includes(40) && part.includes(41));
    const kept = ddmin(
      Array.from({ length: 100 }, (_, i) => i),
      holds,
    );
    expect(kept).toHaveLength(2);
    expect(holds(kept)).toBe(true);
  });

  test('asks about few parts where few units are needed', () => {
    let asked = 0;
    ddmin(
      Array.from({ length: 10_000 }, (_, i) => i),
      (part) => {
        asked++;
        return [17, 5000, 9999].every((unit) => part.includes(unit));
      },
    );
    expect(asked).toBeLessThan(150);
  });
});

const VARIANT = parseVariant('2.6.26');
const FACTS: JudgeFacts = { declared: VARIANT, kernel: 206, skewNs: 0 };

/** Events of a bad interleaving, and what the checks say of them. */
function bad(name: string, flag: string): { list: EventList; found: Divergence } {
  const program = scenario(name);
  const [, schedule] = [...explore(program, VARIANT).witnesses].find(([id]) => id === flag)!;
  const { events } = replay(program, VARIANT, schedule);
  const list = new EventList();
  for (let i = 0; i < events.count; i++) list.add(events, i);
  const found = judgeEvents(list.whole, FACTS).divergences.find(({ check }) => check === flag)!;
  return { list, found };
}

describe('shrink', () => {
  test('finds few events that show the same, each of them needed', () => {
    const { list, found } = bad('s0b-get-reclaim', 'gup-pin-broken-by-cow');
    const sequence = shrink(list, found, FACTS)!;
    expect(sequence.seqs.length).toBeLessThan(15);
    expect(sequence.seqs).toEqual([...sequence.seqs].sort((a, b) => a - b));
    const shown = (positions: readonly number[]): string[] =>
      judgeEvents(list.part(positions), FACTS).divergences.flatMap((one) =>
        one.fingerprint === found.fingerprint && one.verdict === found.verdict
          ? [one.check, ...one.consequences.map(({ check }) => check)]
          : [],
      );
    const wanted = [found.check, ...found.consequences.map(({ check }) => check)].sort();
    const positions = sequence.seqs.map((seq) => seq - 1);
    expect(shown(positions).sort()).toEqual(wanted);
    for (const left of positions)
      expect(
        shown(positions.filter((position) => position !== left)).sort(),
        `without ${left + 1}`,
      ).not.toEqual(wanted);
  });

  test('gives the same events every time', () => {
    const { list, found } = bad('s0b-get-reclaim', 'gup-pin-broken-by-cow');
    expect(shrink(list, found, FACTS)!.seqs).toEqual(shrink(list, found, FACTS)!.seqs);
  });

  test('says when the events do not show the divergence', () => {
    const { list, found } = bad('s0b-get-reclaim', 'gup-pin-broken-by-cow');
    expect(shrink(list, { ...found, fingerprint: '0000-0000' }, FACTS)).toBeNull();
  });
});
