import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { built } from './built.ts';

const TRACE = 'traces/V1-pin-guptest.txt.gz';
const CHECK = 'gup-pin-broken-by-cow';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 's-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Found {
  readonly check: string;
  readonly verdict: string;
  readonly fingerprint: string;
  readonly consequences: ReadonlyArray<{ readonly check: string }>;
}

function analyzed(path: string): readonly Found[] {
  const { stdout } = built(['analyze', '--json', '--variant', '6.12', path]);
  return (JSON.parse(stdout) as { divergences: Found[] }).divergences;
}

describe('faultline litmus shrink', () => {
  test('a capture of 22,294 events is told by a few, which analyze judges alike', () => {
    const path = join(folder, 'small.jsonl');
    const scenario = join(folder, 'small.litmus');
    const rules = ['--variant', '6.12'];
    const run = built(['litmus', 'shrink', TRACE, 'd1', ...rules, '-o', path, '--scenario', scenario]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toContain('22,294 events to 10, each of them needed');
    expect(run.stdout).toMatch(/^event {2}wl\/1212 {23}\| CPU0 wl-reclaim\/1213$/m);
    expect(
      run.stdout
        .replaceAll(folder, '')
        .split('\n')
        .every((line) => line.length <= 78),
    ).toBe(true);
    const [head, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(JSON.parse(head!)).toMatchObject({
      schema: 'faultline.event-lines/1',
      kernel: '6.12',
      shows: { check: CHECK, verdict: 'proven' },
    });
    const [whole] = analyzed(TRACE);
    const [small] = analyzed(path);
    expect(small).toMatchObject({ check: CHECK, verdict: 'proven', fingerprint: whole!.fingerprint });
    expect(small!.consequences.map(({ check }) => check)).toEqual(
      whole!.consequences.map(({ check }) => check),
    );
    // As a scenario the explorer shows it under the rules that fit the trace, and not under those of the kernel.
    expect(run.stdout).toMatch(/shows the same under\s+6\.12\+cow=trylock-then-exclusive\n/);
    const explored = (variant: string) => built(['litmus', 'run', scenario, '--json', '--variant', variant]);
    expect(explored('6.12+cow=trylock-then-exclusive').stdout).toContain(`"${CHECK}":"some"`);
    expect(explored('6.12').code).toBe(0);
    // One event less, and it is gone.
    writeFileSync(path, `${[head, ...lines.slice(0, -1)].join('\n')}\n`);
    expect(analyzed(path)).toEqual([]);
  });

  test('what no scenario can tell is told as none', () => {
    // A page that waits in an mmu_gather is in no scenario.
    const other = join(folder, 'other.litmus');
    const none = built(['litmus', 'shrink', TRACE, 'd2', '--variant', '6.12', '--scenario', other]);
    expect(none.code).toBe(0);
    expect(none.stdout).toContain('scenario   none written: ');
    expect(existsSync(other)).toBe(false);
  });

  test('mistakes are told with what there is', () => {
    const shrink = (...args: string[]) => built(['litmus', 'shrink', ...args]);
    const unknown = shrink(TRACE, 'd99');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("there is no divergence 'd99'");
    expect(shrink(TRACE).stderr).toContain('litmus shrink takes a trace or a case, and one divergence');
    expect(shrink('-', 'd1').stderr).toContain('standard input can be read once');
    expect(shrink(TRACE, 'd1', '--variant', '6.12,6.1').stderr).toContain('takes one variant');
    expect(shrink('absent.txt', 'd1').code).toBe(3);
  });
});
