import { expect, test } from 'vitest';
import { judge } from '../notation.ts';

const TRIGGER = '  0 10 lock.try pfn=P ok=yes\n  0 10 lock.wait pfn=P\n';
const FAULT = '  1 11 fault.begin mm=A va=a flags=write|user\n';
const RETURN = '  1 11 fault.end ret=0\n';

/** What page-lock-recursion says of a task that waits for a lock that it has. */
function verdict(before: string): { readonly verdict: string; readonly missing: string | null } {
  const found = judge(before + TRIGGER).divergences.find(({ check }) => check === 'page-lock-recursion');
  return { verdict: found!.verdict, missing: found!.missing };
}

test('functions that were entered and never left lower what rests on earlier records', () => {
  expect(verdict((FAULT + RETURN).repeat(4))).toEqual({ verdict: 'proven', missing: null });
  // One may be a race of two records; more are records that are missing.
  expect(verdict(FAULT + RETURN + FAULT.repeat(2) + RETURN)).toMatchObject({ verdict: 'proven' });
  expect(verdict(FAULT + RETURN + FAULT.repeat(3) + RETURN)).toEqual({
    verdict: 'suspect',
    missing:
      'records that nothing says were lost: the values that the trace prints contradict each other before this',
  });
});

test('counts that are not what was printed do so too', () => {
  const add = (count: number): string =>
    `  1 11 ref.add pfn=Q delta=1 count=${count} mapcount=0 flags=lru mapping=anon\n`;
  const set = '  1 11 page.alloc pfn=Q order=0\n  1 11 ref.set pfn=Q count=1\n';
  const counts = (from: number, skip: number): number[] =>
    Array.from({ length: 60 }, (_, i) => from + i + skip * Math.floor(i / 20));
  expect(verdict(set + counts(2, 0).map(add).join(''))).toMatchObject({ verdict: 'proven' });
  // Late records explain a few readings that differ, and no more.
  expect(verdict(set + counts(2, 1).map(add).join(''))).toMatchObject({ verdict: 'suspect' });
});
