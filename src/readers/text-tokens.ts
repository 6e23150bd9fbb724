/**
 * Splits the text of a record into keys and values, without any memory of texts before: the careful way, for
 * the first record of an event and for texts that a user can shape.
 */

const BLANK = 32;
const QUOTE = 34;
const OPEN = 40;
const CLOSE = 41;
const COMMA = 44;
const COLON = 58;
const EQUALS = 61;

/** Longest comm. */
const COMM_BYTES = 15;

/**
 * Values that hold whatever a user likes, blanks and `key=` included, and what the kernel prints behind them.
 * The last such text counts: for a comm, the last one that its 15 bytes leave room for.
 */
const FREE_TEXT: ReadonlyMap<string, readonly string[]> = new Map([
  ['filename', [' pid=', ', present=', ', succeed=']],
  ['comm', [' pid=', ' tgid=']],
  ['child_comm', [' child_pid=']],
  ['prev_comm', [' prev_pid=']],
  ['next_comm', [' next_pid=']],
  ['parent_comm', [' parent_pid=']],
  ['oldcomm', [' newcomm=']],
  ['newcomm', [' oom_score_adj=']],
]);

/** 1 for bytes that a key may begin with; 2 for those that may follow. */
const KEY_BYTES = new Uint8Array(256);
for (let c = 0; c < 256; c++) {
  const text = String.fromCharCode(c);
  if (/[A-Za-z_]/.test(text)) KEY_BYTES[c] = 1;
  else if (/[\w.>[\]-]/.test(text)) KEY_BYTES[c] = 2;
}

/** What stands between a key and its value. */
export type Separator = '=' | ':' | ' ';

/** One key and its value, as bounds of bytes. */
export interface Token {
  readonly key: string;
  readonly keyStart: number;
  readonly start: number;
  readonly end: number;
}

/** Keys whose values a user can shape: they are read in the careful way every time. */
export function isFreeText(key: string): boolean {
  return FREE_TEXT.has(key);
}

/** Position behind the location of a probe record, `(func+0x4/0x190) ` or `(caller+0x75/0x100 <- func) `. */
export function behindLocation(b: Uint8Array, from: number, end: number): number {
  if (b[from] !== OPEN) return from;
  let p = from;
  while (p < end && b[p] !== CLOSE) p++;
  p++;
  if (b[p] === BLANK) p++;
  return p < end ? p : end;
}

/** The keys and values of `b[from, end)`, in order. */
export function tokens(b: Buffer, from: number, end: number, separator: Separator): Token[] {
  const found: Array<{ key: string; keyStart: number; start: number; end: number }> = [];
  let p = from;
  while (p < end) {
    while (p < end && b[p] === BLANK) p++;
    const keyStart = p;
    if (KEY_BYTES[b[p]!] === 1) {
      do p++;
      while (p < end && KEY_BYTES[b[p]!]! > 0);
      if (p < end && isSeparator(b[p]!, separator)) {
        const key = b.toString('latin1', keyStart, p);
        if (separator !== ' ') close(b, found, keyStart);
        p++;
        if (separator !== '=') while (p < end && b[p] === BLANK) p++;
        const start = p;
        p = valueBound(b, key, start, end);
        found.push({ key, keyStart, start, end: p });
        // Any word may be the key of the next one.
        if (separator === ' ') found.at(-1)!.end = wordEnd(b, start, end);
        continue;
      }
    }
    p = b[keyStart] === QUOTE ? quoteEnd(b, keyStart, end) : p;
    p = wordEnd(b, p, end);
  }
  const last = found.at(-1);
  if (last) last.end = separator === ' ' ? last.end : end;
  return found;
}

function wordEnd(b: Buffer, from: number, end: number): number {
  let p = from;
  while (p < end && b[p] !== BLANK) p++;
  return p;
}

/** Behind the quoted string at `from`; quotes inside it are not escaped. */
function quoteEnd(b: Buffer, from: number, end: number): number {
  for (let p = from + 1; p < end; p++) {
    const next = b[p + 1];
    if (b[p] === QUOTE && (p + 1 === end || next === BLANK || next === COMMA || next === CLOSE)) return p + 1;
  }
  return end;
}

function isSeparator(c: number, separator: Separator): boolean {
  return separator === '=' ? c === EQUALS : separator === ':' ? c === COLON : c === BLANK;
}

/** The value last found ends where the next key begins, blanks and a comma in front of it not included. */
function close(b: Buffer, found: Array<{ end: number }>, at: number): void {
  const last = found.at(-1);
  if (!last || at <= last.end) return;
  let end = at;
  if (b[end - 1] === BLANK) end--;
  if (b[end - 1] === COMMA) end--;
  if (end > last.end) last.end = end;
}

/** Where to look for the next key: behind a quoted string or a free text, else right here. */
function valueBound(b: Buffer, key: string, start: number, end: number): number {
  if (b[start] === QUOTE) {
    for (let p = start + 1; p < end; p++) {
      const next = b[p + 1];
      if (b[p] === QUOTE && (p + 1 === end || next === BLANK || next === COMMA || next === CLOSE))
        return p + 1;
    }
    return end;
  }
  const closings = FREE_TEXT.get(key);
  if (!closings) return start;
  for (const closing of closings) {
    const window = key === 'filename' ? end : Math.min(end, start + COMM_BYTES + closing.length);
    const found = b.subarray(start, window).lastIndexOf(closing, undefined, 'latin1');
    if (found >= 0) return start + found;
  }
  return start;
}
