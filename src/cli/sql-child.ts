/**
 * The process that answers one query: `sql-child CASE QUERY` prints the names of the columns, then the rows, each as a
 * line of JSON. A query inside SQLite cannot be stopped from within; this process can be.
 */
import { writeSync } from 'node:fs';
import { InputError } from '../core/errors.ts';
import { ask, QueryError } from '../store/query.ts';

/** What the process says: columns first, then rows, and at the end whether all went well. */
export type ChildLine =
  | { readonly columns: readonly string[] }
  | readonly unknown[]
  | { readonly done: true }
  | { readonly failed: 'query' | 'input'; readonly text: string };

const CHUNK = 1 << 16;

function send(text: string): void {
  const bytes = Buffer.from(text);
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      // The reader is slow: a pipe that is full is tried again.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function line(value: ChildLine): string {
  return `${JSON.stringify(value)}\n`;
}

function main([path, query]: readonly string[]): void {
  try {
    ask(path!, query!, ({ columns, rows }) => {
      let text = line({ columns });
      for (const row of rows) {
        text += line(row.map((cell) => (cell instanceof Uint8Array ? `${cell.length} bytes` : cell)));
        if (text.length < CHUNK) continue;
        send(text);
        text = '';
      }
      send(`${text}${line({ done: true })}`);
    });
  } catch (error) {
    if (error instanceof QueryError) send(line({ failed: 'query', text: error.message }));
    else if (error instanceof InputError) send(line({ failed: 'input', text: error.message }));
    else throw error;
  }
}

main(process.argv.slice(2));
