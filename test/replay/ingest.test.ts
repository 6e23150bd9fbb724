import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type * as Ingest from '../../src/replay/ingest.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = `${ROOT}dist/cli/ingest.js`;

async function all(messages: AsyncIterable<Ingest.Ingested>): Promise<Ingest.Ingested[]> {
  const list: Ingest.Ingested[] = [];
  for await (const message of messages) list.push(message);
  return list;
}

describe('a worker thread reads as this thread does', () => {
  let ingest: typeof Ingest.ingest;
  beforeAll(async () => {
    // Node.js 20 starts threads from JavaScript only: `npm test` has built it.
    expect(existsSync(BUILT)).toBe(true);
    ingest = ((await import(BUILT)) as typeof Ingest).ingest;
  });

  test.each(['V1-pin-guptest', 'base-cow-trace-pipe-lost', 'deb612-cow'])('%s', async (name) => {
    const path = `${ROOT}traces/${name}.txt.gz`;
    const here = await all(ingestHere(path));
    const there = await all(ingest(path));
    expect(there.map((message) => message.events)).toEqual(here.map((message) => message.events));
    expect(there.map((message) => message.facts)).toEqual(here.map((message) => message.facts));
    expect(there.at(-1)?.last).toBe(true);
    const seqs = there.map(({ events }) => [events.firstSeq, events.firstSeq + events.count]);
    for (const [i, [first]] of seqs.entries()) expect(first).toBe(i === 0 ? 1 : seqs[i - 1]![1]);
  });

  test('an input that is no trace is refused as by this thread', async () => {
    await expect(all(ingest(`${ROOT}package.json`))).rejects.toMatchObject({
      name: 'InputError',
      message: expect.stringContaining('package.json'),
    });
  });

  test('a reader that stops early leaves no thread behind', async () => {
    for await (const message of ingest(`${ROOT}traces/deb612-cow.txt.gz`)) {
      expect(message.events.count).toBeGreaterThan(0);
      break;
    }
  });
});
