/**
 * The `print fmt:` of an event format: a string for printf and C expressions for its conversions. Read into a
 * tree; nothing is executed here.
 */

/** An expression of the C subset that kernels use in print formats. */
export type Expression =
  | { readonly kind: 'number'; readonly value: bigint; readonly unsigned: boolean }
  | { readonly kind: 'string'; readonly value: string }
  /** `REC->name` */
  | { readonly kind: 'field'; readonly name: string }
  /** An identifier that the kernel did not resolve: the name of an enum's member. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'unary'; readonly operator: string; readonly of: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'choice';
      readonly test: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  | { readonly kind: 'cast'; readonly type: string; readonly of: Expression }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  /** `{ 1, "name" }` in the arguments of __print_flags and __print_symbolic. */
  | { readonly kind: 'braces'; readonly items: readonly Expression[] }
  | { readonly kind: 'index'; readonly of: Expression; readonly at: Expression };

/** A print format, or what could be read of it. */
export interface PrintFormat {
  readonly format: string;
  readonly args: readonly Expression[];
}

/** Longest print format that is read: those of gfp flags reach 10,000 characters. */
const MAX_TEXT = 1 << 16;
/** Deepest nesting that is followed: those of gfp flags reach 30. */
const MAX_DEPTH = 150;
/** Most operands in a row. */
const MAX_CHAIN = 500;

/** Reads a print format; null if it is none, or is written in a way that this cannot read. */
export function parsePrintFormat(text: string): PrintFormat | null {
  if (text.length > MAX_TEXT) return null;
  try {
    return new Parser(text).format();
  } catch (error) {
    if (error instanceof Unreadable) return null;
    throw error;
  }
}

class Unreadable extends Error {}

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\[\s\S])*")|('(?:[^'\\]|\\.)')|(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)|([A-Za-z_]\w*)|(->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>?:,(){}[\].]))/y;

/** Binding strength of operators that stand between operands. */
const STRENGTH: ReadonlyMap<string, number> = new Map([
  ['||', 1],
  ['&&', 2],
  ['|', 3],
  ['^', 4],
  ['&', 5],
  ['==', 6],
  ['!=', 6],
  ['<', 7],
  ['>', 7],
  ['<=', 7],
  ['>=', 7],
  ['<<', 8],
  ['>>', 8],
  ['+', 9],
  ['-', 9],
  ['*', 10],
  ['/', 10],
  ['%', 10],
]);

const TYPE_WORD =
  /^(unsigned|signed|const|volatile|struct|union|enum|void|char|short|int|long|bool|[us](?:8|16|32|64)|__[a-z]*\d+|\w+_t)$/;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' };

interface Token {
  readonly kind: 'string' | 'number' | 'word' | 'sign' | 'end';
  readonly text: string;
  readonly unsigned: boolean;
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #token: Token;

  constructor(text: string) {
    this.#text = text;
    this.#token = this.#read();
  }

  #read(): Token {
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    if (!match) {
      if (this.#text.slice(this.#at).trim() !== '') throw new Unreadable();
      return { kind: 'end', text: '', unsigned: false };
    }
    this.#at = TOKEN.lastIndex;
    const [, string, character, number, suffix, word, sign] = match;
    if (string !== undefined) {
      const value = string.slice(1, -1).replace(/\\([\s\S])/g, (_, c: string) => ESCAPES[c] ?? c);
      return { kind: 'string', text: value, unsigned: false };
    }
    if (character !== undefined) {
      const c = character.replace(/^'\\?|'$/g, '');
      return { kind: 'number', text: String(c.charCodeAt(0)), unsigned: false };
    }
    if (number !== undefined) {
      const octal = /^0\d+$/.test(number) ? `0o${number.slice(1)}` : number;
      if (!/^(0o[0-7]+|0x[0-9a-f]{1,16}|\d{1,20})$/i.test(octal)) throw new Unreadable();
      return { kind: 'number', text: octal, unsigned: /u/i.test(suffix ?? '') };
    }
    if (word !== undefined) return { kind: 'word', text: word, unsigned: false };
    return { kind: 'sign', text: sign!, unsigned: false };
  }

