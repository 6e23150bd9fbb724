/**
 * Plain values as bytes and back: numbers, texts, arrays, objects, Maps, Sets, typed arrays. Two places that hold the
 * same object hold the same object again after reading. The same values give the same bytes.
 */
import { ByteReader, ByteWriter } from './bytes.ts';

/** What can be written: data without functions and classes. */
export type Plain =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | TypedArray
  | readonly Plain[]
  | ReadonlyMap<Plain, Plain>
  | ReadonlySet<Plain>
  | { readonly [key: string]: Plain };

type TypedArray = Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array | Int16Array;

const UNDEFINED = 0;
const NULL = 1;
const FALSE = 2;
const TRUE = 3;
const WHOLE = 4;
const NEGATIVE = 5;
const NUMBER = 6;
const TEXT = 7;
const TEXT_AGAIN = 8;
const ARRAY = 9;
const OBJECT = 10;
const OBJECT_NEW = 11;
const AGAIN = 12;
const MAP = 13;
const SET = 14;
const BIG = 15;
const TYPED = 16;
/** A Float64Array whose numbers all fit 32 bits, or are NaN. */
const NARROW = 17;

const NARROW_NAN = 0xffffffff;
const TYPES = [Float64Array, Int32Array, Uint32Array, Uint16Array, Uint8Array, Int16Array] as const;

function narrowed(values: Float64Array): Uint32Array | null {
  const out = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const whole = value >>> 0;
    if (whole === value && whole !== NARROW_NAN && !Object.is(value, -0)) out[i] = whole;
    else if (Number.isNaN(value)) out[i] = NARROW_NAN;
    else return null;
  }
  return out;
}

class Encoder {
  readonly #out = new ByteWriter(1 << 16);
  readonly #seen = new Map<object, number>();
  readonly #texts = new Map<string, number>();
  readonly #shapes = new Map<string, number>();

  encode(value: Plain): Uint8Array {
    this.#any(value);
    return this.#out.take();
  }

  #any(value: Plain): void {
    const out = this.#out;
    if (value === undefined) out.byte(UNDEFINED);
    else if (value === null) out.byte(NULL);
    else if (typeof value === 'boolean') out.byte(value ? TRUE : FALSE);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'bigint') {
      out.byte(BIG);
      this.#text(String(value));
    } else this.#object(value);
  }

  #number(value: number): void {
    const whole = Number.isSafeInteger(value) && !Object.is(value, -0);
    if (whole && value >= 0) {
      this.#out.byte(WHOLE);
      this.#out.varint(value);
    } else if (whole) {
      this.#out.byte(NEGATIVE);
      this.#out.varint(-value);
    } else {
      this.#out.byte(NUMBER);
      this.#out.f64(value);
    }
  }

  #text(value: string): void {
    const known = this.#texts.get(value);
    if (known !== undefined) {
      this.#out.byte(TEXT_AGAIN);
      this.#out.varint(known);
      return;
    }
    this.#texts.set(value, this.#texts.size);
    this.#out.byte(TEXT);
    this.#out.varint(value.length);
    // UTF-16 units: what is no valid text (a lone surrogate) comes back as it was.
    for (let i = 0; i < value.length; i++) this.#out.varint(value.charCodeAt(i));
  }

  #object(value: object): void {
    const out = this.#out;
    const known = this.#seen.get(value);
    if (known !== undefined) {
      out.byte(AGAIN);
      out.varint(known);
      return;
    }
    this.#seen.set(value, this.#seen.size);
    if (ArrayBuffer.isView(value)) this.#typed(value as TypedArray);
    else if (Array.isArray(value)) {
      out.byte(ARRAY);
      out.varint(value.length);
      for (const item of value) this.#any(item);
    } else if (value instanceof Map) {
      out.byte(MAP);
      out.varint(value.size);
      for (const [key, item] of value) {
        this.#any(key);
        this.#any(item);
      }
    } else if (value instanceof Set) {
      out.byte(SET);
      out.varint(value.size);
      for (const item of value) this.#any(item);
    } else this.#record(value as { readonly [key: string]: Plain });
  }

  #record(value: { readonly [key: string]: Plain }): void {
    const keys = Object.keys(value);
    const shape = JSON.stringify(keys);
    const known = this.#shapes.get(shape);
    if (known === undefined) {
      this.#shapes.set(shape, this.#shapes.size);
      this.#out.byte(OBJECT_NEW);
      this.#out.varint(keys.length);
      for (const key of keys) this.#text(key);
    } else {
      this.#out.byte(OBJECT);
      this.#out.varint(known);
    }
    for (const key of keys) this.#any(value[key]);
  }

  #typed(value: TypedArray): void {
    const type = TYPES.findIndex((Type) => value instanceof Type);
    if (type < 0) throw new TypeError('an array of a type that is not written');
    const narrow = type === 0 ? narrowed(value as Float64Array) : null;
    const from = narrow ?? value;
    this.#out.byte(narrow === null ? TYPED : NARROW);
    this.#out.byte(type);
    this.#out.varint(value.length);
    this.#out.raw(new Uint8Array(from.buffer, from.byteOffset, from.byteLength));
  }
}

