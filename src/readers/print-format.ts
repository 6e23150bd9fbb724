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
/** Highest tree: whoever evaluates one calls himself as often. Those of kernels reach 19. */
const MAX_HEIGHT = 150;
/** Most steps that an evaluation of a tree takes: those of gfp flags reach 540. */
const MAX_STEPS = 1 << 13;

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
  /** Of trees that were read: their height, and the steps that evaluating them takes. */
  readonly #sizes = new Map<Expression, { readonly height: number; readonly steps: number }>();

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

  /** An expression made of `parts`, as often as it evaluates them. */
  #tree(made: Expression, ...parts: readonly Expression[]): Expression {
    let height = 1;
    let steps = 1;
    for (const part of parts) {
      const size = this.#sizes.get(part);
      height = Math.max(height, (size?.height ?? 1) + 1);
      steps += size?.steps ?? 1;
    }
    if (height > MAX_HEIGHT || steps > MAX_STEPS) throw new Unreadable();
    this.#sizes.set(made, { height, steps });
    return made;
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
      const no = this.#expression();
      result = this.#tree({ kind: 'choice', test, yes, no }, test, yes, no);
    }
    this.#depth--;
    return result;
  }

  #operators(least: number): Expression {
    let left = this.#operand();
    for (;;) {
      const operator = this.#token.kind === 'sign' ? this.#token.text : '';
      const strength = STRENGTH.get(operator);
      if (strength === undefined || strength < least) return left;
      this.#next();
      const right = this.#operators(strength + 1);
      left = this.#tree({ kind: 'binary', operator, left, right }, left, right);
    }
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
      case '*': {
        const of = this.#operand();
        return this.#tree({ kind: 'unary', operator: token.text, of }, of);
      }
      case '{': {
        const items = this.#list('}');
        return this.#tree({ kind: 'braces', items }, ...items);
      }
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
    if (this.#accept('(')) {
      const args = this.#list(')');
      return this.#tree({ kind: 'call', name, args }, ...args);
    }
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
      const of = this.#operand();
      return this.#tree({ kind: 'cast', type: words.join(' '), of }, of);
    }
    const inner = this.#expression();
    this.#expect(')');
    return inner;
  }

  /** What may follow an operand. */
  #behind(start: Expression): Expression {
    let of = start;
    while (this.#accept('[')) {
      const at = this.#expression();
      of = this.#tree({ kind: 'index', of, at }, of, at);
      this.#expect(']');
    }
    if (this.#is('->') || this.#is('.')) throw new Unreadable();
    return of;
  }
}
