import {
  entryOf,
  PTE_DIRTY,
  PTE_EXCLUSIVE,
  PTE_GLOBAL,
  PTE_HUGE,
  PTE_MIGRATION,
  PTE_NONE,
  PTE_NX,
  PTE_OTHER,
  PTE_PRESENT,
  PTE_PROTNONE,
  PTE_SOFT_DIRTY,
  PTE_SPECIAL,
  PTE_SWAP,
  PTE_UFFD_WP,
  PTE_USER,
  PTE_WRITE,
  PTE_YOUNG,
} from '../core/pte.ts';

/** What a swap type of 22 and above stands for; 22 is the least MAX_SWAPFILES (6.1 with every option on). */
export const ROLE_UNKNOWN = 0;
export const ROLE_MIGRATION_READ = 1;
export const ROLE_MIGRATION_READ_EXCLUSIVE = 2;
export const ROLE_MIGRATION_WRITE = 3;
/** Types from here on may be something else than a swap device (include/linux/swap.h, MAX_SWAPFILES). */
export const FIRST_SPECIAL_TYPE = 22;

/** What a decoder must know to read a page-table word of this kernel. */
export interface PteRules {
  /** The words are x86-64 ones. Without it nothing is decoded. */
  readonly x86: boolean;
  /** Bit 58 is the saved-dirty bit (x86 from 6.6 on); before, it was free or marked device memory. */
  readonly savedDirty: boolean;
  /** ROLE_* of each swap type. */
  readonly roles: Uint8Array;
  /** Words that were not decoded for want of an architecture. */
  unread: number;
}

/** The last word decoded: canonical bits and frame (core/pte.ts), both NaN if it could not be. Read at once. */
export const decodedPte = { bits: Number.NaN, frame: Number.NaN };

/** Where the word stands, or what the record says of it. */
export const PTE_LEVEL = 0;
export const PMD_LEVEL = 1;
/** The record says that the word is a migration entry (set_migration_pte). */
export const PTE_IS_MIGRATION = 2;
export const PMD_IS_MIGRATION = 3;

const LO_PRESENT = 1;
const LO_PAGE_SIZE = 1 << 7;
const LO_PROTNONE = 1 << 8;
/** Attribute bits at the same place at every level (arch/x86/include/asm/pgtable_types.h, 6.12). */
const LO_ATTRIBUTES: ReadonlyArray<readonly [bit: number, flag: number]> = [
  [1 << 1, PTE_WRITE],
  [1 << 2, PTE_USER],
  [1 << 5, PTE_YOUNG],
  [1 << 6, PTE_DIRTY],
  [1 << 9, PTE_SPECIAL],
  [1 << 10, PTE_UFFD_WP],
  [1 << 11, PTE_SOFT_DIRTY],
];
/** Canonical flags by the low 12 bits of a present word. */
const ATTRIBUTES = new Uint16Array(4096).map((_, low) =>
  LO_ATTRIBUTES.reduce((bits, [bit, flag]) => (low & bit ? bits | flag : bits), PTE_PRESENT),
);
const HI_SAVED_DIRTY = 1 << 26;

/** Young and dirty of a migration entry, in the upper half of the offset: 34 and 35, or 40 and 41. */
const MIGRATION_YOUNG = (1 << 11) | (1 << 17);
const MIGRATION_DIRTY = (1 << 12) | (1 << 18);
/** A migration entry keeps the pfn in the low 34 bits of its offset under 4-level paging and 40 under 5-level,
 * with young and dirty above. 34 bits of frames are 64 TiB: enough for either. */
const MIGRATION_PFN = 2 ** 34;
const MAX_SWAP_OFFSET = 2 ** 44;

/**
 * Decodes one x86-64 page-table word given as its halves into {@link decodedPte}.
 * Swap words: type in bits 59..63, offset inverted in bits 9..58, marks in bits 1 (soft-dirty), 2 (uffd-wp)
 * and 3 (exclusive) (arch/x86/include/asm/pgtable_64.h, 6.12; the same in 6.1 and 7.2 captures).
 */
export function decodePte(lo: number, hi: number, level: number, rules: PteRules): void {
  if (!rules.x86) {
    rules.unread++;
    decodedPte.bits = Number.NaN;
    decodedPte.frame = Number.NaN;
    return;
  }
  if (lo === 0 && hi === 0) {
    decodedPte.bits = PTE_NONE;
    decodedPte.frame = Number.NaN;
    return;
  }
  if (lo & (LO_PRESENT | LO_PROTNONE) && level < PTE_IS_MIGRATION) decodePresent(lo, hi, level, rules);
  else decodeSwap(lo, hi, level, rules);
}

function decodePresent(lo: number, hi: number, level: number, rules: PteRules): void {
  let bits = ATTRIBUTES[lo & 0xfff]!;
  if (hi & HI_SAVED_DIRTY && rules.savedDirty) bits |= PTE_DIRTY;
  if (hi < 0) bits |= PTE_NX;
  let frameLo = lo;
  let frameHi = hi;
  if (lo & LO_PRESENT) {
    if (lo & LO_PROTNONE) bits |= PTE_GLOBAL;
  } else {
    // PROT_NONE: the frame is stored inverted (L1TF, arch/x86/include/asm/pgtable-invert.h).
    bits |= PTE_PROTNONE;
    frameLo = ~lo;
    frameHi = ~hi;
  }
  if (level === PMD_LEVEL && lo & LO_PAGE_SIZE) {
    bits |= PTE_HUGE;
    // Bit 12 is PAT in a large leaf; the frame begins at bit 21.
    frameLo &= ~0x1fffff;
  }
  decodedPte.bits = bits;
  decodedPte.frame = (frameHi & 0xfffff) * 1048576 + (frameLo >>> 12);
}

function decodeSwap(lo: number, hi: number, level: number, rules: PteRules): void {
  const type = hi >>> 27;
  const upper = ~hi & 0x7ffffff;
  const offset = upper * 8388608 + (~lo >>> 9);
  let bits = 0;
  if (lo & 2) bits |= PTE_SOFT_DIRTY;
  if (lo & 4) bits |= PTE_UFFD_WP;
  const role = rules.roles[type]!;
  if (role !== ROLE_UNKNOWN || level >= PTE_IS_MIGRATION) {
    bits |= PTE_MIGRATION;
    if (role === ROLE_MIGRATION_WRITE) bits |= PTE_WRITE;
    else if (role === ROLE_MIGRATION_READ_EXCLUSIVE) bits |= PTE_EXCLUSIVE;
    if ((level & 1) === PMD_LEVEL) bits |= PTE_HUGE;
    if (upper & MIGRATION_YOUNG) bits |= PTE_YOUNG;
    if (upper & MIGRATION_DIRTY) bits |= PTE_DIRTY;
    decodedPte.bits = bits;
    decodedPte.frame = offset % MIGRATION_PFN;
    return;
  }
  if (type >= FIRST_SPECIAL_TYPE || offset >= MAX_SWAP_OFFSET) {
    decodedPte.bits = bits | PTE_OTHER;
    decodedPte.frame = Number.NaN;
    return;
  }
  if (lo & 8) bits |= PTE_EXCLUSIVE;
  decodedPte.bits = bits | PTE_SWAP;
  decodedPte.frame = entryOf(type, offset);
}
