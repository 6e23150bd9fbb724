import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { csvLine } from '../../src/report/rows.ts';
import { ask } from '../../src/store/query.ts';
import { built, PROGRAM } from './built.ts';
import { faultline } from './harness.ts';

const TRACE = 'traces/V1-pin-guptest.txt.gz';
const folder = mkdtempSync(join(tmpdir(), 'faultline-case-'));
const CASE = join(folder, 'v1.case');

let recorded: ReturnType<typeof built>;
beforeAll(() => {
  recorded = built(['analyze', TRACE, '-o', CASE, '--json']);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function json(args: readonly string[]): Promise<Record<string, unknown>> {
  const ran = await faultline([...args, '--json']);
  expect(ran.stderr).toBe('');
  return JSON.parse(ran.stdout) as Record<string, unknown>;
}

describe('a case', () => {
  test('is recorded by the way, and analyzed without its trace to the same answer', () => {
    expect(recorded).toMatchObject({ code: 1, stderr: '' });
    expect(recorded.stdout).toBe(built(['analyze', TRACE, '--json']).stdout);
    const again = built(['analyze', CASE, '--json']);
    expect(again.code).toBe(1);
    expect(again.stdout.replaceAll(CASE, TRACE)).toBe(recorded.stdout);
  });

  test('shows the state at an event, with the record as it was written', async () => {
    const at = ['state', CASE, '--at', '17581', '--pid', '1212', '--address', '0x7f293928b000'];
    const state = await json(at);
    expect(state).toMatchObject({ schema: 'faultline.state/1', seq: 17581, ns: '79970631000' });
    expect(state['record']).toMatch(/wl-1212 .* 79\.970631: do_wp_page: /);
    expect(state['mappings']).toMatchObject([
      {
        mm: '0xffff88800014ca00',
        pid: 1212,
        address: '0x7f293928b000',
        kind: 'present',
        pfn: '0x7fd7e',
        write: false,
      },
    ]);
    expect(state['pages']).toMatchObject([
      { pfn: '0x7fd7e', refcount: 1026, mapcount: 1, exclusive: true, pins: 1 },
    ]);
    const holders = (state['pages'] as Array<{ holders: Array<{ kind: string; by: number | null }> }>)[0]!
      .holders;
    expect(holders.map(({ kind }) => kind)).toContain('pin');
    expect((await json([...at.slice(0, 2), '--at', '79.970631', ...at.slice(4)]))['mappings']).toEqual(
      state['mappings'],
    );
    expect((await faultline(at)).stdout).toContain(
      '0x7f293928b000  page 0x7fd7e  read-only, dirty, exclusive',
    );
  });

  test('says why where it does not know', async () => {
    const state = await json([
      'state',
      CASE,
      '--at',
      'start',
      '--pid',
      '1212',
      '--address',
      '0x7f293928b000',
    ]);
    expect(state['mappings']).toMatchObject([
      { kind: 'unknown', reason: expect.stringMatching(/not known/) },
    ]);
  });

  test('tells the life of a page, and its references balance', async () => {
    const page = await json(['page', CASE, '0x7fd7e']);
    const generations = page['generations'] as Array<{ generation: number; ledger: Record<string, unknown> }>;
    expect(generations.map(({ generation }) => generation)).toContain(3);
    for (const { ledger } of generations) expect(ledger).toMatchObject({ sum: 0, due: 0, off: 0 });
    const text = (await faultline(['page', CASE, '0x7fd7e'])).stdout;
    expect(text).toMatch(/17584 {2}79\.970663 {2}1 {4}wl\/1212 .* COPY decided/);
    expect(text).toContain('balances with the free');
    expect((await faultline(['page', CASE, '0xdead'])).stdout).toContain('no event names it');
  });

  test('answers SQL', () => {
    const answers: ReadonlyArray<readonly [query: string, csv: string]> = [
      ['select kind, count(*) n from event group by 1 order by 2 desc limit 1', 'kind,n\npte.set,2741\n'],
      [
        'select seq, kind from event where page = 0x7fd7e and seq in (17583, 17584)',
        'seq,kind\n17583,ref.add\n17584,wp.copy\n',
      ],
      ['select pfn, events from page where pfn = 0x7fd7e', 'pfn,events\n523646,196\n'],
      [
        "select printf('0x%x', pfn) page, outcome, cause from decision where seq = 17581",
        'page,outcome,cause\n0x7fd7e,copy,page-lock\n',
      ],
      [
        'select value_frame from event_pte_set where from_seq = 17582 and to_seq = 17582',
        'value_frame\n523646\n',
      ],
      [
        "select check_id, pid from divergence where severity = 'critical'",
        'check_id,pid\ngup-pin-broken-by-cow,1212\n',
      ],
    ];
    for (const [query, csv] of answers) {
      let text = '';
      ask(CASE, query, ({ columns, rows }) => {
        text = [columns, ...rows].map(csvLine).join('');
      });
      expect(text).toBe(csv);
    }
  });

  test('prints answers in three forms, and is not changed by a query', async () => {
    const query = 'select pfn, events from page where pfn = 0x7fd7e';
    expect(built(['sql', CASE, query])).toEqual({
      code: 0,
      stdout: '   pfn  events\n523646     196\n',
      stderr: '',
    });
    expect(built(['sql', CASE, query, '--json']).stdout).toBe('{"pfn":523646,"events":196}\n');
    expect(built(['sql', CASE, 'delete from task'])).toMatchObject({ code: 2, stdout: '' });
    expect(built(['sql', CASE, 'selec']).stderr).toContain('syntax error');
    const schema = (await faultline(['sql', CASE, '--schema'])).stdout;
    expect(schema).toContain('event (seq, ns, cpu, pid, comm, kind');
    expect(schema).toContain('CREATE TABLE divergence');
    expect(schema).not.toContain('-- internal');
  });

  test('stops a query that takes too long', () => {
    const endless = 'with recursive a(x) as (select 1 union all select x + 1 from a) select sum(x) from a';
    const ran = built(['sql', CASE, endless, '--timeout', '1']);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/took more than 1 s/);
  });

  test('stops a query when the user asks to', async () => {
    const endless = 'with recursive a(x) as (select 1 union all select x + 1 from a) select sum(x) from a';
    const child = spawn(PROGRAM, ['sql', CASE, endless], { stdio: 'ignore' });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([130, null]);
  });

  test('is exported as its trace is', async () => {
    const lines = (await faultline(['export', CASE])).stdout;
    expect(lines).toBe(built(['export', TRACE]).stdout);
    expect(lines.split('\n')).toHaveLength(22_295);
    const csv = (await faultline(['export', CASE, '--format', 'csv'])).stdout.split('\n');
    expect(csv[0]).toBe('seq,ns,cpu,pid,comm,event,record,pfn,mm,address,entry,args');
    expect(csv[17581]).toMatch(
      /^17581,79970631000,1,1212,wl,wp\.begin,17583,0x7fd7e,0xffff88800014ca00,0x7f293928b000,,/,
    );
  });
});

describe('wrong use of a case', () => {
  test.each([
    [['analyze', TRACE, TRACE, '-o', CASE], 2, 'a case holds one trace'],
    [['analyze', TRACE, '-o', CASE, '--since', '5'], 2, 'a case holds the whole trace'],
    [['state', CASE], 2, 'state needs --at'],
    [['state', CASE, '--at', '99999999'], 2, 'lies behind the end'],
    [['state', CASE, '--at', '1', '--address', '0x1000'], 2, '--address needs to know whose'],
    [['state', CASE, '--at', '1', '--kernel', '5.9'], 3, 'was decoded with kernel not declared, not 5.9'],
    [['page', CASE, 'xyz'], 2, 'a page is given by its pfn'],
    [['sql', 'package.json'], 3, 'is no case'],
    [['export', CASE, '--format', 'xml'], 2, '--format takes jsonl or csv'],
  ] as const)('%s', async (args, code, message) => {
    const ran = await faultline(args);
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toContain(message);
  });
});

test('a recording that is killed at any moment is gone on with to the same case', {
  timeout: 120_000,
}, async () => {
  const path = join(folder, 'killed.case');
  const args = ['analyze', TRACE, '-o', path, '--json'];
  let opened = 0;
  for (const delay of [5, 60]) {
    rmSync(path, { force: true });
    const child = spawn(PROGRAM, args, { stdio: 'ignore' });
    const ended = once(child, 'exit');
    // From the moment at which the case appears: what is before leaves nothing.
    while (!existsSync(path) && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 3));
    await new Promise((resolve) => setTimeout(resolve, delay));
    child.kill('SIGKILL');
    await ended;
    if ((await faultline(['state', path, '--at', 'end', '--json'])).code === 0) opened++;
    const resumed = built(args);
    // One that was complete already says so.
    if (resumed.code !== 3) expect(resumed).toMatchObject({ code: 1, stdout: recorded.stdout });
    else expect(resumed.stderr).toContain('is a complete case already');
  }
  expect(opened).toBeGreaterThan(0);
});
