import type { EventFormat } from './event-format.ts';
import { type Expression, parsePrintFormat } from './print-format.ts';
import { isTextual, type TextSources, tableOf, textOf } from './print-text.ts';
import { isNumeric, numberOf, type RecordBytes } from './print-value.ts';

/** A conversion of a print format, with the argument that it takes. */
export interface Conversion {
  /** Text in front of it, behind the conversion before. */
  readonly before: string;
  readonly flags: string;
  readonly width: number;
  readonly precision: number;
  /** `hh`, `h`, `l`, `ll`, `L`, `z`, `t`, `j` or nothing. */
  readonly length: string;
  /** The letter, for pointers with what follows it: `d`, `s`, `p`, `pS`. */
  readonly letter: string;
  readonly arg: Expression | null;
}

const CONVERSION =
  /%(?:(%)|([-+ #0]*)(\*|\d{1,3})?(?:\.(\*|\d{1,3}))?(hh|h|ll|l|L|q|z|Z|t|j)?([diouxXcs]|p(?:[SsFfBbx]\b|[A-Za-z]\w*)?))/g;

/** What a format's records look like as text. */
export interface PrintPlan {
  readonly conversions: readonly Conversion[];
  /** Text behind the last conversion. */
  readonly tail: string;
}

/** Reads the print format of a record's format; null if there is none that can be read. */
export function printPlan(format: EventFormat): PrintPlan | null {
  const parsed = parsePrintFormat(format.print);
  if (!parsed) return null;
  const conversions: Conversion[] = [];
  let before = '';
  let from = 0;
  let next = 0;
  for (const match of parsed.format.matchAll(CONVERSION)) {
    before += parsed.format.slice(from, match.index);
    from = match.index + match[0].length;
    if (match[1] !== undefined) {
      before += '%';
      continue;
    }
    let letter = match[6]!;
    // Behind %p stands an extension only where printk knows one.
    if (letter.length > 1 && !/^p([SsFfBbx]|M\w?|m\w?|[iI][46]\w*|U\w?|a\w?|h\w?|bl?)$/.test(letter)) {
      from -= letter.length - 1;
      letter = 'p';
    }
    const dynamic = (text: string | undefined): number => {
      if (text !== '*') return text === undefined ? -1 : Number(text);
      next++;
      return -1;
    };
    const width = dynamic(match[3]);
    const precision = dynamic(match[4]);
    const arg = parsed.args[next++] ?? null;
    conversions.push({ before, flags: match[2]!, width, precision, length: match[5] ?? '', letter, arg });
    before = '';
  }
  return { conversions, tail: before + parsed.format.slice(from) };
}

/** Bits of the number that a conversion prints. */
export function conversionBits({ length, letter }: Conversion, longSize: number): number {
  if (letter.startsWith('p')) return longSize * 8;
  if (/^(ll|L|q|j)$/.test(length)) return 64;
  if (/^(l|z|Z|t)$/.test(length)) return longSize * 8;
  return length === 'hh' ? 8 : length === 'h' ? 16 : 32;
}

const UNTOLD = '?';

/** Text of one conversion. */
export function convert(
  conversion: Conversion,
  format: EventFormat,
  record: RecordBytes,
  sources: TextSources,
): string {
  const { arg, letter, flags, width, precision } = conversion;
  if (arg === null) return UNTOLD;
  let text: string;
  if (letter === 's') {
    text = stringOf(arg, format, record, sources);
    if (precision >= 0) text = text.slice(0, precision);
  } else if (!isNumeric(arg, format)) {
    return UNTOLD;
  } else {
    text = numberText(conversion, numberOf(arg, format, record), record.longSize, sources);
    if (precision > text.length) text = text.padStart(precision, '0');
  }
  if (width <= text.length) return text;
  if (flags.includes('-')) return text.padEnd(width);
  return flags.includes('0') && letter !== 's' ? zeroPadded(text, width) : text.padStart(width);
}

/** An address of code that the kernel prints as a symbol although the format says %lx. */
function isPlace({ arg }: Conversion): boolean {
  return arg?.kind === 'field' && /^__probe_(ip|func|ret_ip)$/.test(arg.name);
}

function zeroPadded(text: string, width: number): string {
  const sign = /^(-|0x)?/i.exec(text)![0];
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}

function stringOf(arg: Expression, format: EventFormat, record: RecordBytes, sources: TextSources): string {
  if (isTextual(arg, format)) return textOf(arg, format, record, sources);
  // Names whose numbers the kernel did not resolve: the number itself.
  const value = tableOf(arg, format)?.value ?? arg;
  if (!isNumeric(value, format)) return UNTOLD;
  return `0x${BigInt.asUintN(64, numberOf(value, format, record)).toString(16)}`;
}

function numberText(conversion: Conversion, value: bigint, longSize: number, sources: TextSources): string {
  const { letter, flags } = conversion;
  const bits = conversionBits(conversion, longSize);
  const unsigned = BigInt.asUintN(bits, value);
  if (isPlace(conversion) || /^p[SsFfB]$/.test(letter)) {
    const address = Number(BigInt.asIntN(64, value));
    const known = /^p[sf]$/.test(letter) ? sources.symbols.function(address) : sources.symbols.place(address);
    return known ?? `0x${BigInt.asUintN(64, value).toString(16)}`;
  }
  switch (letter) {
    case 'd':
    case 'i': {
      const signed = BigInt.asIntN(bits, value);
      return signed >= 0n && flags.includes('+') ? `+${signed}` : String(signed);
    }
    case 'u':
      return String(unsigned);
    case 'o':
      return (flags.includes('#') ? '0' : '') + unsigned.toString(8);
    case 'x':
      return (flags.includes('#') ? '0x' : '') + unsigned.toString(16);
    case 'X':
      return (flags.includes('#') ? '0X' : '') + unsigned.toString(16).toUpperCase();
    case 'c':
      return String.fromCharCode(Number(unsigned & 0xffn));
    case 'p':
    case 'px':
      return unsigned.toString(16).padStart(longSize * 2, '0');
    default:
      return `0x${unsigned.toString(16)}`;
  }
}
