import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createFieldValues, type FieldSpec } from '../../src/core/fields.ts';
import {
  CTX_HARDIRQ,
  CTX_IRQS_OFF,
  CTX_KNOWN,
  ROW_CUT,
  ROW_LOST,
  ROW_RECORD,
  ROW_SEGMENT,
} from '../../src/core/records.ts';
import { eventOf } from '../../src/events/json-lines.ts';
import { encodeEvent } from '../../src/events/json-write.ts';
import { openTrace } from '../../src/readers/open.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { Bytes, type DatFile, datV6, datV7, type Entry, type Format, type Machine, X86 } from './dat.ts';
import { fieldText, openBytes, type Row, read } from './read.ts';

const PAGE_FREE: Format = {
  system: 'kmem',
  name: 'mm_page_free',
  id: 500,
  fields: ['unsigned long pfn;offset:8;size:8;signed:0;', 'unsigned int order;offset:16;size:4;signed:0;'],
  print: '"page=%p pfn=0x%lx order=%d", (((struct page *)vmemmap_base) + (REC->pfn)), REC->pfn, REC->order',
};

function free(machine: Machine, pfn: number, pid = 7, flags = 0, preempt = 0): Buffer {
  return new Bytes(machine).u16(500).u8(flags).u8(preempt).u32(pid).u64(pfn).u32(0).u32(0).bytes();
}

const at = (delta: number, pfn: number): Entry => ({ delta, data: free(X86, pfn) });

/** Rows in short: time, CPU and pfn of records; kind, CPU and number of the others. */
async function rowsIn(
  bytes: Uint8Array,
): Promise<{ rows: string[]; all: Row[]; facts: Awaited<ReturnType<typeof read>>['trace']['facts'] }> {
  const { trace, rows } = await read(bytes);
  const short = rows.map((row) =>
    row.row === ROW_RECORD ? `${row.ns} cpu${row.cpu}` : `${NAMES[row.row]} ${row.cpu} ${row.aux}`,
  );
  return { rows: short, all: rows, facts: trace.facts };
}

const NAMES: Readonly<Record<number, string>> = {
  [ROW_SEGMENT]: 'segment',
  [ROW_LOST]: 'lost',
  [ROW_CUT]: 'cut',
};

const ONE_PAGE: DatFile = { formats: [PAGE_FREE], cpus: [[{ ts: 1000n, entries: [at(0, 1), at(5, 2)] }]] };

const MACHINES: readonly Machine[] = [true, false].flatMap((little) =>
  ([4, 8] as const).flatMap((longSize) => [4096, 16384].map((pageSize) => ({ little, longSize, pageSize }))),
);
const VERSIONS: ReadonlyArray<readonly [name: string, make: (file: DatFile) => Buffer]> = [
  ['version 6', datV6],
  ['version 7', datV7],
  [
    'version 7, compressed',
    (file) => datV7({ ...file, compress: { name: 'zlib', deflate: (b) => deflateSync(b) } }),
  ],
];

