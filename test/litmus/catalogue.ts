import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from '../../src/litmus/parse.ts';
import type { Program } from '../../src/litmus/program.ts';

const FOLDER = fileURLToPath(new URL('../../src/litmus/catalogue/', import.meta.url));

/** Every scenario that is shipped, by name. */
export const CATALOGUE: ReadonlyMap<string, Program> = new Map(
  readdirSync(FOLDER)
    .sort()
    .map((file) => [file.replace('.litmus', ''), parse(readFileSync(FOLDER + file, 'utf8'))]),
);

/** A scenario by name. */
export function scenario(name: string): Program {
  const found = CATALOGUE.get(name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
}
