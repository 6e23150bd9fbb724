import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseVariant, parseVariantFile, splitVariants, VariantError } from '../../src/variants/parse.ts';

/** What is said of a variant that cannot be. */
function complaint(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof VariantError) return `${error.message} [${error.known.slice(0, 3).join(' ')}]`;
    throw error;
  }
  return 'none';
}

describe('a variant', () => {
  test.each([
    ['6.12', '6.12'],
    ['6.12+cow=refcount', '6.12+cow=refcount'],
    ['6.12+swapoff=window,cow=refcount', '6.12+cow=refcount,swapoff=window'],
    ['6.12+cow=exclusive', '6.12'],
    ['6.12+cow=refcount,cow=exclusive', '6.12'],
    ['5.9+fork=early-copy+seqcount', '5.9+fork=early-copy+seqcount'],
    [' 6.12 + cow = pc ', '6.12+cow=pc'],
    ['hugh-2008+swapin-order=free-first', 'hugh-2008+swapin-order=free-first'],
    ['notifier-async+driver=retry', 'notifier-async+driver=retry'],
  ])('%s is %s', (text, id) => {
    expect(parseVariant(text).id).toBe(id);
  });

  test('set by an axis shares the rule with a preset that has it', () => {
    expect(parseVariant('6.12+cow=refcount').cow).toBe(parseVariant('5.9').cow);
    expect(parseVariant('6.12+cow=refcount').released).toBe(false);
  });

  test.each([
    ['6.13', "unknown variant '6.13' [2.6.26 hugh-2008 2.6.29]"],
    ['6.12+cwo=pc', "unknown axis 'cwo' [cow swapin-reuse swapin-order]"],
    ['6.12+cow=refcout', "unknown value of cow 'refcout' [pc trylock hugh]"],
    ['6.12+cow', "'cow' is no setting: write axis=value []"],
    ['6.12+', "'' is no setting: write axis=value []"],
  ])('%s: %s', (text, message) => {
    expect(complaint(() => parseVariant(text))).toBe(message);
  });
});

test.each([
  ['a,b', ['a', 'b']],
  ['6.12+cow=pc,ksm=absent,5.9', ['6.12+cow=pc,ksm=absent', '5.9']],
  ['6.12+cow=pc, 5.9+fork=early-copy+seqcount', ['6.12+cow=pc', '5.9+fork=early-copy+seqcount']],
  ['5.9,cow=pc', ['5.9', 'cow=pc']],
  [',5.9,', ['5.9']],
])('the list %s', (text, parts) => {
  expect(splitVariants(text)).toEqual(parts);
});

describe('a file that sets axes', () => {
  test.each(['V1', 'V2', 'V3', 'V4', 'V5'])('%s', (name) => {
    const text = readFileSync(new URL(`./${name}.variant`, import.meta.url), 'utf8');
    const variant = parseVariantFile(text, `${name}.variant`);
    expect(variant.id).toBe(name);
    expect(variant.preset).toBe('6.12');
    expect(variant.released).toBe(false);
  });

  test('without a name is called by its axes', () => {
    expect(parseVariantFile('from=6.12\n\ncow = pc # old\n', 'f').id).toBe('6.12+cow=pc');
  });

  test.each([
    ['', 'f: `from = PRESET` is missing []'],
    ['cow = pc', 'f, line 1: `from = PRESET` must come before `cow` []'],
    ['from = 6.12\ncow', "f, line 2: 'cow' is no setting: write axis = value []"],
    ['name = 6.12', "f, line 1: '6.12' is a preset; give the variant another name []"],
    ['name = a b', 'f, line 1: a name is of letters, digits and . _ + - []'],
    ['from = 6.13', "unknown variant '6.13' [2.6.26 hugh-2008 2.6.29]"],
  ])('%j: %s', (text, message) => {
    expect(complaint(() => parseVariantFile(text, 'f'))).toBe(message);
  });
});
