import { expect, test } from 'vitest';
import { FAULTS_WITHOUT_PROGRESS } from '../../src/checks/thresholds.ts';
import { graver, proven } from './cases.ts';
import { ALLOCATED, PROBES_LIVE, PROTECTED } from './stories.ts';

/** What healthy kernels do under workloads that no capture has: against 6.12, and with nothing declared. */
const ORDINARY = 'lru|swapbacked|uptodate';

test('KSM: a page that was a stable node in an earlier life becomes one again', () => {
  const again = (merge: string): string => `
  0 30 ksm.node pfn=P
  0 30 ksm.merge.begin mm=A page=X kpage=P
  0 30 ksm.replace.begin mm=A page=X kpage=P
  0 30 ksm.replace.end ret=0
  0 30 ksm.merge.end ret=0
  0 10 page.free pfn=P order=0
  0 10 page.alloc pfn=P order=0
  0 10 anon.begin mm=B va=b flags=write|user
  0 10 rmap.new pfn=P mm=B va=b exclusive=yes
  0 10 anon.end ret=0
${merge}
  0 30 ksm.merge.begin mm=C page=Y kpage=P
  0 30 ksm.replace.begin mm=C page=Y kpage=P
  0 30 ksm.replace.end ret=0
  0 30 ksm.merge.end ret=0
  0 30 ksm.node pfn=P
`;
  expect(graver(again('  0 30 ksm.merge.begin mm=B page=P kpage=-\n  0 30 ksm.merge.end ret=0'))).toEqual([]);
  expect(graver(again('  0 30 ksm.wrprotect.begin mm=B pfn=P count=2 mapcount=0'))).toEqual([]);
  // Nothing made it KSM's own: the node is that of the earlier life.
  expect(proven(again(''))).toEqual(['critical proven ksm-stale-stable-node (freed) x1']);
});

test('migration: restorations are told by the tracepoint alone, or by no probe at all', () => {
  const fault = '  0 10 swapin.begin mm=A va=a flags=user pte=P:m\n';
  const migrated = (restored: string): string => `
  1 30 mig.unmap.begin pfn=P mm=A va=a
  1 30 mig.entry va=a pte=P:m
  1 30 mig.unmap.end ok=yes
${restored}
  1 30 lock.release pfn=P flags=locked|${ORDINARY}
`;
  // A fault that read the entry before, and is told behind the unlock.
  expect(graver(migrated('  1 30 mig.restored va=a pte=Q:w') + fault)).toEqual([]);
  expect(proven(migrated('') + fault)).toEqual([]);
  expect(proven(`  1 30 mig.restored va=b pte=R:w\n${migrated('')}${fault}`)).toHaveLength(1);
});

test('swapoff finds a folio that moves to another device, and frees it there because nobody needs it', () => {
  const moved = (user: string): string => `
  1 50 swapcache.add pfn=P entry=swap:7 ok=yes
  0 10 swapcache.found pfn=P
  1 20 swapcache.del pfn=P entry=swap:7
  1 20 swap.alloc entry=swap:900 nr=1
  1 20 swapcache.add pfn=P entry=swap:900 ok=yes
  1 20 swap.dup entry=swap:900 usage=1 nr=1
${user}
  0 10 swapcache.del pfn=P entry=swap:900
`;
  expect(graver(moved('  1 21 swap.free entry=swap:900 nr=1'))).toEqual([]);
  expect(proven(moved(''))).toHaveLength(1);
});

test('a swapon that begins before a swapoff ends takes the type of the device that goes', () => {
  const off = (between: string, behind: string): string => `
  0 60 si.on.begin
  0 60 si.on.end ret=0
  1 50 si.off.begin
  1 50 si.unuse.begin type=0
  1 50 si.unuse.end ret=0
${between}
  1 50 si.freed type=0
  1 50 si.off.end ret=0
${behind}
  0 20 swap.entry-free entry=swap:41 nr=1 usage=1
`;
  expect(graver(off('  0 61 si.on.begin', '  0 61 si.on.end ret=0'))).toEqual([]);
  expect(proven(off('', ''))).toEqual(['critical proven swapoff-uaf-si (used-after-teardown) x1']);
});

