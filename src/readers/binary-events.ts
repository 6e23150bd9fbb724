import type { FieldSpec } from '../core/fields.ts';
import { LineWriter } from '../core/line-writer.ts';
import type { FieldExtractor, RecordBatch } from '../core/records.ts';
import { type BinarySources, binaryExtractor } from './binary-fields.ts';
import { viewOf } from './byte-strings.ts';
import { type EventFormat, formatHeading, parseFormat } from './event-format.ts';
import type { InternedNames } from './names.ts';
import { type ReadFormat, readFormat } from './print-keys.ts';
import type { RecordBytes } from './print-value.ts';
import { RecordPrinter } from './record-printer.ts';

/** Numbers that common_type can have. */
const TYPES = 1 << 16;
/** In place of a name: the file does not describe records of this type. */
export const UNKNOWN_TYPE = -2;
/** In place of a type: several have the name. */
const SEVERAL = -1;
/** In place of a name: not looked up yet. */
const UNBOUND = -1;

type Printer = (record: RecordBytes, out: LineWriter) => void;

/** The events of a binary trace: formats by the number that records carry, read when they are first needed. */
export class BinaryEvents {
  readonly #texts = new Map<number, { readonly system: string; readonly text: string }>();
  /** The one type of record that has this name in the text of the kernel, or SEVERAL. */
  readonly #typeOfName = new Map<string, number>();
  readonly #names: InternedNames;
  readonly #sources: BinarySources;
  readonly #nameOfType = new Int32Array(TYPES).fill(UNBOUND);
  readonly #byType = new Map<number, ReadFormat>();
  readonly #printers = new Map<number, Printer>();

  constructor(
    formats: Iterable<{ readonly system: string; readonly text: string }>,
    names: InternedNames,
    sources: BinarySources,
  ) {
    this.#names = names;
    this.#sources = sources;
    for (const format of formats) {
      const heading = formatHeading(format.text);
      if (!heading || this.#texts.has(heading.id)) continue;
      this.#texts.set(heading.id, format);
      const name = textName({ system: format.system, name: heading.name });
      this.#typeOfName.set(name, this.#typeOfName.has(name) ? SEVERAL : heading.id);
    }
  }

  /** Id of the name of a type of record, or UNKNOWN_TYPE. */
  nameOf(type: number): number {
    const known = this.#nameOfType[type]!;
    return known === UNBOUND ? this.#bind(type) : known;
  }

  #bind(type: number): number {
    const text = this.#texts.get(type);
    const format = text ? parseFormat(text.system, text.text) : null;
    const id = format ? this.#names.id(textName(format)) : UNKNOWN_TYPE;
    if (format) this.#byType.set(type, readFormat(format));
    this.#nameOfType[type] = id;
    return id;
  }

  /**
   * Compiles the reading of some fields of the events of one name. Several may have it, in several systems: the
   * text of the kernel does not tell them apart either.
   */
  extractor(nameId: number, specs: readonly FieldSpec[]): FieldExtractor {
    const only = this.#typeOfName.get(this.#names.names[nameId]!) ?? SEVERAL;
    if (only !== SEVERAL && this.nameOf(only) !== UNKNOWN_TYPE)
      return binaryExtractor(this.#byType.get(only)!, specs, this.#sources);
    const { little } = this.#sources;
    const byType = new Map<number, FieldExtractor>();
    let lastType = -1;
    let last: FieldExtractor | null = null;
    return (batch, row, into) => {
      const type = viewOf(batch.bytes).getUint16(batch.start[row]!, little);
      if (type !== lastType || last === null) {
        last = byType.get(type) ?? binaryExtractor(this.#byType.get(type)!, specs, this.#sources);
        byType.set(type, last);
        lastType = type;
      }
      last(batch, row, into);
    };
  }

  /** Prints a record as the kernel does, name and payload, as far as its print format can be evaluated. */
  print(batch: RecordBatch, row: number, out: LineWriter): void {
    const { little, longSize } = this.#sources;
    const { bytes } = batch;
    const view = viewOf(bytes);
    const start = batch.start[row]!;
    const type = view.getUint16(start, little);
    const printer = this.#printers.get(type) ?? this.#printer(type);
    printer?.({ bytes, view, start, end: batch.end[row]!, little, longSize }, out);
  }

  #printer(type: number): Printer | undefined {
    const event = this.#byType.get(type);
    if (!event) return undefined;
    const printer = printerOf(event, new RecordPrinter(event, this.#sources.longSize, this.#sources));
    this.#printers.set(type, printer);
    return printer;
  }
}

/** Prints the name and the payload of an event's records. */
function printerOf(event: ReadFormat, payload: RecordPrinter): Printer {
  const name = textName(event.format);
  const syscall = event.format.system === 'syscalls';
  if (syscall && !name.endsWith('->')) {
    const own = new LineWriter();
    return (record, out) => {
      own.clear();
      payload.print(record, own);
      out.latin1(`${name}(${own.toLatin1().replace(/: 0x0*([0-9a-f])/g, ': $1')})`);
    };
  }
  const before = syscall ? `${name.slice(0, -2)} -> ` : `${name}: `;
  return (record, out) => {
    out.latin1(before);
    payload.print(record, out);
  };
}

/** The name that the kernel's own text gives to an event. */
function textName({ system, name }: Pick<EventFormat, 'system' | 'name'>): string {
  if (system !== 'syscalls') return name;
  if (name.startsWith('sys_enter_')) return `sys_${name.slice(10)}`;
  return name.startsWith('sys_exit_') ? `sys_${name.slice(9)}->` : name;
}

/** Strings that records point at: `0xffffffff81951a8f : "rcu_preempt"` by line. */
export function kernelStrings(text: string): ReadonlyMap<string, string> {
  const strings = new Map<string, string>();
  for (const match of text.matchAll(/^[ \t]*(0x[0-9a-f]+) : "(.*)"$/gm)) strings.set(match[1]!, match[2]!);
  return strings;
}
