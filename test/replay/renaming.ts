/**
 * Another machine, another run: the same capture with other pids, page frames, bases of vmemmap and of the direct
 * map, user addresses, times and task names. What faultline says of it must be the same up to these names.
 */
import { type Capture, chance } from './capture-text.ts';

const VMEMMAP = 0xffffea0000000000n;
const DIRECT_MAP = 0xffff888000000000n;
/** The direct map of these captures' machines is smaller than this. */
const DIRECT_MAP_SIZE = 1n << 32n;
const PTE_FRAME = 0x000ffffffffff000n;
const GIB = 1n << 30n;
const REGION = 0x200000n;

export interface Renaming {
  pid(pid: number): number;
  pfn(pfn: number): number;
  address(va: number): number;
  /** A swap entry of the first device, as the number that events carry. */
  entry(entry: number): number;
  /** A pointer into the direct map, as the number that events carry. */
  pointer(pointer: number): number;
  /** Added to times, ns. */
  readonly shiftNs: number;
  text(capture: Capture): string;
}

/** Keys whose values are PTE words, user addresses (in hexadecimal), pids. */
const PTE_KEYS = new Set(['pte', 'old', 'orig_pte']);
const ADDRESS_KEYS = new Set(['addr', 'start', 'end', 'address', 'ip', 'start_brk', 'brk']);
const PID_KEYS = new Set(['pid', 'child_pid', 'old_pid']);

/** Swap types from here on may be something else than a device: what stands behind them is no slot. */
const OTHER_TYPES = 22n;

/** A renaming, chosen by chance from a seed. `names`: tasks get other names, too. */
export function renaming(seed: number, { names = true }: { readonly names?: boolean } = {}): Renaming {
  const next = chance(seed);
  const below = (bound: number): number => Math.floor(next() * bound);
  // Blocks of 512 frames change places; within one, order and alignment stay (folios are aligned runs of frames).
  const block = BigInt(1 + below(2047));
  const vmemmap = VMEMMAP + BigInt(1 + below(4000)) * GIB;
  const directMap = DIRECT_MAP + BigInt(1 + below(4000)) * GIB;
  const low = REGION * BigInt(1 + below(1000));
  const high = REGION * BigInt(1 + below(100_000));
  const shiftUs = 1 + below(500_000_000);
  // Blocks of 1024 slots change places: no slot of these captures becomes slot 0, which holds the header.
  const slots = BigInt(1 + below(63)) << 10n;
  const pids = new Map<number, number>([
    [0, 0],
    [1, 1],
  ]);
  const taken = new Set(pids.values());
  const comms = new Map<string, string>();

  const frame = (pfn: bigint): bigint => pfn ^ (block << 9n);
  const user = (va: bigint): bigint => (va < 0x1000n ? va : va < 0x7e0000000000n ? va + low : va - high);
  const pid = (old: number): number => {
    let found = pids.get(old);
    while (found === undefined || (!pids.has(old) && taken.has(found))) found = 2 + below(4_000_000);
    pids.set(old, found);
    taken.add(found);
    return found;
  };
  /** Pointers into vmemmap and the direct map; anything else stays. */
  const kernel = (word: bigint): bigint => {
    if (word >= VMEMMAP && word < VMEMMAP + DIRECT_MAP_SIZE)
      return vmemmap + frame((word - VMEMMAP) / 64n) * 64n + ((word - VMEMMAP) % 64n);
    if (word >= DIRECT_MAP && word < DIRECT_MAP + DIRECT_MAP_SIZE) {
      const physical = word - DIRECT_MAP;
      return directMap + (frame(physical >> 12n) << 12n) + (physical & 0xfffn);
    }
    return word;
  };
  const entry = (word: bigint): bigint => (word === 0n || word >> 58n >= OTHER_TYPES ? word : word ^ slots);
  // A swap PTE has its type in bits 59 and up and the inverted offset from bit 9 on (x86, pgtable_64.h).
  const swapPte = (word: bigint): bigint =>
    word === 0n || word >> 59n >= OTHER_TYPES ? word : word ^ (slots << 9n);
  const pte = (word: bigint): bigint =>
    (word & 1n) === 0n ? swapPte(word) : (word & ~PTE_FRAME) | (frame((word & PTE_FRAME) >> 12n) << 12n);
  const comm = (old: string): string => {
    if (!names) return old;
    let found = comms.get(old);
    if (found === undefined) {
      found = Array.from({ length: old.length }, () => 'abcdefgh-_'[below(10)]).join('');
      // The column is padded, and a name does not begin with a dash.
      found = `t${found.slice(1)}`;
      comms.set(old, found);
    }
    return found;
  };

  const hex = (digits: string, map: (word: bigint) => bigint): string =>
    map(BigInt(`0x${digits}`)).toString(16);
  const field = (key: string, prefix: string, digits: string): string => {
    if (PTE_KEYS.has(key)) return prefix + hex(digits, pte);
    if (key === 'entry') return prefix + hex(digits, entry);
    if (key === 'pfn') return prefix + hex(digits, frame);
    if (digits.length >= 16) return prefix + hex(digits, kernel);
    if (ADDRESS_KEYS.has(key)) return prefix + hex(digits, user);
    return prefix + digits;
  };
  const payload = (text: string): string =>
    text
      // key=0x..., key=ffff... and "key: 7f..." of syscalls; decimal values of other keys stay.
      .replace(
        /\b(\w+)(=0x|=(?=ffff[0-9a-f]{12}\b)|: (?=[0-9a-f]{4,}\b))([0-9a-f]+)\b/g,
        (_all, key: string, prefix: string, digits: string) => key + field(key, prefix, digits),
      )
      // What a system call returns that makes a mapping.
      .replace(
        /^(: sys_(?:mmap|mremap|brk) -> 0x)([0-9a-f]+)/,
        (_all, call: string, digits: string) => call + hex(digits, user),
      )
      .replace(/\b(\w*pid)=(\d+)\b/g, (all, key: string, digits: string) =>
        PID_KEYS.has(key) ? `${key}=${pid(Number(digits))}` : all,
      )
      .replace(/\b((?:child_)?comm)=(\S+)/g, (_all, key: string, name: string) => `${key}=${comm(name)}`);
  const time = (text: string): string => {
    const [seconds, micros] = text.split('.');
    const us = Number(seconds) * 1e6 + Number(micros) + shiftUs;
    return `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`;
  };
  const line = (text: string): string => {
    const [, name, thread, tgid, middle, stamp, rest] =
      /^(\s*.*?)-(\d+)(\s+\(\s*[\d-]+\))?(\s+\[\d+\]\s+\S+\s+)([\d.]+)(: .*)$/.exec(text)!;
    const group = tgid?.replace(/\d+/, (digits) => String(pid(Number(digits))));
    return `${name!.replace(/\S.*/, comm)}-${pid(Number(thread))}${group ?? ''}${middle}${time(stamp!)}${payload(rest!)}`;
  };

  return {
    pid,
    pfn: (pfn) => Number(frame(BigInt(pfn))),
    address: (va) => Number(user(BigInt(va))),
    entry: (value) => Number(entry(BigInt(value))),
    pointer: (pointer) => Number(BigInt.asIntN(64, kernel(BigInt.asUintN(64, BigInt(pointer))))),
    shiftNs: shiftUs * 1000,
    text: ({ head, lines }) => `${[...head, ...lines.map(({ text }) => line(text))].join('\n')}\n`,
  };
}
