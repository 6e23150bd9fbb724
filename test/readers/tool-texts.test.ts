import { describe, expect, test } from 'vitest';
import { CTX_KNOWN, ROW_LOST, ROW_RECORD, ROW_SEGMENT } from '../../src/core/records.ts';
import { eventOf } from '../../src/events/json-lines.ts';
import { encodeEvent } from '../../src/events/json-write.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { type Row, read } from './read.ts';

const KINDS: Readonly<Record<number, string>> = { [ROW_LOST]: 'lost', [ROW_SEGMENT]: 'segment' };

function short(rows: readonly Row[]): string[] {
  return rows.map((row) =>
    row.row === ROW_RECORD
      ? `${row.ns} cpu${row.cpu} ${row.pid} ${row.name} | ${row.text}`
      : `${KINDS[row.row]} cpu${row.cpu} ${row.aux}`,
  );
}

/** Kind and arguments of the events that a text states. */
async function events(text: string): Promise<string[]> {
  async function* stdin(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text, 'latin1');
  }
  const lines: string[] = [];
  for await (const { events: batch } of ingestHere('-', { stdin: stdin(), decode: { kernel: '6.12' } })) {
    for (let i = 0; i < batch.count; i++) {
      const { event, args } = JSON.parse(encodeEvent(eventOf(batch, i)));
      if (event !== 'trace.segment') lines.push(`${event} ${JSON.stringify(args)}`);
    }
  }
  return lines;
}

test('a switch of tasks whose text goes on and on tells no tasks, and soon', async () => {
  const start = performance.now();
  const text = 'a:1 [120] R ==> b:2 [120] '.repeat(9000);
  const head = '            init-1     [001]    79.433759: sched_switch:         ';
  expect(await events(`cpus=2\n${head}${text}x\n`)).toEqual(['task.switch {}']);
  expect(performance.now() - start).toBeLessThan(2000);
});

describe('trace-cmd report', () => {
  const head = '            init-1     [001]    79.433759: ';

  test('heads with 6 and 9 decimals, raw stamps, the latency format, and what is no record', async () => {
    const { rows, trace } = await read(
      'cpus=2\n' +
        'CPU 1 is empty\n' +
        `${head}pte_set:              (ffffffff8128a314) nr=1\n` +
        'CPU:1 [12 EVENTS DROPPED]\n' +
        '        a b c-12    [000]    79.433760123: mm_page_free:         page=0x1 pfn=0x1 order=0\n' +
        '  a b-7 c-1234    0d..1.  79.433761: mm_page_free:         page=0x1 pfn=0x1 order=0\n' +
        'CPU:0 [EVENTS DROPPED]\n' +
        '              wl-3     [000]    79.433762: mm_new:               [FAILED TO PARSE] pfn=7 order=0\n',
    );
    expect(short(rows)).toEqual([
      'segment cpu2 NaN',
      '0 cpu1 1 pte_set | (ffffffff8128a314) nr=1',
      'lost cpu1 12',
      '1123 cpu0 12 mm_page_free | page=0x1 pfn=0x1 order=0',
      '2000 cpu0 1234 mm_page_free | page=0x1 pfn=0x1 order=0',
      'lost cpu0 NaN',
      '3000 cpu0 3 mm_new | [FAILED TO PARSE] pfn=7 order=0',
    ]);
    expect(rows[4]!.ctx & CTX_KNOWN).toBe(CTX_KNOWN);
    expect(trace.facts).toMatchObject({ cpusOnline: 2, parseErrorCount: 0 });
    const ticks = await read(
      'cpus=1\n            init-1     [000]7615709442098: e:                    x=1\n',
    );
    expect(ticks.trace.facts).toMatchObject({ ticks: true, originNs: 7615709442098n });
  });

  test('values that the tool prints in its own way', async () => {
    expect(
      await events(
        'cpus=2\n' +
          `${head}sys_enter_madvise:    start: 0x7f9cca96d000, len_in: 0x00008000, behavior: 0x0000000f\n` +
          `${head}sys_exit_madvise:     0x0\n` +
          `${head}page_ref_mod:         pfn=0x1df9 flags=0x20028 count=2 mapcount=0 mapping=(nil) mt=1 val=1\n` +
          `${head}page_ref_mod:         pfn=0x1df9 flags=locked|0x8 count=2 mapcount=0 mapping=(nil) mt=1 val=1\n` +
          `${head}page_ref_mod:         pfn=0x1df9 flags=none count=2 mapcount=0 mapping=(nil) mt=1 val=1\n` +
          `${head}sched_switch:         w l:1:42 [120] R+ ==> swapper/1:0 [120]\n`,
      ),
    ).toEqual([
      'sys.enter {"call":6,"a0":"0x7f9cca96d000","a1":"0x8000","a2":"0xf"}',
      'sys.exit {"call":6,"ret":0}',
      ...['["uptodate","lru","swapbacked"]', '["locked","uptodate"]', '[]'].map(
        (flags) => `ref.add {"pfn":"0x1df9","delta":1,"count":2,"mapcount":0,"flags":${flags},"mapping":0}`,
      ),
      'task.switch {"prev":42,"next":0,"preempted":true}',
    ]);
  });

  test('a page that the tool computes wrongly teaches no base of vmemmap', async () => {
    const lines = [1, 2, 3, 4].map(
      (pfn) => `${head}mm_page_free:         page=0xffffea00000000${pfn}0 pfn=0x${pfn} order=0\n`,
    );
    const last = `${head}folio_put:            (ffffffff811eae54) folio=0xffffea0000000040\n`;
    expect((await events(`cpus=2\n${lines.join('')}${last}`)).at(-1)).toBe('page.release {}');
  });
});

describe('perf script', () => {
  test('fields in every usual choice, call chains, periods and losses', async () => {
    const { rows, trace } = await read(
      '# ========\n# captured on    : Thu\n# os release : 6.1.0-56-amd64\n# arch : x86_64\n#\n' +
        '            perf   825 [000]    35.045539:                             kmem:mm_page_free: page=0x1 pfn=0x1 order=0\n' +
        'w 1 2.0: a:b   841/842   [001]    35.045540123:          1                   kmem:mm_page_free: page=0x1 pfn=0x2 order=0 ffffffff815d0398 [unknown]\n' +
        '\tffffffffb5ab95b7 [unknown] ([kernel.kallsyms])\n' +
        '\t           ee137 sched_setaffinity+0x7 (/lib/libc.so.6)\n\n' +
        'swapper     0 35.045541: sched:sched_wakeup: comm=wl pid=1\n' +
        'perf   762 [001] 35.045542: PERF_RECORD_LOST lost 77\n' +
        'perf   762 [001] 35.045543: kmem:mm_page_free/call-graph=no/: pfn=0x3\n' +
        'what is this\n',
    );
    expect(short(rows)).toEqual([
      'segment cpu-1 NaN',
      '0 cpu0 825 mm_page_free | page=0x1 pfn=0x1 order=0',
      '1123 cpu1 842 mm_page_free | page=0x1 pfn=0x2 order=0',
      '2000 cpu-1 0 sched_wakeup | comm=wl pid=1',
      'lost cpu1 77',
      '4000 cpu1 762 mm_page_free | pfn=0x3',
      'lost cpu-1 NaN',
    ]);
    expect(trace.facts).toMatchObject({ kernel: '6.1.0-56-amd64', arch: 'x86_64', parseErrorCount: 1 });
    expect(trace.facts.tasks.get(842)).toEqual({ comm: 'w 1 2.0: a:b', tgid: 841 });
    expect(trace.facts.counters.get('stack-lines')).toBe(2);
  });
});
