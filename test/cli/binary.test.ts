import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
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
