import { ascii, type Line, remembered } from '../../core/line.ts';
import { PAGE_FLAG_NAMES } from '../../core/pageflags.ts';
import {
  PTE_DIRTY,
  PTE_EXCLUSIVE,
  PTE_HUGE,
  PTE_KIND,
  PTE_NONE,
  PTE_NX,
  PTE_PRESENT,
  PTE_SOFT_DIRTY,
  PTE_SPECIAL,
  PTE_SWAP,
  PTE_UFFD_WP,
  PTE_USER,
  PTE_WRITE,
  PTE_YOUNG,
} from '../../core/pte.ts';
import { MAPPING_ANON, MAPPING_FILE, MAPPING_KSM } from '../../events/flags.ts';
import {
  FAULT_FLAG_TABLES,
  type FlagTable,
  GUP_FLAG_TABLES,
  PAGE_FLAG_TABLES,
} from '../../tracepoints/kernels.ts';

/** Writes one value of a record. */
export type Show = (to: Line, value: number) => void;

/** The kernel whose records are printed: 6.12 on x86-64, 4-level paging, no KASLR. */
const RELEASE = 6012;

function tableOf(tables: readonly FlagTable[]): FlagTable {
  return tables.find(({ from, to }) => from <= RELEASE && RELEASE <= to)!;
}

/** Flags as the number that a kernel has for them, with some that go with all. */
function numbered(table: FlagTable, usual = 0): Show {
  return remembered((flags) => {
    let number = usual;
    for (const [bit, flag] of table.bits.entries()) if (flag > 0 && flags & flag) number |= 1 << bit;
    return `0x${number.toString(16)}`;
  });
}

export const pageFlags: Show = numbered(tableOf(PAGE_FLAG_TABLES));
export const gupFlags: Show = numbered(tableOf(GUP_FLAG_TABLES));
/** ALLOW_RETRY, KILLABLE, INTERRUPTIBLE and VMA_LOCK go with every fault of user mode. */
const USUAL_FAULT = 0x1214;
/** ORIG_PTE_VALID: set once the PTE was read. */
const ORIG_PTE_VALID = 0x800;
export const faultFlags: Show = numbered(tableOf(FAULT_FLAG_TABLES), USUAL_FAULT);
export const vmfFlags: Show = numbered(tableOf(FAULT_FLAG_TABLES), USUAL_FAULT | ORIG_PTE_VALID);

/** Flags in the order of the kernel's table (include/trace/events/mmflags.h, 6.12). */
const PRINT_ORDER = (
  'locked waiters referenced uptodate dirty lru active workingset owner_priv_1 owner_2 arch_1 reserved private ' +
  'private_2 writeback head reclaim swapbacked unevictable mlocked hwpoison'
).split(' ');
const BIT_OF = new Map(PAGE_FLAG_NAMES);

/** Page flags by name, as page_ref records print them. */
export const flagNames: Show = remembered(
  (flags) => PRINT_ORDER.filter((name) => flags & (BIT_OF.get(name) ?? 0)).join('|') || 'none',
);

/** folio->mapping by what it says of a page: what it points to is the same for all. */
export const mapping: Show = remembered((code) => {
  if (code === MAPPING_ANON) return 'ffff888000d66821';
  if (code === MAPPING_KSM) return 'ffff88800915c803';
  return code === MAPPING_FILE ? 'ffff888000b4ced8' : '0000000000000000';
});

const HEX_PREFIX = ascii('0x');
/** A word in hexadecimal: kernel addresses, and -1, have their sign set. */
export const word: Show = (to, value) => {
  to.put(HEX_PREFIX);
  to.word(value);
};

export const decimal: Show = (to, value) => to.decimal(value);

/** The VMA of an mm of a synthetic machine lies so far behind it. */
const VMA_OFFSET = 0x400_0000;
export const vma: Show = (to, mm) => word(to, mm + VMA_OFFSET);

