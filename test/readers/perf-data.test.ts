import { describe, expect, test } from 'vitest';
import { ROW_LOST, ROW_RECORD, ROW_SEGMENT } from '../../src/core/records.ts';
import { Bytes, type Format, type Machine, X86 } from './dat.ts';
import { commBytes, lostBytes, perfFile, recordBytes, roundBytes, type Sample, sampleBytes } from './perf.ts';
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

describe('perf.data that cannot be read', () => {
  test('compressed records name the command that reads them', async () => {
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
