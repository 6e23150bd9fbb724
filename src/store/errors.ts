import Database from 'better-sqlite3';
import { InputError } from '../core/errors.ts';

/** Whether SQLite itself could not be loaded: never built, or for another Node.js (node-bindings and process.dlopen). */
function isUnloadable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ERR_DLOPEN_FAILED' || error.message.startsWith('Could not locate the bindings file');
}

/** What a failure of SQLite means to the user: one line with what to do. Anything else is a bug, and stays one. */
export function explainSqlite(path: string, error: unknown): unknown {
  // better-sqlite3 looks for the folder itself.
  if (error instanceof TypeError && error.message.includes('directory does not exist'))
    return new InputError(`${path}: its folder does not exist`);
  if (isUnloadable(error))
    return new InputError(
      `${path}: cases need better-sqlite3, which is not built here, or for another Node.js; run \`npm rebuild better-sqlite3\` in the folder that faultline is installed in`,
    );
  if (!(error instanceof Database.SqliteError)) return error;
  const { code } = error;
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
    return new InputError(`${path} is being written by another faultline; wait until it is done`);
  if (code.startsWith('SQLITE_FULL'))
    return new InputError(
      `${path}: the disk is full; what was written so far is kept: make room and give the same command again`,
    );
  if (code.startsWith('SQLITE_READONLY'))
    return new InputError(`${path} is read-only; copy it to where it can be written`);
  if (code.startsWith('SQLITE_CANTOPEN'))
    return new InputError(
      `${path} cannot be opened: its folder is missing or cannot be written; copy the case elsewhere`,
    );
  if (code.startsWith('SQLITE_NOTADB'))
    return new InputError(`${path} is no case; \`faultline analyze TRACE -o CASE\` records one`);
  if (code.startsWith('SQLITE_CORRUPT'))
    return new InputError(`${path} is damaged (${error.message}); record the case again from its trace`);
  if (code.startsWith('SQLITE_IOERR'))
    return new InputError(
      `${path}: reading or writing failed (${error.message}); what was committed is kept`,
    );
  return error;
}

/** Runs something on a case, with SQLite's failures in the user's words. */
export function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainSqlite(path, error);
  }
}
