import { expect, test } from 'vitest';
import { without } from '../notation.ts';
import { graver, proven } from './cases.ts';
import { ALLOCATED } from './stories.ts';

/**
 * What healthy kernels leave in captures of some tasks, CPUs, probes or values only, of which nothing in the trace says
 * that the other records are missing.
 */
const FLAGS = 'lru|swapbacked|uptodate';

/** Task 10 had to share P with the child B, whose records are left out, and writes to it as its only owner. */
const SHARED = `
  0 10 pte.write mm=A va=a old=none value=P:w
  0 10 ref.add pfn=P delta=1 count=2 mapcount=0 flags=ae|${FLAGS} mapping=anon
  0 10 pte.write mm=A va=a old=P:w value=P:r
  0 10 pte.write mm=B va=a old=none value=P:r
  0 10 pte.write mm=A va=a old=P:r value=P:w
`;

test.each([
  ["the page is KSM's by then", 1, 'ksm'],
  ['the page is in a file by then', 1, 'file'],
])('a child copies the page unseen, and others map it: %s', (_why, mapcount, mapping) => {
  const read = (of: string): string =>
    `  0 10 ref.add pfn=P delta=1 count=4 mapcount=${mapcount} flags=${FLAGS} mapping=${of}\n`;
  expect(proven(SHARED + read(mapping))).toEqual([]);
  expect(proven(SHARED + read('anon')).join()).toContain('writable-pte-shared-anon');
});

test('of three mappings one ended unseen: the mapcount says so, and not which', () => {
  const third = '  0 10 pte.write mm=C va=a old=none value=P:r\n';
  const read = (mapcount: number): string =>
    `  0 10 ref.add pfn=P delta=1 count=5 mapcount=${mapcount} flags=${FLAGS} mapping=anon\n`;
  expect(proven(SHARED + third + read(1))).toEqual([]);
  expect(proven(SHARED + third + read(2)).join()).toContain('writable-pte-shared-anon');
});

test('a grab in two buffers that were merged is one pin', () => {
  const grab = '  0 10 gup.grab pfn=P refs=1 flags=pin|write count=1\n';
  const pinned = (grabs: string, unpinned: string): string => `
  0 10 ref.set pfn=X value=1 count=1 mapcount=-1 flags=none mapping=none
  0 10 page.alloc pfn=X order=0
  0 10 ref.add pfn=X delta=-1 zero=yes count=0 mapcount=-1 flags=none mapping=none
  0 10 page.free pfn=X order=0
${ALLOCATED}
  0 10 gup.begin how=pin mm=A start=a nr=1 flags=pin|write
${grabs}
  0 10 ref.add pfn=P delta=1024 count=1025 mapcount=0 flags=ae|${FLAGS} mapping=anon
  0 10 gup.end how=pin ret=1
  0 10 rmap.del pfn=P folio=P nr=1 mm=A mapcount=0
${unpinned}
  0 10 ref.add pfn=P delta=-1 zero=yes count=0 mapcount=-1 flags=ae|swapbacked|uptodate mapping=anon
  0 10 page.free pfn=P order=0
`;
  const unpin = `  0 10 ref.add pfn=P delta=-1024 count=1 mapcount=-1 flags=ae|${FLAGS} mapping=anon`;
  const puts = `  0 10 ref.add pfn=P delta=-1023 count=2 mapcount=-1 flags=ae|${FLAGS} mapping=anon
  0 10 ref.add pfn=P delta=-1 count=1 mapcount=-1 flags=ae|${FLAGS} mapping=anon`;
  expect(graver(pinned(grab + grab, unpin))).toEqual([]);
  expect(proven(pinned(grab + grab, puts)).join()).toContain('free-while-pinned');
});

test('the task that unmapped the page is left out, the one that frees it is not', () => {
  const freed = (put: string): string => `
  0 10 rmap.new pfn=P mm=A va=a exclusive=yes
  0 10 pte.write mm=A va=a old=none value=P:w
${put}
  1 40 page.free pfn=P order=0
`;
  expect(proven(freed(''))).toEqual([]);
  const put = (mapcount: number): string =>
    `  1 40 ref.add pfn=P delta=-1 zero=yes count=0 mapcount=${mapcount} flags=swapbacked|uptodate mapping=anon`;
  expect(proven(freed(put(-1)))).toEqual([]);
  expect(proven(freed(put(0))).join()).toContain('free-while-mapped (mapcount)');
});

test('devices drop what they map, and no probe tells it', () => {
  const moved = (dropped: string): string => `
  0 10 pte.write mm=A va=a old=none value=P:w
  1 20 spte.set dev=1 mm=A va=a pfn=P write=yes
  0 10 mn.start mm=A start=a end=a+1 event=1
  0 10 mn.started ret=0
  0 10 pte.write mm=A va=a old=P:w value=none
  0 10 tlb.flush mm=A start=a end=a+1
  0 10 pte.write mm=A va=a old=none value=Q:w
  0 10 mn.end mm=A start=a end=a+1 event=1
${dropped}
`;
  expect(proven(moved('  1 20 spte.set dev=1 mm=A va=a pfn=Q write=yes'))).toEqual([]);
  expect(proven(moved('  1 20 spte.clear dev=1 mm=A va=a')).join()).toContain('secondary-mmu-stale-mapping');
});

