import { describe, expect, test } from 'vitest';
import {
  CTX_HARDIRQ,
  CTX_IRQS_OFF,
  CTX_KNOWN,
  CTX_NMI,
  CTX_PREEMPT_SHIFT,
  CTX_SOFTIRQ,
  ROW_SEGMENT,
} from '../../src/core/records.ts';
import { line, read } from './read.ts';

/** Lines whose head is hard to find: comm, pid, CPU and name that must come out. */
const HEADS: ReadonlyArray<readonly [text: string, comm: string, pid: number, cpu: number, event: string]> = [
  [line('wl', 120, 'e: x=1'), 'wl', 120, 0, 'e'],
  [line('a b-7 c', 1234, 'e: x=1', '    1.000000', 3), 'a b-7 c', 1234, 3, 'e'],
  [line('x-1 [000] 5: e:', 77, 'real: x=1'), 'x-1 [000] 5: e:', 77, 0, 'real'],
  [line('-5 [001] 1.0: e', 8, 'real: x=1'), '-5 [001] 1.0: e', 8, 0, 'real'],
  [line('kworker/u8:2-ev', 77, 'e: x=1'), 'kworker/u8:2-ev', 77, 0, 'e'],
  [line('<idle>', 0, 'e: x=1', '    1.000000', 12), '<idle>', 0, 12, 'e'],
  [line('<...>', 9, 'e: x=1', '    1.000000', 1234), '<...>', 9, 1234, 'e'],
  [line('tail ', 9, 'e: x=1'), 'tail ', 9, 0, 'e'],
  [line('\x1b[31m\r', 9, 'e: x=1'), '\x1b[31m\r', 9, 0, 'e'],
  [line('__proto__', 9, 'constructor: x=1'), '__proto__', 9, 0, 'constructor'],
  ['            init-1       (      1) [001] ...1.    79.433759: e: x=1\n', 'init', 1, 1, 'e'],
  ['            init-1       (-------) [001] ...1.    79.433759: e: x=1\n', 'init', 1, 1, 'e'],
  ['            init-1     (-----) [001] ...1    79.433759: e: x=1\n', 'init', 1, 1, 'e'],
  ['            init-1     ( 1234) [001] d..1    79.433759: e: x=1\n', 'init', 1, 1, 'e'],
  ['            init-1       [000]    79.433759: e: x=1\n', 'init', 1, 0, 'e'],
  ['            init-1       [000] ........    79.433759: e: x=1\n', 'init', 1, 0, 'e'],
  ['            init-1       [000] .....    79.433759123: e: x=1\n', 'init', 1, 0, 'e'],
  ['            init-1       [000] .....            12: e: x=1\n', 'init', 1, 0, 'e'],
  ['            init-1       [000] .....    18446744073709551615: e: x=1\n', 'init', 1, 0, 'e'],
  // Blanks stripped on the way, by mail clients and the like.
  ['init-1       [000] .....    79.433759: e: x=1\n', 'init', 1, 0, 'e'],
  ['x-1 [0] 5: f-2 [001] 6.000000: e: x=1\n', 'x-1 [0] 5: f', 2, 1, 'e'],
];

describe('comm, pid, CPU and event of a line', () => {
  test.each(HEADS)('%j', async (text, comm, pid, cpu, event) => {
    // A line like any other in front, so that the input is recognised.
    const { trace, rows } = await read(`# tracer: nop\n${text}`);
    const last = rows.at(-1);
    expect(trace.facts.tasks.get(pid)?.comm).toBe(comm);
    expect(last).toMatchObject({ pid, cpu, name: event, text: 'x=1' });
    expect(trace.facts.parseErrorCount).toBe(0);
  });

  test('the TGID column', async () => {
    const { trace } = await read(
      '# tracer: nop\n            init-7       (      1) [001] ...1.    79.433759: e: x=1\n',
    );
    expect(trace.facts.tasks.get(7)).toEqual({ comm: 'init', tgid: 1 });
  });

  test('a name that the kernel forgot does not replace one that it knew', async () => {
    const { trace } = await read(`# tracer: nop\n${line('wl', 5, 'e: x')}${line('<...>', 5, 'e: x')}`);
    expect(trace.facts.tasks.get(5)?.comm).toBe('wl');
  });
});

