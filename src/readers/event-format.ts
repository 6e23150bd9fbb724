/**
 * Descriptions of binary records, as the kernel writes them to events/.../format: name, number, fields by offset,
 * and how the kernel prints them.
 */

/** Where the bytes of a field are. */
export type FieldPlace =
  /** At its offset. */
  | 'fixed'
  /** `__data_loc`: its 32 bits hold offset from the record's start and length. */
  | 'data_loc'
  /** `__rel_loc`: the same from the end of the field. */
  | 'rel_loc'
  /** From its offset to the end of the record. */
  | 'rest';

/** One field of a record. */
export interface EventField {
  readonly name: string;
  /** As declared, without name and brackets: `unsigned long`, `char`, `struct folio *`. */
  readonly type: string;
  /** Bytes from the start of the record. */
  readonly offset: number;
  readonly size: number;
  readonly signed: boolean;
  readonly place: FieldPlace;
  /** Declared with brackets. */
  readonly array: boolean;
}

/** One kind of record. */
export interface EventFormat {
  readonly system: string;
  readonly name: string;
  readonly id: number;
  readonly fields: ReadonlyMap<string, EventField>;
  /** Text behind `print fmt:`, '' if there is none. */
  readonly print: string;
}

const FIELD =
  /^\s*field(?: special)?:([^;]{1,400});\s*offset:\s*(\d{1,6});\s*size:\s*(\d{1,6});(?:\s*signed:\s*(\d+);)?/;
/** A record has at most some dozen fields. */
const MAX_FIELDS = 512;

/** Name and number of a format, without reading the rest of it: traces have thousands and use few. */
export function formatHeading(text: string): { readonly name: string; readonly id: number } | null {
  const match = /^\s*name:\s*(\S{1,256})[ \t\r]*\n\s*ID:\s*(\d{1,5})[ \t\r]*\n/.exec(text);
  if (!match) return null;
  const id = Number(match[2]);
  return id > 0xffff ? null : { name: match[1]!, id };
}

/** Reads a description; null if it is none. */
export function parseFormat(system: string, text: string): EventFormat | null {
  const heading = formatHeading(text);
  if (!heading) return null;
  const fields = new Map<string, EventField>();
  const printAt = text.indexOf('\nprint fmt:');
  for (const line of (printAt < 0 ? text : text.slice(0, printAt)).split('\n')) {
    const match = FIELD.exec(line);
    if (!match || fields.size >= MAX_FIELDS) continue;
    const field = declared(match[1]!, Number(match[2]), Number(match[3]), match[4]);
    if (field && !fields.has(field.name)) fields.set(field.name, field);
  }
  return { ...heading, system, fields, print: printAt < 0 ? '' : text.slice(printAt + 11).trim() };
}

/** A declaration like `__data_loc char[] name`, `char comm[16]`, `__attribute__((user)) const char * buf`. */
function declared(
  declaration: string,
  offset: number,
  size: number,
  signedness: string | undefined,
): EventField | null {
  let text = declaration.trim();
  const place: FieldPlace = text.startsWith('__data_loc ')
    ? 'data_loc'
    : text.startsWith('__rel_loc ')
      ? 'rel_loc'
      : size === 0
        ? 'rest'
        : 'fixed';
  if (place === 'data_loc' || place === 'rel_loc') text = text.slice(text.indexOf(' ') + 1);
  const array = /\[[^\]]*\]/.test(text);
  text = text.replace(/\[[^\]]*\]/g, ' ').trim();
  const name = /([A-Za-z_]\w*)$/.exec(text)?.[1];
  if (name === undefined) return null;
  const type = text.slice(0, text.length - name.length).trim();
  const signed =
    signedness === undefined ? !/unsigned|\bu(8|16|32|64)\b|\*|size_t/.test(type) : signedness !== '0';
  return { name, type, offset, size, signed, place, array };
}
