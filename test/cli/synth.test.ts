import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLANTS } from '../../src/synth/plants/index.ts';
import { faultline } from './harness.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-synth-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const synth = (...args: string[]): ReturnType<typeof faultline> => faultline(['synth', ...args]);

describe('faultline synth', () => {
  test('lists what can be planted, with its checks', async () => {
    const { code, stdout } = await synth('--list');
    expect(code).toBe(0);
    for (const { id, checks } of PLANTS) {
      expect(stdout).toContain(`\n${id}`.slice(stdout.startsWith(id) ? 1 : 0));
      for (const check of checks) expect(stdout).toContain(check);
    }
  });

  test('writes a trace to stdout and its truth beside it', async () => {
    const path = join(folder, 'truth.json');
    const { code, stdout, stderr } = await synth(
      ...['--events', '5000', '--seed', '11', '--plant', 'missed-cow=2,refcount-underflow', '--truth', path],
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n').filter((line) => line.startsWith(' '))).toHaveLength(5000);
    const truth = JSON.parse(readFileSync(path, 'utf8')) as { planted: { kind: string; pfn: string }[] };
    expect(truth).toMatchObject({ schema: 'faultline.synth-truth/1', seed: 11, events: 5000 });
    expect(truth.planted.map(({ kind }) => kind).sort()).toEqual([
      'missed-cow',
      'missed-cow',
      'refcount-underflow',
    ]);
    expect(truth.planted[0]!.pfn).toMatch(/^0x[0-9a-f]+$/);
  });

  test.each([
    [['--plant', 'missed-cwo'], "did you mean 'missed-cow'?"],
    [['--plant', 'missed-cow=x'], 'how often it is planted'],
    [['--plant', 'missed-cow=50', '--events', '1000'], 'planted divergences need'],
    [['--plant', 'page-lock-recursion'], 'no tracer of a kernel tells'],
    [['--events', '0'], '--events takes a whole number from 1 on'],
    [['--pages', '12'], '--pages takes a whole number from 1024 on'],
    [['--cpus', '10000'], '--cpus takes at most'],
    [['--rate', 'fork'], '--rate takes NAME=NUMBER'],
    [['--rate', 'forks=3'], "unknown rate 'forks'"],
    [['--rate', 'fork=many'], 'takes a number from 0 on'],
    [['--rate', 'fault=0'], 'leaves nothing to trace'],
    [['--clock', 'sundial'], "unknown clock 'sundial'"],
    [['--layout', 'wide'], "unknown layout 'wide'"],
    [['--format', 'xml'], "unknown format 'xml'"],
    [['--lost', '1.5'], '--lost takes a share'],
    [['--lost', '0.1', '--layout', 'tgid'], '--lost is said in --layout pipe only'],
    [['--overwritten', '10', '--layout', 'pipe'], '--overwritten is said in a header'],
    [['--overwritten', '200000'], '--overwritten'],
    [['--seed', '-1'], '--seed takes a whole number'],
  ])('%j is answered with one line, and nothing is written', async (args, said) => {
    const { code, stdout, stderr } = await synth(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(said);
    expect(stderr.split('\n').length).toBeLessThanOrEqual(3);
  });

  test('a truth that cannot be written is said before anything else', async () => {
    const { code, stdout, stderr } = await synth('--events', '100', '--truth', join(folder, 'no', 'where'));
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^faultline: .*where/);
  });
});
