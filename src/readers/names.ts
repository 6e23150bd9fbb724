import type { NameTable } from '../core/records.ts';

/** Distinct event names of one trace. Kernels have some thousand; more is noise or malice. */
const MAX_NAMES = 16384;
const SLOTS = 1 << 16;
/** Takes the place of every name beyond {@link MAX_NAMES}, so that memory stays bounded. */
const OVERFLOW_NAME = '(more names)';

/** Event names interned by string or, without making one, by bytes. */
export class InternedNames implements NameTable {
  readonly names: string[] = [];
  readonly #byText = new Map<string, number>();
  /** Open addressing over the hash of the bytes: id + 1, 0 empty. */
  readonly #slots = new Int32Array(SLOTS);
  readonly #hash: number[] = [];
  /** As written, which may differ from the name that it is interned as (`sys_madvise` and `->`). */
  readonly #written: Uint8Array[] = [];
  readonly #idOfWritten: number[] = [];

  id(name: string): number {
    const known = this.#byText.get(name);
    if (known !== undefined) return known;
    if (this.names.length >= MAX_NAMES && name !== OVERFLOW_NAME) return this.id(OVERFLOW_NAME);
    const id = this.names.push(name) - 1;
    this.#byText.set(name, id);
    return id;
  }

  /** Id of the name written in `bytes[start, end)`, whose {@link hashName} is `hash`. */
  idOfBytes(bytes: Uint8Array, start: number, end: number, hash: number): number {
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    for (;;) {
      const entry = this.#slots[slot]! - 1;
      if (entry < 0) break;
      if (this.#hash[entry] === hash && this.#same(entry, bytes, start, end))
        return this.#idOfWritten[entry]!;
      slot = (slot + 1) & (SLOTS - 1);
    }
    const written = bytes.slice(start, end);
    const id = this.id(canonicalName(latin1(written)));
    if (this.#written.length < MAX_NAMES) {
      this.#slots[slot] = this.#written.push(written);
      this.#hash.push(hash);
      this.#idOfWritten.push(id);
    }
    return id;
  }

  #same(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const written = this.#written[entry]!;
    const length = end - start;
    if (written.length !== length) return false;
    for (let i = 0; i < length; i++) if (written[i] !== bytes[start + i]) return false;
    return true;
  }
}

/** Bytes as text, one character per byte. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/**
 * The label of a marker is the symbol of its writer, to which compilers add suffixes:
 * `tracing_mark_write.llvm.4213: text`, `tracing_mark_write.isra.0: text`. The return of a syscall is printed
 * `sys_madvise -> 0x0`, without a name of its own.
 */
function canonicalName(written: string): string {
  if (written.endsWith(' ->')) return `${written.slice(0, -3)}->`;
  return written.startsWith('tracing_mark_write.') ? 'tracing_mark_write' : written;
}