  #next(): Token {
    const token = this.#token;
    this.#token = this.#read();
    return token;
  }

  #is(sign: string): boolean {
    return this.#token.kind === 'sign' && this.#token.text === sign;
  }

  #accept(sign: string): boolean {
    if (!this.#is(sign)) return false;
    this.#next();
    return true;
  }

  #expect(sign: string): void {
    if (!this.#accept(sign)) throw new Unreadable();
  }

  format(): PrintFormat {
    const format = this.#strings();
    const args: Expression[] = [];
    while (this.#accept(',')) args.push(this.#expression());
    if (this.#token.kind !== 'end') throw new Unreadable();
    return { format, args };
  }

  #strings(): string {
    let text = '';
    while (this.#token.kind === 'string') text += this.#next().text;
    return text;
  }

  #expression(): Expression {
    if (++this.#depth > MAX_DEPTH) throw new Unreadable();
    const test = this.#operators(1);
    let result = test;
    if (this.#accept('?')) {
      const yes = this.#is(':') ? test : this.#expression();
      this.#expect(':');
      result = { kind: 'choice', test, yes, no: this.#expression() };
    }
    this.#depth--;
    return result;
  }

  #operators(least: number): Expression {
    let left = this.#operand();
    // A long chain makes a deep tree.
    for (let length = 0; length < MAX_CHAIN; length++) {
      const operator = this.#token.kind === 'sign' ? this.#token.text : '';
      const strength = STRENGTH.get(operator);
      if (strength === undefined || strength < least) return left;
      this.#next();
      left = { kind: 'binary', operator, left, right: this.#operators(strength + 1) };
    }
    throw new Unreadable();
  }

  #operand(): Expression {
    if (++this.#depth > MAX_DEPTH) throw new Unreadable();
    const result = this.#behind(this.#plain());
    this.#depth--;
    return result;
  }

  #plain(): Expression {
    const token = this.#token;
    if (token.kind === 'string') return { kind: 'string', value: this.#strings() };
    if (token.kind === 'end') throw new Unreadable();
    this.#next();
    if (token.kind === 'number')
      return { kind: 'number', value: BigInt(token.text), unsigned: token.unsigned };
    if (token.kind === 'word') return this.#word(token.text);
    switch (token.text) {
      case '-':
      case '+':
      case '!':
      case '~':
      case '&':
      case '*':
        return { kind: 'unary', operator: token.text, of: this.#operand() };
      case '{':
        return { kind: 'braces', items: this.#list('}') };
      case '(':
        return this.#parentheses();
      default:
        throw new Unreadable();
    }
  }

  #word(name: string): Expression {
    if (name === 'REC' && this.#accept('->')) {
      const field = this.#next();
      if (field.kind !== 'word') throw new Unreadable();
      return { kind: 'field', name: field.text };
    }
    if (name === 'sizeof' && this.#accept('(')) {
      const words: string[] = [];
      while (!this.#is(')')) {
        if (this.#token.kind === 'end') throw new Unreadable();
        words.push(this.#next().text);
      }
      this.#next();
      return { kind: 'call', name, args: [{ kind: 'string', value: words.join(' ') }] };
    }
    if (this.#accept('(')) return { kind: 'call', name, args: this.#list(')') };
    return { kind: 'name', name };
  }

  #list(end: string): Expression[] {
    const items: Expression[] = [];
    while (!this.#accept(end)) {
      items.push(this.#expression());
      if (!this.#accept(',') && !this.#is(end)) throw new Unreadable();
    }
    return items;
  }

  /** Behind an opening parenthesis: a type, or an expression. */
  #parentheses(): Expression {
    const words: string[] = [];
    if (this.#token.kind === 'word' && TYPE_WORD.test(this.#token.text)) {
      while (this.#token.kind === 'word' || this.#is('*')) words.push(this.#next().text);
      this.#expect(')');
      return { kind: 'cast', type: words.join(' '), of: this.#operand() };
    }
    const inner = this.#expression();
    this.#expect(')');
    return inner;
  }

  /** What may follow an operand. */
  #behind(start: Expression): Expression {
    let of = start;
    for (let length = 0; length < MAX_CHAIN; length++) {
      if (this.#accept('[')) {
        of = { kind: 'index', of, at: this.#expression() };
        this.#expect(']');
      } else if (this.#is('->') || this.#is('.')) {
        throw new Unreadable();
      } else return of;
    }
    throw new Unreadable();
  }
}
