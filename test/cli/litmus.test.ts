import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { built } from './built.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-litmus-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const OWN = `litmus own
mm A
va v
page P clean
map A v P ro

thread app A
  write A v

thread kswapd reclaim
  look P

expect
  otherwise: nothing
`;

describe('faultline litmus', () => {
  test('a witness is a trace that analyze judges as litmus did', () => {
    const path = join(folder, 'witness.jsonl');
    const run = built(['litmus', 'run', 's0b-get-reclaim', '--variant', '2.6.26', '--witness', path]);
    expect(run.code, run.stderr).toBe(0);
    expect(readFileSync(path, 'utf8')).toMatch(/^\{"schema":"faultline.event-lines\/1"/);
    const { stdout } = built(['analyze', '--json', '--variant', '2.6.26', path]);
    const checks = (
      JSON.parse(stdout) as { divergences: { check: string; consequences: { check: string }[] }[] }
    ).divergences.flatMap(({ check, consequences }) => [check, ...consequences.map((other) => other.check)]);
    expect(checks).toContain('unexpected-cow-under-reclaim');
    expect(checks).toContain('gup-pin-broken-by-cow');
  });

  test('a scenario of the user that finds what it does not expect exits with 1', () => {
    const path = join(folder, 'own.litmus');
    writeFileSync(path, OWN);
    const bad = built(['litmus', 'run', path, '--variant', '2.6.26', '--json']);
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      schema: 'faultline.litmus/1',
      runs: [
        {
          scenario: 'own',
          variant: '2.6.26',
          exhausted: true,
          divergences: { 'unexpected-cow': 'some', 'unexpected-cow-under-reclaim': 'some' },
        },
      ],
    });
    expect(built(['litmus', 'run', path, '--variant', '6.12+cow=waitlock']).code).toBe(0);
  });

  test('a token replays, and is refused for another text of its scenario', () => {
    const { stdout } = built(['litmus', 'run', 's8', '--variant', '5.9', '--json']);
    const { runs } = JSON.parse(stdout) as { runs: { witness: string }[] };
    const token = runs[0]!.witness;
    const shown = built(['litmus', 'show', token]);
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout).toContain('gup-fast-fork-race');
    const odd = built(['litmus', 'show', token.replace('~s8~', '~s7~')]);
    expect(odd).toMatchObject({ code: 2 });
    expect(odd.stderr).toContain('the token was made with another text of s7');
  });

  test('mistakes are told with what there is', () => {
    const path = join(folder, 'bad.litmus');
    writeFileSync(path, OWN.replace('  look P', '  looks P'));
    const wrong = built(['litmus', 'run', path]);
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).toContain(
      "line 11, column 3: expected a statement, found 'looks'; did you mean 'look'?",
    );
    expect(built(['litmus', 'run', 's0a-reclaims']).stderr).toContain("did you mean 's0a-reclaim'?");
    expect(built(['litmus', 'run']).code).toBe(2);
    expect(built(['litmus', 'frob']).code).toBe(2);
  });

  test('run twice it gives the same bytes', () => {
    const args = ['litmus', 'run', 's1-shmem', 's3-ksmd', '--all-variants'];
    expect(built(args).stdout).toBe(built(args).stdout);
  });
});