describe.each(VERSIONS)('%s', (_name, make) => {
  test.each(MACHINES)('%j: fields, order, context and tasks', async (machine) => {
    const record = (delta: number, pfn: number, pid: number, flags = 0, preempt = 0): Entry => ({
      delta,
      data: free(machine, pfn, pid, flags, preempt),
    });
    const bytes = make({
      machine,
      formats: [PAGE_FREE],
      cpus: [
        [
          { ts: 1000n, entries: [record(0, 1, 7, 0x09, 0x23), record(20, 2, 7)] },
          { ts: 1100n, entries: [record(0, 5, 8)] },
          { ts: 1200n, entries: [record(0, 6, 8)] },
        ],
        [{ ts: 1010n, entries: [record(0, 3, 9), record(10, 4, 0)] }],
      ],
      clock: 'mono',
      uname: 'Linux (none) 6.12.117 x86_64',
      cmdlines: '7 a b\n8 kworker/0:1\n',
    });
    const trace = await openBytes(bytes);
    const specs: FieldSpec[] = [
      { key: 'pfn', form: 'int' },
      { key: 'order', form: 'int' },
      { key: 'page', form: 'ptr' },
    ];
    const seen: string[] = [];
    for await (const batch of trace.batches()) {
      for (let row = 0; row < batch.count; row++) {
        if (batch.row[row] !== ROW_RECORD) continue;
        const values = createFieldValues(specs.length);
        trace.extractor(batch.name[row]!, specs)(batch, row, values);
        seen.push(
          `${batch.ns[row]} cpu${batch.cpu[row]} ${specs.map((spec, i) => fieldText(spec, values, i)).join(' ')}`,
        );
        if (seen.length === 1) expect(batch.ctx[row]).toBe(CTX_KNOWN | CTX_IRQS_OFF | CTX_HARDIRQ | (3 << 5));
      }
    }
    // Equal stamps stand by CPU.
    expect(seen).toEqual([
      '0 cpu0 1 0 absent',
      '10 cpu1 3 0 absent',
      '20 cpu0 2 0 absent',
      '20 cpu1 4 0 absent',
      '100 cpu0 5 0 absent',
      '200 cpu0 6 0 absent',
    ]);
    expect(trace.facts).toMatchObject({
      originNs: 1000n,
      clock: 'mono',
      kernel: '6.12.117',
      arch: 'x86_64',
      records: 6,
    });
    expect([...trace.facts.tasks].map(([pid, { comm }]) => `${pid} ${comm}`)).toEqual([
      '7 a b',
      '9 <...>',
      '0 <idle>',
      '8 kworker/0:1',
    ]);
  });

  test('losses in pages stand before the next record of the CPU; at its head they are overwritten', async () => {
    const bytes = make({
      formats: [PAGE_FREE],
      cpus: [
        [
          { ts: 10n, entries: [at(0, 1)] },
          { ts: 20n, entries: [at(0, 2)], lost: 33 },
          { ts: 30n, entries: [at(0, 3)], lost: Number.NaN },
        ],
        [{ ts: 15n, entries: [at(0, 4)], lost: 5 }],
      ],
      stats: [
        'CPU: 0\nentries: 0\noverrun: 0\ndropped events: 2\nread events: 3\n',
        'CPU: 1\nentries: 1\noverrun: 5\n',
      ],
    });
    const { rows, facts } = await rowsIn(bytes);
    expect(rows).toEqual([
      'segment 2 5',
      '0 cpu0',
      'undefined 1 NaN',
      '5 cpu1',
      'lost 0 33',
      '10 cpu0',
      'lost 0 NaN',
      '20 cpu0',
    ]);
    expect(facts).toMatchObject({ entriesInBuffer: 4, entriesWritten: 9 });
    expect(Object.fromEntries(facts.counters)).toEqual({ 'records-dropped': 2 });
  });

  test('time extends, absolute stamps, discarded and long records', async () => {
    const high = 1n << 60n;
    const bytes = make({
      formats: [PAGE_FREE],
      cpus: [
        [
          {
            ts: high,
            entries: [
              at(0, 1),
              { extend: 2 ** 28 + 3 },
              at(1, 2),
              { absolute: high + 2n ** 30n },
              { delta: 0, data: free(X86, 3), long: true },
              { discarded: 12, delta: 4 },
              at(1, 4),
            ],
          },
        ],
      ],
    });
    const { rows, facts } = await rowsIn(bytes);
    expect(rows.slice(1)).toEqual([
      '0 cpu0',
      `${2 ** 28 + 4} cpu0`,
      `${2 ** 30} cpu0`,
      `${2 ** 30 + 5} cpu0`,
    ]);
    expect(facts.originNs).toBe(high);
  });

  test('unknown options and records without a format are counted; cut files say so', async () => {
    const unknown = new Bytes().u16(501).u16(0).u32(7).u64(0).bytes();
    const bytes = make({
      ...ONE_PAGE,
      cpus: [[{ ts: 1n, entries: [at(0, 1), { data: unknown }, at(0, 2)] }]],
      options: [[99, Buffer.from('whatever')]],
    });
    const { rows, facts } = await rowsIn(bytes);
    expect(rows.length).toBe(3);
    expect(Object.fromEntries(facts.counters)).toEqual({ 'unknown-options': 1, 'records-without-format': 1 });
  });

  test('a page that runs out of its records is a loss', async () => {
    const broken = { raw: new Bytes().u32(28).raw(Buffer.alloc(20)).bytes() };
    const bytes = make({
      ...ONE_PAGE,
      cpus: [
        [
          { ts: 1n, entries: [at(0, 1), broken] },
          { ts: 9n, entries: [at(0, 2)] },
        ],
      ],
    });
    const { rows, facts } = await rowsIn(bytes);
    expect(rows.slice(1)).toEqual(['0 cpu0', 'lost 0 NaN', '8 cpu0']);
    expect(facts.counters.get('damaged-pages')).toBe(1);
  });

  test('gzip around the file', async () => {
    expect((await rowsIn(gzipSync(make(ONE_PAGE)))).rows).toEqual((await rowsIn(make(ONE_PAGE))).rows);
  });
});