test('a folio that was never read in leaves the swap cache without being dirty', () => {
  const left = (flags: string): string => `
  0 20 reclaim.begin how=direct
  0 20 remove-mapping.begin pfn=X
  0 20 remove-mapping.end ok=no
  0 20 swapcache.add pfn=P entry=swap:41 ok=yes
  0 20 swapcache.del pfn=P entry=swap:41
  0 20 swap.slotfree entry=swap:41 nr=1
  0 20 lock.release pfn=P flags=${flags}
`;
  // zswap gives up writing it back.
  expect(graver(left('locked|swapbacked'))).toEqual([]);
  expect(proven(left('locked|swapbacked|uptodate'))).toHaveLength(1);
});

test('frontswap takes a page: there is a writeback, and no write to the device', () => {
  const out = (stored: string): string => `
  0 20 swap.write pfn=Y entry=swap:40
  0 20 swap.alloc entry=swap:41 nr=1
  0 20 swap.add.begin pfn=P count=2
  0 20 swapcache.add pfn=P entry=swap:41 ok=yes
  0 20 swap.add.end ok=yes
  0 20 swap.dup entry=swap:41 usage=1 nr=1
${stored}
  0 20 remove-mapping.begin pfn=P
  0 20 swapcache.del pfn=P entry=swap:41
  0 20 remove-mapping.end ok=yes
`;
  expect(graver(out('  0 20 wb.start pfn=P\n  0 20 wb.end pfn=P'))).toEqual([]);
  expect(graver(out(''))).toHaveLength(1);
});

test('a page enters the swap cache: flags that its task reads at another time say nothing of it', () => {
  const entered = (next: string): string => `
  0 10 lock.release pfn=X flags=locked|uptodate
  0 10 ref.add pfn=P delta=1 count=1 mapcount=-1 flags=locked|swapbacked mapping=anon
  0 10 swapcache.add pfn=P entry=swap:7 ok=yes
${next}
  0 10 ref.add pfn=P delta=1 count=2 mapcount=-1 flags=swapbacked|uptodate mapping=anon
`;
  // The reference of the cache is not told, as where page_ref is filtered by its mapping.
  expect(graver(entered('  0 10 swap.read pfn=P entry=swap:7'))).toEqual([]);
  expect(proven(entered(''))).toHaveLength(1);
});

test('memory failure takes a free page out of the allocator and holds it', () => {
  const freed = (flags: string): string => `
  0 10 ref.set pfn=P value=1 count=1 mapcount=-1 flags=none mapping=none
  0 10 page.alloc pfn=P order=0
  0 10 ref.add pfn=P delta=-1 zero=yes count=0 mapcount=-1 flags=none mapping=none
  0 10 page.free pfn=P order=0
  1 60 ref.set pfn=X value=1 count=1 mapcount=-1 flags=none mapping=none
  1 60 page.alloc pfn=X order=0
  1 60 ref.add pfn=P delta=1 count=1 mapcount=-1 flags=${flags} mapping=none
`;
  expect(graver(freed('hwpoison'))).toEqual([]);
  expect(proven(freed('none'))).toHaveLength(1);
});

test.each([
  ['no memory in the group', 1],
  ['beyond the end of the file', 2],
  ['broken memory', 0x10],
])('faults that fail are tried again: %s', (_why, ret) => {
  const faults = (result: number): string =>
    `  0 10 pte.access mm=A va=a ptep=T value=P:r\n${`
  0 10 fault.begin mm=A va=a flags=user|write
  0 10 fault.end ret=${result}
`.repeat(FAULTS_WITHOUT_PROGRESS + 2)}`;
  expect(graver(faults(ret))).toEqual([]);
  expect(proven(faults(0))).toHaveLength(1);
});

