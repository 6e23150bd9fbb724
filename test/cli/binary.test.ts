import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { built, PROGRAM } from './built.ts';

test('the built program is executable by itself', () => {
  const { code, stdout, stderr } = built(['--version']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
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
  child.stdin.write('# tracer: nop\n#\n');
  for (let i = 0; i < 2000; i++) {
    child.stdin.write(
      `            init-1       (      1) [001] .....    79.${433000 + i}: mm_page_free: page=0x0 pfn=0x${i.toString(16)} order=0\n`,
    );
  }
  await new Promise((resolve) => setTimeout(resolve, 1500));
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  expect(code).toBe(130);
  expect(stdout).toContain('INTERRUPTED');
});
