import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Bytes, type DatFile, datV6, datV7, type Format, X86 } from './dat.ts';
import { damagedCopies, survives } from './fuzz.ts';
import {
  commBytes,
  compressedBytes,
  lostBytes,
  perfFile,
  roundBytes,
  sampleBytes,
  zstdStored,
} from './perf.ts';
import { line } from './read.ts';

/** Damaged copies of each seed that a run of the suite reads; outside of it more may be asked for. */
const { FUZZ_RUNS = '60' } = process.env;
const RUNS = Number(FUZZ_RUNS);

const FORMATS: readonly Format[] = [
  {
    system: 'page_ref',
    name: 'page_ref_mod',
    id: 300,
    fields: [
      'unsigned long pfn;offset:8;size:8;signed:0;',
      'unsigned long flags;offset:16;size:8;signed:0;',
      'int count;offset:24;size:4;signed:1;',
      'int mapcount;offset:28;size:4;signed:1;',
      'void * mapping;offset:32;size:8;signed:0;',
      'int mt;offset:40;size:4;signed:1;',
      'int val;offset:44;size:4;signed:1;',
    ],
    print:
      '"pfn=0x%lx flags=%s count=%d mapcount=%d mapping=%p mt=%d val=%d", REC->pfn, (REC->flags & ((1UL << 20) - 1)) ? ' +
      '__print_flags(REC->flags & ((1UL << 20) - 1), "|", { 1UL << 0, "locked" }, { 1UL << 3, "uptodate" }) : "none", ' +
      'REC->count, REC->mapcount, REC->mapping, REC->mt, REC->val',
  },
  {
    system: 'sched',
    name: 'sched_process_exec',
    id: 301,
    fields: [
      '__data_loc char[] filename;offset:8;size:4;signed:0;',
      'pid_t pid;offset:12;size:4;signed:1;',
      'pid_t old_pid;offset:16;size:4;signed:1;',
    ],
    print: '"filename=%s pid=%d old_pid=%d", __get_str(filename), REC->pid, REC->old_pid',
  },
  {
    system: 'syscalls',
    name: 'sys_exit_madvise',
    id: 302,
    fields: ['int __syscall_nr;offset:8;size:4;signed:1;', 'long ret;offset:16;size:8;signed:1;'],
    print: '"0x%lx", REC->ret',
  },
  {
    system: 'fl',
    name: 'do_wp_page',
    id: 303,
    fields: ['unsigned long __probe_ip;offset:8;size:8;signed:0;', 'u64 addr;offset:16;size:8;signed:0;'],
    print: '"(%lx) addr=0x%Lx", REC->__probe_ip, REC->addr',
  },
];

function record(id: number): Buffer {
  const bytes = new Bytes().u16(id).u8(1).u8(2).u32(42);
  if (id === 300) bytes.u64(0x1df9).u64(0x9).u32(2).u32(0).u64(0xffff888000e28069n).u32(1).u32(1);
  if (id === 301)
    bytes
      .u32((8 << 16) | 20)
      .u32(42)
      .u32(42)
      .string('/bin/ls');
  if (id === 302) bytes.u32(28).u32(0).u64(0);
  if (id === 303) bytes.u64(0xffffffff81222a80n).u64(0x7ffccdc7c000n);
  return bytes.bytes();
}

const PAGES = [0n, 1n, 2n].map((n) => ({
  ts: 1000n + n * 100n,
  entries: [300, 301, 302, 303].map((id) => ({ delta: 3, data: record(id) })),
  ...(n === 2n ? { lost: 12 } : {}),
}));

const FILE: DatFile = {
  machine: { ...X86, pageSize: 512 },
  formats: FORMATS,
  cpus: [PAGES, PAGES.slice(1)],
  clock: 'mono',
  uname: 'Linux (none) 6.12.117 x86_64',
  kallsyms: 'ffffffff81222a7c T do_wp_page\nffffffff81223000 T next\n',
  cmdlines: '42 wl-reclaim\n',
  stats: ['CPU: 0\nentries: 12\noverrun: 3\n'],
  instance: { name: 'mm', cpus: [PAGES.slice(2)] },
};

const TRACEFS =
  '# tracer: nop\n#\n# entries-in-buffer/entries-written: 4/9   #P:2\n#\n' +
  line('wl', 42, 'page_ref_mod: pfn=0x1df9 flags=uptodate count=2 mapcount=0 mapping=00000000aa mt=1 val=1') +
  line('wl', 42, 'sys_madvise(start: 7f5d60000000, len_in: 10000, behavior: 4)', '    1.000010', 1) +
  'CPU:1 [LOST 1466 EVENTS]\n' +
  line('w l-1', 43, 'tracing_mark_write: a\nb', '    1.000020');
