import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodePlain, type Plain } from '../../src/core/image.ts';
import { entryOffset, entryType } from '../../src/core/pte.ts';
import type { EventBatch } from '../../src/events/batch.ts';
import { eachName } from '../../src/events/pages-of.ts';
import type { Analysis } from '../../src/replay/analysis.ts';
import { analyze } from '../../src/replay/analyze.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { pageStory, storyIn } from '../../src/replay/page-life.ts';
import { Traveller, visit } from '../../src/replay/travel.ts';
import { Cursor } from '../../src/state/cursor.ts';
import { FOLDS } from '../../src/state/folds/index.ts';
import { LIFE_FREE } from '../../src/state/pages.ts';
import { MmState } from '../../src/state/state.ts';
import { type MappingView, viewMappings } from '../../src/state/view.ts';
import { caseOf, OPTIONS, source } from './made.ts';

const CAPTURES = ['V1-pin-guptest', 'base-cow-trace-pipe-lost', 'deb612-cow'];

/** The state as bytes that are the same for the same state. */
function bytesOf(state: MmState): Buffer {
  return Buffer.from(encodePlain(state.image() as unknown as Plain));
}

async function batchesOf(name: string): Promise<EventBatch[]> {
  const batches: EventBatch[] = [];
  for await (const { events } of ingestHere(`traces/${name}.txt.gz`)) batches.push(events);
  return batches;
}

function withoutPath(analysis: Analysis): Analysis {
  return { ...analysis, trace: { ...analysis.trace, path: '' } };
}

describe.each(CAPTURES)('a case of %s', (name) => {
  test('gives the state of a fold from the beginning at any seq, byte for byte', async () => {
    const { path, analysis } = await caseOf(name);
    const traveller = new Traveller(path);
    const { events } = analysis.trace;
    const snapshots = traveller.reader.db.prepare('select seq from snapshot').pluck().all() as number[];
    const random = fc.sample(fc.integer({ min: 1, max: events }), 8);
    const wanted = new Set([1, events, ...random, ...snapshots.flatMap((seq) => [seq, seq + 1])]);
    const state = new MmState(FOLDS);
    const e = new Cursor();
    for (const batch of await batchesOf(name)) {
      for (let i = 0; i < batch.count; i++) {
        e.seek(batch, i);
        state.apply(e);
        if (!wanted.has(e.seq)) continue;
        const travelled = bytesOf(traveller.stateAt(e.seq));
        expect(travelled.equals(bytesOf(state)), `state after event ${e.seq}`).toBe(true);
      }
    }
    traveller.close();
  });

  test('is analyzed like its trace, from the stored answer and from the events', async () => {
    const { path, analysis } = await caseOf(name);
    const plain = withoutPath(await analyze(`traces/${name}.txt.gz`, OPTIONS, { source }));
    expect(withoutPath(analysis)).toEqual(plain);
    expect(withoutPath(await analyze(path, OPTIONS, { source }))).toEqual(plain);
    // Another question is answered from the events.
    const checks = ['unexpected-cow', 'missed-cow'];
    expect(withoutPath(await analyze(path, { ...OPTIONS, checks }, { source }))).toEqual(
      withoutPath(await analyze(`traces/${name}.txt.gz`, { ...OPTIONS, checks }, { source })),
    );
  });

  test('holds every event, and finds those that name a page or an mm', async () => {
    const { path } = await caseOf(name);
    const { reader } = new Traveller(path);
    const pages = new Map<number, Set<number>>();
    const mms = new Map<number, Set<number>>();
    const note = (of: Map<number, Set<number>>, key: number, seq: number): void => {
      const seqs = of.get(key) ?? new Set();
      of.set(key, seqs.add(seq));
    };
    const stored = reader.segments();
    let segment = stored.next().value as EventBatch;
    for (const batch of await batchesOf(name)) {
      eachName(batch, 0, batch.count, {
        page: (pfn, seq) => note(pages, pfn, seq),
        block(pfn, order, seq) {
          for (let k = 0; k < 2 ** order; k++) note(pages, pfn + k, seq);
        },
        mm: (mm, seq) => note(mms, mm, seq),
        mark() {},
      });
      let same = true;
      for (let i = 0; i < batch.count; i++) {
        const seq = batch.firstSeq + i;
        while (segment.firstSeq + segment.count <= seq) segment = stored.next().value as EventBatch;
        const j = seq - segment.firstSeq;
        for (const column of ['kind', 'ns', 'cpu', 'pid', 'ctx', 'record'] as const)
          same &&= batch[column][i] === segment[column][j];
        const width = (i + 1 < batch.count ? batch.at[i + 1]! : batch.args.length) - batch.at[i]!;
        for (let k = 0; k < width; k++)
          same &&= Object.is(batch.args[batch.at[i]! + k]! + 0, segment.args[segment.at[j]! + k]! + 0);
      }
      expect(same).toBe(true);
    }
    for (const [pfn, seqs] of fc.sample(fc.constantFrom(...pages), { numRuns: 20, seed: 1 }))
      expect(reader.seqsOfPage(pfn)).toEqual([...seqs].sort((a, b) => a - b));
    for (const [mm, seqs] of fc.sample(fc.constantFrom(...mms), { numRuns: 5, seed: 1 }))
      expect(reader.seqsOfMm(mm)).toEqual([...seqs].sort((a, b) => a - b));
    expect(reader.pages().length).toBeGreaterThan(100);
    reader.close();
  });

  test('shows records as they were written', async () => {
    const { path, analysis } = await caseOf(name);
    const lines = gunzipSync(readFileSync(`traces/${name}.txt.gz`))
      .toString()
      .split('\n');
    const { reader } = new Traveller(path);
    const numbers = fc.sample(fc.integer({ min: 1, max: analysis.trace.records }), { numRuns: 20, seed: 1 });
    const known = new Set(lines);
    for (const number of numbers) expect(known.has(reader.record(number)!), `record ${number}`).toBe(true);
    expect(lines.find((line) => /\d: \w/.test(line) && !line.startsWith('#'))).toBe(reader.record(1));
    expect(reader.record(analysis.trace.records + 1)).toBeNull();
    reader.close();
  });

  test('counts the generations of a page as the fold does, and tells the same life as the trace', async () => {
    const { path } = await caseOf(name);
    const traveller = new Traveller(path);
    const pages = traveller.reader.pages().filter(({ events }) => events > 5);
    for (const { key } of fc.sample(fc.constantFrom(...pages), { numRuns: 40, seed: 1 })) {
      const last = storyIn(traveller, key).at(-1)!;
      const state = traveller.stateAt(last.events.at(-1)!.seq);
      const row = state.pages.find(key);
      // A page that is free has begun a count of its own.
      const free = state.pages.col.life[row] === LIFE_FREE ? 1 : 0;
      expect([last.number, last.number + free]).toContain(state.pages.col.gen[row]);
    }
    const { key } = pages[0]!;
    const { generations } = await pageStory(`traces/${name}.txt.gz`, key, { source });
    expect(storyIn(traveller, key)).toEqual(generations);
    traveller.close();
  });
});

