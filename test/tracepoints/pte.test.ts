import { describe, expect, test } from 'vitest';
import {
  decodedPte,
  decodePte,
  FIRST_SPECIAL_TYPE,
  PMD_LEVEL,
  PTE_IS_MIGRATION,
  PTE_LEVEL,
  type PteRules,
  ROLE_MIGRATION_READ,
  ROLE_MIGRATION_READ_EXCLUSIVE,
  ROLE_MIGRATION_WRITE,
} from '../../src/tracepoints/pte.ts';
import { pteText } from './decoding.ts';

/** Migration types of 6.12 without device memory. */
const ROLES = new Uint8Array(32);
ROLES[28] = ROLE_MIGRATION_READ;
ROLES[29] = ROLE_MIGRATION_READ_EXCLUSIVE;
ROLES[30] = ROLE_MIGRATION_WRITE;
const X86: PteRules = { x86: true, savedDirty: true, roles: ROLES, unread: 0 };

function decoded(word: bigint, level = PTE_LEVEL, rules = X86): string {
  decodePte(Number(BigInt.asIntN(32, word)), Number(BigInt.asIntN(32, word >> 32n)), level, rules);
  return pteText(decodedPte.bits, decodedPte.frame);
}

/** A swap word as x86-64 builds it: type in bits 59..63, the offset inverted in bits 9..58, marks below. */
function swapWord(type: number, offset: bigint, marks = 0n): bigint {
  return (BigInt(type) << 59n) | ((~offset & ((1n << 50n) - 1n)) << 9n) | marks;
}

describe('x86-64 page-table words', () => {
  const words: ReadonlyArray<readonly [what: string, word: bigint, text: string]> = [
    ['empty', 0n, 'none'],
    ['read-only, young, soft-dirty, saved-dirty', 0x8400000001df7825n, 'page:0x1df7:DAs'],
    ['writable, dirty, young', 0x80000000169d3163n, 'page:0x169d3:WDA'],
    ['clean and old', 0x7d623005n, 'page:0x7d623'],
    ['write-protected by userfaultfd', 0x8000000004f1d465n, 'page:0x4f1d:DAu'],
    ['highest pfn of 52 address bits', 0x000ffffffffff005n, 'page:0xffffffffff'],
    // Stored inverted: pfn 0x4f1d.
    ['PROT_NONE', 0x800ffffffb0e2120n, 'page:0x4f1d:AP'],
    ['swap slot 5 of device 0, exclusive, soft-dirty', 0x7fffffffffff40an, 'swap:0:5:sE'],
    ['swap slot 0x21c0 of device 1', swapWord(1, 0x21c0n), 'swap:1:8640'],
    ['swap slot of device 21, uffd-wp', swapWord(21, 9n, 4n), 'swap:21:9:u'],
    ['swap slot beyond any device', swapWord(0, 1n << 44n), 'other'],
    ['migration, to be read-only', swapWord(28, 0x2b7an), 'migration:0x2b7a'],
    ['migration, exclusive', swapWord(29, 0x2b7an), 'migration:0x2b7a:E'],
    ['migration, writable', swapWord(30, 0x2b7an), 'migration:0x2b7a:W'],
    ['migration, young and dirty with 4 levels', swapWord(28, 0x2b7an | (3n << 34n)), 'migration:0x2b7a:DA'],
    ['migration, young with 5 levels', swapWord(28, 0x2b7an | (1n << 40n)), 'migration:0x2b7a:A'],
    ['hwpoison', swapWord(27, 0x2b7an), 'other'],
    ['pte marker', swapWord(31, 1n), 'other'],
  ];
  for (const [what, word, text] of words) {
    test(`${what}: 0x${word.toString(16)}`, () => expect(decoded(word)).toBe(text));
  }

  test('a large leaf is one of the PMD level only', () => {
    expect(decoded(0x800000000c8008e7n, PMD_LEVEL)).toBe('page:0xc800:WDAsH');
    expect(decoded(0x800000000c8018e7n, PMD_LEVEL)).toBe('page:0xc800:WDAsH');
    expect(decoded(0x800000000c8008e7n, PTE_LEVEL)).toBe('page:0xc800:WDAs');
    expect(decoded(0x257e067n, PMD_LEVEL)).toBe('page:0x257e:WDA');
  });

  test('bit 58 is dirty on kernels that may have it only', () => {
    expect(decoded(0x8400000001df7805n)).toBe('page:0x1df7:Ds');
    expect(decoded(0x8400000001df7805n, PTE_LEVEL, { ...X86, savedDirty: false })).toBe('page:0x1df7:s');
  });

  test('without a table of types a migration entry is known only where the record says so', () => {
    const untabled = { ...X86, roles: new Uint8Array(32) };
    for (let type = FIRST_SPECIAL_TYPE; type < 32; type++) {
      expect(decoded(swapWord(type, 0x2b7an), PTE_LEVEL, untabled)).toBe('other');
      expect(decoded(swapWord(type, 0x2b7an), PTE_IS_MIGRATION, untabled)).toBe('migration:0x2b7a');
    }
  });

  test('on an unknown architecture nothing is known, not even that a word is empty', () => {
    const unknown = { ...X86, x86: false };
    for (const [, word] of words) expect(decoded(word, PTE_LEVEL, unknown)).toBe('?');
    expect(unknown.unread).toBe(words.length);
  });
});
