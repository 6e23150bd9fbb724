import type { NameTable } from '../core/records.ts';
import { ByteStrings } from './byte-strings.ts';

/** Distinct event names of one trace. Kernels have some thousand; more is noise or malice. */
const MAX_NAMES = 16384;
/** Takes the place of every name beyond {@link MAX_NAMES}, so that memory stays bounded. */
const OVERFLOW_NAME = '(more names)';

/** Event names interned by string or, without making one, by bytes. */
export class InternedNames implements NameTable {
  readonly names: string[] = [];
  readonly #byText = new Map<string, number>();
  /** Names as written, which may differ from those that they are interned as, and the ids of the latter. */
  readonly #written = new ByteStrings(MAX_NAMES);
  readonly #idOfWritten: number[] = [];

  id(name: string): number {
    const known = this.#byText.get(name);
    if (known !== undefined) return known;
    if (this.names.length >= MAX_NAMES && name !== OVERFLOW_NAME) return this.id(OVERFLOW_NAME);
    const id = this.names.push(name) - 1;
    this.#byText.set(name, id);
    return id;
  }

  /** Id of the name written in `b[from, to)`. */
  idOfBytes(b: Uint8Array, from: number, to: number): number {
    const number = this.#written.find(b, from, to);
    if (number >= 0) return this.#idOfWritten[number]!;
    const id = this.id(canonicalName(Buffer.from(b.subarray(from, to)).toString('latin1')));
    if (this.#written.add(b, from, to) >= 0) this.#idOfWritten.push(id);
    return id;
  }
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