/** What /proc/PID/pagemap held (traces/README.md). */
const held = JSON.parse(readFileSync('traces/page-tables.json', 'utf8')) as Record<
  string,
  ReadonlyArray<readonly [time: string, pid: number, address: string, held: string]>
>;

function text(mapping: MappingView): string {
  if (mapping.kind === 'present') return `0x${mapping.pfn!.toString(16)}`;
  if (mapping.kind === 'swap') return `swap ${entryType(mapping.entry!)}:${entryOffset(mapping.entry!)}`;
  return mapping.kind;
}

test.each(CAPTURES)(
  'page tables of %s at a time, by task and address: right or unknown with a reason',
  async (name) => {
    const { path } = await caseOf(name);
    const traveller = new Traveller(path);
    // Every third: the whole list is held to the fold itself elsewhere.
    for (const [time, pid, address, wanted] of held[name]!.filter((_, i) => i % 3 === 0)) {
      const [seconds, fraction = ''] = time.split('.');
      const ns = BigInt(seconds!) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
      const state = traveller.stateAt(traveller.seqOf({ ns }));
      const scope = { pid, address: Number(address), mm: null, pfn: null, entry: null };
      const [found] = viewMappings(state, scope);
      if (found!.kind === 'unknown') expect(found!.reason).not.toBeNull();
      else expect(text(found!)).toBe(wanted);
    }
    traveller.close();
  },
);

test('a case and its trace show the same moment', async () => {
  const { path } = await caseOf('V1-pin-guptest');
  for (const at of ['start', 'end', { seq: 17581 }, { ns: 79_970_631_000n }] as const) {
    const there = await visit(path, at);
    const here = await visit('traces/V1-pin-guptest.txt.gz', at, { source });
    expect(there.seq).toBe(here.seq);
    expect(bytesOf(there.state).equals(bytesOf(here.state))).toBe(true);
  }
  expect((await visit(path, { seq: 22_295 })).beyond).toBe(true);
});
