import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ROW_CPU_STARTED, ROW_CUT, ROW_LOST, ROW_RECORD, ROW_SEGMENT } from '../../src/core/records.ts';
import { line, openBytes, read, rowsOf } from './read.ts';

const HEADER = '# tracer: nop\n#\n# entries-in-buffer/entries-written: 3/10   #P:2\n#\n';

function capture(name: string): Buffer {
  return readFileSync(fileURLToPath(new URL(`../../traces/${name}.txt.gz`, import.meta.url)));
}

/** Rows in short: kind, CPU, number. */
function marks(rows: readonly { row: number; cpu: number; aux: number }[]): unknown[] {
  return rows.map(({ row, cpu, aux }) => (row === ROW_RECORD ? 'record' : [row, cpu, aux]));
}

describe('rows that are no records', () => {
  test('a header tells how much was overwritten, and of how many CPUs; a second one begins anew', async () => {
    const one = line('t', 1, 'e: x=1');
    const { trace, rows } = await read(`${HEADER + one + one}# tracer: nop\n${one}`);
    expect(marks(rows)).toEqual([
      [ROW_SEGMENT, 2, 7],
      'record',
      'record',
      [ROW_SEGMENT, -1, Number.NaN],
      'record',
    ]);
    expect(rows.map((row) => row.record)).toEqual([0, 1, 2, 2, 3]);
    expect(trace.facts).toMatchObject({ segments: 2, entriesWritten: 10, entriesInBuffer: 3, cpusOnline: 2 });
  });

  test('lost events, with and without their number, in the words of both printers', async () => {
    const text =
      'CPU:1 [LOST 1466 EVENTS]\n' +
      line('t', 1, 'e: x=1') +
      'CPU:0 [LOST EVENTS]\nCPU:3 [EVENTS DROPPED]\nCPU:2 [12 EVENTS DROPPED]\n##### CPU 1 buffer started ####\n' +
      line('t', 1, 'e: x=1');
    const { rows } = await read(text);
    expect(marks(rows)).toEqual([
      [ROW_SEGMENT, -1, Number.NaN],
      [ROW_LOST, 1, 1466],
      'record',
      [ROW_LOST, 0, Number.NaN],
      [ROW_LOST, 3, Number.NaN],
      [ROW_LOST, 2, 12],
      [ROW_CPU_STARTED, 1, Number.NaN],
      'record',
    ]);
  });

  test('a last line without an end is dropped and said', async () => {
    const { trace, rows } = await read(HEADER + line('t', 1, 'e: x=1') + line('t', 1, 'e: x=12').trimEnd());
    expect(marks(rows).slice(1)).toEqual(['record', [ROW_CUT, -1, Number.NaN]]);
    expect(trace.facts.truncated).toBe('the last line has no end');
  });
});

describe('payload families', () => {
  const FAMILIES: ReadonlyArray<readonly [payload: string, name: string, text: string]> = [
    [
      'pte_set: (__page_table_check_ptes_set+0x4/0x190) mm=0x1',
      'pte_set',
      '(__page_table_check_ptes_set+0x4/0x190) mm=0x1',
    ],
    ['sys_madvise(start: 7f5d60000000, behavior: 4)', 'sys_madvise', 'start: 7f5d60000000, behavior: 4)'],
    ['sys_swapoff(specialfile: 0x7ffe "/dev/vda")', 'sys_swapoff', 'specialfile: 0x7ffe "/dev/vda")'],
    ['sys_fork()', 'sys_fork', ')'],
    ['sys_madvise -> 0x0', 'sys_madvise->', '0x0'],
    ['tracing_mark_write: hello: world', 'tracing_mark_write', 'hello: world'],
    ['tracing_mark_write.llvm.42: hello', 'tracing_mark_write', 'hello'],
    ['0xffffffff81234567: hello', '0xffffffff81234567', 'hello'],
    ['do_wp_page <-__handle_mm_fault', 'function', 'do_wp_page <-__handle_mm_fault'],
    ['kvm_fn [kvm] <-caller', 'function', 'kvm_fn [kvm] <-caller'],
    ['<stack trace>', '<stack trace>', '<stack trace>'],
    ['[LINE TOO BIG]', '(not printed)', '[LINE TOO BIG]'],
    [
      'mm_lru_insertion: folio=ffff pfn=0x1 lru=0 flags=Ma bd ',
      'mm_lru_insertion',
      'folio=ffff pfn=0x1 lru=0 flags=Ma bd ',
    ],
    ['empty:', 'empty', ''],
    ['# 1234 buf: 01 02', '(no event name)', '# 1234 buf: 01 02'],
  ];
  test.each(FAMILIES)('%s', async (payload, name, text) => {
    const { trace, rows } = await read(HEADER + line('t', 1, payload) + line('t', 1, 'e: x'));
    expect(rows[1]).toMatchObject({ name, text });
    expect(trace.facts.parseErrorCount).toBe(0);
  });

  test('stack lines attach to nothing and are counted', async () => {
    const { trace, rows } = await read(
      `${HEADER}${line('t', 1, '<stack trace>')} => a\n => b+0x1/0x2\n${line('t', 1, 'e: x')}`,
    );
    expect(rows.length).toBe(3);
    expect(trace.facts.counters.get('stack-lines')).toBe(2);
  });

  test('events in a function graph, where it tells time and task', async () => {
    const text =
      '# tracer: function_graph\n#\n' +
      '  143.787682 |   0)     init-1     |               |      hrtimer_interrupt() {\n' +
      '  143.787685 |   0)     init-1     | + 12.154 us   |        ktime_get(); /* = 0x86 */\n' +
      '  143.882332 |   1)   a-b c-12     |               |        /* mm_page_free: page=00 pfn=0x1 order=0 */\n' +
      ' 1)               |        /* mm_page_free: page=00 pfn=0x2 order=0 */\n';
    const { trace, rows } = await read(text);
    expect(rows[1]).toMatchObject({ name: 'mm_page_free', text: 'page=00 pfn=0x1 order=0', cpu: 1, pid: 12 });
    expect(rows.length).toBe(2);
    expect(trace.facts.tasks.get(12)?.comm).toBe('a-b c');
    expect(trace.facts.counters.get('function-graph-events')).toBe(1);
  });
});

