import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { built } from './built.ts';

const CAPTURE = fileURLToPath(new URL('../../traces/base-pin-guptest.txt.gz', import.meta.url));
let whole = '';
let parts: readonly string[] = [];

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-files-'));
  const text = gunzipSync(readFileSync(CAPTURE)).toString('latin1');
  const lines = text.split(/(?<=\n)/).slice(0, 2000);
  whole = join(folder, 'whole.txt');
  writeFileSync(whole, lines.join(''), 'latin1');
  parts = ['0', '1'].map((cpu) => {
    const path = join(folder, `cpu${cpu}.txt`);
    const own = lines.filter((line) => line.startsWith('#') || line.includes(`) [00${cpu}] `));
    writeFileSync(path, own.join(''), 'latin1');
    return path;
  });
});
afterAll(() => rmSync(join(whole, '..'), { recursive: true }));

test.each([
  ['info', []],
  ['state', ['--at', '1500', '--pfn', '0xa61d']],
] as const)('%s says the same of the files of a capture as of the whole', (command, more) => {
  const joined = built([command, ...parts, '--together', ...more, '--kernel', '6.12']);
  const one = built([command, whole, ...more, '--kernel', '6.12']);
  expect(joined.stderr).toBe('');
  const name = new RegExp(`${[...parts, '--together'].join('\\s+')}`);
  expect(joined.stdout.replace(name, 'X')).toBe(one.stdout.replace(whole, 'X'));
});

test('page takes the page behind all files, and a case their names', () => {
  const path = join(whole, '../joined.case');
  const recorded = built(['analyze', ...parts, '--together', '-o', path]);
  expect(recorded.code).toBe(0);
  const pfn = '0xa61d';
  const fromCase = built(['page', path, pfn]);
  const fromFiles = built(['page', ...parts, pfn, '--together']);
  const story = (text: string): string => text.slice(text.indexOf('\npage'));
  expect(story(fromFiles.stdout)).toBe(story(fromCase.stdout));
  const again = built(['analyze', ...parts, '--together', '-o', path]);
  expect(again.stderr).toContain(`${parts.join(' ')} --together; analyze it without -o`);
});

test('what is asked of one input refuses several', () => {
  const { code, stderr } = built(['state', ...parts, '--at', '5']);
  expect(code).toBe(2);
  expect(stderr).toContain('give --together if they are files of one capture');
});
