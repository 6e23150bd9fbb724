import fc from 'fast-check';
import { InputError } from '../../src/core/errors.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';

/** A change to a file: what damage and malice do to it. */
type Change =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'splice'; readonly from: number; readonly to: number; readonly length: number }
  | { readonly kind: 'word'; readonly at: number; readonly size: number; readonly value: bigint };

/** Lengths, counts and offsets that lie. */
const LIES = [
  0n,
  1n,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  1n << 32n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
];

function change(size: number, hot: readonly number[]): fc.Arbitrary<Change> {
  // Structure stands in few places: half of all changes go there.
  const at = fc.oneof(
    fc.nat(size - 1),
    hot.length > 0 ? fc.constantFrom(...hot) : fc.nat(Math.min(size - 1, 2048)),
  );
  return fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('cut' as const), at }),
    fc.record({ kind: fc.constant('splice' as const), from: at, to: at, length: fc.nat(600) }),
    fc.record({
      kind: fc.constant('word' as const),
      at,
      size: fc.constantFrom(2, 4, 8),
      value: fc.oneof(fc.constantFrom(...LIES), fc.nat(size + 64).map(BigInt)),
    }),
  );
}

function applied(seed: Buffer, changes: readonly Change[]): Buffer {
  let bytes = Buffer.from(seed);
  for (const one of changes) {
    if (one.kind === 'cut') bytes = bytes.subarray(0, one.at);
    else if (one.kind === 'flip' && one.at < bytes.length) bytes[one.at]! ^= 1 << one.bit;
    else if (one.kind === 'splice') {
      const piece = Buffer.from(bytes.subarray(one.from, one.from + one.length));
      bytes = Buffer.concat([bytes.subarray(0, one.to), piece, bytes.subarray(one.to)]);
    } else if (one.kind === 'word') {
      for (let i = 0; i < one.size && one.at + i < bytes.length; i++)
        bytes[one.at + i] = Number((one.value >> BigInt(8 * i)) & 0xffn);
    }
  }
  return bytes;
}

/** Damaged copies of a file. `hot` are the places that say how long and how many things are. */
export function damagedCopies(seed: Buffer, hot: readonly number[]): fc.Arbitrary<Buffer> {
  return fc
    .array(change(seed.length, hot), { minLength: 1, maxLength: 6 })
    .map((changes) => applied(seed, changes));
}

/** Milliseconds that no small input may take. */
const LIMIT_MS = 2000;

/** Reads and decodes an input to its end. Throws if it does anything but end or be refused in a line. */
export async function survives(bytes: Buffer): Promise<'read' | 'refused'> {
  async function* stdin(): AsyncGenerator<Uint8Array> {
    if (bytes.length > 0) yield bytes;
  }
  const start = performance.now();
  let result: 'read' | 'refused' = 'read';
  try {
    for await (const { facts, last } of ingestHere('-', { stdin: stdin() })) {
      if (last && Number.isNaN(facts.records)) throw new Error('records without a number');
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (error.message.includes('\n')) throw new Error(`a refusal of several lines: ${error.message}`);
    result = 'refused';
  }
  const took = performance.now() - start;
  if (took > LIMIT_MS) throw new Error(`took ${took.toFixed(0)} ms`);
  return result;
}
