import { describe, expect, test } from 'vitest';
import { parseRelease } from '../../src/tracepoints/kernels.ts';
import { decode, decodeAll } from './decoding.ts';

const NAMED =
  'page_ref_mod: pfn=0x1dba flags=uptodate|owner_2|swapbacked count=2 mapcount=0 mapping=0000000000000000 mt=1 val=1';
const UNLOCK = 'folio_unlock: (folio_unlock+0x4/0x30) folio=0xffffea0001f5a080 ref=4 pflags=0x20829';
const PIN =
  'gup_longterm_locked: (__gup_longterm_locked+0x0/0xbf0) mm=0xffff88800014cf00 start=0x1000 nr=2 gup_flags=0x80101';
const repeat = (line: string, times: number): string => Array.from({ length: times }, () => line).join('\n');

/** A 6.12 page unmapped: anonymous by rm_new, its flags in the numbering of the kernel. */
const unmapAnon = (
  pfl: string,
): string => `rm_new: (folio_add_new_anon_rmap+0x4/0x1d0) folio=0xffd40000005f9e40 mm=0xff1100000446f700 addr=0x2f308000 rf=0x1
rm_del: (folio_remove_rmap_ptes+0x4/0x250) folio=0xffd40000005f9e40 page=0xffd40000005f9e40 nr=1 mm=0xff1100000446f700 mc=0 ref=1 pfl=${pfl}`;

describe("the kernel's generation", () => {
  test('releases as kernels and people write them', () => {
    expect(['6.12.117+deb12-amd64', 'v6.1', '6.1', '7.2.13', 'linux'].map(parseRelease)).toEqual([
      6012,
      6001,
      6001,
      7002,
      Number.NaN,
    ]);
  });

  test('unknown: numbers are unknown and counted, names are not', () => {
    const { events, facts } = decodeAll(`${UNLOCK}\n${PIN}`, {});
    expect(events).toEqual([
      'lock.release count=4',
      'gup.begin how=3 mm=0xffff88800014cf00 start=0x1000 nr=2',
    ]);
    expect(facts.kernel).toBeNull();
    expect(facts.flags.page).toEqual({ tables: [], untranslated: 1 });
    expect(facts.flags.gup).toEqual({ tables: [], untranslated: 1 });
  });

  test('owner_2 proves 6.12 or later, where 6.12 and 7.2 number alike', () => {
    const { events, facts } = decodeAll(`${UNLOCK}\n${PIN}\n${NAMED}`, {});
    expect(facts.kernel?.release).toBe('6.12+');
    expect(facts.flags.page?.tables).toEqual(['6.12', '7.2']);
    expect(events[0]).toBe('lock.release count=4 flags=locked|uptodate|lru|owner_2|swapbacked');
    expect(events[1]).toBe('gup.begin how=3 mm=0xffff88800014cf00 start=0x1000 nr=2 flags=21');
  });

  test('a bit that they number differently is named by neither', () => {
    const line = UNLOCK.replace('0x20829', '0xa0829');
    expect(decode(`${line}\n${NAMED}`, {})[0]).toContain('swapbacked|unnamed');
  });

  test('a given release decides, but one that no table describes decides nothing', () => {
    expect(decode(UNLOCK, { kernel: '6.12.117' })[0]).toContain('flags=locked');
    expect(decode(UNLOCK.replace('0x20829', '0xa0015'), { kernel: '6.1.0-56-amd64' })[0]).toBe(
      'lock.release count=4 flags=locked|uptodate|lru|owner_2|swapbacked',
    );
    expect(decode(UNLOCK, { kernel: '6.6.1' })[0]).toBe('lock.release count=4');
    expect(decode(UNLOCK, { kernel: '9.9' })[0]).toBe('lock.release count=4');
  });

  test('functions that probes name are proofs; VM_FAULT_WRITE is one of 6.1', () => {
    const lines = `rm_del: (page_remove_rmap+0x0/0x2a0) page=0xffd40000009fd5c0 mm=0xff11000004853180 cmp=0 mc=1 ref=3 pfl=0xfffffc00a0014
vma_store: mt_mod ff11000005fda400, (ff1100007fdb1428), STORE, 72057594037919744, 72057594037923839,
wp_out: (__handle_mm_fault+0x97b/0xfa0 <- do_wp_page) ret=0x8`;
    const { events, facts } = decodeAll(lines, {});
    expect(facts.kernel?.release).toBe('6.1');
    expect(events[0]).toContain('flags=uptodate|lru|owner_2|swapbacked');
  });

  test('functions that came after 6.12', () => {
    const line = 'sc_add: (__swap_cache_add_folio+0x4/0x70) folio=0xffd40000001398c0 ent=0x1';
    expect(decodeAll(line, {}).facts.kernel?.release).toBe('6.13+');
  });

  test('proofs that exclude each other: nothing is inferred', () => {
    const lines = `${NAMED}\nwp_out: (__handle_mm_fault+0x97b/0xfa0 <- do_wp_page) ret=0x8\n${UNLOCK}`;
    const { events, facts } = decodeAll(lines, {});
    expect(facts.kernel).toBeNull();
    expect(facts.kernelContradiction).toContain('VM_FAULT_WRITE');
    expect(events.at(-1)).toBe('lock.release count=4');
  });

  test('between releases that a table describes, the words of anonymous pages decide', () => {
    // folio_remove_rmap_ptes says 6.8 or later; of these, only 6.12 and later have swapbacked in bit 17.
    const known = decodeAll(repeat(unmapAnon('0xfffffd8020028'), 8), {});
    expect(known.facts.kernel?.release).toBe('6.8+');
    expect(known.events[1]).toContain('flags=uptodate|lru|swapbacked');
    // In bit 19 it is one of 6.8 to 6.11, which no table describes.
    const unknown = decodeAll(repeat(unmapAnon('0xfffffd80a0028'.replace('a0028', '80028')), 8), {});
    expect(unknown.facts.flags.page?.tables).toEqual([]);
  });

  test('words that contradict the given release refute its table', () => {
    const { facts } = decodeAll(repeat(unmapAnon('0xfffffc00a0014'), 8), { kernel: '6.12' });
    expect(facts.flags.page?.tables).toEqual([]);
  });

  test('mapcount of page_ref is raw since 6.10', () => {
    const line = (mapcount: number): string =>
      `page_ref_mod: pfn=0x1 flags=none count=2 mapcount=${mapcount} mapping=0000000000000000 mt=1 val=1`;
    expect(decode(line(1), { kernel: '6.1' })[0]).toContain('mapcount=0');
    expect(decode(line(1), { kernel: '6.12' })[0]).toContain('mapcount=1');
    expect(decode(line(1), {})[0]).not.toContain('mapcount');
    expect(decode(`${line(1)}\n${line(-1)}`, {})[0]).toContain('mapcount=1');
  });

  test('migration types are learned from set_migration_pte and differ by kernel', () => {
    const set = (word: string): string => `set_migration_pte: addr=2f31e000, pte=${word} order=0`;
    // 25 is the first of 7.2 with device memory and the second of 6.12 with it.
    const machine = { arch: 'x86-64' };
    expect(decode(set('cff9ffffffb80c02'), { ...machine, kernel: '7.2' })[0]).toContain(
      'pte=migration:0x23f9:DAs',
    );
    expect(decode(set('e7f9ffffffa90a02'), { ...machine, kernel: '6.12' })[0]).toContain('migration:0x2b7a');
    expect(decode(set('f7ffe7fffc7ffe02'), { ...machine, kernel: '6.12' })[0]).toContain('W');
  });
});

