import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Ran } from './harness.ts';

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
