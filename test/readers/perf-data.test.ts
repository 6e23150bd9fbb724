import { describe, expect, test } from 'vitest';
import { ROW_CUT, ROW_LOST, ROW_RECORD, ROW_SEGMENT } from '../../src/core/records.ts';
import { Bytes, type Format, type Machine, X86 } from './dat.ts';
import {
  commBytes,
  compressedBytes,
  lostBytes,
  perfFile,
  recordBytes,
  roundBytes,
  type Sample,
  sampleBytes,
  zstdStored,
} from './perf.ts';
import { read } from './read.ts';

const BIG: Machine = { little: false, longSize: 8, pageSize: 4096 };
const FREE: Format = {
  system: 'kmem',
  name: 'mm_page_free',
  id: 500,
  fields: ['unsigned long pfn;offset:8;size:8;signed:0;', 'unsigned int order;offset:16;size:4;signed:0;'],
  print: '"pfn=0x%lx order=%d", REC->pfn, REC->order',
};

function sample(machine: Machine, time: bigint, cpu: number, more: Partial<Sample> = {}): Buffer {
  const data = new Bytes(machine).u16(500).u8(1).u8(0).u32(8).u64(time).u32(0).u32(0).bytes();
  return sampleBytes(machine, 1n, { time, cpu, pid: 7, tid: 8, data, ...more });
}

describe.each([
  ['little', X86],
  ['big', BIG],
] as const)('perf.data, %s endian', (_name, machine) => {
  test('records are put in order by rounds; losses and tasks are told', async () => {
    const file = perfFile(
      [FREE],
      [
        commBytes(machine, 7, 8, 'wl'),
        sample(machine, 30n, 0),
        sample(machine, 10n, 1, { chain: [1n, 2n, 3n] }),
        roundBytes(machine),
        sample(machine, 20n, 1),
        lostBytes(machine, 1n, 77, 25n, 1),
        sample(machine, 40n, 0),
        roundBytes(machine),
        sample(machine, 50n, 0),
      ],
      machine,
    );
    const { trace, rows } = await read(file);
    const kinds: Readonly<Record<number, string>> = {
      [ROW_RECORD]: 'record',
      [ROW_LOST]: 'lost',
      [ROW_SEGMENT]: 'segment',
    };
    expect(rows.map(({ row, ns, cpu, aux }) => `${kinds[row]} ${ns} cpu${cpu} ${aux}`)).toEqual([
      'segment 0 cpu-1 NaN',
      'record 0 cpu1 NaN',
      'record 10 cpu1 NaN',
      'lost 15 cpu1 77',
      'record 20 cpu0 NaN',
      'record 30 cpu0 NaN',
      'record 40 cpu0 NaN',
    ]);
    expect(trace.facts).toMatchObject({ originNs: 10n, kernel: '6.12.117', arch: 'x86_64', clock: 'perf' });
    expect(trace.facts.tasks.get(8)).toEqual({ comm: 'wl', tgid: 7 });
  });
});

describe.each([81, 83] as const)('compressed records of type %i', (type) => {
  const samples = Array.from({ length: 3000 }, (_, i) => sample(X86, BigInt(10 + (i ^ 1)), i % 4));
  const inside = Buffer.concat(samples);

  /** A file whose records are compressed in pieces of so many bytes, with rounds between them. */
  function inPieces(size: number): Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0; at < inside.length; at += size) pieces.push(inside.subarray(at, at + size));
    const stored = zstdStored(pieces).map((piece) => compressedBytes(X86, type, piece));
    return [commBytes(X86, 7, 8, 'wl'), ...stored.flatMap((record) => [record, roundBytes(X86)])];
  }

  test.each([997, 40_000])('one stream in pieces of %i bytes, which cut records', async (size) => {
    const { trace, rows } = await read(perfFile([FREE], inPieces(size), X86, true));
    const stamps = rows.filter(({ row }) => row === ROW_RECORD).map(({ ns }) => ns);
    expect(stamps).toEqual(samples.map((_, i) => i));
    expect(trace.facts).toMatchObject({ truncated: null, originNs: 10n });
    expect(trace.facts.tasks.get(8)).toEqual({ comm: 'wl', tgid: 7 });
  });

  test('a cut and a damaged stream are read as far as they go', async () => {
    const records = inPieces(40_000);
    const cut = await read(perfFile([FREE], records.slice(0, 4), X86, true));
    expect(cut.trace.facts.truncated).toMatch(/cut/);
    expect(cut.rows.length).toBeGreaterThan(500);
    const block = zstdStored([inside.subarray(0, 40_000)])[0]!.subarray(0, 20_000);
    const half = await read(perfFile([FREE], [compressedBytes(X86, type, block)], X86, true));
    expect(half.trace.facts.truncated).toMatch(/cut/);
    records[3] = compressedBytes(X86, type, Buffer.alloc(100, 0xff));
    const damaged = await read(perfFile([FREE], records, X86, true));
    expect(damaged.trace.facts.truncated).toMatch(/damaged/);
    expect(damaged.rows.at(-1)?.row).toBe(ROW_CUT);
  });
});

describe('perf.data that cannot be read', () => {
  test('compressed records that the header does not name', async () => {
    const file = perfFile([FREE], [recordBytes(X86, 81, Buffer.alloc(8))]);
    await expect(read(file)).rejects.toThrow(/compressed records.*run: perf script --ns --show-lost-events/);
  });

  test('a file without a hit, and one of a pipe', async () => {
    await expect(read(perfFile([FREE], []))).rejects.toThrow(/holds no record: no tracepoint was hit/);
    const pipe = perfFile([FREE], [sample(X86, 1n, 0)]);
    pipe.writeBigUInt64LE(16n, 8);
    await expect(read(pipe)).rejects.toThrow(/written to a pipe.*run: perf script/);
  });

  test('a task record without a name, at the very end', async () => {
    const file = perfFile([FREE], [sample(X86, 1n, 0), recordBytes(X86, 3, Buffer.alloc(4))]);
    expect((await read(file)).trace.facts.records).toBe(1);
  });

  test('a damaged record ends the reading', async () => {
    const file = perfFile([FREE], [sample(X86, 1n, 0), Buffer.alloc(16), sample(X86, 2n, 0)]);
    const { trace } = await read(file);
    expect(trace.facts).toMatchObject({ records: 1, truncated: expect.stringMatching(/damaged/) });
  });
});
