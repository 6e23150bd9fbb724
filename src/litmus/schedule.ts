import type { Schedule } from './explore/outcome.ts';
import type { Program } from './program.ts';

/**
 * A schedule as one word: `L1~scenario~text~variant~steps`. `L1` is the version of this form; `text` is a hash of the
 * scenario's statements and declarations, so that a token is never replayed against another scenario of the same name;
 * steps are thread numbers in base 64, as many in a character as fit.
 */
const FORM = 'L1';
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
export const TOKEN_LENGTH_MAX = 200;

export interface Token {
  readonly scenario: string;
  readonly text: string;
  readonly variant: string;
  readonly steps: string;
}

/** FNV-1a over what a scenario does: comments, blanks and expectations make no difference. */
export function hashOf(program: Program): string {
  let hash = 0x811c9dc5;
  const does = program.text
    .replace(/^expect[\s\S]*/m, '')
    .split('\n')
    .map((line) =>
      line
        .replace(/(^|\s)#.*$/, '')
        .trim()
        .replace(/\s+/g, ' '),
    )
    .filter((line) => line !== '' && !/^(title|origin|about|requires) /.test(line))
    .join('\n');
  for (let i = 0; i < does.length; i++) hash = Math.imul(hash ^ does.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36).padStart(7, '0').slice(-6);
}

/** Thread numbers that fit in one character. */
function perDigit(threads: number): { readonly base: number; readonly count: number } {
  const base = Math.max(2, threads);
  return { base, count: Math.floor(Math.log(64) / Math.log(base) + 1e-9) };
}

export function encode(program: Program, variant: string, schedule: Schedule): string {
  const { base, count } = perDigit(program.threads.length);
  let steps = schedule.length.toString(36);
  steps += '.';
  for (let i = 0; i < schedule.length; i += count) {
    let digit = 0;
    for (let k = count - 1; k >= 0; k--) digit = digit * base + (schedule[i + k] ?? 0);
    steps += DIGITS[digit]!;
  }
  return [FORM, program.name, hashOf(program), variant, steps].join('~');
}

/** Takes a token apart; null if it is none. */
export function readToken(text: string): Token | null {
  const parts = text.split('~');
  if (parts.length !== 5 || parts[0] !== FORM) return null;
  const [, scenario, hash, variant, steps] = parts as [string, string, string, string, string];
  return { scenario, text: hash, variant, steps };
}

/** The schedule of a token for this program; null if its steps are garbled. */
export function decode(program: Program, token: Token): Schedule | null {
  const { base, count } = perDigit(program.threads.length);
  const match = /^([0-9a-z]{1,4})\.([\w-]*)$/.exec(token.steps);
  if (match === null) return null;
  const length = Number.parseInt(match[1]!, 36);
  const schedule: number[] = [];
  for (const char of match[2]!) {
    let digit = DIGITS.indexOf(char);
    for (let k = 0; k < count && schedule.length < length; k++) {
      schedule.push(digit % base);
      digit = Math.floor(digit / base);
    }
  }
  const isWhole = schedule.length === length && schedule.every((thread) => thread < program.threads.length);
  return isWhole ? schedule : null;
}
