import type { EventField, EventFormat } from './event-format.ts';
import type { Expression } from './print-format.ts';

/** What expressions are evaluated on: the bytes of one record. */
export interface RecordBytes {
  bytes: Uint8Array;
  view: DataView;
  start: number;
  end: number;
  readonly little: boolean;
  /** Bytes of a long of the kernel. */
  readonly longSize: number;
}

/** Bounds of a field's bytes, or of what it points at within the record; null where they leave the record. */
export function fieldBounds(
  field: EventField,
  record: RecordBytes,
): readonly [from: number, to: number] | null {
  const at = record.start + field.offset;
  if (field.place === 'rest') return at <= record.end ? [at, record.end] : null;
  if (at + field.size > record.end) return null;
  if (field.place === 'fixed') return [at, at + field.size];
  const wide = field.size >= 4;
  if (!wide && field.size < 2) return null;
  const word = wide ? record.view.getUint32(at, record.little) : record.view.getUint16(at, record.little);
  const base = field.place === 'rel_loc' ? at + field.size : record.start;
  const from = base + (word & 0xffff);
  const to = wide ? from + (word >>> 16) : record.end;
  return from <= record.end && to <= record.end ? [from, to] : null;
}

/** The number in a field of 1, 2, 4 or 8 bytes; zero where it leaves the record. */
export function fieldValue(field: EventField, record: RecordBytes): bigint {
  const at = record.start + field.offset;
  if (at + field.size > record.end) return 0n;
  return numberAt(record, at, field.size, field.signed);
}

function numberAt(record: RecordBytes, at: number, size: number, signed: boolean): bigint {
  const { view, little } = record;
  let value = 0n;
  if (size === 8) value = view.getBigUint64(at, little);
  else if (size === 4) value = BigInt(view.getUint32(at, little));
  else if (size === 2) value = BigInt(view.getUint16(at, little));
  else if (size === 1) value = BigInt(view.getUint8(at));
  return signed ? BigInt.asIntN(size * 8, value) : value;
}

/** Bytes that a type takes; 0 if it is not a number. */
export function typeSize(type: string, longSize: number): number {
  if (type.includes('*')) return longSize;
  const words = type.replace(/\b(const|volatile|signed|unsigned)\b/g, '').trim();
  const sized = /^(?:__)?[usbl]?e?(8|16|32|64)$/.exec(words);
  if (sized) return Number(sized[1]) / 8;
  if (/^(char|bool)$/.test(words)) return 1;
  if (/^short/.test(words)) return 2;
  if (/^long long/.test(words)) return 8;
  if (/^(long|s?size_t|ulong|uintptr_t|ino_t|sector_t)/.test(words)) return longSize;
  if (/^(loff_t|u64|s64)$/.test(words)) return 8;
  return /^(struct|union)/.test(words) ? 0 : 4;
}

const OPERATORS = new Set('|| && | ^ & == != < > <= >= << >> + - * / %'.split(' '));

/** Whether an expression is a pointer to something larger than a byte: adding to it needs the size of that. */
function isPointer(of: Expression): boolean {
  return of.kind === 'cast' && of.type.includes('*') && !/^(const )?(void|char|u8)\b/.test(of.type);
}

/** Whether the number that an expression stands for can be told from a record alone. */
export function isNumeric(of: Expression, format: EventFormat): boolean {
  switch (of.kind) {
    case 'number':
      return true;
    case 'field': {
      const field = format.fields.get(of.name);
      return (
        field !== undefined && field.place === 'fixed' && !field.array && [1, 2, 4, 8].includes(field.size)
      );
    }
    case 'unary':
      return /^[-+!~]$/.test(of.operator) && isNumeric(of.of, format);
    case 'binary':
      if (/^[-+]$/.test(of.operator) && (isPointer(of.left) || isPointer(of.right))) return false;
      return OPERATORS.has(of.operator) && isNumeric(of.left, format) && isNumeric(of.right, format);
    case 'choice':
      return isNumeric(of.test, format) && isNumeric(of.yes, format) && isNumeric(of.no, format);
    case 'cast':
      return typeSize(of.type, 8) > 0 && isNumeric(of.of, format);
    case 'call':
      if (of.name === 'sizeof') return typeSize(stringOf(of.args[0]), 8) > 0;
      return (
        (of.name === '__get_dynamic_array_len' || of.name === '__get_rel_dynamic_array_len') &&
        dynamicField(of, format) !== null
      );
    case 'index': {
      const element = elementOf(of.of, format);
      return element !== null && isNumeric(of.at, format);
    }
    default:
      return false;
  }
}

function stringOf(of: Expression | undefined): string {
  return of?.kind === 'string' ? of.value : '';
}

