import Database from 'better-sqlite3';
import { InputError } from '../core/errors.ts';

/** What a system says that lets no file be made or linked. */
const FORBIDDEN: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTSUP', 'ENOSYS', 'EMLINK']);

/** What the system calls an error, '' for one that is not the system's. */
function systemCode(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : '';
}

/** Whether SQLite itself could not be loaded: never built, or for another Node.js (node-bindings and process.dlopen). */
function isUnloadable(error: unknown): boolean {
  if (systemCode(error) === 'ERR_DLOPEN_FAILED') return true;
  return error instanceof Error && error.message.startsWith('Could not locate the bindings file');
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
  if (!(error instanceof Database.SqliteError)) {
    const system = systemCode(error);
    if (!FORBIDDEN.has(system)) return error;
    return new InputError(
      `${path} cannot be made: its folder cannot be written, or takes no links (${system}); give a name elsewhere`,
    );
  }
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