const STRUCT_PAGE = 64;
const VMEMMAP = ascii('ffffea00');
/** A page's address in vmemmap, without `0x`; pfns below 2^26. */
export const pageDigits: Show = (to, pfn) => {
  to.put(VMEMMAP);
  to.hex32(pfn * STRUCT_PAGE, 8);
};

const NULL = ascii('0x0');
/** A page's address; a null pointer where there is none. */
export const pageAddress: Show = (to, pfn) => {
  if (Number.isNaN(pfn)) {
    to.put(NULL);
    return;
  }
  to.put(HEX_PREFIX);
  pageDigits(to, pfn);
};

/** A swap entry of device 0; none is printed as zero. */
export const swapEntry: Show = (to, value) => {
  if (Number.isNaN(value)) to.put(NULL);
  else word(to, value);
};

/** Attribute bits of a present word, where x86 has them. */
const ATTRIBUTES: ReadonlyArray<readonly [flag: number, bit: number]> = [
  [PTE_WRITE, 0x2],
  [PTE_USER, 0x4],
  [PTE_YOUNG, 0x20],
  [PTE_HUGE, 0x80],
  [PTE_SPECIAL, 0x200],
  [PTE_UFFD_WP, 0x400],
  [PTE_SOFT_DIRTY, 0x800],
];
const DIRTY_BIT = 0x40;
const SAVED_DIRTY_DIGIT = '4';

/** Digits of a present word before and behind its pfn. */
interface PresentWord {
  /** Null: the word begins with its pfn. */
  readonly high: Uint8Array | null;
  readonly low: number;
}
const presentWords = new Map<number, PresentWord>();

function presentWord(bits: number): PresentWord {
  let known = presentWords.get(bits);
  if (known === undefined) {
    let low = PTE_PRESENT;
    for (const [flag, bit] of ATTRIBUTES) if (bits & flag) low |= bit;
    // A read-only entry keeps its dirt in the saved-dirty bit, bit 58 (x86, 6.6 on).
    const saved = (bits & PTE_DIRTY) !== 0 && (bits & PTE_WRITE) === 0;
    if (bits & PTE_DIRTY && !saved) low |= DIRTY_BIT;
    const high = `${bits & PTE_NX ? '8' : ''}${saved ? SAVED_DIRTY_DIGIT : bits & PTE_NX ? '0' : ''}`;
    known = { high: high === '' ? null : ascii(`${high}000`), low };
    presentWords.set(bits, known);
  }
  return known;
}

/** The offset of a swap entry is stored inverted: the 31 bits of it that are not all ones. */
const LOW_OFFSET = 2 ** 31 - 1;
const SWAP_HIGH = ascii('0x7ffff');

/** A page-table word of x86-64, given canonical bits and frame (core/pte.ts); swap entries of device 0. */
export function pte(to: Line, bits: number, frame: number): void {
  const kind = bits & PTE_KIND;
  if (kind === PTE_NONE) to.put(NULL);
  else if (kind === PTE_PRESENT) {
    const { high, low } = presentWord(bits);
    to.put(HEX_PREFIX);
    // Ten digits of a pfn of up to 32 bits: the first two are zeros.
    if (high !== null) to.put(high);
    to.hex32(frame, high === null ? 1 : 8);
    to.hex32(low, 3);
  } else if (kind === PTE_SWAP) {
    // Type in bits 59 to 63, offset in 9 to 58 (arch/x86/include/asm/pgtable_64.h); 19 bits of it are always ones.
    const marks = (bits & PTE_SOFT_DIRTY ? 2 : 0) | (bits & PTE_EXCLUSIVE ? 8 : 0);
    const rest = (LOW_OFFSET - frame) * 512 + marks;
    const high = Math.floor(rest / 2 ** 32);
    to.put(SWAP_HIGH);
    to.hex32(high, 2);
    to.hex32(rest - high * 2 ** 32, 8);
  } else throw new Error(`no word is known for an entry of kind ${kind}`);
}