test('khugepaged allocates, and reclaims a huge page of file memory of the same mm for it', () => {
  const collapsed = (own: string): string => `
  1 40 thp.collapse.begin mm=A va=a
  1 40 pmd.clear mm=A value=4096:w
${own}
  1 40 thp.isolate.begin mm=A va=a
  1 40 ref.add pfn=P delta=1 count=2 mapcount=0 flags=locked|${ORDINARY} mapping=anon
  1 40 thp.isolate.end ok=yes
  1 40 mn.end mm=A start=a end=a+512 event=1
  1 40 thp.collapse.commit mm=A va=a
  1 40 thp.collapse.end ret=1
`;
  const start = '  1 40 mn.start mm=A start=a end=a+512 event=1\n';
  const clear = '  1 40 pmd.clear mm=A value=T:w\n';
  expect(graver(collapsed(start + clear))).toEqual([]);
  expect(proven(collapsed(clear + start))).toEqual(['critical proven collapse-notifier-gap (late) x1']);
});

test('memory of tmpfs in a page that was anonymous, and was freed with no probe to tell it', () => {
  const reused = (freed: string): string => `
  0 10 rmap.new pfn=P mm=A va=a exclusive=yes
${freed}
  0 10 wp.begin mm=B va=b flags=write|user pte=P:r
  0 10 wp.reuse mm=B va=b pfn=P count=3 mapcount=0 flags=dirty|${ORDINARY}
  0 10 wp.end ret=0
`;
  expect(proven(reused(''))).toEqual([]);
  expect(proven(reused('  0 10 page.free pfn=Q order=0')).join()).toContain('anon-exclusive-violation');
});

test('a pid that goes round: its walk may have gone through the mm that it runs on', () => {
  const reused = (who: number): string => `${PROBES_LIVE}${ALLOCATED}
  1 20 fault.begin mm=B va=b flags=user
  1 20 fault.end ret=0
  1 20 gup.begin how=pin-fast start=a nr=1 flags=pin|write
  1 20 gup.grab-fast.begin pfn=P refs=1 flags=pin|write
  1 20 ref.add pfn=P delta=1024 count=1025 mapcount=0 flags=${ORDINARY}|ae mapping=anon
  1 20 gup.grab-fast.end pfn=P refs=1 flags=pin|write
  1 20 gup.end how=pin-fast ret=1
${PROTECTED}
  0 ${who} wp.begin mm=A va=a flags=write|user pte=P:r
  0 ${who} wp.reuse mm=A va=a pfn=P count=1025 mapcount=0 flags=${ORDINARY}|ae
  0 ${who} wp.end ret=0
`;
  expect(proven(reused(20))).toEqual([]);
  expect(proven(reused(10)).join()).toContain('cow-leak-through-gup-ref');
});

