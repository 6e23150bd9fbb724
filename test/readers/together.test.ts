import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Input } from '../../src/core/input.ts';
import { LineWriter } from '../../src/core/line-writer.ts';
import {
  type RecordBatch,
  ROW_CPU_STARTED,
  ROW_CUT,
  ROW_LOST,
  ROW_RECORD,
  ROW_SEGMENT,
} from '../../src/core/records.ts';
import { eventOf } from '../../src/events/json-lines.ts';
import { encodeEvent } from '../../src/events/json-write.ts';
import type { OpenTrace } from '../../src/readers/open.ts';
import { openInput } from '../../src/readers/together.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { Bytes, type DatFile, datV7, type Entry, type Format, X86 } from './dat.ts';
import { line, rowsOf } from './read.ts';

const CAPTURE = fileURLToPath(new URL('../../traces/base-pin-guptest.txt.gz', import.meta.url));
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-together-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The record of a row, as the kernel prints it. */
function printed(trace: OpenTrace, batch: RecordBatch, row: number): string {
  const out = new LineWriter();
  trace.printRecord?.(batch, row, out);
  return out.toString();
}

/** Writes a file; its path. */
function file(name: string, bytes: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, bytes, 'latin1');
  return path;
}

async function eventsIn(input: Input): Promise<string[]> {
  const found: string[] = [];
  for await (const { events } of ingestHere(input)) {
    for (let i = 0; i < events.count; i++) found.push(encodeEvent(eventOf(events, i), events.firstSeq + i));
  }
  return found;
}

const MARKS: Readonly<Record<number, string>> = {
  [ROW_SEGMENT]: 'segment',
  [ROW_LOST]: 'lost',
  [ROW_CUT]: 'cut',
  [ROW_CPU_STARTED]: 'started',
};

/** Rows in short, `TIME cpuN TEXT`, and what is known of all files. */
async function rowsIn(paths: readonly string[]) {
  const trace = await openInput(paths);
  const rows: string[] = [];
  for await (const batch of trace.batches()) {
    for (const { row, ns, cpu, aux, text, record } of rowsOf(trace, batch)) {
      if (row === ROW_RECORD) rows.push(`${record}: ${ns} cpu${cpu} ${text}`);
      else rows.push(`${MARKS[row]} ${cpu} ${aux}`);
    }
  }
  return { rows, facts: trace.facts };
}

const HEAD = '# tracer: nop\n#\n# entries-in-buffer/entries-written: 4/4   #P:2\n#\n';
const free = (n: number, stamp: string, cpu = 0): string => line('a', 7, `x: n=${n}`, `    ${stamp}`, cpu);

describe('a real capture in pieces states the events of the whole', () => {
  const text = gunzipSync(readFileSync(CAPTURE)).toString('latin1');
  const lines = text.split(/(?<=\n)/);
  const header = lines.filter((each) => each.startsWith('#')).join('');
  let whole: readonly string[] = [];
  beforeAll(async () => {
    whole = await eventsIn(file('whole.txt', text));
    expect(whole).toHaveLength(22_287);
  });

  test('by CPU', async () => {
    const parts = [1, 0].map((cpu) => {
      const own = lines.filter((each) => each.includes(`) [00${cpu}] `));
      return file(`cpu${cpu}.txt`, header + own.join(''));
    });
    expect(await eventsIn(parts)).toEqual(whole);
  });

  test('rotated, in any order', async () => {
    const parts = [1, 0, 2].map((n) => file(`rotated.${n}`, lines.slice(n * 8000, (n + 1) * 8000).join('')));
    expect(await eventsIn(parts)).toEqual(whole);
  });

  test('as bytes, whose records are rendered as those of one file', async () => {
    const dat = fileURLToPath(new URL('../../traces/base-pin-guptest.dat', import.meta.url));
    const firstOf = async (input: Input): Promise<readonly [text: string, empty: number]> => {
      const trace = await openInput(input);
      for await (const batch of trace.batches())
        return [printed(trace, batch, 20), trace.facts.counters.get('empty-files') ?? 0];
      return ['', 0];
    };
    const [text] = await firstOf(dat);
    expect(text).toContain('mm=0x');
    expect(await firstOf([dat, file('empty', '')])).toEqual([text, 1]);
  });
});

