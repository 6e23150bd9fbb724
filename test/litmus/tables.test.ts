import { describe, expect, test } from 'vitest';
import { explore } from '../../src/litmus/explore/explore.ts';
import type { Flag } from '../../src/litmus/flags.ts';
import { parseVariant } from '../../src/variants/parse.ts';
import { scenario } from './catalogue.ts';

/** Short names of what the cells of the tables say. */
const SHORT: ReadonlyArray<readonly [Flag, string]> = [
  ['unexpected-cow', 'uc'],
  ['unexpected-cow-under-reclaim', 'ucr'],
  ['gup-pin-broken-by-cow', 'pin'],
  ['gup-pin-broken-by-fork', 'shared-pin'],
  ['gup-pin-broken-by-collapse', 'collapsed-pin'],
  ['gup-fast-fork-race', 'race'],
  ['missed-cow', 'missed'],
  ['cow-leak-through-gup-ref', 'leak'],
  ['writable-pte-shared-anon', 'shared-w'],
  ['secondary-mmu-stale-mapping', 'stale'],
  ['ksm-in-place-reuse', 'ksm-reuse'],
  ['ksm-unlocked-ref-race', 'ksm-race'],
  ['swapoff-uaf-si', 'uaf'],
  ['swapin-stale-install', 'old-data'],
];

/** What is found, as a cell: `some ucr`, `all uc+pin`, `ok`. Only `shown` counts; ucr implies uc. */
function cell(name: string, variant: string, shown: readonly string[]): string {
  const { found, exhausted } = explore(scenario(name), parseVariant(variant));
  expect(exhausted).toBe(true);
  const words: string[] = [];
  for (const often of ['all', 'some'] as const) {
    const names = SHORT.filter(([flag, short]) => found.get(flag) === often && shown.includes(short)).map(
      ([, short]) => short,
    );
    // An unexpected copy under reclaim is an unexpected copy: one word; where all copy, what held the page is no news.
    const kept = names.filter(
      (short) =>
        !(short === 'uc' && names.includes('ucr')) &&
        !(short === 'ucr' && found.get('unexpected-cow') === 'all'),
    );
    if (kept.length > 0) words.push(`${often} ${kept.join('+')}`);
  }
  return words.length === 0 ? 'ok' : words.join(', ');
}

/** Compares a table: rows of `scenario | cell | cell ...` under the columns' variants. `-`: the kernel has no such thing. */
function compare(columns: readonly string[], shown: readonly string[], table: string): void {
  const rows = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((part) => part.trim()));
  for (const [name, ...cells] of rows) {
    const [of, axes] = name!.split(' ');
    test(name!, () => {
      const found = cells.map((wanted, i) =>
        wanted === '-' ? '-' : cell(of!, axes === undefined ? columns[i]! : join(columns[i]!, axes), shown),
      );
      expect(found).toEqual(cells);
    });
  }
}

function join(variant: string, axes: string): string {
  return variant.includes('+') ? `${variant},${axes}` : `${variant}+${axes}`;
}

/** One preset for each rule of do_wp_page: P1, P2, P3, P4, P5, P5g, P6, P7, P8 to P10. */
const RULES = ['2.6.26', 'hugh-2008', '2.6.29', '4.6', '5.1', '5.8', '5.9', '5.18', '5.19', '6.12', '6.15'];
const COW = ['uc', 'ucr', 'pin'];

describe('S0a, S0b: an exclusive page, and reclaim looks at it', () => {
  compare(
    RULES,
    COW,
    `
s0a-alone                    | ok       | ok | ok | ok | ok | ok | ok       | ok       | ok       | ok       | ok
s0a-reclaim                  | some ucr | ok | ok | ok | ok | ok | some ucr | some ucr | some ucr | some ucr | some ucr
s0a-exclusive-reclaim        | some ucr | ok | ok | ok | ok | ok | some ucr | some ucr | ok       | ok       | ok
s0a-cached-alone             | ok       | ok | ok | ok | ok | ok | all uc   | ok       | ok       | ok       | ok
s0a-cached-reclaim           | some ucr | ok | ok | ok | ok | ok | all uc   | some ucr | some ucr | some ucr | some ucr
s0a-exclusive-cached-reclaim | some ucr | ok | ok | ok | ok | ok | all uc   | some ucr | ok       | ok       | ok
s0b-get-alone                | ok           | ok | ok | ok | ok | ok | all uc+pin | all uc+pin | all uc+pin | all uc+pin | all uc+pin
s0b-get-reclaim              | some ucr+pin | ok | ok | ok | ok | ok | all uc+pin | all uc+pin | all uc+pin | all uc+pin | all uc+pin
s0b-get-exclusive-alone      | ok           | ok | ok | ok | ok | ok | all uc+pin | all uc+pin | ok | ok | ok
s0b-get-exclusive-reclaim    | some ucr+pin | ok | ok | ok | ok | ok | all uc+pin | all uc+pin | ok | ok | ok
s0b-pin-exclusive-alone      | ok           | ok | ok | ok | ok | ok | all uc+pin | all uc+pin | ok | ok | ok
s0b-pin-exclusive-reclaim    | some ucr+pin | ok | ok | ok | ok | ok | all uc+pin | all uc+pin | ok | ok | ok
`,
  );
});

