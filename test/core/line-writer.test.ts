import { expect, test } from 'vitest';
import { LineWriter } from '../../src/core/line-writer.ts';

function written(write: (out: LineWriter) => void): string {
  const out = new LineWriter(1);
  write(out);
  return out.toString();
}

test.each([0, -1, 9, 10, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 1e10, 2 ** 53 - 1, 1 - 2 ** 53])('%d', (value) => {
  expect(written((out) => out.decimal(value))).toBe(String(value));
});

test('texts of bytes stay bytes; others become UTF-8', () => {
  expect(written((out) => out.latin1('\xc3\xa9'))).toBe('é');
  expect(written((out) => out.text('a é'))).toBe('a é');
});

test('a line has one line feed, at its end; what is too long is cut', () => {
  const out = new LineWriter();
  out.text('a\nb\nc');
  out.cut(3);
  out.endLine(0);
  expect(out.toString()).toBe('a b\n');
});