describe('order, and what is known', () => {
  test('records come by stamp; equal ones by the beginnings of their files; within a file as they stand', async () => {
    const a = file('a', HEAD + free(1, '1.000000') + free(2, '1.000005') + free(3, '1.000004'));
    const b = file('b', HEAD + free(4, '1.000002', 1) + free(5, '1.000005', 1) + free(6, '1.000006', 1));
    const { rows } = await rowsIn([b, a]);
    expect(rows).toEqual([
      'segment 2 0',
      '1: 0 cpu0 n=1',
      '2: 2000 cpu1 n=4',
      '3: 5000 cpu0 n=2',
      '4: 4000 cpu0 n=3',
      '5: 5000 cpu1 n=5',
      '6: 6000 cpu1 n=6',
    ]);
  });

  test('files that begin at once come in one order, however they are given', async () => {
    const a = file('a', free(1, '1.000000') + free(2, '1.000001'));
    const b = file('b', free(3, '1.000000', 1) + free(4, '1.000001', 1));
    const rotated = [file('c', free(1, '1.000000')), file('d', free(2, '1.000000') + free(3, '1.000003'))];
    for (const paths of [[a, b], rotated]) {
      const { rows } = await rowsIn(paths);
      expect(rows[1]).toContain('n=1');
      expect((await rowsIn([...paths].reverse())).rows).toEqual(rows);
    }
  });

  test('what a CPU lost stands in front of its next record, behind what others did before', async () => {
    const a = file('a', free(1, '1.000000') + free(2, '1.000005') + free(3, '1.000009'));
    const lost = 'CPU:1 [LOST 9 EVENTS]\n';
    const b = file('b', `${free(4, '1.000001', 1)}${lost}${free(5, '1.000007', 1)}${lost}`);
    expect((await rowsIn([a, b])).rows).toEqual([
      'segment -1 NaN',
      '1: 0 cpu0 n=1',
      '2: 1000 cpu1 n=4',
      '3: 5000 cpu0 n=2',
      'lost 1 9',
      '4: 7000 cpu1 n=5',
      'lost 1 9',
      '5: 9000 cpu0 n=3',
    ]);
  });

  test('of the names of a task the last one counts', async () => {
    const a = file('a', line('old', 7, 'x: n=1', '    1.000000') + line('old', 7, 'x: n=2', '    1.000001'));
    const b = file('b', line('new', 7, 'x: n=3', '    1.000002'));
    // Names from the records of a later batch come later, too.
    const long = file('c', line('old', 7, 'x: n=0', '    0.000001').repeat(9000));
    expect((await rowsIn([b, a])).facts.tasks.get(7)?.comm).toBe('new');
    expect((await rowsIn([b, long])).facts.tasks.get(7)?.comm).toBe('new');
  });

  test('a file with a header of its own that goes on where another ended begins a segment', async () => {
    const a = file('a', HEAD + free(1, '1.000000'));
    const b = file('b', HEAD.replace('4/4', '4/9') + free(2, '2.000000'));
    const { rows, facts } = await rowsIn([a, b]);
    expect(rows).toEqual(['segment 2 5', '1: 0 cpu0 n=1', 'segment 2 5', '2: 1000000000 cpu0 n=2']);
    expect(facts.segments).toBe(2);
    const rotated = await rowsIn([a, file('b', free(2, '2.000000'))]);
    expect(rotated.rows).toEqual(['segment 2 0', '1: 0 cpu0 n=1', '2: 1000000000 cpu0 n=2']);
  });

  test('a file that is cut is a loss while others go on', async () => {
    const a = file('a', `${free(1, '1.000000')}   a-7`);
    const b = file('b', free(2, '1.000001', 1));
    const { rows, facts } = await rowsIn([a, b]);
    expect(rows).toEqual(['segment -1 NaN', '1: 0 cpu0 n=1', 'lost -1 NaN', '2: 1000 cpu1 n=2']);
    expect(facts.truncated).toContain(`${join(folder, 'a')}: the last line has no end`);
  });

  test('losses, lines that cannot be read and idle CPUs are told of all files', async () => {
    const a = file('a', `${HEAD}CPU:0 [LOST 12 EVENTS]\n${free(1, '1.000000')}${free(3, '1.000002')}junk\n`);
    const b = file('b', `${HEAD}${free(2, '1.000001', 1)}`);
    const { rows, facts } = await rowsIn([a, b, file('c', HEAD)]);
    expect(rows.filter((row) => row.startsWith('lost'))).toEqual(['lost 0 12', 'lost -1 NaN']);
    expect(facts.parseErrors).toMatchObject([
      { line: 8, text: 'junk', reason: expect.stringContaining('/a)') },
    ]);
    expect([...facts.cpus].sort()).toEqual([0, 1]);
    expect(facts.tasks.get(7)?.comm).toBe('a');
  });

  test('ring buffers of single CPUs: one whose beginning was overwritten says so where it begins', async () => {
    const format: Format = {
      system: 'x',
      name: 'x',
      id: 500,
      fields: ['unsigned long n;offset:8;size:8;signed:0;'],
      print: '"n=%lu", REC->n',
    };
    const entry = (delta: number): Entry => ({
      delta,
      data: new Bytes(X86).u16(500).u8(0).u8(0).u32(7).u64(1).bytes(),
    });
    const dat = (name: string, cpus: DatFile['cpus'], overrun: number): string =>
      file(
        name,
        datV7({
          formats: [format],
          cpus,
          clock: 'mono',
          stats: [`CPU: 0\nentries: 2\noverrun: ${overrun}\n`],
        }),
      );
    const a = dat('0.dat', [[{ ts: 1000n, entries: [entry(0), entry(50)] }]], 0);
    const b = dat('1.dat', [[], [{ ts: 1020n, entries: [entry(0), entry(5)] }]], 3);
    const { rows, facts } = await rowsIn([a, b]);
    expect(rows.map((row) => row.split(' ').slice(0, 3).join(' '))).toEqual([
      'segment 1 3',
      '1: 0 cpu0',
      'started 1 NaN',
      '2: 20 cpu1',
      '3: 25 cpu1',
      '4: 50 cpu0',
    ]);
    expect(facts.clock).toBe('mono');
  });
});

