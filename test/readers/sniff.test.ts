import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/core/errors.ts';
import { openTrace, recognise } from '../../src/readers/open.ts';
import { line, read } from './read.ts';

const FUNCTION_TRACE =
  '            init-1       (      1) [001] ...2.   159.977792: do_wp_page <-__handle_mm_fault\n';

const STARTS: ReadonlyArray<readonly [text: string, format: string | null]> = [
  ['# tracer: nop\n#\n# entries-in-buffer/entries-written: 3/3   #P:2\n', 'tracefs text'],
  ['\xef\xbb\xbf# tracer: nop\n', 'tracefs text'],
  [`CPU:1 [LOST 1466 EVENTS]\n${FUNCTION_TRACE}`, 'tracefs text'],
  [FUNCTION_TRACE, 'tracefs text'],
  [`${FUNCTION_TRACE}${' => entry_SYSCALL_64_after_hwframe\n'.repeat(15)}`, 'tracefs text'],
  [line('a b', 3, 'mm_page_free: page=00000000aa pfn=0x1 order=0'), 'tracefs text'],
  ['init-1 [000] 12: sys_clone(clone_flags: 1200011)\n', 'tracefs text'],
  [
    'cpus=2\n            init-1     [001]    79.433759: pte_set:              (ffffffff8128a314) nr=1\n',
    'text of trace-cmd report',
  ],
  [
    '            init-1     [001]    79.433867: pte_set:              (ffffffff8128a314) nr=1\n',
    'text of trace-cmd report',
  ],
  [
    '            perf   825 [000]    35.045539:                    kmem:kmalloc: call_site=0xff ptr=0xff\n',
    'text of perf script',
  ],
  [
    'perf   841/841   [000]    74.413784102:          1      kmem:kmalloc: call_site=0xff ptr=0xff\n',
    'text of perf script',
  ],
  ['\x17\x08\x44tracing7\0', 'trace.dat of trace-cmd'],
  ['PERFILE2\0\0', 'perf.data'],
  ['PERFFILE\0\0', 'a perf.data file of before 2009'],
  ['{"seq":1}\n', 'JSON'],
  ['<!DOCTYPE html>\n<html>', 'an HTML page'],
  ['# event histogram\n#\n# trigger info: hist:keys=pid\n', 'a histogram of events and no stream of them'],
  [
    '[   12.345678] Dumping ftrace buffer:\n[   12.345680] ----\n',
    'a kernel log with a dump of the ftrace buffer',
  ],
  ['TRACE:\n\x78\x9c\xbd\x5d', 'the compressed output of atrace'],
  ['\xff\xfe#\0 \0', 'UTF-16 text'],
  ['int main(void) { return 0; }\n', null],
  ['\x7fELF\x02\x01\x01\0\0\0', null],
  ['\n', null],
];

describe('the format of an input is recognised by its first bytes', () => {
  test.each(STARTS)('%j', (text, format) => {
    expect(recognise(Buffer.from(text, 'latin1'))?.name ?? null).toBe(format);
  });
});

describe('what cannot be read is refused in one line', () => {
  async function refusal(path: string): Promise<string> {
    try {
      const trace = await openTrace(path);
      for await (const batch of trace.batches()) expect(batch.count).toBeGreaterThan(0);
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      return (error as Error).message;
    }
    return 'nothing was refused';
  }

  const folder = mkdtempSync(join(tmpdir(), 'faultline-sniff-'));
  const cases: ReadonlyArray<readonly [name: string, bytes: Uint8Array | string, says: RegExp]> = [
    ['empty', '', /is empty; record a trace/],
    ['empty.gz', gzipSync(''), /is empty/],
    ['cut.gz', gzipSync('x'.repeat(9)).subarray(0, 10), /is empty \(the gzip data ends in the middle/],
    [
      'junk',
      Buffer.from(Array.from({ length: 999 }, (_, i) => (i * 7919) & 255)),
      /no trace that faultline knows/,
    ],
    ['header', '# tracer: nop\n#\n', /holds no record: the header is there, but the buffer was empty/],
    ['bz2', Buffer.from('BZh91AY&SY'), /is bzip2 data.*run: bzip2 -dc/],
    ['report', 'cpus=2\n', /holds no record: no line has a task, a CPU and a time/],
  ];
  test.each(cases)('%s', async (name, bytes, says) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    const message = await refusal(path);
    expect(message).toMatch(says);
    expect(message).toContain(path);
    expect(message).not.toContain('\n');
    rmSync(path);
  });

  test('a missing file and a directory', async () => {
    expect(await refusal(join(folder, 'none'))).toMatch(/no such file/);
    expect(await refusal(folder)).toMatch(/is a directory/);
  });

  test('the graph of functions without an event', async () => {
    const text = '# tracer: function_graph\n#\n 1)   0.633 us    |  func();\n';
    await expect(read(text)).rejects.toThrow(/only calls of the function graph tracer/);
  });
});
