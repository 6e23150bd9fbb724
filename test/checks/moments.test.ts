import { describe, expect, test } from 'vitest';
import type { Divergence } from '../../src/checks/finding.ts';
import { judge, told, WORLD, type World } from '../notation.ts';
import {
  ALLOCATED,
  CHILD_READS,
  childUnmaps,
  copyFault,
  PINNED,
  PROBES_LIVE,
  PROTECTED,
  RECLAIMER_HOLDS_LOCK,
  reuseFault,
  SHARED,
} from './stories.ts';

const EXCLUSIVE = 'lru|swapbacked|uptodate|ae';
const ORDINARY = 'lru|swapbacked|uptodate';

/** The story of a page, told of another page at another address. */
function of(page: string, story: string): string {
  return story
    .replaceAll('pfn=P', `pfn=${page}`)
    .replaceAll('folio=P', `folio=${page}`)
    .replaceAll('=P:', `=${page}:`)
    .replaceAll('pfn=Q', `pfn=${page}Q`)
    .replaceAll('=Q:', `=${page}Q:`)
    .replaceAll('=a ', `=${page}a `)
    .replaceAll('ptep=T', `ptep=${page}T`);
}

const COPIED = ALLOCATED + PROTECTED + copyFault({ flags: EXCLUSIVE, count: 2 });
const BROKEN =
  ALLOCATED +
  PINNED +
  PROTECTED +
  RECLAIMER_HOLDS_LOCK +
  copyFault({ flags: 'locked|swapbacked|uptodate|ae', count: 1026, after: 1025 });
const LEAK = ALLOCATED + SHARED + CHILD_READS + childUnmaps(2) + reuseFault({ flags: ORDINARY, count: 2 });

describe('one moment, one divergence', () => {
  test('every check that fires on it stands in it once, the most severe and specific first', () => {
    const { divergences } = judge(PROBES_LIVE + BROKEN, { variant: '6.12' });
    expect(divergences).toHaveLength(1);
    const names = [divergences[0]!.check, ...divergences[0]!.consequences.map(({ check }) => check)];
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual([
      'gup-pin-broken-by-cow',
      'unexpected-cow-under-reclaim',
      'unexpected-cow',
      'policy-mismatch',
    ]);
  });

  test('two moments on one page are two, in one group if they are alike', () => {
    const twice = COPIED + PROTECTED.replaceAll('P:', 'Q:') + of('X', COPIED);
    const { divergences } = judge(PROBES_LIVE + twice, { variant: '6.12' });
    expect(told({ divergences })).toEqual([
      'high proven unexpected-cow (unknown-ref) x2 with policy-mismatch',
    ]);
    const [group] = divergences;
    expect(group!.members.map(({ seq }) => seq)).toEqual([group!.firstSeq, group!.lastSeq]);
    expect(group!.firstSeq).toBeLessThan(group!.lastSeq);
    expect(group!.place).toEqual(group!.members[0]);
  });

  test('what differs in its cause is another group, the worst first', () => {
    const { divergences } = judge(PROBES_LIVE + of('X', COPIED) + BROKEN, { variant: '6.12' });
    expect(divergences.map(({ id, severity, cause }) => [id, severity, cause])).toEqual([
      ['d1', 'critical', 'page-lock'],
      ['d2', 'high', 'unknown-ref'],
    ]);
  });

  test('evidence points at events, in their order, and one of them is the decision', () => {
    for (const text of [BROKEN, COPIED, LEAK]) {
      const { divergences, state } = judge(PROBES_LIVE + text, { variant: '6.12' });
      for (const { evidence, consequences } of [divergences[0]!]) {
        for (const items of [evidence, ...consequences.map((c) => c.evidence)]) {
          const seqs = items.map(({ seq }) => seq);
          expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
          expect(seqs.every((seq) => Number.isInteger(seq) && seq >= 1 && seq <= state.seq)).toBe(true);
          expect(items.filter(({ role }) => role === 'decision')).toHaveLength(1);
        }
      }
    }
  });
});

describe('a fingerprint', () => {
  const elsewhere: World = {
    pfn: 0x7c00,
    mm: WORLD.mm - 4096 * 77,
    va: 0x7e0000000000,
    table: WORLD.table - 4096 * 999,
    pid: 4000,
    ns: 86_400_000_000_000,
  };
  const strip = (divergences: readonly Divergence[]): unknown =>
    divergences.map(({ id, check, severity, verdict, cause, count, fingerprint, missing, firstSeq }) => ({
      id,
      check,
      severity,
      verdict,
      cause,
      count,
      fingerprint,
      missing,
      firstSeq,
    }));

  test.each([
    ['a broken pin', BROKEN],
    ['a copied exclusive page', COPIED],
    ['a leak', LEAK],
  ])('%s: the same under other pids, pages, addresses and times', (_what, text) => {
    const here = judge(PROBES_LIVE + text, { variant: '6.12' });
    const there = judge(PROBES_LIVE + text, { variant: '6.12', world: elsewhere });
    expect(strip(there.divergences)).toEqual(strip(here.divergences));
    expect(there.divergences[0]!.place.pid).toBe(here.divergences[0]!.place.pid! + 4000);
    expect(there.coverage).toEqual(here.coverage);
  });

  test('is another where the cause is another', () => {
    const unlocked = ALLOCATED + PINNED + PROTECTED + copyFault({ flags: EXCLUSIVE, count: 1025 });
    const prints = [BROKEN, unlocked, COPIED, LEAK].map(
      (text) => judge(PROBES_LIVE + text, { variant: '6.12' }).divergences[0]!.fingerprint,
    );
    expect(new Set(prints).size).toBe(prints.length);
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{4}-[0-9a-f]{4}$/);
  });

  test('does not depend on which variant was declared', () => {
    const prints = ['6.12', '6.1', '5.19'].map(
      (variant) => judge(PROBES_LIVE + COPIED, { variant }).divergences[0]!.fingerprint,
    );
    expect(new Set(prints).size).toBe(1);
  });
});