describe('what cannot be one capture is refused in a line', () => {
  const REPORT =
    'cpus=2\n              wl-42    [000]     1.000010: x:                    n=1\n'.repeat(1) +
    '              wl-42    [000]     1.000011: x:                    n=2\n';
  test.each([
    [
      'another format',
      () => [file('a', HEAD + free(1, '1.000000')), file('b', REPORT)],
      /its format is text of/,
    ],
    ['ticks', () => [file('a', free(1, '1.000000')), file('b', free(1, '       12'))], /its unit of time is/],
    [
      'a CPU twice',
      () => [
        file('a', free(1, '1.000000') + free(2, '1.000002')),
        file('b', free(1, '1.000001') + free(2, '1.000003')),
      ],
      /both hold records of CPU 0 from the same time/,
    ],
    [
      'too many',
      () => Array.from({ length: 1025 }, (_, i) => `${i}`),
      /1025 files are too many.*1024 can be/,
    ],
    ['the same file', () => [file('a', HEAD), file('a', HEAD)], /is given twice/],
    ['standard input', () => ['-', file('a', HEAD)], /standard input cannot be read together/],
    ['nothing', () => [file('a', HEAD), file('b', '')], /none of the 2 files holds a record/],
    [
      'events',
      () =>
        [0, 1].map((n) =>
          file(`e${n}`, `{"event":"page.free","ns":${n},"cpu":0,"args":{"pfn":"0x1","order":0}}\n`),
        ),
      /holds events and not records/,
    ],
  ] as const)('%s', async (_name, paths, message) => {
    const refusal = expect(rowsIn(paths())).rejects;
    await refusal.toMatchObject({ name: 'InputError', message: expect.stringMatching(message) });
  });
});
