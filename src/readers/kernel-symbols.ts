import type { Word } from '../core/pointer.ts';

/** Text of a symbol further from an address than this is a guess. */
const MAX_DISTANCE = 1 << 20;
/** Symbols that are kept: a kernel with all its modules has some 300,000. */
const MAX_SYMBOLS = 2_000_000;

/** Names of addresses in the kernel, from the kallsyms that a recording tool saved. */
export class KernelSymbols {
  readonly #text: Buffer;
  #addresses: Float64Array | null = null;
  #names: readonly string[] = [];

  /** `ffffffff81000000 T _text [module]` by line. */
  constructor(text: Buffer) {
    this.#text = text;
  }

  #load(): Float64Array {
    const found: Array<readonly [address: Word, name: string]> = [];
    const text = this.#text;
    for (let at = 0; at < text.length && found.length < MAX_SYMBOLS; ) {
      let end = text.indexOf(10, at);
      if (end < 0) end = text.length;
      const parts = text.toString('latin1', at, end).split(/[ \t]+/, 4);
      at = end + 1;
      const [digits, kind, name, module] = parts;
      if (!digits || !name || !kind || !/^[tTwW]$/.test(kind) || !/^[0-9a-f]{8,16}$/i.test(digits)) continue;
      const high = digits.length > 8 ? Number.parseInt(digits.slice(0, -8), 16) : 0;
      const address = (high | 0) * 4294967296 + Number.parseInt(digits.slice(-8), 16);
      // All zero where the recording user was not allowed to see them.
      if (address !== 0) found.push([address, module ? `${name} ${module}` : name]);
    }
    found.sort((a, b) => a[0] - b[0]);
    this.#names = found.map(([, name]) => name);
    return Float64Array.from(found, ([address]) => address);
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
    return at < 0 ? null : this.#names[at]!.replace(/ .*/, '');
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
    const [name, module] = this.#names[at]!.split(' ');
    return `${name}+0x${(address - start).toString(16)}${size}${module ? ` ${module}` : ''}`;
  }
}
