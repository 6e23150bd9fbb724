import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'vitest';

const { UPDATE_GOLDEN } = process.env;
const updating = UPDATE_GOLDEN === '1';

/**
 * Compares a text with test/golden/NAME, exactly. `npm run golden` writes the files anew: read their diff before
 * committing it.
 */
export function expectGolden(name: string, text: string): void {
  const file = new URL(`./golden/${name}`, import.meta.url);
  if (updating) {
    mkdirSync(dirname(file.pathname), { recursive: true });
    writeFileSync(file, text);
    return;
  }
  expect(existsSync(file), `test/golden/${name} is missing: npm run golden`).toBe(true);
  expect(text).toBe(readFileSync(file, 'utf8'));
}