describe('the architecture', () => {
  const SET =
    'pte_clear: (__page_table_check_pte_clear+0x4/0x40) mm=0xffff888000150500 pte=0x8400000001fe6825';
  test('unknown: page-table words are unknown', () => {
    expect(decode(SET, {})).toEqual(['pte.clear mm=0xffff888000150500']);
    expect(decode(SET, { arch: 'arm64' })).toEqual(['pte.clear mm=0xffff888000150500']);
  });

  test('x86 by the error code of a fault, which RISC-V writes otherwise', () => {
    const fault = (code: string): string => `page_fault_user: address=0x1000 ip=0x460c48 error_code=${code}`;
    expect(decodeAll(fault('0x7'), {}).facts.arch).toBe('x86-64');
    expect(decodeAll(fault('0xf'), {}).facts.arch).toBeNull();
    expect(decode(`${SET}\n${fault('0x7')}`, {})[0]).toBe(
      'pte.clear mm=0xffff888000150500 value=page:0x1fe6:DAs',
    );
  });

  test('x86 by the wrapper of a syscall, or by a read-only entry', () => {
    expect(decodeAll('swapoff: (__x64_sys_swapoff+0x4/0x20)', {}).facts.archHow).toBe(
      'a probe on __x64_sys_*',
    );
    const copy = 'wp_page_copy: (wp_page_copy+0x0/0x840) addr=0x1000 page=0x0 pte=0x8400000001df7825';
    expect(decodeAll(copy, {}).facts.arch).toBe('x86-64');
  });
});
