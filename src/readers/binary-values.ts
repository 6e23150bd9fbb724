import type { EventField, EventFormat } from './event-format.ts';
import type { Expression } from './print-format.ts';
import { type Conversion, conversionBits } from './print-record.ts';
import { tableOf } from './print-text.ts';
import { isNumeric, isUnsigned, numberOf, type RecordBytes, typeSize } from './print-value.ts';

/**
 * How a number is read from a record. Nearly all are a field as it is, some a field under a mask, a few a field
 * with one value replaced (`REC->pfn != -1UL ? REC->pfn : 0`); any other expression is evaluated.
 */
export interface NumberPlan {
  readonly field: EventField | null;
  /** Applied to the field. */
  readonly maskLo: number;
  readonly maskHi: number;
  /** Value in place of which {@link insteadLo} is given; null if there is none. */
  readonly exceptLo: number | null;
  readonly exceptHi: number;
  readonly insteadLo: number;
  readonly insteadHi: number;
  /** 0: as wide as it is; -32 and 32: the low half, sign-extended or not, as the conversion prints it. */
  readonly cut: number;
  /** What to evaluate where there is no field. */
  readonly expression: Expression | null;
  /** Bits and sign of the conversion that prints it. */
  readonly bits: number;
  readonly signed: boolean;
}

const NO_RECORD: RecordBytes = {
  bytes: new Uint8Array(0),
  view: new DataView(new ArrayBuffer(0)),
  start: 0,
  end: 0,
  little: true,
  longSize: 8,
};

/** The field that an expression reads as it is: casts that change nothing are looked through. */
function plainField(of: Expression, format: EventFormat, longSize: number): EventField | null {
  if (of.kind === 'field') return isNumeric(of, format) ? format.fields.get(of.name)! : null;
  if (of.kind !== 'cast') return null;
  const field = plainField(of.of, format, longSize);
  if (field === null) return null;
  const size = typeSize(of.type, longSize);
  const kept =
    field.signed === isUnsigned(of, format) ? !field.signed && field.size < size : field.size <= size;
  return size === 8 || kept ? field : null;
}

function constantOf(of: Expression, format: EventFormat): bigint | null {
  const constant = of.kind !== 'field' && isConstant(of) && isNumeric(of, format);
  return constant ? numberOf(of, format, NO_RECORD) : null;
}

function isConstant(of: Expression): boolean {
  if (of.kind === 'number') return true;
  if (of.kind === 'unary' || of.kind === 'cast') return isConstant(of.of);
  return of.kind === 'binary' && isConstant(of.left) && isConstant(of.right);
}

const low = (value: bigint): number => Number(BigInt.asIntN(32, value));
const high = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));

function plan(field: EventField | null, changes: Partial<NumberPlan> = {}): NumberPlan {
  return {
    field,
    maskLo: -1,
    maskHi: -1,
    exceptLo: null,
    exceptHi: 0,
    insteadLo: 0,
    insteadHi: 0,
    cut: 0,
    expression: null,
    bits: 64,
    signed: true,
    ...changes,
  };
}

/** How to read a field by its name; null if it holds no single number. */
export function planField(format: EventFormat, name: string): NumberPlan | null {
  const field = plainField({ kind: 'field', name }, format, 8);
  return field ? plan(field) : null;
}

/** How to read the number that a conversion prints; null if the record alone does not tell it. */
export function planNumber(conversion: Conversion, format: EventFormat, longSize: number): NumberPlan | null {
  if (conversion.arg === null) return null;
  // Names in place of a number: the number that they name.
  const named = conversion.letter === 's';
  const of = named ? tableOf(conversion.arg, format)?.value : conversion.arg;
  if (!of || !isNumeric(of, format)) return null;
  const bits = named ? 64 : conversionBits(conversion, longSize);
  const signed = conversion.letter === 'd' || conversion.letter === 'i';
  const cut = bits === 32 ? (signed ? -32 : 32) : 0;
  const common = { cut, bits, signed };
  if (bits === 64 || bits === 32) {
    const field = plainField(of, format, longSize);
    if (field) return plan(field, common);
    if (of.kind === 'binary' && of.operator === '&') {
      const masked = plainField(of.left, format, longSize);
      const mask = constantOf(of.right, format);
      if (masked && mask !== null) return plan(masked, { ...common, maskLo: low(mask), maskHi: high(mask) });
    }
    const replaced = planReplaced(of, format, longSize);
    if (replaced) return { ...replaced, ...common };
  }
  return plan(null, { ...common, expression: of });
}

/** `REC->pfn != -1UL ? REC->pfn : 0` */
function planReplaced(of: Expression, format: EventFormat, longSize: number): NumberPlan | null {
  if (of.kind !== 'choice' || of.test.kind !== 'binary' || of.test.operator !== '!=') return null;
  const field = plainField(of.yes, format, longSize);
  const tested = plainField(of.test.left, format, longSize);
  const except = constantOf(of.test.right, format);
  const instead = constantOf(of.no, format);
  if (!field || field !== tested || except === null || instead === null) return null;
  return plan(field, {
    exceptLo: low(except),
    exceptHi: high(except),
    insteadLo: low(instead),
    insteadHi: high(instead),
  });
}

/** Reads the number of a plan that has a field; false where the field leaves the record. */
export function readPlanned(
  plan: NumberPlan,
  record: RecordBytes,
  into: { lo: number; hi: number },
): boolean {
  const field = plan.field!;
  const { view, little } = record;
  const at = record.start + field.offset;
  const size = field.size;
  if (at + size > record.end) return false;
  let lo: number;
  let hi: number;
  if (size === 8) {
    lo = view.getInt32(little ? at : at + 4, little);
    hi = view.getInt32(little ? at + 4 : at, little);
  } else {
    if (size === 4) lo = view.getInt32(at, little);
    else if (size === 2) lo = field.signed ? view.getInt16(at, little) : view.getUint16(at, little);
    else lo = field.signed ? view.getInt8(at) : view.getUint8(at);
    hi = field.signed ? lo >> 31 : 0;
  }
  lo &= plan.maskLo;
  hi &= plan.maskHi;
  if (plan.exceptLo === lo && plan.exceptHi === hi) {
    lo = plan.insteadLo;
    hi = plan.insteadHi;
  }
  if (plan.cut !== 0) hi = plan.cut < 0 ? lo >> 31 : 0;
  into.lo = lo;
  into.hi = hi;
  return true;
}