describe('context bits', () => {
  const FLAGS: ReadonlyArray<readonly [flags: string, bits: number]> = [
    ['.....', CTX_KNOWN],
    ['d....', CTX_KNOWN | CTX_IRQS_OFF],
    ['D.h2.', CTX_KNOWN | CTX_IRQS_OFF | CTX_HARDIRQ | (2 << CTX_PREEMPT_SHIFT)],
    ['b.s..', CTX_KNOWN | CTX_SOFTIRQ],
    ['dNH3.', CTX_KNOWN | CTX_IRQS_OFF | CTX_HARDIRQ | CTX_SOFTIRQ | (3 << CTX_PREEMPT_SHIFT)],
    ['..z..', CTX_KNOWN | CTX_NMI],
    ['.BZf1', CTX_KNOWN | CTX_NMI | CTX_HARDIRQ | (15 << CTX_PREEMPT_SHIFT)],
  ];
  test.each(FLAGS)('%s', async (flags, bits) => {
    const { rows } = await read(
      `# tracer: nop\n            init-1       [000] ${flags}    79.433759: e: x\n`,
    );
    expect(rows.at(-1)?.ctx).toBe(bits);
  });

  test('no flags column: nothing is known', async () => {
    const { rows } = await read('# tracer: nop\n            init-1       [000]    79.433759: e: x\n');
    expect(rows.at(-1)?.ctx).toBe(0);
  });

  test('the columns of a realtime kernel stand in its header', async () => {
    const header = [
      '# tracer: nop',
      '#                                _-------=> irqs-off/BH-disabled',
      '#                               / _------=> need-resched',
      '#                              | / _-----=> need-resched-lazy',
      '#                              || / _----=> hardirq/softirq',
      '#                              ||| / _---=> preempt-depth',
      '#                              |||| / _--=> preempt-lazy-depth',
      '#                              ||||| / _-=> migrate-disable',
      '#                              |||||| /     delay',
    ].join('\n');
    const { rows } = await read(`${header}\n            init-1       [000] d..h2..    79.433759: e: x\n`);
    expect(rows.at(-1)?.ctx).toBe(CTX_KNOWN | CTX_IRQS_OFF | CTX_HARDIRQ | (2 << CTX_PREEMPT_SHIFT));
  });
});

describe('time', () => {
  test('is exact, and relative to the first record', async () => {
    const text = ['  9999999.999999', '  9999999.000001', ' 20000000.000000'].map((stamp) =>
      line('t', 1, 'e: x', stamp),
    );
    const { trace, rows } = await read(text.join(''));
    expect(trace.facts.originNs).toBe(9_999_999_999_999_000n);
    expect(rows.filter((row) => row.row === 0).map((row) => row.ns)).toEqual([
      0, -999_998_000, 10_000_000_000_001_000,
    ]);
    expect(trace.facts.counters.get('time-backwards')).toBe(1);
  });

  test('that goes back on a CPU begins a segment, unless a clock was just adjusted', async () => {
    const at = (stamp: string, cpu: number): string => line('t', 1, 'e: x', stamp, cpu);
    const text = [at('    1.500000', 0), at('    1.400000', 1), at('    1.499500', 0), at('    1.100000', 0)];
    const { trace, rows } = await read(text.join('') + at('    1.200000', 1));
    expect(rows.map(({ row, ns, cpu }) => `${row} ${ns} ${cpu}`)).toEqual([
      `${ROW_SEGMENT} 0 -1`,
      '0 0 0',
      '0 -100000000 1',
      '0 -500000 0',
      `${ROW_SEGMENT} -400000000 -1`,
      '0 -400000000 0',
      '0 -300000000 1',
    ]);
    expect(Object.fromEntries(trace.facts.counters)).toEqual({
      'time-backwards': 2,
      'dumps-without-header': 1,
    });
  });

  test.each([
    ['counts every record', 1, 'counter'],
    ['runs by cycles', 2711, null],
    ['stands still', 0, null],
  ] as const)('of a clock without a unit that %s', async (_name, step, clock) => {
    const stamps = Array.from({ length: 600 }, (_, i) => String(7000 + i * step + Math.floor(i / 50)));
    const { trace } = await read(stamps.map((stamp, i) => line('t', 1, 'e: x', stamp, i % 4)).join(''));
    expect(trace.facts).toMatchObject({ ticks: true, clock });
  });

  test('raw numbers of 20 digits keep every digit', async () => {
    const text = line('t', 1, 'e: x', '18446744073709551000') + line('t', 1, 'e: x', '18446744073709551615');
    const { trace, rows } = await read(`# tracer: nop\n${text}`);
    expect(trace.facts.ticks).toBe(true);
    expect(trace.facts.originNs).toBe(18446744073709551000n);
    expect(rows.at(-1)?.ns).toBe(615);
  });

  test('latency format', async () => {
    const text = [
      '# tracer: nop',
      '#',
      '# nop latency trace v1.1.5 on 6.12.117',
      '# latency: 0 us, #18549/18560, CPU#0 | (M:preempt VP:0, KP:0, SP:0 HP:0 #P:2)',
      '    init-1         1d..1. 671562476: e: x=1',
      'a b-7 c--12345     12...h1. 671562480: e: x=1',
    ].join('\n');
    const { trace, rows } = await read(`${text}\n`);
    expect(trace.facts.kernel).toBe('6.12.117');
    expect(trace.facts.ticks).toBe(true);
    expect(rows[0]).toMatchObject({ row: 1, aux: 11 });
    expect(rows[1]).toMatchObject({ cpu: 1, pid: 1, ns: 0 });
    const us = await read(
      '# tracer: nop\n# nop latency trace v1.1.5 on 6.1.0\n    bash-1977    0d..2.   12us+: e: x=1\n    bash-1977    0d..2.   15us : e: x=1\n',
    );
    expect(us.rows.at(-1)).toMatchObject({ pid: 1977, cpu: 0, ns: 3000 });
  });
});
