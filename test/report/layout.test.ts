import { expect, test } from 'vitest';
import { escapeText, shellWord } from '../../src/report/escape.ts';
import { count, ranges, seconds } from '../../src/report/format.ts';
import { labelled, pad, table, wrap } from '../../src/report/layout.ts';

test('numbers', () => {
  expect([0, 999, 1000, 1234567].map(count)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect([0n, 79_970_639_000n, 1_000_000_001n, -5_000n].map(seconds)).toEqual([
    '0.000000',
    '79.970639',
    '1.000000001',
    '-0.000005',
  ]);
  expect([[], [3], [0, 1, 2, 3, 5], [7, 2, 1]].map(ranges)).toEqual(['', '3', '0-3,5', '1-2,7']);
});

test('words are wrapped, and long ones cut, by their width on a terminal', () => {
  expect(wrap('one two  three', 7)).toEqual(['one two', 'three']);
  expect(wrap('abcdefghij k', 4)).toEqual(['abcd', 'efgh', 'ij k']);
  expect(wrap('漢字漢字', 4)).toEqual(['漢字', '漢字']);
  expect(pad('漢字', 6)).toBe('漢字  ');
  expect(labelled('label', 'text', 2)).toBe('  label      text');
});

test('a table wraps within its columns and leaves no trailing blanks', () => {
  expect(
    table(
      [{ align: 'right' }, { width: 7 }, {}],
      [
        ['1', 'one two three', 'x'],
        ['100', '', ''],
      ],
    ),
  ).toBe('  1  one two  x\n     three\n100');
});

test('escapes are visible and never ambiguous', () => {
  expect(escapeText('a\u0000\n\u001b\u007f\u0085')).toBe('a\\x00\\x0a\\x1b\\x7f\\x85');
  expect(escapeText('\\x1b')).toBe('\\\\x1b');
  expect(escapeText('\u202e\u2028\ufeff\ufffd')).toBe('\\u202e\\u2028\\ufeff\\ufffd');
  expect(escapeText('漢字 é ok')).toBe('漢字 é ok');
});

test('a path can be pasted into a shell', () => {
  expect(shellWord('traces/a-b.txt.gz')).toBe('traces/a-b.txt.gz');
  expect(shellWord("it's here")).toBe("'it'\\''s here'");
  expect(shellWord('-x')).toBe("'./-x'");
  expect(shellWord('a\u001bb')).toBe("$'a\\x1bb'");
});
