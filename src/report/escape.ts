import { namesFiles, quoted } from '../core/input.ts';

/**
 * Text that comes from a trace is data, not terminal commands: a task may call itself "\x1b[2J". Whatever could
 * move a cursor, hide text or turn its direction is written as an escape.
 */

/**
 * Controls (C0, DEL, C1), format characters (BiDi controls, zero-width ones, the byte-order mark), line separators,
 * lone surrogates, and the replacement character that stands for invalid UTF-8.
 */
const UNSAFE = '\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}\\ufffd';
/** In text the backslash too, so that an escape is never ambiguous. */
const UNSAFE_IN_TEXT = new RegExp(`[${UNSAFE}\\\\]`, 'gu');
/** JSON.stringify has escaped some of them already; a terminal would obey the others. */
const UNSAFE_IN_JSON = new RegExp(`[${UNSAFE}]`, 'gu');

function jsonEscape(char: string): string {
  let escaped = '';
  for (let i = 0; i < char.length; i++) escaped += `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return escaped;
}

function textEscape(char: string): string {
  if (char === '\\') return '\\\\';
  const code = char.codePointAt(0)!;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : jsonEscape(char);
}

/** A text from a trace, safe to print. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE_IN_TEXT, textEscape);
}

/** One line of JSON that is safe to print: parses to the same value. Undefined members are left out. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE_IN_JSON, jsonEscape);
}

/** The name of an input as arguments that can be pasted into a shell, and printed. */
export function shellWord(path: string): string {
  if (namesFiles(path)) return escapeText(path);
  if (escapeText(path) !== path) return `$'${escapeText(path).replaceAll("'", "\\'")}'`;
  return quoted(path);
}
