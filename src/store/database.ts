import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { InputError } from '../core/errors.ts';
import { guarded } from './errors.ts';

export type CaseDatabase = Database.Database;

/** "FLTC": tells a case from other SQLite files. */
export const APPLICATION_ID = 0x464c5443;

const MIGRATIONS = fileURLToPath(new URL('../../migrations/', import.meta.url));
/** A reader waits this long for a lock that is held for a moment. */
const WAIT_MS = 500;
const MAGIC = 'SQLite format 3\0';
/** Where the application id stands in an SQLite file. */
const ID_AT = 68;

interface Migration {
  readonly version: number;
  readonly sql: string;
}

/** The steps that make a case, oldest first: file NNNN_name.sql leads to version NNNN. */
export function migrations(): readonly Migration[] {
  return readdirSync(MIGRATIONS)
    .filter((name) => /^\d{4}_.+\.sql$/.test(name))
    .sort()
    .map((name) => ({
      version: Number(name.slice(0, 4)),
      sql: readFileSync(`${MIGRATIONS}${name}`, 'utf8'),
    }));
}

/** Brings a database up to a version (the newest, if none is given), each step in a transaction of its own. */
export function migrate(db: CaseDatabase, upTo: number = Number.POSITIVE_INFINITY): void {
  for (const { version, sql } of migrations()) {
    if (version > upTo || version <= versionOf(db)) continue;
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${version}`);
    })();
  }
}

function newestVersion(): number {
  return migrations().at(-1)!.version;
}

function versionOf(db: CaseDatabase): number {
  return db.pragma('user_version', { simple: true }) as number;
}

/** What the first bytes of a file say: a case, another SQLite file, or neither (also where there is no file). */
export function kindOfFile(path: string): 'case' | 'sqlite' | 'other' {
  if (path === '-' || !existsSync(path)) return 'other';
  const head = Buffer.alloc(ID_AT + 4);
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    // Whoever reads it next says why it cannot be read.
    return 'other';
  }
  try {
    const read = readSync(file, head, 0, head.length, 0);
    if (read < head.length || head.toString('latin1', 0, MAGIC.length) !== MAGIC) return 'other';
    return head.readUInt32BE(ID_AT) === APPLICATION_ID ? 'case' : 'sqlite';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') return 'other';
    throw error;
  } finally {
    closeSync(file);
  }
}

/** Refuses what is no case, or one of a newer program. */
function verify(path: string, db: CaseDatabase): void {
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID)
    throw new InputError(`${path} is an SQLite file, but no case of faultline; give a case or a trace`);
  const newest = newestVersion();
  const found = versionOf(db);
  if (found > newest)
    throw new InputError(
      `${path} is a case of version ${found}, and this faultline reads up to ${newest}; use the one that wrote it, or a newer one`,
    );
}

/** Makes a new, empty case. The file appears whole or not at all. Throws if there is one already. */
export function createCase(path: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  guarded(path, () => {
    try {
      const db = new Database(draft);
      try {
        db.pragma('page_size = 8192');
        db.pragma(`application_id = ${APPLICATION_ID}`);
        migrate(db);
        // Last: what stands in a write-ahead log could be lost with it when the disk is full.
        db.pragma('journal_mode = WAL');
      } finally {
        db.close();
      }
      if (existsSync(`${draft}-wal`)) throw new InputError(`${path} could not be written; is the disk full?`);
      linkSync(draft, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST')
        throw new InputError(`${path} was made by somebody else in this moment; give another name`);
      throw error;
    } finally {
      for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(`${draft}${ending}`, { force: true });
    }
  });
}

/** Opens a case to write it, and keeps every other program out until it is closed. */
export function openToWrite(path: string): CaseDatabase {
  return guarded(path, () => {
    const db = new Database(path, { fileMustExist: true, timeout: WAIT_MS });
    try {
      verify(path, db);
      db.pragma('locking_mode = EXCLUSIVE');
      db.pragma('journal_mode = WAL');
      // Safe against the death of the program; a power cut may take the last transactions, and never half of one.
      db.pragma('synchronous = NORMAL');
      migrate(db);
      // The lock is taken by the first write.
      db.exec('begin immediate; update source set complete = complete; commit');
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** Ends the writing of a complete case: from here on it is one file without companions, readable from anywhere. */
export function settle(path: string, db: CaseDatabase): void {
  guarded(path, () => db.pragma('journal_mode = DELETE'));
}

function connect(path: string): CaseDatabase {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: WAIT_MS });
  try {
    verify(path, db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A connection that only reads; what a killed program had begun is rolled back first, which takes one that may write. */
function connectWhole(path: string): CaseDatabase {
  try {
    return connect(path);
  } catch (error) {
    if (!(error instanceof Database.SqliteError) || !error.code.startsWith('SQLITE_READONLY_')) throw error;
    const db = new Database(path, { fileMustExist: true, timeout: WAIT_MS });
    db.pragma('user_version');
    db.close();
    return connect(path);
  }
}

/** Opens a case to read it. One of an older version is brought up to date first. */
export function openToRead(path: string): CaseDatabase {
  if (!existsSync(path))
    throw new InputError(`${path}: no such file; \`faultline analyze TRACE -o CASE\` records a case`);
  return guarded(path, () => {
    const db = connectWhole(path);
    if (versionOf(db) === newestVersion()) return db;
    db.close();
    const older = openToWrite(path);
    settle(path, older);
    older.close();
    return connect(path);
  });
}
