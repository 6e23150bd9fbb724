import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../src/core/bytes.ts';

/** Numbers as columns have them: steps, repetitions, unknown ones, words of 64 bits as doubles, fractions. */
const column = fc
  .array(
    fc.tuple(
      fc.oneof(
        fc.constant(Number.NaN),
        fc.integer({ min: -3, max: 3 }),
        fc.integer(),
        fc.constantFrom(2 ** 53, -(2 ** 62), 2 ** 50 + 1, 0.5, Number.POSITIVE_INFINITY),
      ),
      fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 300 })),
    ),
    { maxLength: 40 },
  )
  .map((runs) => Float64Array.from(runs.flatMap(([value, times]) => new Array<number>(times).fill(value))));

function written(values: Float64Array, from = 0, to = values.length): Uint8Array {
  const out = new ByteWriter(1);
  out.column(values, from, to);
  return out.take();
}

describe('a column of numbers', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(column, (values) => {
        const input = new ByteReader(written(values));
        const into = new Float64Array(values.length);
        input.column(into, 0, into.length);
        expect(into).toEqual(values);
        expect(input.done).toBe(true);
      }),
    );
  });

  test('is read up to a number, which may lie within a run', () => {
    fc.assert(
      fc.property(column, fc.nat(), (values, upTo) => {
        const to = upTo % (values.length + 1);
        const into = new Float64Array(values.length);
        new ByteReader(written(values)).column(into, 0, to);
        expect(into.subarray(0, to)).toEqual(values.subarray(0, to));
      }),
    );
  });

  test('takes two bytes for up to 127 repetitions of a number, or of none', () => {
    expect([...written(new Float64Array(128).fill(7))]).toEqual([16, 128 | 127, 0]);
    expect([...written(new Float64Array(4).fill(Number.NaN))]).toEqual([0, 128 | 3, 0]);
    expect([...written(new Float64Array(3).fill(7))]).toEqual([16, 2, 2]);
  });

  test('without runs, as it was written once, reads the same', () => {
    const into = new Float64Array(6);
    new ByteReader(Uint8Array.from([16, 2, 2, 2, 2, 0])).column(into, 0, 6);
    expect([...into]).toEqual([7, 7, 7, 7, 7, Number.NaN]);
  });

  test('that was cut throws', () => {
    const bytes = written(Float64Array.from([1, 70_000, 2, 2, 2, 2]));
    for (let length = 0; length < bytes.length; length++)
      expect(() => new ByteReader(bytes.slice(0, length)).column(new Float64Array(6), 0, 6)).toThrow();
  });
});

describe('bytes behind their length', () => {
  test('are read as they were written, whatever their number, and one within the other', () => {
    for (const count of [0, 1, 127, 128, 129, 16_383, 16_384, 40_000]) {
      const out = new ByteWriter(1);
      const outer = out.open();
      const inner = out.open();
      for (let i = 0; i < count; i++) out.byte(i & 255);
      out.close(inner);
      out.byte(99);
      out.close(outer);
      const input = new ByteReader(out.take());
      const length = input.varint();
      const from = input.at;
      expect(input.varint()).toBe(count);
      expect(
        Buffer.from(input.raw(count)).equals(Buffer.from(Array.from({ length: count }, (_, i) => i & 255))),
      ).toBe(true);
      expect(input.byte()).toBe(99);
      expect(input.at - from).toBe(length);
      expect(input.done).toBe(true);
    }
  });
});
