#!/usr/bin/env node
import { existsSync } from 'node:fs';
import picocolors from 'picocolors';
import { InputError } from '../core/errors.ts';
import { prepareReading } from '../replay/reading-thread.ts';
import { inlineLess } from './compiler.ts';
import { EXIT, type ExitCode, explain } from './exit.ts';

/** Stacks are for those who mend faultline. */
const { FAULTLINE_DEBUG } = process.env;
const debug = FAULTLINE_DEBUG === '1';
// A stack that names the sources: what runs is bundled.
if (debug) process.setSourceMapsEnabled(true);

const stop = new AbortController();

// The first signal asks to stop and to print what was done so far; the second one does not wait for that.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  });
}

/** What is known of the outcome when the reader of stdout goes away. */
let soFar: ExitCode = EXIT.ok;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // `faultline ... | head`: whoever read has read enough.
  if (error.code === 'EPIPE') process.exit(soFar);
  end(new InputError(`stdout cannot be written (${error.message}); make room, or send it elsewhere`));
});

function end(error: unknown): void {
  const { code, lines } = explain(error, debug);
  process.stderr.write(`faultline: ${lines.join('\n')}\n`);
  process.exit(code);
}
process.on('uncaughtException', end);
process.on('unhandledRejection', end);

inlineLess();
const args = process.argv.slice(2);
// Most commands read a trace: the thread that will do so loads what it needs while this one does.
if (args.some((arg, i) => i > 0 && (arg === '-' || existsSync(arg)))) prepareReading();
const { run } = await import('./run.ts');

soFar = await run(args, {
  out: (text) =>
    new Promise((resolve) => {
      process.stdout.write(text, () => resolve());
    }),
  err: (text) => {
    process.stderr.write(text);
  },
  colour: process.stdout.isTTY === true && picocolors.isColorSupported,
  terminal: process.stderr.isTTY === true ? process.stderr : null,
  debug,
  signal: stop.signal,
});
// A reader that waits for bytes that may never come would keep an interrupted program alive.
if (stop.signal.aborted) process.exit(soFar);
process.exitCode = soFar;
