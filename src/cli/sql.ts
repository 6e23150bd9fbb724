import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { InputError } from '../core/errors.ts';
import { jsonLine } from '../report/escape.ts';
import { csvLine, RowTable } from '../report/rows.ts';
import { CaseReader } from '../store/reader.ts';
import { schemaText } from '../store/sql-tables.ts';
import type { AnyCommand } from './command.ts';
import { Interrupted, UsageError } from './exit.ts';
import { declareOutputOptions, flagOption, integerOption, textOption } from './options.ts';
import type { ChildLine } from './sql-child.ts';

const FORMATS = ['table', 'csv', 'json'] as const;
const DEFAULT_SECONDS = 30;

/** How the query is bounded. */
interface Limits {
  readonly seconds: number;
  /** Aborted when the user asks to stop. */
  readonly signal: AbortSignal;
}

/** Lines of the process that answers, until it ends, its time is over or the user asks to stop. */
async function* answer(path: string, query: string, { seconds, signal }: Limits): AsyncGenerator<ChildLine> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./sql-child.js', import.meta.url)), path, query],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const stop = (): void => {
    child.kill('SIGKILL');
  };
  signal.addEventListener('abort', stop, { once: true });
  let overdue = false;
  const timer = setTimeout(() => {
    overdue = true;
    stop();
  }, seconds * 1000);
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  let done = false;
  let some = false;
  try {
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as ChildLine;
      if ('done' in line) done = true;
      else yield line;
      if (Array.isArray(line)) some = true;
      if ('failed' in line) done = true;
    }
    await ended;
    // Ctrl-C on a terminal ends both processes, in any order.
    if (!done && (signal.aborted || child.signalCode === 'SIGINT')) {
      if (some) return;
      throw new Interrupted();
    }
    if (overdue)
      throw new InputError(
        `the query took more than ${seconds} s and was stopped; narrow it, or give --timeout`,
      );
    if (!done)
      throw new Error(`the query's process ended early: ${complaint.trim().split('\n').at(-1) ?? ''}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    stop();
  }
}

function formatOf(options: Readonly<Record<string, unknown>>, json: boolean): (typeof FORMATS)[number] {
  const given = textOption(options, 'format') ?? (json ? 'json' : 'table');
  const format = FORMATS.find((name) => name === given);
  if (format === undefined) throw new UsageError(`--format takes ${FORMATS.join(', ')}, not '${given}'`);
  return format;
}

/** `faultline sql`: a case as tables. */
export const sqlCommand: AnyCommand = {
  declare(command) {
    command.argument('<case>', 'the case');
    command.argument('[query]', 'one select statement');
    command
      .option('--schema', 'print the tables and what they hold')
      .option('--format <format>', 'table, csv or json (one object a line)')
      .option('--timeout <seconds>', 'stop a query that takes longer', String(DEFAULT_SECONDS));
    declareOutputOptions(command, 'one JSON object a line per row');
  },

  async *render(context, [path, query], options, { json }) {
    const format = formatOf(options, json);
    const seconds = integerOption(options, 'timeout', '--timeout', 1) ?? DEFAULT_SECONDS;
    if (query === undefined || flagOption(options, 'schema')) {
      const reader = new CaseReader(path!);
      try {
        yield schemaText(reader);
      } finally {
        reader.close();
      }
      return;
    }
    let columns: readonly string[] = [];
    const table = new RowTable();
    for await (const line of answer(path!, query, { seconds, signal: context.signal })) {
      if (Array.isArray(line)) {
        if (format === 'csv') yield csvLine(line);
        else if (format === 'json')
          yield `${jsonLine(Object.fromEntries(columns.map((name, i) => [name, line[i]])))}\n`;
        else yield table.row(line);
      } else if ('columns' in line) {
        columns = line.columns;
        if (format === 'csv') yield csvLine(columns);
        else if (format === 'table') table.start(columns);
      } else if ('failed' in line) {
        if (line.failed === 'input') throw new InputError(line.text);
        throw new UsageError(
          `the query is wrong: ${line.text}`,
          `\`faultline sql ${path} --schema\` shows the tables`,
        );
      }
    }
    if (format === 'table') yield table.end();
  },
};
