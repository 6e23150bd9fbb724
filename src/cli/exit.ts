import { CommanderError } from 'commander';
import { InputError } from '../core/errors.ts';

/** Every exit code of every command (0 means: ran, and found nothing). */
export const EXIT = {
  ok: 0,
  divergences: 1,
  usage: 2,
  input: 3,
  notJudged: 4,
  bug: 70,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Where several inputs or rules ask for different codes, the first of these wins. */
const PRECEDENCE: readonly ExitCode[] = [
  EXIT.interrupted,
  EXIT.bug,
  EXIT.usage,
  EXIT.input,
  EXIT.divergences,
  EXIT.notJudged,
  EXIT.ok,
];

/** The code that tells most of two. */
export function worse(a: ExitCode, b: ExitCode): ExitCode {
  return PRECEDENCE.indexOf(a) < PRECEDENCE.indexOf(b) ? a : b;
}

/** A command line that asks for what cannot be: the message says what is wrong, the hint what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly hint: string | null;

  constructor(message: string, hint: string | null = null) {
    super(message);
    this.hint = hint;
  }
}

/** The user asked to stop before there was anything to tell. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  override readonly message = 'interrupted before there was anything to report';
}

/** What is to be said on stderr of an error, and its exit code. Commander has already said what it had to say. */
export function explain(
  error: unknown,
  debug: boolean,
): { readonly code: ExitCode; readonly lines: readonly string[] } {
  if (error instanceof CommanderError)
    return { code: error.exitCode === 0 ? EXIT.ok : EXIT.usage, lines: [] };
  if (error instanceof UsageError) {
    return { code: EXIT.usage, lines: [error.message, ...(error.hint === null ? [] : [error.hint])] };
  }
  if (error instanceof Interrupted) return { code: EXIT.interrupted, lines: [error.message] };
  if (error instanceof InputError) return { code: EXIT.input, lines: [error.message] };
  // Starting a thread or a process asks for it, whatever was to be read.
  if (error instanceof Error && (error as NodeJS.ErrnoException).syscall === 'uv_cwd')
    return {
      code: EXIT.input,
      lines: ['the current folder does not exist any more, or is closed to you; call faultline from another'],
    };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    code: EXIT.bug,
    lines: [
      `bug: ${message.replace(/\s+/g, ' ')}; please report it where you got faultline from, with the output of FAULTLINE_DEBUG=1`,
      ...(debug && error instanceof Error ? [error.stack ?? 'no stack'] : []),
    ],
  };
}
