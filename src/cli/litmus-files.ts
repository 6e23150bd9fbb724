import { readdirSync, readFileSync } from 'node:fs';
import { InputError } from '../core/errors.ts';
import { parse } from '../litmus/parse.ts';
import type { Program } from '../litmus/program.ts';
import { decode, hashOf, readToken } from '../litmus/schedule.ts';
import { ScenarioError } from '../litmus/tokens.ts';
import { parseVariant } from '../variants/parse.ts';
import type { Variant } from '../variants/variant.ts';
import { UsageError } from './exit.ts';
import { known } from './options.ts';

/** The scenarios that come with faultline: the build puts them beside the program. */
const CATALOGUE = new URL('../litmus/catalogue/', import.meta.url);
const ENDING = '.litmus';

/** Names of the catalogue, in their order. */
export function catalogueNames(): string[] {
  return readdirSync(CATALOGUE)
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length))
    .sort();
}

function read(path: string | URL, label: string): Program {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new InputError(`${label}: cannot be read (${why})`);
  }
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof ScenarioError) throw new InputError(`${label}: ${error.message}`);
    throw error;
  }
}

/** A scenario of the catalogue by its name, or one in a file of the user's. */
export function scenario(name: string): Program {
  if (name.includes('/') || name.endsWith(ENDING)) return read(name, name);
  known(name, catalogueNames(), 'scenario', '`faultline litmus list`');
  return read(new URL(name + ENDING, CATALOGUE), name);
}

/** A token taken apart: the interleaving of a scenario under a variant. */
export interface Replayable {
  readonly program: Program;
  readonly variant: Variant;
  readonly schedule: readonly number[];
}

/** What a token stands for; null if the text is none. The scenario must still be the one it was made with. */
export function replayable(text: string, file: string | null): Replayable | null {
  const token = readToken(text);
  if (token === null) return null;
  const program = scenario(file ?? token.scenario);
  if (hashOf(program) !== token.text)
    throw new UsageError(
      `the token was made with another text of ${token.scenario}`,
      'name the file it was made with: --scenario FILE',
    );
  const schedule = decode(program, token);
  if (schedule === null) throw new UsageError('the steps of the token are garbled');
  return { program, variant: parseVariant(token.variant), schedule };
}
