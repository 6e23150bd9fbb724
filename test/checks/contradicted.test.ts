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

/** The trace tells mappings that end. */
const ENDS = '  1 11 rmap.del pfn=X folio=X nr=1 mm=A mapcount=0\n';

test('exclusivity that changes with no record to tell why does so too', () => {
  const mapped = `${ENDS}
  1 11 rmap.new pfn=Q mm=A va=a exclusive=yes
  1 11 pte.set mm=A ptep=T old=none value=Q:w nr=1
`;
  const read = (flags: string, count: number): string =>
    `  1 11 ref.add pfn=Q delta=1 count=${count} mapcount=0 flags=${flags}|lru|swapbacked mapping=anon\n`;
  expect(verdict(mapped + read('ae', 2) + read('ae', 3))).toMatchObject({ verdict: 'proven' });
  // As where a fork and the exit of its child are those of a task that is not recorded.
  expect(verdict(mapped + read('uptodate', 2) + read('ae', 3))).toMatchObject({ verdict: 'suspect' });
});

test('mapcounts that are not what was printed do so too', () => {
  const mapped = (pages: readonly string[]): string =>
    pages
      .map(
        (page) =>
          `  1 11 page.alloc pfn=${page} order=0\n  1 11 rmap.new pfn=${page} mm=A va=a exclusive=no\n`,
      )
      .join('');
  const read = (page: string, mapcount: number): string =>
    Array.from(
      { length: 20 },
      (_, i) =>
        `  1 11 ref.add pfn=${page} delta=1 count=${i + 2} mapcount=${mapcount} flags=lru mapping=anon\n`,
    ).join('');
  expect(verdict(ENDS + mapped(['Q', 'R']) + read('Q', 0) + read('R', 0))).toMatchObject({
    verdict: 'proven',
  });
  expect(verdict(ENDS + mapped(['Q', 'R']) + read('Q', 1) + read('R', 1))).toMatchObject({
    verdict: 'suspect',
  });
});
