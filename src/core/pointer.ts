/**
 * A 64-bit kernel word carried in a JS number.
 *
 * The word is read as a *signed* 64-bit integer. Canonical kernel pointers are then small negative
 * numbers: exact for every pointer under 4-level paging (48 bits) and for every pointer aligned to
 * 8 bytes under 5-level paging (57 bits), so no table of interned pointers is needed. User addresses
 * are positive and below 2^56; they are exact when page aligned, and below 2^53 always.
 */
export type Word = number;

const TWO_32 = 4294967296;

/** Joins the two 32-bit halves of a word. `hi` is taken as signed, `lo` as unsigned. */
export function word(hi: number, lo: number): Word {
  return (hi | 0) * TWO_32 + (lo >>> 0);
}

/** Hexadecimal text of a word as the kernel prints it, with `0x`; null for an unknown value (NaN). */
export function hex(value: Word): string | null {
  if (Number.isNaN(value)) return null;
  if (value >= 0) return `0x${value.toString(16)}`;
  return `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;
}

/** The inverse of {@link hex}: accepts an optional `0x`; NaN where the text is no hexadecimal number. */
export function parseHex(text: string): Word {
  const digits = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text)?.[1];
  return digits === undefined ? Number.NaN : Number(BigInt.asIntN(64, BigInt(`0x${digits}`)));
}

/** Bytes of a base page. faultline models kernels with 4 KiB pages; other sizes are refused at the edge. */
export const PAGE_SIZE = 4096;

/** Virtual page number of an address (pages). */
export function vpn(va: Word): number {
  return Math.floor(va / PAGE_SIZE);
}

/** Address rounded down to its page (bytes). */
export function pageOf(va: Word): Word {
  return Math.floor(va / PAGE_SIZE) * PAGE_SIZE;
}
