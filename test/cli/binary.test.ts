import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { PROGRAM } from './built.ts';

test('the built program is executable by itself', () => {
  const { status, stdout, stderr } = spawnSync(PROGRAM, ['--version'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('it ends quietly when nobody reads its output any more', () => {
  const { stderr } = spawnSync('sh', ['-c', `"${PROGRAM}" events --schema | true`], { encoding: 'utf8' });
  expect(stderr).toBe('');
});

/** Exit code and stderr of a shell command, in which `$0` is the program and `$1` a trace. */
function shell(command: string): { readonly status: number | null; readonly stderr: string } {
  const trace = join(process.cwd(), 'traces/V1-pin-guptest.txt.gz');
  const { status, stderr } = spawnSync('sh', ['-c', command, PROGRAM, trace], { encoding: 'utf8' });
  return { status, stderr };
}

test('it says in one line that its output cannot be written, or that its folder is gone', () => {
  expect(shell('"$0" info "$1" >/dev/full')).toEqual({
    status: 3,
    stderr: expect.stringMatching(/^faultline: stdout cannot be written \(ENOSPC: .*\n$/),
  });
  const folder = mkdtempSync(join(tmpdir(), 'faultline-gone-'));
  expect(shell(`cd ${folder} && rmdir ${folder} && exec "$0" info "$1"`)).toEqual({
    status: 3,
    stderr: expect.stringMatching(/^faultline: the current folder does not exist any more.*\n$/),
  });
});

test('it needs no package but those that are installed with it, and keeps the licenses of the others', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const folder = dirname(PROGRAM);
  const needed = new Set<string>();
  const bundled = new Set<string>();
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8');
    if (name.endsWith('.js'))
      for (const [, from] of text.matchAll(/^import .*?"([^".][^"]*)";$/gm)) needed.add(from!);
    if (name.endsWith('.map'))
      for (const source of (JSON.parse(text) as { sources: string[] }).sources)
        bundled.add(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? 'faultline');
  }
  expect([...needed].filter((from) => !from.startsWith('node:')).sort()).toEqual(Object.keys(dependencies));
  const licenses = readFileSync(join(folder, 'LICENSES.txt'), 'utf8');
  expect([...bundled].filter((name) => !licenses.includes(`${name} `))).toEqual(['faultline']);
});

test('a signal stops it with 130 and what was done so far', async () => {
  const child = spawn(PROGRAM, ['analyze', '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  // Captures after which standard input stays open, as a trace pipe does when nothing happens. One is not enough: the
  // decoder holds its first rows back until it has learned what kernel they are of.
  const capture = gunzipSync(readFileSync('traces/V1-pin-guptest.txt.gz'));
  // The program may be gone before it has read everything.
  child.stdin.on('error', () => {});
  for (let copy = 0; copy < 4; copy++) child.stdin.write(capture);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  expect(code).toBe(130);
  expect(stdout).toContain('INTERRUPTED');
});