describe('text with line feeds in it', () => {
  test('a marker goes on until a line is a record', async () => {
    const { trace, rows } = await read(HEADER + line('t', 1, 'print: a\nb\n# c') + line('t', 1, 'e: x'));
    expect(rows.map((row) => row.text)).toEqual(['', 'a\nb\n# c', 'x']);
    expect(trace.facts.counters.get('continuation-lines')).toBe(2);
  });

  test('a forged record in the name of a program is a part of that name', async () => {
    const forged = line('t', 1, 'page_ref_mod: pfn=0x1').trimEnd();
    const payload = `sched_process_exec: filename=/tmp/a\n${forged} pid=7 old_pid=7`;
    const { rows } = await read(HEADER + line('t', 7, payload) + line('t', 1, 'e: x'));
    expect(rows.map((row) => row.name)).toEqual(['', 'sched_process_exec', 'e']);
  });

  test('a line without a head after any other event is a counted error, with its number', async () => {
    const { trace } = await read(`${HEADER}${line('t', 1, 'e: x')}no head here\n${line('t', 1, 'e: x')}`);
    expect(trace.facts.parseErrors).toEqual([
      { line: 6, text: 'no head here', reason: 'no task, CPU and time in front' },
    ]);
  });
});

describe('files as they are', () => {
  const plain = HEADER + line('a', 1, 'e: x=1') + line('b', 2, 'f: y=2', '    1.500000', 1);

  test('CRLF and a byte order mark change nothing', async () => {
    const { rows } = await read(plain);
    expect((await read(plain.replaceAll('\n', '\r\n'))).rows).toEqual(rows);
    expect((await read(`\xef\xbb\xbf${plain}`)).rows).toEqual(rows);
    expect((await read(`\xef\xbb\xbf${plain}`, 1)).rows).toEqual(rows);
  });

  test('NUL bytes at the end are a cut, in the middle they are counted', async () => {
    const end = await read(`${plain}${'\0'.repeat(5000)}`);
    expect(end.trace.facts.truncated).toBe('the file ends in NUL bytes');
    expect(end.rows.at(-1)?.row).toBe(ROW_CUT);
    const middle = await read(`${plain}\0\0\0\n${line('a', 1, 'e: x=1', '    2.000000')}`);
    expect(middle.trace.facts.counters.get('nul-bytes')).toBe(1);
    expect(middle.trace.facts.records).toBe(3);
  });

  test('a line of 20 MB is one counted error, and memory stays small', async () => {
    const long = Buffer.concat([
      Buffer.from(plain),
      Buffer.alloc(20 << 20, 'x'),
      Buffer.from(`\n${line('a', 1, 'e: z', '    2.000000')}`),
    ]);
    const { trace, rows } = await read(long, 1 << 16);
    expect(trace.facts.parseErrorCount).toBe(1);
    expect(trace.facts.parseErrors[0]).toMatchObject({ line: 7, reason: 'longer than any line of a trace' });
    expect(rows.at(-1)?.text).toBe('z');
    const whole = await read(long);
    expect(whole.rows).toEqual(rows);
    expect(whole.trace.facts.parseErrors).toEqual(trace.facts.parseErrors);
  });

  test('gzip: several members, a cut, a damaged place', async () => {
    const half = plain.length >> 1;
    const members = Buffer.concat([gzipSync(plain.slice(0, half)), gzipSync(plain.slice(half))]);
    expect((await read(members)).rows).toEqual((await read(plain)).rows);

    const packed = capture('base-cow-trace-pipe-lost');
    const { trace, rows } = await read(packed.subarray(0, 100_000));
    expect(trace.facts.truncated).toMatch(/^the gzip data ends in the middle, after 100000 bytes$/);
    expect(rows.at(-1)?.row).toBe(ROW_CUT);
    expect(trace.facts.records).toBeGreaterThan(9000);

    const damaged = Buffer.from(packed);
    damaged.fill(0xff, 100_000, 100_100);
    const broken = await read(damaged, 4096);
    expect(broken.trace.facts.truncated).toMatch(/^the gzip data is damaged \(/);
    expect(broken.rows.at(-1)?.row).toBe(ROW_CUT);
    expect(broken.trace.facts.records).toBeGreaterThan(8000);
  });
});

describe('the size of the pieces that arrive does not matter', () => {
  test.each([1, 7, 100, 65_536])('%i bytes', async (size) => {
    const text = gunzipSync(capture('base-cow-trace-pipe-lost')).subarray(0, size === 1 ? 60_000 : 400_000);
    const whole = await read(text);
    const cut = await read(text, size);
    expect(cut.rows).toEqual(whole.rows);
    expect(cut.trace.facts.tasks).toEqual(whole.trace.facts.tasks);
  });

  test('batches stay as they are while later ones are read', async () => {
    const trace = await openBytes(gunzipSync(capture('V1-pin-guptest')));
    const kept = [];
    for await (const batch of trace.batches()) kept.push({ batch, rows: rowsOf(trace, batch) });
    expect(kept.length).toBeGreaterThan(2);
    for (const { batch, rows } of kept) expect(rowsOf(trace, batch)).toEqual(rows);
  });
});
