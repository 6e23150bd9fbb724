import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { InputError } from '../core/errors.ts';
import { Bounded, Decompressed } from './decompressed.ts';
import { decompressor, type Inflated, Inflater } from './inflate.ts';
import { findInTar, isTar } from './tar.ts';
import { xzPieces } from './xz.ts';
import { zstdPieces } from './zstd.ts';

const LINE_FEED = 10;
/** Bytes of a file that are read at once. */
const READ_BYTES = 1 << 18;
/** A trace that was compressed, and then packed again with other files, has two layers. */
const MAX_LAYERS = 3;

const STARTS: ReadonlyArray<readonly [kind: string, start: readonly number[]]> = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
];

/** An input from its first byte, decompressed, with its beginning at hand for those who recognise formats. */
export interface ByteSource {
  /** As the user gave it; `standard input` for '-'. */
  readonly label: string;
  /** The path, where a reader needs to seek: null for pipes and for compressed files. */
  readonly path: string | null;
  /** Where there is a path: fills `into[at, at + length)` with the next bytes, in place of {@link chunks}; how many, 0 at the end. */
  readonly readInto?: (into: Uint8Array, at: number, length: number) => number;
  /** Where there is a path: takes note of bytes that a reader has read by position, for {@link consumed}. */
  readonly noteRead?: (bytes: number) => void;
  /** Bytes arrive when they are made and not when they are asked for: yield what is there. */
  readonly live: boolean;
  /** The first bytes. */
  readonly prefix: Uint8Array;
  /** All bytes, the prefix included. Once. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Compressed or stored bytes consumed so far, and their total where it is known: for progress. */
  readonly consumed: number;
  readonly size: number | null;
  /** After the last chunk: why the input ended early, or null. */
  readonly truncated: string | null;
  /** Lets go of the file when no chunk is wanted any more. */
  close(): Promise<void>;
}

/** Where bytes come from before any decompression. */
class RawBytes {
  consumed = 0;
  readonly chunks: AsyncGenerator<Uint8Array>;

  constructor(read: () => AsyncGenerator<Uint8Array>) {
    this.chunks = this.#counted(read());
  }

  async *#counted(from: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of from) {
      this.consumed += chunk.length;
      yield chunk;
    }
  }
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  const file = await openFile(path, 'r');
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(READ_BYTES);
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** A file that is read without waiting, straight to where its bytes are wanted. */
class PlainFile {
  consumed = 0;
  readonly #path: string;
  #file = -1;

  constructor(path: string) {
    this.#path = path;
  }

