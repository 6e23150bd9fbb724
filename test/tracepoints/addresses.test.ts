import { describe, expect, test } from 'vitest';
import { hex, parseHex } from '../../src/core/pointer.ts';
import { PageAddresses } from '../../src/tracepoints/addresses.ts';
import { decode, decodeAll } from './decoding.ts';

const halves = (text: string): [lo: number, hi: number] => {
  const word = BigInt(`0x${text}`);
  return [Number(BigInt.asIntN(32, word)), Number(BigInt.asIntN(32, word >> 32n))];
};

/** An allocation as the kernel prints it where pointers are raw. */
const allocations = (base: bigint, pfns: readonly number[]): string =>
  pfns
    .map(
      (pfn) =>
        `mm_page_alloc: page=${(base + BigInt(pfn) * 64n).toString(16)} pfn=0x${pfn.toString(16)} order=0`,
    )
    .join('\n');

describe('where struct pages are', () => {
  test('learned from three pages, under KASLR as well as without', () => {
    for (const base of [0xffffea0000000000n, 0xfffff74c00000000n, 0xffd4000000000000n]) {
      const { facts } = decodeAll(allocations(base, [0x1000, 0x2000, 0x3001]), {});
      expect(hex(facts.vmemmapBase)).toBe(`0x${base.toString(16)}`);
      expect(facts.vmemmapHow).toBe('learned from page and pfn of mm_page_alloc');
    }
  });

  test('not from one page three times, nor from hashes, nor from a pfn printed as page', () => {
    const lines = [
      allocations(0xffffea0000000000n, [0x1000, 0x1000, 0x1000]),
      'mm_page_alloc: page=00000000f1fbf07b pfn=0x1924 order=0',
      'mm_page_alloc: page=0x1013be pfn=0x1013be order=0',
    ];
    expect(decodeAll(lines.join('\n'), {}).facts.vmemmapBase).toBeNaN();
  });

  test('two bases with the same support: none is used', () => {
    const pages = new PageAddresses();
    for (const pfn of [1, 2]) pages.pair(parseHex('ffffea0000000000') + pfn * 64, pfn, 'a');
    for (const pfn of [1, 2, 3]) pages.pair(parseHex('fffff74c00000000') + pfn * 64, pfn, 'b');
    expect(pages.base).toBeNaN();
    expect(pages.conflicting).toBe(true);
  });

  test('the kernel prints it in the distribution pack', () => {
    const line = 'mm_new: (mm_init+0x0/0x400) mm=0xff1100000446aa00 pid=1 tgid=1 vb=0xffd4000000000000';
    expect(decodeAll(line, {}).facts.vmemmapHow).toBe('vmemmap_base as the kernel printed it');
  });

  test('learned from the entry that maps a page, and from the two records of a fault', () => {
    const fault = (pfn: number): string => {
      const page = `0x${(0xffffea0000000000n + BigInt(pfn) * 64n).toString(16)}`;
      const entry = `0x${(BigInt(pfn) * 4096n + 0x25n).toString(16)}`;
      return `do_wp_page: (do_wp_page+0x0/0x530) addr=0x1000 pte=${entry} mm=0xffff88800014c500
        wp_page_copy: (wp_page_copy+0x0/0x840) addr=0x1000 page=${page} ref=1`;
    };
    const { events, facts } = decodeAll([0xf064, 0xf065, 0xf066].map(fault).join('\n'), {});
    expect(facts.vmemmapHow).toBe('learned from page and pfn of do_wp_page and wp_page_copy');
    // The first records were held back until then.
    expect(events[1]).toBe('wp.copy va=0x1000 pfn=0xf064 count=1');
  });

  test('unknown: pfns are unknown and counted', () => {
    const { events, facts } = decodeAll('folio_put: (__folio_put+0x4/0xb0) folio=0xffffea0000076e80', {});
    expect(events).toEqual(['page.release']);
    expect(facts.shortfalls).toEqual([
      { name: 'untranslated-pages', count: 1, advice: expect.stringContaining('--vmemmap-base') },
    ]);
  });

  test('given: taken as it is', () => {
    const line = 'folio_put: (__folio_put+0x4/0xb0) folio=0xffffea0000076e80';
    expect(decode(line, { vmemmapBase: parseHex('ffffea0000000000') })).toEqual(['page.release pfn=0x1dba']);
  });

  test('null, error pointers, user addresses and what is no struct page have no pfn', () => {
    const pages = new PageAddresses(parseHex('ffffea0000000000'));
    expect(pages.pfn(...halves('ffffea0000000040'))).toBe(1);
    for (const text of [
      '0',
      'fffffffffffffffe',
      'fffffffffffff001',
      '7fffea0000000040',
      'ffffe90000000000',
      'ffffea0000000041',
    ]) {
      expect(pages.pfn(...halves(text))).toBeNaN();
    }
    expect(pages.untranslated).toBe(0);
  });
});
