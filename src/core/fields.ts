/**
 * The meeting point of readers and tracepoint decoders: a decoder declares which fields of a record it
 * wants and how each is written; a reader fills {@link FieldValues} from text or from binary. Neither
 * side knows the other. No string is made for a field that nobody asks for.
 */

/**
 * How the bytes of one field are to be understood.
 * - `int`: signed decimal, `0x` hexadecimal or a bare number; the text decides.
 * - `hex`: hexadecimal with or without `0x`, 64 bits.
 * - `ptr`: a pointer. A hashed pointer (16 digits, upper half zero, not zero itself) has state HASHED.
 * - `pageflags`: page flag names joined by `|`; a number in their place is unreadable, its bits differ by kernel.
 * - `bytes`: the text itself; `start`/`end` bound it.
 * - `anonbits`: a `mapping=` pointer of which only the low two bits survive hashing rules: raw pointers
 *   give 0 file, 1 anon, 3 KSM; a null pointer gives state OK with value NaN-free 4 (no mapping).
 */
export type FieldForm = 'int' | 'hex' | 'ptr' | 'pageflags' | 'bytes' | 'anonbits';

/** One wanted field: its key in the record, and its form. Keys are those that the kernel prints. */
export interface FieldSpec {
  readonly key: string;
  readonly form: FieldForm;
}

/** The field is not in the record. */
export const FIELD_ABSENT = 0;
/** The field has a value. */
export const FIELD_OK = 1;
/** A pointer that the kernel hashed before printing: equal to itself within a boot, no address. */
export const FIELD_HASHED = 2;
/** Present, but no value: `(fault)`, `(null)` where a number was due, `(____ptrval____)`, `<OVERFLOW>`, junk. */
export const FIELD_UNREADABLE = 3;

/**
 * The values of one record, by position in the decoder's list of specs. Reused for every record: read at
 * once, keep nothing.
 */
export interface FieldValues {
  /** FIELD_* per field. */
  readonly state: Uint8Array;
  /** Low and high 32 bits of a numeric value (two's complement, as signed 32-bit integers). */
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  /** Bounds of a `bytes` field within {@link bytes}. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** The buffer that `start`/`end` point into; changes between records. */
  bytes: Uint8Array;
}

/** Room for the values of `count` fields. */
export function createFieldValues(count: number): FieldValues {
  return {
    state: new Uint8Array(count),
    lo: new Int32Array(count),
    hi: new Int32Array(count),
    start: new Int32Array(count),
    end: new Int32Array(count),
    bytes: new Uint8Array(0),
  };
}

/** Numeric value of field `i` as a signed 64-bit {@link Word}; NaN unless its state is OK. */
export function fieldNumber(values: FieldValues, i: number): number {
  return values.state[i] === FIELD_OK ? values.hi[i]! * 4294967296 + (values.lo[i]! >>> 0) : Number.NaN;
}

/** Text of a `bytes` field as latin1, for small closed sets of words; '' when absent. */
export function fieldText(values: FieldValues, i: number): string {
  if (values.state[i] !== FIELD_OK) return '';
  let text = '';
  for (let at = values.start[i]!; at < values.end[i]!; at++) text += String.fromCharCode(values.bytes[at]!);
  return text;
}