describe('S0c: the order of the two counters', () => {
  compare(
    RULES,
    ['missed', 'shared-w', 'uc'],
    `
s0c-swapin swapin-order=rmap-first | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok
s0c-swapin swapin-order=free-first | ok | some missed+shared-w | ok | ok | ok | ok | ok | ok | ok | ok | ok
s0c-unmap unmap-order=dup-first    | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok
s0c-unmap unmap-order=rmap-first   | ok | some missed | ok | ok | ok | ok | ok | ok | ok | ok | ok
`,
  );
});

describe('S1: swapoff against free_swap_and_cache', () => {
  const columns = ['locked', 'window', 'window+rcu', 'getdev'].map((value) => `6.12+swapoff=${value}`);
  compare(
    columns,
    ['uaf'],
    `
s1-two-exits | ok | some uaf | ok       | ok
s1-one-exit  | ok | some uaf | ok       | ok
s1-shmem     | ok | some uaf | some uaf | ok
s1-no-cache  | ok | ok       | ok       | ok
`,
  );
});

describe('S2: a secondary MMU', () => {
  const NOTIFIERS = {
    'sync-page': 'notifier=sync-page,driver=retry',
    'range+retry': 'notifier=range,driver=retry',
    async: 'notifier=range,driver=async',
    'range-noretry': 'notifier=range,driver=range-noretry',
    'end-only': 'notifier=range,driver=end-only',
    none: 'notifier=none,driver=retry',
  };
  const rows = (name: string, cells: Readonly<Record<string, string>>): string =>
    Object.entries(NOTIFIERS)
      .map(([notifier, axes]) => `${name} ${axes} | ${cells[notifier]!}`)
      .join('\n');
  const same = (text: string): string => RULES.map(() => text).join(' | ');
  const stale = same('some stale');
  describe('a shared page: every rule copies', () => {
    compare(
      RULES,
      ['stale', 'uc'],
      rows('s2a', {
        'sync-page': same('ok'),
        'range+retry': same('ok'),
        async: stale,
        'range-noretry': stale,
        'end-only': stale,
        none: stale,
      }),
    );
  });
  const reuse = 'ok | ok | ok | ok | ok | ok';
  const quiet = (late: string): string =>
    `${reuse} | ${['uc', 'uc', 'uc', 'uc', 'uc'].map(() => late).join(' | ')}`;
  describe('an exclusive page: reuse hides a broken driver', () => {
    const told = quiet('all uc');
    const broken = quiet('all uc, some stale');
    compare(
      RULES,
      ['stale', 'uc'],
      rows('s2b', {
        'sync-page': told,
        'range+retry': told,
        async: broken,
        'range-noretry': broken,
        'end-only': broken,
        none: broken,
      }),
    );
  });
  describe('an AnonExclusive page', () => {
    compare(
      RULES.slice(8),
      ['stale', 'uc'],
      rows('s2b-exclusive', {
        'sync-page': 'ok | ok | ok',
        'range+retry': 'ok | ok | ok',
        async: 'ok | ok | ok',
        'range-noretry': 'ok | ok | ok',
        'end-only': 'ok | ok | ok',
        none: 'ok | ok | ok',
      }),
    );
  });
  describe('with reclaim, P1 copies too', () => {
    compare(
      ['2.6.26'],
      ['stale', 'uc', 'ucr'],
      rows('s2b-reclaim', {
        'sync-page': 'some ucr',
        'range+retry': 'some ucr',
        async: 'some ucr+stale',
        'range-noretry': 'some ucr+stale',
        'end-only': 'some ucr',
        none: 'some ucr+stale',
      }),
    );
  });
  describe('swap', () => {
    compare(
      RULES,
      ['stale'],
      `
s2c-same-page notifier=range,driver=async | ${same('ok')}
s2c-other-page notifier=range,driver=async | ${stale}
s2c-other-page notifier=range,driver=retry | ${same('ok')}
`,
    );
  });
});