/** A huge page of A, mapped by PTEs, with task 10's pin of its first page, and what becomes of the pin. */
function pinnedHuge(behind: string): string {
  return `${PROBES_LIVE}
  0 10 ref.set pfn=8192 value=1 count=1 mapcount=-1 flags=none mapping=none
  0 10 page.alloc pfn=8192 order=9
  0 10 anon.begin mm=A va=a flags=write|user
  0 10 ref.add pfn=8192 delta=511 count=512 mapcount=-1 flags=head|uptodate mapping=none
  0 10 rmap.new pfn=8192 mm=A va=a exclusive=yes
  0 10 pte.set mm=A ptep=T old=none value=8192:w nr=512
  0 10 anon.end ret=0
  0 10 gup.begin how=pin-fast mm=A start=a nr=1 flags=pin|write
  0 10 gup.grab-fast.begin pfn=8192 refs=1 flags=pin|write
  0 10 ref.add pfn=8192 delta=1 count=513 mapcount=0 flags=head|ae|${ORDINARY} mapping=anon
  0 10 gup.grab-fast.end pfn=8192 refs=1 flags=pin|write
  0 10 gup.end how=pin-fast ret=1
${behind}
`;
}
const UNPINNED = `
  0 10 gup.put pfn=8192 refs=1 flags=pin count=513
  0 10 ref.add pfn=8192 delta=-1 count=512 mapcount=0 flags=head|ae|${ORDINARY} mapping=anon
`;
const FORKED = `
  0 10 fork.begin child=B parent=A start=a end=a+512
  0 10 fork.ptes.begin child=B parent=A va=a max=512 dst=TB src=T
  0 10 ref.add pfn=8192 delta=512 count=1024 mapcount=0 flags=head|ae|${ORDINARY} mapping=anon
  0 10 pte.set mm=B ptep=TB old=none value=8192:r nr=512
  0 10 fork.ptes.end nr=512
  0 10 fork.end ret=0
  0 10 mm.dup mm=B
  0 10 wp.begin mm=A va=a flags=write|user pte=8192:r
  0 10 wp.test pfn=8192 count=1024 mapcount=1 flags=head|${ORDINARY}
  0 10 wp.tested ok=no
  0 10 ref.add pfn=8192 delta=1 count=1025 mapcount=1 flags=head|${ORDINARY} mapping=anon
  0 10 wp.copy mm=A va=a pfn=8192 pte=8192:r count=1025 mapcount=1 flags=head|${ORDINARY}
  0 10 pte.clear-flush mm=A va=a ptep=T
  0 10 rmap.new pfn=Q mm=A va=a exclusive=yes
  0 10 pte.set mm=A ptep=T old=none value=Q:w nr=1
  0 10 rmap.del pfn=8192 folio=8192 nr=1 mm=A mapcount=1
  0 10 ref.add pfn=8192 delta=-1 count=1024 mapcount=0 flags=head|${ORDINARY} mapping=anon
  0 10 wp.copied ret=0
  0 10 wp.end ret=0
`;

test.each([
  ['forked, and copied on a write', FORKED],
  [
    'migrated',
    `  1 30 mig.copy src=8192 dst=16384
  1 30 mig.copied ret=0
  1 30 ref.add pfn=8192 delta=-1 count=1100 mapcount=-1 flags=head|${ORDINARY} mapping=anon`,
  ],
  [
    'freed',
    `  0 10 ref.add pfn=8192 delta=-512 zero=yes count=0 mapcount=-1 flags=head|${ORDINARY} mapping=anon
  0 10 page.free pfn=8192 order=9`,
  ],
])('a huge page that was unpinned, one reference for each pin, is %s', (_what, text) => {
  expect(graver(pinnedHuge(UNPINNED + text))).toEqual([]);
  // No probe tells unpins.
  expect(graver(pinnedHuge(UNPINNED.replace(/.*gup\.put.*\n/, '') + text))).toEqual([]);
  // Still pinned: its thousand references are no proof of that.
  expect(proven(pinnedHuge(text))).toEqual([]);
});

test('a huge page that is pinned and forked all the same', () => {
  expect(graver(pinnedHuge(FORKED)).join()).toContain('gup-pin-broken-by-fork');
  // Of a walk whose address is not told any page may be the one.
  const unknown = pinnedHuge(FORKED).replace(/.*gup\.begin.*\n/, '');
  expect(graver(unknown).join()).not.toContain('gup-pin-broken-by-cow');
});

test('a frame that was a small page is the head of a large folio, and no probe tells frees', () => {
  const unpinned = (freed: string): string => `
  0 10 rmap.new pfn=P mm=A va=a exclusive=yes
  0 10 lock.release pfn=P flags=locked|${ORDINARY}
${freed}
  0 11 gup.put pfn=P refs=1 flags=pin count=514
`;
  expect(proven(unpinned(''))).toEqual([]);
  expect(proven(unpinned('  0 10 page.free pfn=Q order=0'))).toHaveLength(1);
});
