import { nearest } from '../core/suggest.ts';

/** A word of a scenario and where it stands, both from 1. */
export interface Token {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** One line of a scenario: its words, and whether it is indented. */
export interface Line {
  readonly number: number;
  readonly words: readonly Token[];
  readonly indented: boolean;
  readonly text: string;
  /** Column behind the last word. */
  readonly end: number;
}

/** What is wrong with a scenario, and where. The message says what was expected and what was found. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly line: number;
  readonly column: number;

  constructor(line: number, column: number, message: string) {
    super(`line ${line}, column ${column}: ${message}`);
    this.line = line;
    this.column = column;
  }
}

/** Names in a message: what was probably meant alone, else all there are. */
export function choices(found: string, names: readonly string[]): string {
  const near = nearest(found, names);
  return near === null ? `one of ${names.join(', ')}` : `did you mean '${near}'?`;
}

/** Lines with words in them; `#` begins a comment. */
export function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const code = raw.replace(/(^|\s)#.*$/, '$1');
    const words = [...code.matchAll(/\S+/g)].map((match) => ({
      text: match[0],
      line: i + 1,
      column: match.index + 1,
    }));
    if (words.length === 0) continue;
    const last = words.at(-1)!;
    lines.push({
      number: i + 1,
      words,
      indented: /^\s/.test(code),
      text: code.trim().replace(/\s+/g, ' '),
      end: last.column + last.text.length,
    });
  }
  return lines;
}

/** Reads the words of a line one by one, and complains with their place. */
export class Words {
  readonly #line: Line;
  #at: number;

  constructor(line: Line, from = 1) {
    this.#line = line;
    this.#at = from;
  }

  get more(): boolean {
    return this.#at < this.#line.words.length;
  }

  /** The next word without taking it. */
  get peek(): string | undefined {
    return this.#line.words[this.#at]?.text;
  }

  next(expected: string): Token {
    const word = this.#line.words[this.#at];
    if (word === undefined) throw this.error(`expected ${expected}, found the end of the line`);
    this.#at++;
    return word;
  }

  /** Takes a word that is one of these. */
  oneOf<const N extends string>(names: readonly N[], expected: string): N {
    const word = this.next(`${expected} (${names.join(', ')})`);
    const found = names.find((name) => name === word.text);
    if (found === undefined)
      throw new ScenarioError(
        word.line,
        word.column,
        `expected ${expected} (${names.join(', ')}), found '${word.text}'`,
      );
    return found;
  }

  /** Takes the name of something declared; `names` in the order of their numbers. */
  named(names: readonly string[], what: string): number {
    const known = names.length > 0 ? names.join(', ') : 'none is declared';
    const word = this.next(`${what} (${known})`);
    const at = names.indexOf(word.text);
    if (at < 0)
      throw new ScenarioError(word.line, word.column, `expected ${what} (${known}), found '${word.text}'`);
    return at;
  }

  /** Takes a small whole number. */
  number(expected: string): number {
    const word = this.next(expected);
    if (!/^\d{1,4}$/.test(word.text))
      throw new ScenarioError(word.line, word.column, `expected ${expected}, found '${word.text}'`);
    return Number(word.text);
  }

  /** Takes a new name: a letter, then letters, digits, dashes. */
  fresh(what: string, taken: readonly string[]): string {
    const word = this.next(`a name for ${what}`);
    if (!/^[A-Za-z][\w-]{0,39}$/.test(word.text))
      throw new ScenarioError(
        word.line,
        word.column,
        `expected a name for ${what} (a letter, then letters, digits, dashes; 40 at most), found '${word.text}'`,
      );
    if (taken.includes(word.text))
      throw new ScenarioError(word.line, word.column, `${what} '${word.text}' is declared twice`);
    return word.text;
  }

  end(): void {
    const word = this.#line.words[this.#at];
    if (word !== undefined)
      throw new ScenarioError(word.line, word.column, `expected the end of the line, found '${word.text}'`);
  }

  error(message: string): ScenarioError {
    const word = this.#line.words[this.#at];
    return new ScenarioError(this.#line.number, word?.column ?? this.#line.end, message);
  }
}
