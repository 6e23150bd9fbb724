import { describe, expect, test } from 'vitest';
import type { Engine } from '../../src/cli/engine.ts';
import { expectGolden } from '../golden.ts';
import { faultline, STORY_ENGINE, transcript } from './harness.ts';

const RUNS: Readonly<Record<string, string>> = {
  help: '--help',
  'help-analyze': 'analyze --help',
  'no-command': '',
  'unknown-command': 'analise clean',
  'unknown-option': 'analyze clean --jsn',
  'unknown-check': 'analyze clean --check unexpected-cwo',
  'unknown-severity': 'analyze clean --fail-on worst',
  'unknown-variant': 'analyze clean --variant 6.13',
  'bad-moment': 'analyze clean --since yesterday',
  'bad-hex': 'analyze clean --vmemmap-base xyz',
  'no-input': 'analyze',
  missing: 'analyze missing',
  clean: 'analyze clean',
  'clean-json': 'analyze clean --json',
  'several-inputs': 'analyze clean missing bad --json',
  checks: 'checks',
  'checks-id': 'checks unexpected-cow',
  'checks-unknown': 'checks missed',
  'checks-json': 'checks --json',
  'events-kind': 'events wp.copy',
  'events-unknown': 'events wp.cpoy',
  variants: 'variants',
  'variants-6.12': 'variants 6.12',
  'variants-V2': 'variants test/variants/V2.variant',
  'variants-value': 'variants cow=hugh',
  'variants-unknown': 'variants 6.12+cow=refcout',
  'bisect-one': 'replay clean --bisect 6.12',
  'help-diff': 'diff --help',
  'diff-one': 'diff clean',
  'diff-stdin-twice': 'diff - -',
  'diff-missing': 'diff clean missing',
  'diff-findings': 'diff clean bad',
  'diff-findings-json': 'diff clean bad --json',
  info: 'info clean',
  bug: 'analyze bug',
};

describe('faultline', () => {
  for (const [name, line] of Object.entries(RUNS)) {
    test(line, async () => {
      const args = line.split(' ').filter((word) => word !== '');
      expectGolden(`cli/${name}.txt`, transcript(args, await faultline(args, STORY_ENGINE)));
    });
  }
});

test.each([
  ['analyze clean', 0],
  ['analyze bad', 1],
  ['analyze bad --fail-on critical', 1],
  ['analyze info', 0],
  ['analyze info --fail-on info', 1],
  ['analyze suspect', 0],
  ['analyze suspect --fail-on-suspect', 1],
  ['analyze clean --require unexpected-cow', 0],
  ['analyze clean --require unexpected-cow,missed-cow', 0],
  ['analyze blind --require unexpected-cow', 4],
  ['analyze blind --require missed-cow', 4],
  ['analyze blind bad --require missed-cow', 1],
  ['analyze bad missing', 3],
  ['analyze bad bug', 70],
  ['analyze clean --nope', 2],
  ['analyze bad --pid 1', 0],
  ['analyze bad --pid 4711 --comm app', 1],
  ['info bad', 0],
  ['--version', 0],
])('%s exits with %i', async (line, code) => {
  expect((await faultline(line.split(' '), STORY_ENGINE)).code).toBe(code);
});

test.each([
  ['--clock glboal', "unknown clock 'glboal'\ndid you mean 'global'? "],
  ['--kernel newest', "--kernel takes a release, not 'newest'\nexample: --kernel 6.12.117"],
  ['--since 5 --until 3', '--since is behind --until'],
  ['--since 5.1 --until 5.0', '--since is behind --until'],
])('%s is refused, and said why', async (line, why) => {
  const { code, stderr } = await faultline(['analyze', 'clean', ...line.split(' ')], STORY_ENGINE);
  expect(code).toBe(2);
  expect(stderr).toContain(why);
});

test('--json prints one object a line and nothing else', async () => {
  const { stdout, stderr } = await faultline('analyze clean bad info --json'.split(' '), STORY_ENGINE);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).trace.path)).toEqual(['clean', 'bad', 'info']);
  expect(lines.every((line) => JSON.parse(line).schema === 'faultline.analysis/1')).toBe(true);
  expect(stderr).toBe('');
});

test('events --schema is the JSON schema of lines that state events', async () => {
  const { stdout } = await faultline(['events', '--schema'], STORY_ENGINE);
  const schema = JSON.parse(stdout);
  expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
  const begin = schema.oneOf.find((kind: { properties: { event: { const: string } } }) => {
    return kind.properties.event.const === 'wp.begin';
  });
  expect(Object.keys(begin.properties.args.properties)[0]).toBe('mm');
});

test('an interrupted run prints what was done, says so, and exits with 130', async () => {
  const stop = new AbortController();
  const engine: Engine = {
    ...STORY_ENGINE,
    analyze(input, options, hooks) {
      stop.abort();
      return STORY_ENGINE.analyze(input, options, hooks);
    },
  };
  const ran = await faultline(['analyze', 'clean', 'bad'], engine, { signal: stop.signal });
  expect(ran.code).toBe(130);
  expect(ran.stdout).toMatch(/^INTERRUPTED/);
  expect(ran.stdout).not.toContain('BUG');
});

test('a bug is one line without a stack, unless it is asked for', async () => {
  const plain = await faultline(['analyze', 'bug'], STORY_ENGINE);
  expect(plain.stderr.split('\n')).toHaveLength(2);
  expect(plain.stderr).not.toContain(' at ');
  const debug = await faultline(['analyze', 'bug'], STORY_ENGINE, { debug: true });
  expect(debug.stderr).toContain('harness.ts');
});

test('colour only where stdout shows it and the user wants it', async () => {
  const painted = await faultline(['analyze', 'bad'], STORY_ENGINE, { colour: true });
  expect(painted.stdout).toContain('\u001b[');
  const plain = await faultline(['analyze', 'bad', '--no-color'], STORY_ENGINE, { colour: true });
  expect(plain.stdout).not.toContain('\u001b[');
});

test('a file name cannot command the terminal', async () => {
  const { stderr } = await faultline(['analyze', 'x\u001b[2J'], STORY_ENGINE);
  expect(stderr).toBe('faultline: x\\x1b[2J: no such file\n');
});