describe('S3: the only mapper of a KSM page, and ksmd', () => {
  compare(
    [
      '2.6.33',
      '4.6',
      '5.1',
      '5.1+ksm=reuse-nofreeze',
      '5.9',
      '5.9+ksm=refcount-only',
      '5.18',
      '5.19',
      '6.12',
      '6.15',
    ],
    ['missed', 'shared-w', 'ksm-reuse'],
    `
s3-alone | ok | ok | ok | ok | ok | all ksm-reuse | ok | ok | ok | ok
s3-ksmd  | ok | ok | ok | some missed+shared-w | ok | some missed+shared-w+ksm-reuse | ok | ok | ok | ok
`,
  );
});

describe('S4: khugepaged', () => {
  const rules = ['count1', 'mapcount', 'no-check'];
  const under = (fast: string): string[] => rules.map((rule) => `6.12+collapse=${rule},gup-fast=${fast}`);
  const shown = ['collapsed-pin', 'missed', 'shared-w'];
  compare(under('ipi'), shown, 's4a | ok | ok | some collapsed-pin');
  describe('no IPI', () =>
    compare(under('noipi'), shown, 's4a | some collapsed-pin | some collapsed-pin | some collapsed-pin'));
  describe('PMD read again', () =>
    compare(under('pmd-recheck'), shown, 's4a | ok | ok | some collapsed-pin'));
  compare(under('ipi').slice(0, 2), shown, 's4b | ok | ok');
  compare(
    RULES.slice(0, 9).map((preset) => `${preset}+collapse=mapcount`),
    [...shown, 'uc'],
    's4c | ok | ok | ok | ok | ok | ok | ok | ok | ok',
  );
  compare(under('ipi'), shown, 's4d | ok | ok | all collapsed-pin');
});

describe('S5 to S8', () => {
  const columns = [
    '2.6.26',
    'hugh-2008',
    '2.6.29',
    '4.6',
    '5.1',
    '5.8',
    '5.9-rc5',
    '5.9',
    '5.18',
    '5.19',
    '6.12',
  ];
  compare(
    columns,
    ['uc', 'pin'],
    `
s5-pin | all pin | all pin | all pin | all pin | all pin | all pin | all pin | ok | ok | ok | ok
s5-get | all pin | all pin | all pin | all pin | all pin | all pin | all pin | all pin | all pin | all pin | all pin
s5b    | ok | ok | ok | ok | ok | ok | all uc+pin | ok | ok | ok | ok
`,
  );
  compare(
    columns,
    ['leak'],
    `
s6 | some leak | some leak | some leak | some leak | some leak | ok | ok | ok | ok | ok | ok
`,
  );
  compare(['5.9', '5.11', '5.18', '5.19', '6.12'], ['pin'], 's8 | some pin | ok | ok | ok | ok');
  compare(
    ['6.12+swap-skip=unsafe', '6.12+swap-skip=prepare', '6.12+swap-skip=none'],
    ['old-data'],
    's7 | some old-data | ok | ok',
  );
});

describe('4.9: scenarios by era', () => {
  const eras = ['2.6.26', 'hugh-2008', '2.6.29', '4.6', '5.1', '5.8', '5.9', '5.18', '5.19', '6.12', '6.15'];
  const oldData = 'some old-data';
  compare(
    eras,
    ['uaf'],
    `
s1-two-exits | ok | ok | ok | ok | some uaf | ok | ok | ok | ok | ok | ok
s1-shmem     | ok | ok | ok | ok | some uaf | some uaf | some uaf | some uaf | some uaf | ok | ok
`,
  );
  compare(
    eras,
    ['old-data'],
    `s7 | ok | ok | ok | ok | ${oldData} | ${oldData} | ${oldData} | ${oldData} | ${oldData} | ok | ok`,
  );
  const lost = 'some collapsed-pin';
  compare(
    eras,
    ['collapsed-pin'],
    `
s4a                  | - | - | - | ok | ok | ok | ok | ok | ok | ok | ok
s4a gup-fast=noipi   | - | - | - | ${lost} | ${lost} | ${lost} | ${lost} | ${lost} | ${lost} | ${lost} | ${lost}
`,
  );
  compare(eras, ['stale'], 's2a | some stale | some stale | ok | ok | ok | ok | ok | ok | ok | ok | ok');
});