  readInto(into: Uint8Array, at: number, length: number): number {
    if (this.#file < 0) this.#file = openSync(this.#path, 'r');
    const got = readSync(this.#file, into, at, length, null);
    this.consumed += got;
    return got;
  }

  close(): void {
    if (this.#file >= 0) closeSync(this.#file);
    this.#file = -1;
  }
}

async function* readStream(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* stream;
}

/**
 * Standard input by its descriptor: a worker thread has no process.stdin of its own. A pipe is read as a
 * socket, whose waiting read can be given up; a read of a file cannot wait. The modules are loaded here, since
 * files need none of them.
 */
async function* standardInput(): AsyncGenerator<Uint8Array> {
  const kind = fstatSync(0);
  if (kind.isFIFO() || kind.isSocket()) {
    const { Socket } = await import('node:net');
    yield* readStream(new Socket({ fd: 0, readable: true, writable: false }));
    return;
  }
  const { isatty, ReadStream } = await import('node:tty');
  if (isatty(0)) yield* readStream(new ReadStream(0));
  else yield* readFile('/dev/stdin');
}

/** Chunks with their beginning taken out for a look, and put back. */
async function peek(
  chunks: AsyncGenerator<Uint8Array>,
  bytes: number,
  enough: (prefix: Uint8Array) => boolean,
): Promise<{ prefix: Uint8Array; all: AsyncGenerator<Uint8Array> }> {
  const held: Uint8Array[] = [];
  let length = 0;
  while (length < bytes) {
    const next = await chunks.next();
    if (next.done) break;
    held.push(next.value);
    length += next.value.length;
    if (next.value.includes(LINE_FEED) && enough(Buffer.concat(held, length))) break;
  }
  const beginning = Buffer.concat(held, length);
  async function* all(): AsyncGenerator<Uint8Array> {
    if (beginning.length > 0) yield beginning;
    yield* chunks;
  }
  return { prefix: beginning.subarray(0, bytes), all: all() };
}

function compression(prefix: Uint8Array): string | null {
  for (const [kind, start] of STARTS) {
    if (start.every((byte, i) => prefix[i] === byte)) return kind;
  }
  return null;
}

/** What the user may be told about a path that cannot be read. */
function explain(path: string, error: NodeJS.ErrnoException): InputError {
  if (error.code === 'ENOENT')
    return new InputError(`${path}: no such file; give the path of a trace, or - for standard input`);
  if (error.code === 'EISDIR') return new InputError(`${path} is a directory; give the trace file in it`);
  if (error.code === 'EACCES' || error.code === 'EPERM')
    return new InputError(`${path}: permission denied; traces are often readable by root only`);
  return new InputError(`${path} cannot be read: ${error.message}`);
}

/** Options of {@link openSource}. */
export interface SourceOptions {
  /** Bytes that '-' stands for. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Bytes that formats may look at to recognise themselves. */
  readonly prefixBytes: number;
  /** Whether these lines are enough to go on, for inputs that are slow to come. */
  readonly enough: (prefix: Uint8Array) => boolean;
  /** Whether a file of an archive is a trace; without it archives are read as they are. */
  readonly accepts?: (prefix: Uint8Array) => boolean;
}

/** Opens a path or '-' and peels its compression. Throws {@link InputError}. */
export async function openSource(path: string, options: SourceOptions): Promise<ByteSource> {
  const live = path === '-';
  const label = live ? 'standard input' : path;
  const stat = live ? null : await statOf(path);
  const raw = new RawBytes(() =>
    live ? (options.stdin ? readStream(options.stdin) : standardInput()) : readFile(path),
  );
  let chunks = raw.chunks;
  const layers: Inflated[] = [];
  for (;;) {
    const start = await peek(chunks, 6, () => false);
    const kind = compression(start.prefix);
    chunks = start.all;
    if (kind === null) break;
    if (layers.length === MAX_LAYERS)
      throw new InputError(`${label} is compressed more than ${MAX_LAYERS} times over; decompress it first`);
    const inflater = inflated(kind, chunks, label);
    layers.push(inflater);
    chunks = inflater.chunks();
  }
  if (layers.length > 0) {
    const bounded = new Bounded(chunks, () => raw.consumed);
    layers.push(bounded);
    chunks = bounded.chunks();
  }
  let look = await peek(chunks, options.prefixBytes, options.enough);
  let inside = '';
  if (options.accepts && isTar(look.prefix)) {
    const entry = await findInTar(look.all, options.prefixBytes, options.accepts);
    if (entry === null)
      throw new InputError(`${label} is a tar archive without a trace that faultline knows`);
    look = { prefix: entry.prefix, all: entry.chunks() };
    inside = `: ${printable(entry.name)}`;
  }
  const plain = stat?.isFile() && layers.length === 0 && inside === '' ? new PlainFile(path) : null;
  let byPosition = 0;
  return {
    label: label + inside,
    path: plain === null ? null : path,
    ...(plain === null ? {} : { readInto: (into, at, length) => plain.readInto(into, at, length) }),
    noteRead: (bytes) => {
      byPosition += bytes;
    },
    live,
    prefix: look.prefix,
    chunks: () => look.all,
    size: stat?.isFile() ? stat.size : null,
    close: async () => {
      plain?.close();
      await chunks.return(undefined);
      await raw.chunks.return(undefined);
    },
    get consumed() {
      return Math.max(raw.consumed, plain?.consumed ?? 0, byPosition);
    },
    get truncated() {
      return layers.find((layer) => layer.failure !== null)?.failure ?? null;
    },
  };
}

/** A name from an archive, with what is no plain character shown as `?`. */
function printable(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}

/** The decompressor for a kind of data. Throws where there is none. */
function inflated(kind: string, chunks: AsyncGenerator<Uint8Array>, label: string): Inflated {
  if (kind === 'xz') return new Decompressed(xzPieces(chunks), kind);
  const create = kind === 'gzip' || kind === 'zstd' ? decompressor(kind) : null;
  if (create) return new Inflater(chunks, create(), kind);
  if (kind === 'zstd') return new Decompressed(zstdPieces(chunks), kind);
  throw new InputError(
    `${label} is ${kind} data, which this version does not decompress; ${adviceFor(kind, label)}`,
  );
}

async function statOf(path: string): Promise<Stats> {
  try {
    const file = await openFile(path, 'r');
    try {
      const stat = await file.stat();
      if (stat.isDirectory()) throw new InputError(`${path} is a directory; give the trace file in it`);
      return stat;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw explain(path, error as NodeJS.ErrnoException);
  }
}

function adviceFor(kind: string, label: string): string {
  const commands: Readonly<Record<string, string>> = {
    bzip2: 'bzip2 -dc',
    zip: 'unzip -p',
  };
  return `run: ${commands[kind]} ${label} | faultline ... -`;
}
