import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/compare/diff/decision-log.ts';
import { type Lane, pageLanes } from '../../../src/compare/diff/page-lanes.ts';
import { EVENT_KINDS } from '../../../src/events/registry.ts';
import type { LifeEvent } from '../../../src/state/life.ts';

/** A lane of events named by letters, one a seq from `first` on; a capital is the decision. */
function lane(letters: string, first: number): Lane {
  const events = [...letters].map((letter, i): LifeEvent => {
    const kind = EVENT_KINDS[letter.toLowerCase().charCodeAt(0) - 97]!;
    const untold = { args: [], record: 0, change: 0, purpose: null, count: null, printed: null };
    return { seq: first + i, ns: 0, cpu: 0, pid: 1, kind, ...untold };
  });
  const at = [...letters].findIndex((letter) => letter !== letter.toLowerCase());
  return { events, decision: { seq: first + at, pid: 1 } as Decision };
}

/** Rows as letters: "a" alike, "a-" and "-a" on one side only. */
function drawn(a: Lane, b: Lane): string {
  const letter = (event: LifeEvent | null): string =>
    event === null ? '-' : String.fromCharCode(97 + event.kind.code);
  return pageLanes(a, b)
    .map(({ a: x, b: y }) => (x !== null && y !== null ? letter(x) : `${letter(x)}${letter(y)}`))
    .join(' ');
}

describe('lanes', () => {
  test.each([
    ['abC', 'abC', 'a b c'],
    ['abCde', 'abCe', 'a b c d- e'],
    ['aCd', 'abCxd', 'a -b c -x d'],
    // What is alike before the decision of the one and behind that of the other does not meet.
    ['abC', 'Cab', 'a- b- c -a -b'],
    ['C', 'D', 'c- -d'],
    ['bC', 'C', 'b- c'],
  ])('%s beside %s', (a, b, rows) => {
    expect(drawn(lane(a, 10), lane(b, 500))).toBe(rows);
  });
});
