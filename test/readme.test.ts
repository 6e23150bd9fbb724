import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { builtHere } from './cli/built.ts';

/**
 * Every ```console block of README.md is run: its output must be what stands there. A line `...` stands for any
 * number of lines. `npm run golden` writes the outputs anew.
 */
const FILE = new URL('../README.md', import.meta.url);
const { UPDATE_GOLDEN } = process.env;

async function outputOf(line: string): Promise<string> {
  const args = /^npx faultline (.*)$/.exec(line)?.[1]?.split(' ');
  if (args === undefined) throw new Error(`README.md runs only npx faultline, not: ${line}`);
  const { stdout, stderr } = await builtHere(args);
  return stdout + stderr;
}

function matches(shown: readonly string[], printed: readonly string[]): boolean {
  const at = shown.indexOf('...');
  if (at < 0) return shown.join('\n') === printed.join('\n');
  if (shown.slice(0, at).join('\n') !== printed.slice(0, at).join('\n')) return false;
  const rest = shown.slice(at + 1);
  for (let from = at; from <= printed.length; from++) {
    if (matches(rest, printed.slice(from))) return true;
  }
  return false;
}

test('README.md shows what the commands print', async () => {
  let text = readFileSync(FILE, 'utf8');
  const blocks = [...text.matchAll(/```console\n\$ (.*)\n([\s\S]*?)```\n/g)];
  expect(blocks.length).toBeGreaterThan(0);
  for (const [block, line, shown] of blocks) {
    const printed = await outputOf(line!);
    if (matches(shown!.trimEnd().split('\n'), printed.trimEnd().split('\n'))) continue;
    if (UPDATE_GOLDEN === '1')
      text = text.replace(block, () => `\`\`\`console\n$ ${line}\n${printed.trimEnd()}\n\`\`\`\n`);
    else expect(printed, line).toBe(shown);
  }
  if (UPDATE_GOLDEN === '1') writeFileSync(FILE, text);
});

test('README.md names only scripts that exist', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const named = [...readFileSync(FILE, 'utf8').matchAll(/\bnpm (?:run )?([a-z:]+)/g)].map(
    (match) => match[1]!,
  );
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});