test('a file that ends early tells what it holds, and what its CPUs lost', async () => {
  const pages = (cpu: number) =>
    [0n, 1n, 2n].map((n) => ({ ts: 10n * n + BigInt(cpu), entries: [at(0, 1)] }));
  const whole = datV6({ ...ONE_PAGE, cpus: [pages(0), pages(1)] });
  const { rows, facts } = await rowsIn(whole.subarray(0, whole.length - X86.pageSize));
  expect(rows.slice(1)).toEqual([
    '0 cpu0',
    '1 cpu1',
    '10 cpu0',
    '11 cpu1',
    'lost 1 NaN',
    '20 cpu0',
    'cut -1 NaN',
  ]);
  expect(facts.truncated).toMatch(/the file ends at byte \d+, before the records of all CPUs/);
});

describe('version 7', () => {
  test('a second buffer adds its events; those that both hold are read once', async () => {
    const other: Format = { ...PAGE_FREE, name: 'other', id: 502 };
    const data = free(X86, 9);
    data.writeUInt16LE(502, 0);
    const bytes = datV7({
      ...ONE_PAGE,
      formats: [PAGE_FREE, other],
      instance: { name: 'mm', cpus: [[{ ts: 1002n, entries: [at(0, 1), { delta: 1, data }] }]] },
    });
    const { all, facts } = await rowsIn(bytes);
    expect(all.slice(1).map(({ ns, name }) => `${ns} ${name}`)).toEqual([
      '0 mm_page_free',
      '3 other',
      '5 mm_page_free',
    ]);
    expect(facts.counters.get('records-of-second-buffer')).toBe(1);
    const clocks = datV7({ ...ONE_PAGE, instance: { name: 'mm', clock: 'counter', cpus: ONE_PAGE.cpus } });
    expect((await rowsIn(clocks)).facts.counters.get('buffers-of-other-clock')).toBe(1);
  });

  test('ticks are turned into nanoseconds where the file tells how', async () => {
    const option = new Bytes().u32(3).u32(1).u64(0).bytes();
    const bytes = datV7({ ...ONE_PAGE, clock: 'x86-tsc', options: [[14, option]] });
    const { rows, facts } = await rowsIn(bytes);
    expect(rows).toEqual(['segment -1 NaN', '0 cpu0', '7 cpu0']);
    expect(facts).toMatchObject({ originNs: 1500n, ticks: false });
    expect((await rowsIn(datV7({ ...ONE_PAGE, clock: 'counter' }))).facts.ticks).toBe(true);
  });

  test('what is damaged is refused in one line', async () => {
    const good = datV7(ONE_PAGE);
    const version = Buffer.from(good);
    version[10] = 0x39;
    await expect(read(version)).rejects.toThrow(/is a trace.dat of version 9; this version reads 6 and 7/);
    await expect(read(good.subarray(0, 300))).rejects.toThrow(/is cut: it ends at byte 300/);
    const zstd = datV7({ ...ONE_PAGE, compress: { name: 'lz4', deflate: (b) => b } });
    await expect(read(zstd)).rejects.toThrow(/compressed with lz4.*trace-cmd convert/);
    const empty = datV7({ ...ONE_PAGE, cpus: [[]] });
    await expect(read(empty)).rejects.toThrow(/holds no record: the buffers of all CPUs are empty/);
  });
});

describe('a real file', () => {
  const TRACES = fileURLToPath(new URL('../../traces/', import.meta.url));

  /** Events as lines without what the forms may differ in: nanoseconds and the ordinal of records. */
  async function events(path: string): Promise<string[]> {
    const lines: string[] = [];
    for await (const { events: batch } of ingestHere(path)) {
      for (let i = 0; i < batch.count; i++) lines.push(encodeEvent({ ...eventOf(batch, i), ns: 0 }));
    }
    return lines;
  }

  test('tells the same events as its text', async () => {
    expect(await events(`${TRACES}base-pin-guptest.dat`)).toEqual(
      await events(`${TRACES}base-pin-guptest.txt.gz`),
    );
  });

  test('that is cut says where', async () => {
    const whole = readFileSync(`${TRACES}base-pin-guptest.dat`);
    const cut = whole.subarray(0, whole.length - 60_000);
    await expect(read(cut)).rejects.toThrow(
      /is cut: it ends at byte 571995, and what says where the records are/,
    );
  });
});

test('tells how far a file that is read by position has been read', async () => {
  const trace = await openTrace('traces/base-pin-guptest.dat');
  const { source } = trace;
  expect(source.consumed).toBeLessThan(source.size!);
  for await (const batch of trace.batches()) trace.recycle?.(batch);
  expect(source.consumed).toBeGreaterThan(source.size! * 0.9);
  expect(source.consumed).toBeLessThanOrEqual(source.size!);
});