class Decoder {
  readonly #in: ByteReader;
  readonly #seen: Plain[] = [];
  readonly #texts: string[] = [];
  readonly #shapes: Array<readonly string[]> = [];

  constructor(bytes: Uint8Array) {
    this.#in = new ByteReader(bytes);
  }

  any(): Plain {
    const input = this.#in;
    const tag = input.byte();
    switch (tag) {
      case UNDEFINED:
        return undefined;
      case NULL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case WHOLE:
        return input.varint();
      case NEGATIVE:
        return -input.varint();
      case NUMBER:
        return input.f64();
      case BIG:
        return BigInt(this.any() as string);
      case TEXT:
        return this.#text();
      case TEXT_AGAIN:
        return this.#texts[input.varint()];
      case AGAIN:
        return this.#seen[input.varint()];
      default:
        return this.#object(tag);
    }
  }

  #text(): string {
    const length = this.#in.varint();
    let text = '';
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.#in.varint());
    this.#texts.push(text);
    return text;
  }

  #object(tag: number): Plain {
    const input = this.#in;
    // Kept before its members are read: they may hold it.
    const place = this.#seen.push(undefined) - 1;
    switch (tag) {
      case TYPED:
      case NARROW: {
        const typed = this.#typed(tag);
        this.#seen[place] = typed;
        return typed;
      }
      case ARRAY: {
        const length = input.varint();
        const array: Plain[] = [];
        this.#seen[place] = array;
        for (let i = 0; i < length; i++) array.push(this.any());
        return array;
      }
      case MAP: {
        const size = input.varint();
        const map = new Map<Plain, Plain>();
        this.#seen[place] = map;
        for (let i = 0; i < size; i++) {
          const key = this.any();
          map.set(key, this.any());
        }
        return map;
      }
      case SET: {
        const size = input.varint();
        const set = new Set<Plain>();
        this.#seen[place] = set;
        for (let i = 0; i < size; i++) set.add(this.any());
        return set;
      }
      case OBJECT:
      case OBJECT_NEW: {
        const object: Record<string, Plain> = {};
        this.#seen[place] = object;
        const keys = tag === OBJECT ? this.#shapes[input.varint()] : this.#newShape();
        if (keys === undefined) throw new RangeError('bytes name a shape that was not told');
        for (const key of keys) object[key] = this.any();
        return object;
      }
      default:
        throw new RangeError(`bytes hold no value: tag ${tag}`);
    }
  }

  #newShape(): readonly string[] {
    const count = this.#in.varint();
    const keys: string[] = [];
    for (let i = 0; i < count; i++) keys.push(this.any() as string);
    this.#shapes.push(keys);
    return keys;
  }

  #typed(tag: number): TypedArray {
    const input = this.#in;
    const Type = TYPES[input.byte()];
    const length = input.varint();
    if (Type === undefined) throw new RangeError('bytes hold an array of no known type');
    if (tag === TYPED) return new Type(input.raw(length * Type.BYTES_PER_ELEMENT).slice().buffer);
    const narrow = new Uint32Array(input.raw(length * 4).slice().buffer);
    const wide = new Float64Array(length);
    for (let i = 0; i < length; i++) wide[i] = narrow[i] === NARROW_NAN ? Number.NaN : narrow[i]!;
    return wide;
  }
}

/** A value as bytes. */
export function encodePlain(value: Plain): Uint8Array {
  return new Encoder().encode(value);
}

/** The value that {@link encodePlain} wrote. Throws RangeError where the bytes are none. */
export function decodePlain(bytes: Uint8Array): Plain {
  return new Decoder(bytes).any();
}
