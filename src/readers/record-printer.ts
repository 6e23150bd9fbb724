import { type NumberPlan, planNumber, readPlanned } from './binary-values.ts';
import type { EventFormat } from './event-format.ts';
import { fieldsIn, type ReadFormat } from './print-keys.ts';
import { type Conversion, convert } from './print-record.ts';
import type { TextSources } from './print-text.ts';
import { isNumeric, numberOf, type RecordBytes } from './print-value.ts';

/** Texts that are remembered by the number that they depend on. */
const MAX_TEXTS = 4096;

type Part = (record: RecordBytes) => string;

const words = { lo: 0, hi: 0 };

/** Prints the records of one event, as {@link convert} does, without its care where a field is a plain number. */
export class RecordPrinter {
  readonly #befores: readonly string[];
  readonly #parts: readonly Part[];
  readonly #tail: string;

  constructor({ format, plan }: ReadFormat, longSize: number, sources: TextSources) {
    const conversions = plan?.conversions ?? [];
    this.#befores = conversions.map(({ before }) => before);
    this.#tail = plan?.tail ?? '';
    // The kernel prints the return of a probed function as (caller <- function).
    const order = [...conversions];
    const func = order.findIndex((each) => isField(each, '__probe_func'));
    const caller = order.findIndex((each) => isField(each, '__probe_ret_ip'));
    if (func >= 0 && caller >= 0) [order[func], order[caller]] = [order[caller]!, order[func]!];
    this.#parts = order.map((conversion) => part(conversion, format, longSize, sources));
  }

  print(record: RecordBytes): string {
    let text = '';
    const parts = this.#parts;
    for (let i = 0; i < parts.length; i++) text += this.#befores[i]! + parts[i]!(record);
    return text + this.#tail;
  }
}

function isField({ arg }: Conversion, name: string): boolean {
  return arg?.kind === 'field' && arg.name === name;
}

function part(conversion: Conversion, format: EventFormat, longSize: number, sources: TextSources): Part {
  const { letter, width, precision } = conversion;
  const careful: Part = (record) => convert(conversion, format, record, sources);
  if (isField(conversion, '__probe_func')) {
    const place = remembered(conversion, format, (record) => {
      const address = Number(numberOf(conversion.arg!, format, record));
      return sources.symbols.function(address) ?? careful(record);
    });
    return place;
  }
  if (isField(conversion, '__probe_ip') || isField(conversion, '__probe_ret_ip') || /^(s|p.+)$/.test(letter))
    return remembered(conversion, format, careful);
  const plan = planNumber(conversion, format, longSize);
  if (!plan?.field || width > 0 || precision >= 0) return careful;
  if (letter === 'x' || letter === 'p')
    return hexadecimal(plan, letter === 'p' ? longSize * 2 : 0, conversion);
  return letter === 'd' || letter === 'u' || letter === 'i' ? decimal(plan, careful) : careful;
}

function hexadecimal(plan: NumberPlan, digits: number, { flags }: Conversion): Part {
  const prefix = flags.includes('#') ? '0x' : '';
  return (record) => {
    if (!readPlanned(plan, record, words)) return '0';
    const { lo, hi } = words;
    const text =
      hi === 0 ? (lo >>> 0).toString(16) : (hi >>> 0).toString(16) + (lo >>> 0).toString(16).padStart(8, '0');
    return prefix + (digits > text.length ? text.padStart(digits, '0') : text);
  };
}

function decimal(plan: NumberPlan, careful: Part): Part {
  return (record) => {
    if (!readPlanned(plan, record, words)) return '0';
    const { lo, hi } = words;
    // Beyond this a double is not exact, and an unsigned number is not what the halves say.
    if (hi > 0x1fffff || hi < (plan.signed ? -0x1fffff : 0)) return careful(record);
    return String(hi * 4294967296 + (lo >>> 0));
  };
}

/** Makes a text once per number that it depends on, where it depends on one alone. */
function remembered({ arg }: Conversion, format: EventFormat, make: Part): Part {
  const names = arg ? [...fieldsIn(arg)] : [];
  const of = { kind: 'field', name: names[0] ?? '' } as const;
  if (names.length !== 1 || !isNumeric(of, format)) return make;
  const known = new Map<bigint, string>();
  return (record) => {
    const number = numberOf(of, format, record);
    const found = known.get(number);
    if (found !== undefined) return found;
    const text = make(record);
    if (known.size < MAX_TEXTS) known.set(number, text);
    return text;
  };
}
