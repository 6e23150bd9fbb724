import { endianness } from 'node:os';
import {
  FIELD_ABSENT,
  FIELD_OK,
  FIELD_UNREADABLE,
  type FieldForm,
  type FieldSpec,
  type FieldValues,
} from '../core/fields.ts';
import { LineWriter } from '../core/line-writer.ts';
import type { FieldExtractor, RecordBatch } from '../core/records.ts';
import { type NumberPlan, planField, planNumber, readPlanned } from './binary-values.ts';
import { viewOf, wordsOf } from './byte-strings.ts';
import type { EventFormat } from './event-format.ts';
import { PageFlagTexts } from './page-flag-texts.ts';
import { fieldsIn, type KeyedValue, type ReadFormat } from './print-keys.ts';
import { convert } from './print-record.ts';
import { isTextual, type TextSources } from './print-text.ts';
import { isNumeric, numberOf, type RecordBytes } from './print-value.ts';
import { RecordPrinter } from './record-printer.ts';
import { KEY_FUNCTION, KEY_TEXT } from './text-fields.ts';

/** Texts that are remembered by the number that they depend on. */
const MAX_TEXTS = 4096;

/** The machine that wrote binary records, and what their texts are made from. */
export interface BinarySources extends TextSources {
  readonly little: boolean;
  /** Bytes of a long. */
  readonly longSize: number;
}

const flagTexts = new PageFlagTexts();
/** The number last read. */
const words = { lo: 0, hi: 0 };

/** How a field is read: eight bytes or four as they are, or in the careful way, then cut to the bits of a mapping. */
const WAY_WORD = 0;
const WAY_SIGNED = 1;
const WAY_UNSIGNED = 2;
const WAY_CAREFUL = 3;
const WAY_ANON = 4;

/** The quickest way to read a number. */
function wayOf(plan: NumberPlan | null, form: FieldForm): number {
  if (form === 'anonbits') return WAY_ANON;
  const field = plan?.field;
  // Fields stand at multiples of their size, but for those that a module packs.
  if (field && field.offset % 4 !== 0) return WAY_CAREFUL;
  if (!plan || !field || plan.exceptLo !== null || plan.maskLo !== -1 || plan.maskHi !== -1)
    return WAY_CAREFUL;
  if (field.size === 8) return plan.cut === 0 ? WAY_WORD : WAY_CAREFUL;
  if (field.size !== 4) return WAY_CAREFUL;
  return (plan.cut === 0 ? field.signed : plan.cut < 0) ? WAY_SIGNED : WAY_UNSIGNED;
}

/** Reads one wanted field of a record. */
type Reader = (record: RecordBytes, into: FieldValues, i: number) => void;

/**
 * Reads the wanted fields of one event from its binary records. Keys are those of the event's text: the value
 * of `scan_pfn` is what the print format prints behind `scan_pfn=`, whatever the field is called.
 */
export function binaryExtractor(
  event: ReadFormat,
  specs: readonly FieldSpec[],
  sources: BinarySources,
): FieldExtractor {
  const reading = new EventReading(event, specs, sources);
  return (batch, row, into) => reading.extract(batch, row, into);
}

class EventReading {
  readonly #record: RecordBytes;
  readonly #plans: readonly (NumberPlan | null)[];
  readonly #readers: readonly (Reader | null)[];
  /** How each field is read, where it begins in the record, and where the last of them ends. */
  readonly #ways: Uint8Array;
  readonly #offsets: Int32Array;
  readonly #reach: number;
  /** Numbers stand in the order of this machine, which is little-endian. */
  readonly #native: boolean;
  readonly #event: ReadFormat;
  readonly #sources: BinarySources;
  /** Texts of the record last read: the bytes that `bytes` fields point into. */
  #scratch = Buffer.alloc(0);
  #written = 0;

