import Database from 'better-sqlite3';
import { openToRead } from './database.ts';
import { CaseReader } from './reader.ts';
import { declareTables } from './sql-tables.ts';

/** A query that cannot be run: what SQLite says of it. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

/** The rows of a query, after the names of its columns. */
export interface QueryResult {
  readonly columns: readonly string[];
  readonly rows: Iterable<readonly unknown[]>;
}

/** Asks a case, which cannot be changed by it. `use` gets the result while the case is open. Throws QueryError. */
export function ask(path: string, query: string, use: (result: QueryResult) => void): void {
  const reader = new CaseReader(path);
  // A connection that is answering a query cannot be asked for what the live tables need.
  const db = openToRead(path);
  try {
    declareTables(db, reader);
    const statement = db.prepare(query);
    if (!statement.reader) throw new QueryError('a query has to return rows: a case is read and not changed');
    use({
      columns: statement.columns().map(({ name }) => name),
      rows: statement.raw().iterate() as Iterable<readonly unknown[]>,
    });
  } catch (error) {
    if (
      error instanceof Database.SqliteError &&
      (error.code === 'SQLITE_ERROR' || error.code === 'SQLITE_READONLY')
    )
      throw new QueryError(error.message);
    if (error instanceof RangeError && error.message.includes('statement'))
      throw new QueryError('give one statement');
    throw error;
  } finally {
    db.close();
    reader.close();
  }
}
