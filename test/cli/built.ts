import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { run } from '../../src/cli/run.ts';
import { collect, type Ran } from './harness.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The program as `npm test` has just built it. */
export const PROGRAM: string = `${ROOT}dist/cli/main.js`;

/** Runs the built program in the project's folder, as a user does. */
export function built(args: readonly string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [PROGRAM, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  return { code: status ?? -1, stdout, stderr };
}

/** Runs the built program's command line in this process: what one command had compiled serves the next. */
export async function builtHere(args: readonly string[]): Promise<Ran> {
  const program = (await import(/* @vite-ignore */ `${ROOT}dist/cli/run.js`)) as { readonly run: typeof run };
  return collect((io) => program.run(args, io));
}
