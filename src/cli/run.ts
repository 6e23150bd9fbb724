import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import picocolors from 'picocolors';
import { escapeText } from '../report/escape.ts';
import { PLAIN, type Style } from '../report/style.ts';
import type { AnyCommand, Context } from './command.ts';
import { COMMANDS } from './commands.ts';
import { ENGINE, type Engine } from './engine.ts';
import { EXIT, type ExitCode, explain, worse } from './exit.ts';
import { flagOption } from './options.ts';

/** The world as the program sees it. */
export interface Io {
  /** Writes to stdout, and resolves when it may go on. */
  out(text: string): Promise<void>;
  err(text: string): void;
  /** Whether stdout is a terminal that shows colours. */
  readonly colour: boolean;
  /** stderr, if it is a terminal. */
  readonly terminal: NodeJS.WriteStream | null;
  readonly debug: boolean;
  readonly signal: AbortSignal;
}

/** Needed by commands that read a trace. */
const watched = (): Promise<typeof import('./watched.ts')> => import('./watched.ts');

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

/** Runs one command line and returns its exit code. Never throws. */
export async function run(args: readonly string[], io: Io, engine: Engine = ENGINE): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const note = (other: ExitCode): void => {
    code = worse(code, other);
  };
  const fail = (error: unknown): void => {
    const { code: its, lines } = explain(error, io.debug);
    // Every message is one line, whatever a file name or a record brings into it; only a stack has several.
    for (const [i, line] of lines.entries())
      io.err(`${i === 0 ? 'faultline: ' : ''}${line.startsWith('Error') ? line : escapeText(line)}\n`);
    note(its);
  };

  const execute = async (spec: AnyCommand, command: Command): Promise<void> => {
    const options = command.opts();
    const style: Style = io.colour && flagOption(options, 'color') ? picocolors.createColors(true) : PLAIN;
    const context: Context = {
      engine,
      exit: note,
      fail,
      get stopped() {
        return io.signal.aborted;
      },
      signal: io.signal,
      async *events(input, how) {
        yield* (await watched()).eventsWatched(input, how, io.signal);
      },
      analyze: async (input, wanted, { record = null, onlooker } = {}) =>
        (await watched()).analyzeWatched(engine, input, wanted, {
          record: record === null ? null : { path: record, program: version() },
          onlooker: onlooker ?? null,
          signal: io.signal,
          terminal: flagOption(options, 'quiet') ? null : io.terminal,
        }),
    };
    for await (const text of spec.render(context, command.args, options, {
      json: flagOption(options, 'json'),
      style,
    })) {
      await io.out(text);
    }
    if (io.signal.aborted) note(EXIT.interrupted);
  };

  const program = new Command('faultline')
    .description('Replays Linux memory-management traces and flags divergences.')
    .version(version(), '-V, --version')
    .helpCommand(false)
    .showHelpAfterError('(--help shows how it is called)')
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing found, 1 divergences, 2 usage, 3 input unreadable,\n4 a required check could not judge, 70 a bug in faultline, 130 interrupted.',
    );
  let printed = Promise.resolve();
  const output = {
    writeOut: (text: string): void => {
      printed = printed.then(() => io.out(text));
    },
    writeErr: (text: string): void => io.err(text),
    outputError: (text: string, write: (text: string) => void): void =>
      write(text.replace(/^error: /, 'faultline: ')),
  };
  program.configureOutput(output).exitOverride();
  const first = args.find((arg) => !arg.startsWith('-'));
  const called = COMMANDS.find(({ name }) => name === first);
  const versionOnly = first === undefined && args.some((arg) => arg === '-V' || arg === '--version');
  try {
    for (const entry of COMMANDS) {
      const command = program.command(entry.name).description(entry.description);
      // The help of the program shows how each is called.
      if (called === undefined ? versionOnly : called !== entry) continue;
      const spec = await entry.load();
      spec.declare(command);
      command.action(() => execute(spec, command));
    }
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    fail(error);
  }
  await printed;
  return code;
}
