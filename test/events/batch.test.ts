import { expect, test } from 'vitest';
import { type EventBatch, EventBatchBuilder } from '../../src/events/batch.ts';
import { refAdd } from '../../src/events/index.ts';

/** Fills a batch with so many events, whose pfns count from `from`. */
function fill(out: EventBatchBuilder, events: number, from: number): EventBatch {
  for (let i = 0; i < events; i++) {
    out.record(i, 0, 1, 0, from + i);
    out.emit(refAdd, from + i, 1);
  }
  return out.take();
}

function pfns({ count, at, args }: EventBatch): number[] {
  return Array.from({ length: count }, (_, i) => args[at[i]!]!);
}

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

test('batches without a ring keep their events', () => {
  const out = new EventBatchBuilder();
  const batches = [0, 100, 200, 300].map((from) => fill(out, 50, from));
  for (const [i, batch] of batches.entries()) expect(pfns(batch)).toEqual(range(i * 100, 50));
  expect(batches.map(({ firstSeq }) => firstSeq)).toEqual([1, 51, 101, 151]);
});

test('batches of a ring of three keep theirs until two more were taken and a third is filled', () => {
  const out = new EventBatchBuilder(1, 3);
  const first = fill(out, 50, 0);
  const second = fill(out, 50, 100);
  expect(pfns(first)).toEqual(range(0, 50));
  const third = fill(out, 50, 200);
  // The next one would be filled into the memory of the first.
  expect([pfns(first), pfns(second), pfns(third)]).toEqual([range(0, 50), range(100, 50), range(200, 50)]);
  const fourth = fill(out, 50, 300);
  expect(pfns(first)).toEqual(range(300, 50));
  expect([pfns(second), pfns(third), pfns(fourth)]).toEqual([range(100, 50), range(200, 50), range(300, 50)]);
  expect(first.args.buffer).toBeInstanceOf(SharedArrayBuffer);
});

test('a batch of a ring grows, and leaves the others as they are', () => {
  const out = new EventBatchBuilder(1, 2);
  const small = fill(out, 10, 0);
  const large = fill(out, 100_000, 1000);
  expect(pfns(small)).toEqual(range(0, 10));
  expect(pfns(large)).toEqual(range(1000, 100_000));
  fill(out, 10, 0);
  expect(fill(out, 10, 5).args.buffer).toBe(large.args.buffer);
});
