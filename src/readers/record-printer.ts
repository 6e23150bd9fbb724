import type { LineWriter } from '../core/line-writer.ts';
import { type NumberPlan, planField, planNumber, readPlanned } from './binary-values.ts';
import type { EventFormat } from './event-format.ts';
import { fieldsIn, type ReadFormat } from './print-keys.ts';
import { type Conversion, convert } from './print-record.ts';
import { type TextSources, tableOf } from './print-text.ts';
import { numberOf, type RecordBytes } from './print-value.ts';

/** Texts that are remembered by the number that they depend on. */
const MAX_TEXTS = 4096;
/** Bytes of a record's text: what the kernel prints it into is as large (include/linux/trace_seq.h). */
const MAX_RECORD = 8192;
/** Upper halves of numbers of 64 bits that a double holds exactly. */
const EXACT_HI = 0x1fffff;

type Print = (record: RecordBytes, out: LineWriter) => void;
type Part = (record: RecordBytes) => string;

const words = { lo: 0, hi: 0 };

/** Prints the records of one event, as {@link convert} does, without its care where a field is a plain number. */
export class RecordPrinter {
  readonly #befores: readonly string[];
  readonly #parts: readonly Print[];
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

  print(record: RecordBytes, out: LineWriter): void {
    const parts = this.#parts;
    const limit = out.length + MAX_RECORD;
    for (let i = 0; i < parts.length && out.length < limit; i++) {
      out.latin1(this.#befores[i]!);
      parts[i]!(record, out);
    }
    out.latin1(this.#tail);
    out.cut(limit);
  }
}

function isField({ arg }: Conversion, name: string): boolean {
  return arg?.kind === 'field' && arg.name === name;
}

function part(conversion: Conversion, format: EventFormat, longSize: number, sources: TextSources): Print {
  const { letter, flags, width, precision } = conversion;
  const careful: Part = (record) => convert(conversion, format, record, sources);
  if (isField(conversion, '__probe_func')) {
    return remembered(conversion, format, longSize, (record) => {
      const address = Number(numberOf(conversion.arg!, format, record));
      return sources.symbols.function(address) ?? careful(record);
    });
  }
  if (isField(conversion, '__probe_ip') || isField(conversion, '__probe_ret_ip') || /^(s|p.+)$/.test(letter))
    return remembered(conversion, format, longSize, careful);
  const plan = planNumber(conversion, format, longSize);
  if (!plan?.field || width > 0 || precision >= 0 || flags.includes('+')) return printed(careful);
  if (letter === 'x' || letter === 'p')
    return hexadecimal(plan, letter === 'p' ? longSize * 2 : 0, conversion, careful);
  return letter === 'd' || letter === 'u' || letter === 'i' ? decimal(plan, careful) : printed(careful);
}

function printed(make: Part): Print {
  return (record, out) => out.latin1(make(record));
}

function hexadecimal(plan: NumberPlan, digits: number, { flags, letter }: Conversion, careful: Part): Print {
  const prefix = letter === 'x' && flags.includes('#') ? '0x' : '';
  return (record, out) => {
    if (!readPlanned(plan, record, words)) {
      out.latin1(careful(record));
      return;
    }
    out.text(prefix);
    out.hex(words.lo, words.hi, digits);
  };
}

function decimal(plan: NumberPlan, careful: Part): Print {
  return (record, out) => {
    if (!readPlanned(plan, record, words)) {
      out.latin1(careful(record));
      return;
    }
    const { lo, hi } = words;
    // Beyond this a double is not exact, and an unsigned number is not what the halves say.
    if (hi > EXACT_HI || hi < (plan.signed ? -EXACT_HI : 0)) out.latin1(careful(record));
    else out.decimal(hi * 4294967296 + (lo >>> 0));
  };
}

/** The one number that the text of a conversion depends on; null if there is no such. */
function numberBehind(conversion: Conversion, format: EventFormat, longSize: number): NumberPlan | null {
  const { arg } = conversion;
  if (arg === null) return null;
  // Names in place of some bits of a field: the others, which change from record to record, are all one.
  const named = tableOf(arg, format);
  if (named !== null && fieldsIn(arg, named.value).size === 0) {
    const plan = planNumber(conversion, format, longSize);
    if (plan?.field) return plan;
  }
  const [name, ...others] = fieldsIn(arg);
  return name !== undefined && others.length === 0 ? planField(format, name) : null;
}

/** Makes a text once per number that it depends on, where it depends on one alone. */
function remembered(conversion: Conversion, format: EventFormat, longSize: number, make: Part): Print {
  const plan = numberBehind(conversion, format, longSize);
  if (plan === null) return printed(make);
  const known = new Map<number, string>();
  return (record, out) => {
    // Beyond this a double is not exact.
    if (!readPlanned(plan, record, words) || words.hi > EXACT_HI || words.hi < -EXACT_HI) {
      out.latin1(make(record));
      return;
    }
    const number = words.hi * 4294967296 + (words.lo >>> 0);
    let text = known.get(number);
    if (text === undefined) {
      text = make(record);
      if (known.size < MAX_TEXTS) known.set(number, text);
    }
    out.latin1(text);
  };
}