test('a migration gives the page back, and its flush is not recorded', () => {
  const back = (restored: string): string => `
  0 10 tlb.flush mm=Z start=z end=z+1
  0 10 pte.write mm=A va=a old=none value=P:w
  0 10 ptl.lock mm=A va=a
  0 10 pte.write mm=A va=a old=P:w value=P:m
  0 10 ptl.unlock mm=A va=a
${restored}
  1 11 access agent=cpu mm=A va=a pfn=P write=yes
`;
  expect(proven(back('  0 10 pte.write mm=A va=a old=P:m value=P:w'))).toEqual([]);
  expect(proven(back('')).join()).toContain('tlb-migrate-vma');
});

test('a write fault moved the address away from userfaultfd unseen', () => {
  const stored = (page: string): string => `${ALLOCATED}
  0 10 protect.begin mm=A start=a end=a+8 uffdwp=yes
  0 10 pte.clear mm=A value=P:w
  0 10 pte.set mm=A ptep=T old=none value=P:ru nr=1
  0 10 tlb.flush mm=A start=a end=a+8 pages=8
  1 12 access agent=cpu mm=A va=a pfn=${page} write=yes
`;
  expect(proven(stored('Q'))).toEqual([]);
  expect(proven(stored('P'))).toEqual(['critical proven uffd-wp-bypass (stale-tlb) x1']);
});

test('reclaim frees a page from the swap cache, and no probe tells that it does', () => {
  const freed = `
  0 20 remove-mapping.begin pfn=Y
  0 20 remove-mapping.end ok=no
  0 20 reclaim.begin how=direct
  0 20 swapcache.del pfn=P entry=swap:41
  0 20 swap.slotfree entry=swap:41 nr=1
  0 20 lock.release pfn=P flags=locked|swapbacked|uptodate
`;
  expect(proven(freed)).toHaveLength(1);
  expect(proven(without(freed, /remove-mapping/))).toEqual([]);
});

test('a reuse makes the PTE writable again, and PTEs are not recorded any more', () => {
  const stored = (reused: string): string => `
  0 10 pte.write mm=A va=a old=none value=P:w
  0 10 pte.write mm=A va=a old=P:w value=P:r
${reused}
  0 10 fault.end ret=0
  0 10 access agent=cpu mm=A va=a pfn=P write=yes
`;
  const reuse = `
  0 10 fault.begin mm=A va=a flags=write|user
  0 10 wp.begin mm=A va=a flags=write|user pte=P:r
  0 10 wp.reuse mm=A va=a pfn=P count=1 mapcount=0 flags=ae|${FLAGS}
  0 10 wp.end ret=0
`;
  expect(proven(stored(reuse))).toEqual([]);
  expect(proven(stored('')).join()).toContain('tlb-write-after-protect');
});

test('userfaultfd protects a page before its probe is loaded: whether a flush is due is not known', () => {
  const stored = (began: string): string => `${ALLOCATED}
${began}
  0 10 pte.clear mm=A value=P:w
  0 10 pte.set mm=A ptep=T old=none value=P:ru nr=1
  1 12 access agent=cpu mm=A va=a pfn=P write=yes
  0 10 tlb.flush mm=A start=a end=a+8 pages=8
`;
  const began = '  0 10 protect.begin mm=A start=a end=a+8 uffdwp=yes';
  expect(proven(stored(''))).toEqual([]);
  expect(proven(stored(began))).toEqual([]);
  const late = '  1 12 access agent=cpu mm=A va=a pfn=P write=yes\n';
  expect(proven(stored(began) + late)).toEqual(['critical proven uffd-wp-bypass (stale-tlb) x1']);
});

test('a child reads its page back from swap unseen: its swap PTE is not one of the page any more', () => {
  const reused = (count: number): string => `
  0 10 swapcache.add pfn=P entry=swap:7 ok=yes
  0 10 pte.write mm=B va=a old=none value=swap:7
  0 10 wp.begin mm=A va=a flags=write|user pte=P:r
  0 10 wp.test pfn=P count=${count} mapcount=0 flags=${FLAGS}
  0 10 wp.reuse mm=A va=a pfn=P count=${count} mapcount=0 flags=ae|${FLAGS}
  0 10 wp.end ret=0
`;
  const page = `  0 10 rmap.new pfn=P mm=A va=a exclusive=no\n`;
  expect(proven(page + reused(1))).toEqual([]);
  // Somebody has a reference: it may be the child that is about to map it.
  expect(proven(page + reused(2)).join()).toContain('missed-cow');
});

test('flushes are recorded from the middle on', () => {
  const copied = `
  0 10 pte.write mm=A va=a old=none value=P:w
  0 10 ptl.lock mm=A va=a
  0 10 pte.write mm=A va=a old=P:w value=P:m
  0 10 ptl.unlock mm=A va=a
  0 10 tlb.flush mm=A start=a end=a+1
`;
  expect(proven(copied)).toEqual([]);
  expect(proven(`  0 10 tlb.flush mm=Z start=z end=z+1\n${copied}`).join()).toContain('tlb-migrate-vma');
});