/** The field that `__get_str(name)`, `__get_dynamic_array(name)` and the like name. */
export function dynamicField(of: Expression, format: EventFormat): EventField | null {
  if (
    of.kind === 'call' &&
    /^__get_(rel_)?(str|dynamic_array|bitmask|cpumask|dynamic_array_len)$/.test(of.name)
  ) {
    const name = of.args[0];
    return name?.kind === 'name' ? (format.fields.get(name.name) ?? null) : null;
  }
  return null;
}

/** The array that an indexed expression reads, and the size of its elements. */
function elementOf(
  of: Expression,
  format: EventFormat,
): { field: EventField; size: number; signed: boolean } | null {
  if (of.kind === 'field') {
    const field = format.fields.get(of.name);
    if (!field?.array) return null;
    const size = typeSize(field.type, 8);
    return size > 0 ? { field, size, signed: field.signed } : null;
  }
  if (of.kind === 'cast' && of.type.endsWith('*')) {
    const field =
      dynamicField(of.of, format) ?? (of.of.kind === 'field' ? format.fields.get(of.of.name) : null);
    const size = typeSize(of.type.slice(0, -1).trim(), 8);
    return field && size > 0 ? { field, size, signed: !/\bu|unsigned/.test(of.type) } : null;
  }
  return null;
}

/** Whether a number is one without a sign, as C has it. */
export function isUnsigned(of: Expression, format: EventFormat): boolean {
  if (of.kind === 'field') return format.fields.get(of.name)?.signed === false;
  if (of.kind === 'number') return of.unsigned;
  if (of.kind === 'cast') return /unsigned|^u\d|^__u|size_t|\*/.test(of.type);
  if (of.kind === 'binary') return isUnsigned(of.left, format) || isUnsigned(of.right, format);
  return false;
}

const MASK = (1n << 64n) - 1n;

/** The number that an expression stands for, as a signed 64-bit one. Only where {@link isNumeric} says so. */
export function numberOf(of: Expression, format: EventFormat, record: RecordBytes): bigint {
  return BigInt.asIntN(64, compute(of, format, record));
}

function compute(of: Expression, format: EventFormat, record: RecordBytes): bigint {
  switch (of.kind) {
    case 'number':
      return of.value;
    case 'field': {
      const field = format.fields.get(of.name);
      return field ? fieldValue(field, record) : 0n;
    }
    case 'unary': {
      const value = compute(of.of, format, record);
      if (of.operator === '-') return -value;
      if (of.operator === '~') return ~value;
      return of.operator === '!' ? (value === 0n ? 1n : 0n) : value;
    }
    case 'choice':
      return compute(numberOf(of.test, format, record) !== 0n ? of.yes : of.no, format, record);
    case 'cast': {
      const bits = typeSize(of.type, record.longSize) * 8;
      const value = compute(of.of, format, record);
      return isUnsigned(of, format) ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
    }
    case 'binary':
      return binary(of, format, record);
    case 'call': {
      if (of.name === 'sizeof') return BigInt(typeSize(stringOf(of.args[0]), record.longSize));
      const field = dynamicField(of, format);
      const bounds = field ? fieldBounds(field, record) : null;
      return bounds ? BigInt(bounds[1] - bounds[0]) : 0n;
    }
    case 'index': {
      const element = elementOf(of.of, format);
      const bounds = element ? fieldBounds(element.field, record) : null;
      if (!element || !bounds) return 0n;
      const at = bounds[0] + Number(BigInt.asIntN(32, compute(of.at, format, record))) * element.size;
      if (at < bounds[0] || at + element.size > bounds[1]) return 0n;
      return numberAt(record, at, element.size, element.signed);
    }
    default:
      return 0n;
  }
}

function binary(of: Expression & { kind: 'binary' }, format: EventFormat, record: RecordBytes): bigint {
  const left = numberOf(of.left, format, record);
  if (of.operator === '&&' && left === 0n) return 0n;
  if (of.operator === '||' && left !== 0n) return 1n;
  const right = numberOf(of.right, format, record);
  const unsigned = isUnsigned(of, format);
  const a = unsigned ? left & MASK : left;
  const b = unsigned ? right & MASK : right;
  const truth = (value: boolean): bigint => (value ? 1n : 0n);
  switch (of.operator) {
    case '&&':
    case '||':
      return truth(right !== 0n);
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '&':
      return left & right;
    case '==':
      return truth(left === right);
    case '!=':
      return truth(left !== right);
    case '<':
      return truth(a < b);
    case '>':
      return truth(a > b);
    case '<=':
      return truth(a <= b);
    case '>=':
      return truth(a >= b);
    case '<<':
      return BigInt.asIntN(64, left << (right & 63n));
    case '>>':
      return (isUnsigned(of.left, format) ? left & MASK : left) >> (right & 63n);
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return b === 0n ? 0n : a / b;
    case '%':
      return b === 0n ? 0n : a % b;
    default:
      return 0n;
  }
}
