import type { Statement } from 'better-sqlite3';
import type { CaseDatabase } from './database.ts';

/** Statements on one database, each compiled once. */
export class Statements {
  readonly #db: CaseDatabase;
  readonly #known = new Map<string, Statement>();

  constructor(db: CaseDatabase) {
    this.#db = db;
  }

  of(sql: string): Statement {
    const known = this.#known.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#known.set(sql, statement);
    return statement;
  }
}