const REPORT =
  'cpus=2\n' +
  '              wl-42    [000]     1.000010: page_ref_mod:         pfn=0x1 flags=locked|0x8 count=2 mapcount=0 mapping=(nil) mt=0 val=1\n' +
  'CPU:1 [12 EVENTS DROPPED]\n' +
  '              wl-42    [001]     1.000020: sched_switch:         wl:42 [120] R ==> swapper/1:0 [120]\n';
const PERF =
  '              wl    42/42    [000]     1.000010123:          1   kmem:mm_page_free: page=0x1 pfn=0x1 order=0 ffffffff815d0398 [unknown]\n' +
  '\tffffffffb5ab95b7 [unknown] ([kernel.kallsyms])\n\n' +
  '              wl    42 [001]     1.000020: PERF_RECORD_LOST lost 77\n';
const EVENTS =
  '{"schema":"faultline.event-lines/1","origin_ns":"12"}\n' +
  '{"event":"page.free","ns":1,"cpu":0,"args":{"pfn":"0x1","order":0}}\n'.repeat(3);

const SAMPLES = [300, 301, 302, 303].map((id, i) =>
  sampleBytes(X86, BigInt(i + 1), { time: 1000n + BigInt(i), data: record(id), chain: [1n, 2n] }),
);
const PERF_RECORDS = Buffer.concat(SAMPLES);
const PERF_DATA = perfFile(FORMATS, [
  commBytes(X86, 42, 42, 'wl'),
  ...SAMPLES,
  roundBytes(X86),
  lostBytes(X86, 1n, 5, 1003n, 1),
  roundBytes(X86),
]);

/** Where numbers stand in a file that say how long and how many things are. */
function structure(bytes: Buffer): number[] {
  const places: number[] = [10, 12, 13, 14];
  for (let at = 0; at + 8 <= bytes.length; at++) {
    const word = bytes.readUInt32LE(at);
    if (word > 0 && word < bytes.length && bytes[at + 3] === 0 && bytes[at + 2] === 0) places.push(at);
  }
  return places;
}

const SEEDS: ReadonlyArray<readonly [name: string, bytes: Buffer]> = [
  ['trace.dat 6', datV6(FILE)],
  ['trace.dat 7', datV7(FILE)],
  ['trace.dat 7, compressed', datV7({ ...FILE, compress: { name: 'zlib', deflate: (b) => deflateSync(b) } })],
  ['perf.data', PERF_DATA],
  [
    'perf.data, compressed',
    perfFile(
      FORMATS,
      zstdStored([PERF_RECORDS.subarray(0, 150), PERF_RECORDS.subarray(150)]).map((piece) =>
        compressedBytes(X86, 83, piece),
      ),
      X86,
      true,
    ),
  ],
  ['tracefs text', Buffer.from(TRACEFS, 'latin1')],
  ['trace-cmd report', Buffer.from(REPORT)],
  ['perf script', Buffer.from(PERF)],
  ['events as JSON', Buffer.from(EVENTS)],
];

describe('damaged inputs are read as far as they go or refused in a line', () => {
  test.each(SEEDS)('%s as it is', async (_name, seed) => {
    expect(await survives(seed)).toBe('read');
  });

  test.each(SEEDS)('%s', async (name, seed) => {
    const hot = name.includes('.da') ? structure(seed) : [];
    await fc.assert(
      fc.asyncProperty(damagedCopies(seed, hot), async (bytes) => {
        await survives(bytes);
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: 600_000 },
    );
  });

  test('a chain of options that runs in a circle', async () => {
    const bytes = datV7(FILE);
    const first = Number(bytes.readBigUInt64LE(bytes.indexOf('1.0\0') + 4));
    const done = first + 16 + Number(bytes.readBigUInt64LE(first + 8)) - 8;
    bytes.writeBigUInt64LE(BigInt(first), done);
    expect(await survives(bytes)).toBe('refused');
  });

  test('a little file that inflates for ever', async () => {
    const bomb = { name: 'zlib', deflate: () => deflateSync(Buffer.alloc(1 << 20)) };
    expect(await survives(datV7({ ...FILE, compress: bomb }))).toBe('refused');
  });
});
