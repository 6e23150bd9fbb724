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
  // A capture that stops in the middle, as a trace pipe does when nothing happens.
  const capture = gunzipSync(readFileSync('traces/V1-pin-guptest.txt.gz')).toString('latin1');
  child.stdin.write(capture.split('\n').slice(0, 5000).join('\n'));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  expect(code).toBe(130);
  expect(stdout).toContain('INTERRUPTED');
});