  constructor(event: ReadFormat, specs: readonly FieldSpec[], sources: BinarySources) {
    const { little, longSize } = sources;
    this.#event = event;
    this.#sources = sources;
    this.#record = {
      bytes: new Uint8Array(0),
      view: new DataView(new ArrayBuffer(0)),
      start: 0,
      end: 0,
      little,
      longSize,
    };
    const plans: (NumberPlan | null)[] = [];
    const readers: (Reader | null)[] = [];
    for (const spec of specs) {
      const number = spec.form === 'bytes' || spec.form === 'pageflags' ? null : this.#number(spec.key);
      plans.push(number?.field ? number : null);
      readers.push(number?.field ? null : this.#reader(spec, number));
    }
    this.#plans = plans;
    this.#readers = readers;
    this.#native = little && endianness() === 'LE';
    this.#ways = Uint8Array.from(specs, ({ form }, i) => wayOf(plans[i]!, form));
    this.#offsets = Int32Array.from(plans, (plan) => plan?.field?.offset ?? 0);
    this.#reach = Math.max(0, ...plans.map((plan) => (plan ? plan.field!.offset + plan.field!.size : 0)));
  }

  get #format(): EventFormat {
    return this.#event.format;
  }

  #number(key: string): NumberPlan | null {
    const conversion = this.#event.value(key)?.conversions[0];
    if (conversion) return planNumber(conversion, this.#format, this.#sources.longSize);
    return this.#event.keyless ? planField(this.#format, key) : null;
  }

  #reader(spec: FieldSpec, number: NumberPlan | null): Reader {
    if (spec.key === KEY_FUNCTION) return this.#functionReader();
    if (spec.key === KEY_TEXT) return this.#textReader();
    if (spec.form === 'pageflags') return this.#flagsReader(spec.key);
    if (spec.form === 'bytes') return this.#valueReader(spec.key);
    return number ? evaluated(number, this.#format) : absent;
  }

  extract(batch: RecordBatch, row: number, into: FieldValues): void {
    const start = batch.start[row]!;
    const ways = this.#ways;
    const offsets = this.#offsets;
    const { state, lo, hi } = into;
    const native = this.#native ? wordsOf(batch.bytes) : null;
    const plain = native !== null && (start & 3) === 0 && start + this.#reach <= batch.end[row]!;
    this.#record.end = 0;
    for (let i = 0; i < ways.length; i++) {
      const at = (start + offsets[i]!) >> 2;
      const way = plain ? ways[i]! : WAY_CAREFUL;
      if (way === WAY_WORD) {
        lo[i] = native![at]!;
        hi[i] = native![at + 1]!;
        state[i] = FIELD_OK;
      } else if (way === WAY_SIGNED) {
        const low = native![at]!;
        lo[i] = low;
        hi[i] = low >> 31;
        state[i] = FIELD_OK;
      } else if (way === WAY_UNSIGNED) {
        lo[i] = native![at]!;
        hi[i] = 0;
        state[i] = FIELD_OK;
      } else this.#careful(batch, row, into, i);
    }
  }

  /** Reads a field that is no plain number of four or eight bytes, or may not be whole. */
  #careful(batch: RecordBatch, row: number, into: FieldValues, i: number): void {
    const record = this.#record;
    if (record.end === 0) {
      record.bytes = batch.bytes;
      record.view = viewOf(batch.bytes);
      record.start = batch.start[row]!;
      record.end = batch.end[row]!;
      this.#written = 0;
    }
    const plan = this.#plans[i]!;
    if (plan === null) {
      this.#readers[i]!(record, into, i);
      return;
    }
    if (!readPlanned(plan, record, words)) {
      into.state[i] = FIELD_UNREADABLE;
      return;
    }
    if (this.#ways[i] === WAY_ANON) {
      // The low two bits of a page's mapping, or 4 for none.
      into.lo[i] = words.lo === 0 && words.hi === 0 ? 4 : words.lo & 3;
      into.hi[i] = 0;
    } else {
      into.lo[i] = words.lo;
      into.hi[i] = words.hi;
    }
    into.state[i] = FIELD_OK;
  }

  /** Hands out a text as the value of field `i`. */
  #give(text: string, into: FieldValues, i: number): void {
    const at = this.#written;
    if (at + text.length > this.#scratch.length) {
      const larger = Buffer.alloc((at + text.length) * 2 + 256);
      this.#scratch.copy(larger);
      this.#scratch = larger;
    }
    this.#scratch.write(text, at, 'latin1');
    this.#written = at + text.length;
    into.bytes = this.#scratch;
    into.start[i] = at;
    into.end[i] = this.#written;
    into.state[i] = FIELD_OK;
  }

  /** The function that a probe sits on. */
  #functionReader(): Reader {
    const field = ['__probe_func', '__probe_ip'].find((name) => this.#format.fields.has(name));
    const of = { kind: 'field', name: field ?? '' } as const;
    if (field === undefined || !isNumeric(of, this.#format)) return absent;
    const { symbols } = this.#sources;
    return (record, into, i) => {
      const name = symbols.function(Number(numberOf(of, this.#format, record)));
      if (name === null) into.state[i] = FIELD_ABSENT;
      else this.#give(name, into, i);
    };
  }

  /** The whole text of the record. */
  #textReader(): Reader {
    if (!this.#event.plan) return absent;
    const printer = new RecordPrinter(this.#event, this.#sources.longSize, this.#sources);
    const line = new LineWriter();
    return (record, into, i) => {
      line.clear();
      printer.print(record, line);
      this.#give(line.toLatin1(), into, i);
    };
  }

  #valueReader(key: string): Reader {
    const value = this.#event.value(key);
    if (value) {
      const text = this.#remembered(value, (record) => this.#valueText(value, record));
      return (record, into, i) => this.#give(text(record), into, i);
    }
    const name = { kind: 'field', name: key } as const;
    if (!this.#event.keyless) return absent;
    if (isTextual(name, this.#format) || isNumeric(name, this.#format)) {
      const textual = isTextual(name, this.#format);
      const conversion = {
        before: '',
        flags: '',
        width: -1,
        precision: -1,
        length: 'll',
        letter: textual ? 's' : 'd',
        arg: name,
      };
      return (record, into, i) =>
        this.#give(convert(conversion, this.#format, record, this.#sources), into, i);
    }
    return absent;
  }

  #valueText(value: KeyedValue, record: RecordBytes): string {
    let text = '';
    for (const [n, conversion] of value.conversions.entries()) {
      if (n > 0) text += conversion.before;
      text += convert(conversion, this.#format, record, this.#sources);
    }
    return text;
  }

  /** Makes a text once per number that it depends on, where it depends on one alone. */
  #remembered<T>(value: KeyedValue, make: (record: RecordBytes) => T): (record: RecordBytes) => T {
    const names = new Set<string>();
    for (const { arg } of value.conversions) if (arg) fieldsIn(arg, null, names);
    const [name] = names;
    const of = { kind: 'field', name: name ?? '' } as const;
    if (names.size !== 1 || !isNumeric(of, this.#format)) return make;
    const known = new Map<bigint, T>();
    return (record) => {
      const number = numberOf(of, this.#format, record);
      const found = known.get(number);
      if (found !== undefined) return found;
      const made = make(record);
      if (known.size < MAX_TEXTS) known.set(number, made);
      return made;
    };
  }

  /** Flags by the names that the file itself has for them; unreadable where it has none. */
  #flagsReader(key: string): Reader {
    const value = this.#event.value(key);
    const arg = value?.conversions[0]?.arg;
    if (!value || !arg) return absent;
    if (!isTextual(arg, this.#format)) {
      return (_record, into, i) => {
        into.state[i] = FIELD_UNREADABLE;
      };
    }
    const flags = this.#remembered(value, (record) => {
      const text = Buffer.from(this.#valueText(value, record), 'latin1');
      flagTexts.read(text, 0, text.length);
      return flagTexts.readable ? flagTexts.flags : Number.NaN;
    });
    return (record, into, i) => {
      const bits = flags(record);
      into.lo[i] = bits;
      into.hi[i] = 0;
      into.state[i] = Number.isNaN(bits) ? FIELD_UNREADABLE : FIELD_OK;
    };
  }
}

function absent(_record: RecordBytes, into: FieldValues, i: number): void {
  into.state[i] = FIELD_ABSENT;
}

/** A number that is no plain field. */
function evaluated(plan: NumberPlan, format: EventFormat): Reader {
  const of = plan.expression!;
  return (record, into, i) => {
    const value = numberOf(of, format, record);
    const cut = plan.signed ? BigInt.asIntN(plan.bits, value) : BigInt.asUintN(plan.bits, value);
    into.lo[i] = Number(BigInt.asIntN(32, cut));
    into.hi[i] = Number(BigInt.asIntN(32, cut >> 32n));
    into.state[i] = FIELD_OK;
  };
}
