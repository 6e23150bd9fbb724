/** Bytes of a header and of everything that is padded. */
const BLOCK = 512;
const MAGIC_AT = 257;
/** Names of GNU tar that do not fit a header stand in an entry of their own. */
const MAX_NAME = 1 << 16;

/** Whether an input is a tar archive. */
export function isTar(prefix: Uint8Array): boolean {
  return (
    prefix.length >= BLOCK &&
    Buffer.from(prefix.subarray(MAGIC_AT, MAGIC_AT + 5)).toString('latin1') === 'ustar'
  );
}

/** A file of an archive. */
export interface TarEntry {
  readonly name: string;
  readonly prefix: Uint8Array;
  /** All its bytes, the prefix included. */
  chunks(): AsyncGenerator<Uint8Array>;
}

/** Pulls bytes by number out of chunks. */
class Puller {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next bytes, at least one and at most `most`; null at the end. */
  async some(most: number): Promise<Uint8Array | null> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return null;
      this.#rest = next.value;
    }
    const bytes = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  /** So many bytes; fewer at the end. */
  async exactly(count: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    let left = count;
    while (left > 0) {
      const part = await this.some(left);
      if (part === null) break;
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const part = await this.some(left);
      if (part === null) return;
      left -= part.length;
    }
  }
}

function text(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const nul = field.indexOf(0);
  return field.toString('utf8', 0, nul < 0 ? length : nul);
}

/** A size: octal digits, or a binary number where they do not suffice. */
function sizeOf(header: Buffer): number {
  if (header[124]! & 0x80) return Number(header.readBigUInt64BE(128));
  const octal = text(header, 124, 12).trim();
  return /^[0-7]+$/.test(octal) ? Number.parseInt(octal, 8) : Number.NaN;
}

/**
 * The first file of an archive whose beginning (up to `prefixBytes`) is accepted; null if there is none. Reports
 * that support tools collect hold a trace among thousands of other files.
 */
export async function findInTar(
  chunks: AsyncIterable<Uint8Array>,
  prefixBytes: number,
  accepts: (prefix: Uint8Array) => boolean,
): Promise<TarEntry | null> {
  const input = new Puller(chunks);
  let longName: string | null = null;
  for (;;) {
    const header = await input.exactly(BLOCK);
    const size = header.length === BLOCK ? sizeOf(header) : Number.NaN;
    // An archive ends with blocks of zeros, and a damaged one anywhere.
    if (header.length < BLOCK || header[0] === 0 || !(size >= 0)) return null;
    const padded = Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156]!);
    if (type === 'L') {
      longName = text(await input.exactly(Math.min(size, MAX_NAME)), 0, Math.min(size, MAX_NAME));
      await input.skip(padded - Math.min(size, MAX_NAME));
      continue;
    }
    const folder = text(header, 345, 155);
    const name = longName ?? (folder === '' ? '' : `${folder}/`) + text(header, 0, 100);
    longName = null;
    const prefix =
      type === '0' || type === '\0' ? await input.exactly(Math.min(size, prefixBytes)) : Buffer.alloc(0);
    if (prefix.length > 0 && accepts(prefix))
      return { name, prefix, chunks: () => contents(input, prefix, size) };
    await input.skip(padded - prefix.length);
  }
}

async function* contents(input: Puller, prefix: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  yield prefix;
  for (let left = size - prefix.length; left > 0; ) {
    const part = await input.some(left);
    if (part === null) return;
    left -= part.length;
    yield part;
  }
}
