/**
 * Page-table entries in a form that does not depend on the architecture. A reader's edge decodes the
 * hardware word by architecture into a pair (bits, frame); where the architecture is unknown both are
 * NaN (product.md, "Where the architecture is unknown, PTE words are unknown").
 */

/** What the entry is: the low three bits of `bits`. */
export const PTE_NONE = 0;
/** A present mapping; frame is the pfn. */
export const PTE_PRESENT = 1;
/** A swap entry of a swap device; frame is an {@link entryOf} value. */
export const PTE_SWAP = 2;
/** A migration entry; frame is the pfn of the page under migration. */
export const PTE_MIGRATION = 3;
/** Another non-present entry (hwpoison, marker, device-private) or one whose type this kernel's table does not name. */
export const PTE_OTHER = 4;
/** Mask of the kind within `bits`. */
export const PTE_KIND = 7;

export const PTE_WRITE = 8;
export const PTE_DIRTY = 16;
export const PTE_YOUNG = 32;
export const PTE_SOFT_DIRTY = 64;
export const PTE_UFFD_WP = 128;
/** User accessible; a present entry without it maps kernel memory. */
export const PTE_USER = 256;
/** A leaf above the last level (PMD- or PUD-mapped). */
export const PTE_HUGE = 512;
/** Swap entries: the exclusive marker (5.19+). Migration entries: read-exclusive. */
export const PTE_EXCLUSIVE = 1024;
export const PTE_NX = 2048;
export const PTE_GLOBAL = 4096;
/** PROT_NONE: present to the MM but not to the hardware. */
export const PTE_PROTNONE = 8192;
/** No struct page behind the mapping that rmap would count (x86: _PAGE_SPECIAL). */
export const PTE_SPECIAL = 16384;

/** Slots per swap type in an entry value: offsets up to 2^44 pages keep the value an exact integer. */
const ENTRY_TYPE_UNIT = 2 ** 44;

/** A swap entry as one exact number: device type and slot offset (pages). */
export function entryOf(type: number, offset: number): number {
  return type * ENTRY_TYPE_UNIT + offset;
}
/** Swap device number of an entry. */
export function entryType(entry: number): number {
  return Math.floor(entry / ENTRY_TYPE_UNIT);
}
/** Slot offset (pages) of an entry. */
export function entryOffset(entry: number): number {
  return entry % ENTRY_TYPE_UNIT;
}
/** The kernel's swp_entry_t value in hexadecimal (type in bits 58 and up), null if unknown. */
export function entryHex(entry: number): string | null {
  if (Number.isNaN(entry)) return null;
  return `0x${((BigInt(entryType(entry)) << 58n) | BigInt(entryOffset(entry))).toString(16)}`;
}
