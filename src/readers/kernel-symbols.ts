import type { Word } from '../core/pointer.ts';

/** Text of a symbol further from an address than this is a guess. */
const MAX_DISTANCE = 1 << 20;
/** Symbols that are kept: a kernel with all its modules has some 300,000. */
const MAX_SYMBOLS = 2_000_000;

const LINE_FEED = 10;

/** Value of a hexadecimal digit; -1 for any other byte. */
function hexDigit(c: number | undefined): number {
  if (c === undefined) return -1;
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function isBlank(c: number | undefined): boolean {
  return c === 32 || c === 9;
}

/** Whether ` T name` stands in `[at, end)`: kinds t and w are functions. */
function isFunction(text: Buffer, at: number, end: number): boolean {
  let p = at;
  while (isBlank(text[p])) p++;
  const kind = (text[p] ?? 0) | 32;
  if (p === at || (kind !== 116 && kind !== 119) || !isBlank(text[p + 1])) return false;
  p += 2;
  while (isBlank(text[p])) p++;
  return p < end;
}

/** Names of addresses in the kernel, from the kallsyms that a recording tool saved. */
export class KernelSymbols {
  readonly #text: Buffer;
  #addresses: Float64Array | null = null;
  /** Where the line of each address begins. */
  #lines: readonly number[] = [];

  /** `ffffffff81000000 T _text [module]` by line. */
  constructor(text: Buffer) {
    this.#text = text;
  }

  /** Finds where the lines of functions begin; their names are read when they are asked for. */
  #load(): Float64Array {
    const text = this.#text;
    const addresses: Word[] = [];
    const lines: number[] = [];
    let sorted = true;
    for (let at = 0; at < text.length && lines.length < MAX_SYMBOLS; ) {
      let end = text.indexOf(LINE_FEED, at);
      if (end < 0) end = text.length;
      let blank = at;
      let high = 0;
      let low = 0;
      for (let digit = hexDigit(text[blank]); digit >= 0; digit = hexDigit(text[++blank])) {
        high = (high << 4) | (low >>> 28);
        low = (low << 4) | digit;
      }
      const address = high * 4294967296 + (low >>> 0);
      // All zero where the recording user was not allowed to see them.
      if (blank - at >= 8 && blank - at <= 16 && address !== 0 && isFunction(text, blank, end)) {
        if (addresses.length > 0 && address < addresses.at(-1)!) sorted = false;
        addresses.push(address);
        lines.push(at);
      }
      at = end + 1;
    }
    if (sorted) {
      this.#lines = lines;
      return Float64Array.from(addresses);
    }
    const order = addresses.map((_, i) => i).sort((a, b) => addresses[a]! - addresses[b]!);
    this.#lines = order.map((i) => lines[i]!);
    return Float64Array.from(order, (i) => addresses[i]!);
  }

  /** `do_wp_page`, or `kvm_read [kvm]`. */
  #name(at: number): string {
    const line = this.#lines[at]!;
    const end = this.#text.indexOf(LINE_FEED, line);
    const [, , name, module] = this.#text
      .toString('latin1', line, end < 0 ? this.#text.length : end)
      .split(/[ \t]+/, 4);
    return module ? `${name} ${module}` : name!;
  }

  /** Position of the function that an address lies in, or -1. */
  #find(address: Word): number {
    this.#addresses ??= this.#load();
    const addresses = this.#addresses;
    let low = 0;
    let high = addresses.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (addresses[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    // Of several names at one address the first counts, as in the kernel.
    let at = low - 1;
    while (at > 0 && addresses[at - 1] === addresses[at]) at--;
    return at >= 0 && address - addresses[at]! <= MAX_DISTANCE ? at : -1;
  }

  /** Name of the function that an address lies in, without its module; null if it is not known. */
  function(address: Word): string | null {
    const at = this.#find(address);
    return at < 0 ? null : this.#name(at).replace(/ .*/, '');
  }

  /** `do_wp_page+0x4/0x190`, as %pS prints it; null if it is not known. */
  place(address: Word): string | null {
    const at = this.#find(address);
    if (at < 0) return null;
    const addresses = this.#addresses!;
    const start = addresses[at]!;
    let next = at;
    while (next < addresses.length && addresses[next] === start) next++;
    const size = next < addresses.length ? `/0x${(addresses[next]! - start).toString(16)}` : '';
    const [name, module] = this.#name(at).split(' ');
    return `${name}+0x${(address - start).toString(16)}${size}${module ? ` ${module}` : ''}`;
  }
}
