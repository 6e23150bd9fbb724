import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../src/core/bytes.ts';
import { decodePlain, encodePlain, type Plain } from '../../src/core/image.ts';

test('a column of numbers comes back as it was', () => {
  const value = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.constantFrom(Number.NaN, -1, 2 ** 53, -(2 ** 53), Number.POSITIVE_INFINITY, -131391638156800),
  );
  fc.assert(
    fc.property(fc.array(value), (values) => {
      const column = Float64Array.from(values, (number) => number + 0);
      const out = new ByteWriter(1);
      out.column(column, 0, column.length);
      const back = new Float64Array(column.length);
      const input = new ByteReader(out.take());
      input.column(back, 0, back.length);
      expect(back).toEqual(column);
      expect(input.done).toBe(true);
    }),
  );
});

test('plain values come back as they were', () => {
  const leaf = fc.oneof(
    fc.constantFrom(undefined, null, true, false),
    fc.double(),
    fc.maxSafeInteger(),
    fc.bigInt(),
    fc.string({ unit: 'binary' }),
    fc.float64Array(),
    fc.uint16Array(),
    fc.array(fc.oneof(fc.nat(), fc.constant(Number.NaN))).map((values) => Float64Array.from(values)),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('value')),
      fc.dictionary(fc.string(), tie('value'), { noNullPrototype: true }),
      fc.array(fc.tuple(fc.string(), tie('value'))).map((entries) => new Map(entries)),
      fc.uniqueArray(fc.integer()).map((items) => new Set(items)),
    ),
  }));
  fc.assert(
    fc.property(value, (plain) => {
      const bytes = encodePlain(plain as Plain);
      const back = decodePlain(bytes);
      expect(back).toEqual(plain);
      expect(encodePlain(back)).toEqual(bytes);
    }),
    { numRuns: 50 },
  );
});

test('what was one object is one object again, rings included', () => {
  const bracket: { kind: string; outer: unknown } = { kind: 'wp', outer: null };
  const ring = { bracket, open: [bracket], self: null as unknown };
  ring.self = ring;
  const back = decodePlain(encodePlain(ring as unknown as Plain)) as unknown as typeof ring;
  expect(back.open[0]).toBe(back.bracket);
  expect(back.self).toBe(back);
});

test('bytes that are cut are an error and no value', () => {
  const bytes = encodePlain({ a: [1, 2, 3], b: new Float64Array(20).fill(1.5) });
  for (let length = 0; length < bytes.length; length++)
    expect(() => decodePlain(bytes.subarray(0, length))).toThrow();
});
