import { describe, expect, test } from 'vitest';
import { AXES, AXIS_IDS, type AxisId } from '../../src/variants/axes.ts';
import { differences } from '../../src/variants/make-variant.ts';
import { MUTANT_PRESETS, PRESETS, VARIANTS, variantById } from '../../src/variants/presets.ts';

const COLUMNS: readonly AxisId[] = [
  'cow',
  'swapin-order',
  'ksm',
  'gup-read',
  'fork',
  'swapoff',
  'notifier',
  'collapse',
  'gup-fast',
  'swap-skip',
];

const TABLE = `
2.6.26    | trylock         | rmap-first | absent       | plain       | share               | locked     | none                 | none     | none        | none
hugh-2008 | hugh            | rmap-first | absent       | plain       | share               | locked     | none                 | none     | none        | none
2.6.29    | waitlock        | rmap-first | absent       | plain       | share               | locked     | sync-page            | none     | ipi         | none
2.6.33    | waitlock        | rmap-first | never-reuse  | plain       | share               | locked     | sync-page+change-pte | none     | ipi         | none
4.6       | thp             | rmap-first | never-reuse  | plain       | share               | locked     | sync-page+change-pte | count1   | ipi         | none
5.1       | ksmreuse        | rmap-first | reuse+freeze | plain       | share               | window     | range                | count1   | ipi         | unsafe
5.8       | ksmreuse        | rmap-first | reuse+freeze | force-cow   | share               | window+rcu | range                | mapcount | ipi         | unsafe
5.9-rc5   | refcount        | rmap-first | never-reuse  | plain       | share               | window+rcu | range                | mapcount | ipi         | unsafe
5.9       | refcount        | rmap-first | never-reuse  | plain       | early-copy          | window+rcu | range                | mapcount | ipi         | unsafe
5.11      | refcount        | rmap-first | never-reuse  | plain       | early-copy+seqcount | window+rcu | range                | mapcount | ipi         | unsafe
5.18      | refcount-swap   | free-first | never-reuse  | plain       | early-copy+seqcount | window+rcu | range                | mapcount | ipi         | unsafe
5.19      | exclusive       | free-first | never-reuse  | unshare-pin | early-copy+seqcount | window+rcu | range                | mapcount | ipi         | unsafe
6.1       | exclusive       | free-first | never-reuse  | unshare-pin | early-copy+seqcount | getdev     | range                | mapcount | pmd-recheck | prepare
6.12      | exclusive       | free-first | never-reuse  | unshare-pin | early-copy+seqcount | getdev     | range+hook           | mapcount | pmd-recheck | prepare
6.15      | exclusive-large | free-first | never-reuse  | unshare-pin | early-copy+seqcount | getdev     | range+hook           | mapcount | pmd-recheck | prepare`;

describe('presets', () => {
  const rows = TABLE.trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));

  test('are those of the table, in its order', () => {
    expect(PRESETS.map(({ id }) => id)).toEqual(rows.map(([id]) => id));
  });

  test.each(rows.map(([id, ...cells]) => [id!, cells] as const))('%s', (id, cells) => {
    const { axes } = variantById(id)!;
    expect(COLUMNS.map((axis) => axes[axis].id)).toEqual(cells);
  });

  test('swap-in follows the rule of do_wp_page that it came with', () => {
    expect(PRESETS.map(({ id, axes }) => `${id} ${axes['swapin-reuse'].id}`)).toEqual([
      '2.6.26 can-share',
      'hugh-2008 hugh',
      '2.6.29 reuse-swap-page',
      '2.6.33 reuse-swap-page',
      '4.6 reuse-swap-page',
      '5.1 reuse-swap-page',
      '5.8 reuse-swap-page',
      '5.9-rc5 reuse-swap-page',
      '5.9 reuse-swap-page',
      '5.11 reuse-swap-page',
      '5.18 refcount',
      '5.19 exclusive',
      '6.1 exclusive',
      '6.12 exclusive-read',
      '6.15 exclusive-read',
    ]);
  });

  test('a patch that was never merged, a release candidate and mutants are no released kernels', () => {
    expect(VARIANTS.filter(({ released }) => !released).map(({ id }) => id)).toEqual([
      'hugh-2008',
      '5.9-rc5',
      ...MUTANT_PRESETS.map(({ id }) => id),
    ]);
  });

  test('a mutant departs from one kernel in one line', () => {
    for (const mutant of MUTANT_PRESETS) {
      const least = Math.min(...PRESETS.map((preset) => differences(mutant, preset).length));
      expect(least, mutant.id).toBe(1);
    }
  });

  test('every axis value has an era, a source and a table', () => {
    for (const axis of AXIS_IDS)
      for (const value of AXES[axis].values) {
        expect(value.era, `${axis}=${value.id}`).not.toBe('');
        expect(value.source, `${axis}=${value.id}`).not.toBe('');
        expect(value.table.length, `${axis}=${value.id}`).toBeGreaterThan(0);
      }
  });
});
