import { describe, expect, test } from 'vitest';
import { decode } from './decoding.ts';

describe('the rich probe pack', () => {
  test('a write fault, from the trap to its outcome', () => {
    expect(
      decode(`
        handle_mm_fault: (handle_mm_fault+0x4/0x2b0) addr=0x7ffc49be7198 fflags=0x1255 mm=0xffff888100050500
        do_wp_page: (do_wp_page+0x0/0x530) addr=0x7fff8a754000 fflags=0x1a55 pte=0x8400000001dba825 vma=0xffff888000d3f000 mm=0xffff88800014c500
        wp_can_reuse: (wp_can_reuse_anon_folio+0x0/0xf0) folio=0xffffea0000076e80 vma=0xffff888000d3f000 ref=3 map=1 pflags=0x20008
        wp_can_reuse_ret: (do_wp_page+0x307/0x530 <- wp_can_reuse_anon_folio) ret=0
        wp_page_copy: (wp_page_copy+0x0/0x840) addr=0x2ac27000 page=0xffffea0000077dc0 pte=0x8400000001df7805 mm=0xffff88800014ca00 ref=3 map=1 pflags=0x20028
        ptep_clear_flush: (ptep_clear_flush+0x4/0x80) mm=0xffff88800014ca00 addr=0x2ac27000 ptep=0xffff88800256f138
        pte_clear: (__page_table_check_pte_clear+0x4/0x40) mm=0xffff888000150500 pte=0x8400000001fe6825
        wp_page_copy_ret: (__handle_mm_fault+0x2db/0x630 <- wp_page_copy) ret=0x0
        wp_page_reuse: (wp_page_reuse+0x0/0xf0) addr=0x2ac29000 page=0xffffea0000077080 folio=0xffffea0000077080 mm=0xffff88800014c500 ref=1 map=0 pflags=0x20828
        do_wp_page_ret: (__handle_mm_fault+0x2db/0x630 <- do_wp_page) ret=0x400
        do_swap_page: (do_swap_page+0x4/0x1220) addr=0x7fd0296f8000 fflags=0x1a54 pte=0x7fffffffffff40a mm=0xffff888000151900
        do_anonymous_page: (do_anonymous_page+0x0/0x6f0) addr=0x7fffffffe000 fflags=0x81 mm=0xffff88800014ca00
      `),
    ).toEqual([
      'fault.begin mm=0xffff888100050500 va=0x7ffc49be7198 flags=3',
      'wp.begin mm=0xffff88800014c500 va=0x7fff8a754000 flags=3 pte=page:0x1dba:DAs',
      'wp.test pfn=0x1dba count=3 mapcount=1 flags=uptodate|swapbacked',
      'wp.tested ok=0',
      'wp.copy mm=0xffff88800014ca00 va=0x2ac27000 pfn=0x1df7 pte=page:0x1df7:Ds count=3 mapcount=1 flags=uptodate|lru|swapbacked',
      'pte.clear-flush mm=0xffff88800014ca00 va=0x2ac27000 ptep=0xffff88800256f138',
      'pte.clear mm=0xffff888000150500 value=page:0x1fe6:DAs',
      'wp.copied ret=0',
      'wp.reuse mm=0xffff88800014c500 va=0x2ac29000 pfn=0x1dc2 count=1 mapcount=0 flags=uptodate|lru|owner_2|swapbacked',
      'wp.end ret=1024',
      'swapin.begin mm=0xffff888000151900 va=0x7fd0296f8000 flags=2 pte=swap:0:5:sE',
      'anon.begin mm=0xffff88800014ca00 va=0x7fffffffe000 flags=5',
    ]);
  });

  test('fields read through a null pointer are unknown', () => {
    expect(
      decode(`
        wp_page_copy: (wp_page_copy+0x0/0x840) addr=0x2ac27000 page=0x0 pte=0x8000000001df7225 mm=0xffff88800014ca00 ref=-1 map=1362432 pflags=0xffff8880
        ksm_merge_one: (try_to_merge_one_page+0x0/0x190) mm=0xffff88800014ca00 page=0xffffea0000549d40 kpage=0x0
        swap_cache_get_folio_ret: (do_swap_page+0xf2/0x1220 <- swap_cache_get_folio) folio=0x0
      `),
    ).toEqual([
      'wp.copy mm=0xffff88800014ca00 va=0x2ac27000 pte=page:0x1df7:A',
      'ksm.merge.begin mm=0xffff88800014ca00 page=0x15275',
      'swapcache.found',
    ]);
  });

  test('pte_set means a page-table write here and a mapped page in the distribution pack', () => {
    expect(
      decode(`
        pte_set: (__page_table_check_ptes_set+0x4/0x190) mm=0xffffffff81eee3c0 ptep=0xffff888016cc3b00 old=0x0 pte=0x80000000169d3163 nr=1
        pte_set: (set_pte_range+0x4/0x270) mm=0xffff8b25c64b0700 addr=0x460000 page=0xffffea000012a400 nr=2 ffl=0x1b54
        pte_set: (do_set_pte+0x0/0x1c0) mm=0xff11000004853180 addr=0x460000 page=0xffffea000012a400 ffl=0xb54
      `),
    ).toEqual([
      'pte.set mm=0xffffffff81eee3c0 ptep=0xffff888016cc3b00 old=none value=page:0x169d3:WDA nr=1',
      'pte.map mm=0xffff8b25c64b0700 va=0x460000 pfn=0x4a90 nr=2 flags=18',
      'pte.map mm=0xff11000004853180 va=0x460000 pfn=0x4a90 nr=1 flags=18',
    ]);
  });

  test('fork, ranges and huge pages', () => {
    expect(
      decode(`
        copy_page_range: (copy_page_range+0x4/0x4b0) dst_mm=0xffff88800014ca00 src_mm=0xffff88800014c500 start=0x400000 end=0x401000
        copy_present_ptes: (copy_present_ptes+0x0/0x9a0) dst_mm=0xffff88800014ca00 src_mm=0xffff88800014c500 addr=0x5db000 max_nr=7 dst_pte=0xffff888002570ed8 src_pte=0xffff888000d47ed8
        copy_present_ptes_ret: (copy_pte_range+0x12a/0x5a0 <- copy_present_ptes) ret=-11
        exit_mmap: (exit_mmap+0x4/0x3e0) mm=0xffff888000e32a00
        pmd_set: (__page_table_check_pmd_set+0x4/0x2e0) mm=0xffff88800014cf00 pmdp=0xffff8880025649e8 pmd=0x800000000c8008e7
        pmd_clear: (__page_table_check_pmd_clear+0x4/0x190) mm=0xffff88800014cf00 pmd=0x257e067
        zap_present_ptes: (zap_present_ptes+0x0/0xb10) mm=0xffff88800014ca00 addr=0x401000 ptep=0xffff888002570008 pte=0x7d623025 max_nr=388
        change_pte_range: (change_pte_range+0x0/0x8a0) mm=0xffff88800014ca00 addr=0x7fffffffe000 end=0x7ffffffff000 cp_flags=0x4
        flush_tlb_mm_range: (flush_tlb_mm_range+0x4/0x1e0) mm=0xffff888100050500 start=0x0 end=0xffffffffffffffff stride=0 freed=1
        collapse_isolate_ret: (collapse_huge_page+0x457/0x880 <- __collapse_huge_page_isolate) ret=1
        split_huge_pmd: (__split_huge_pmd_locked+0x0/0xf10) mm=0xffff88800014cf00 addr=0x7fb667a00000 freeze=0
      `),
    ).toEqual([
      'fork.begin child=0xffff88800014ca00 parent=0xffff88800014c500 start=0x400000 end=0x401000',
      'fork.ptes.begin child=0xffff88800014ca00 parent=0xffff88800014c500 va=0x5db000 max=7 dst=0xffff888002570ed8 src=0xffff888000d47ed8',
      'fork.ptes.end nr=-11',
      'mm.exit mm=0xffff888000e32a00',
      'pmd.set mm=0xffff88800014cf00 pmdp=0xffff8880025649e8 value=page:0xc800:WDAsH',
      'pmd.clear mm=0xffff88800014cf00 value=page:0x257e:WDA',
      'zap.ptes.begin mm=0xffff88800014ca00 va=0x401000 ptep=0xffff888002570008 value=page:0x7d623:A max=388',
      'protect.begin mm=0xffff88800014ca00 start=0x7fffffffe000 end=0x7ffffffff000 uffdwp=1 resolved=0',
      'tlb.flush mm=0xffff888100050500 start=0x0 end=0xffffffffffffffff',
      'thp.isolate.end ok=1',
      'thp.split-pmd mm=0xffff88800014cf00 va=0x7fb667a00000 freeze=0',
    ]);
  });

  test('what happens to pages', () => {
    expect(
      decode(`
        add_new_anon_rmap: (folio_add_new_anon_rmap+0x4/0x1a0) folio=0xffffea0000077300 vma=0xffff888000d3fa00 mm=0xffff88800014ca00 addr=0x2ac27000 flags=0x1
        add_anon_rmap_ptes: (folio_add_anon_rmap_ptes+0x4/0x280) folio=0xffffea0000320000 page=0xffffea0000320040 nr=511 mm=0xffff88800014cf00 addr=0x7fb667a00000 flags=0x0
        add_file_rmap_ptes: (folio_add_file_rmap_ptes+0x4/0x190) folio=0xffffea00040596c0 page=0xffffea00040596c0 nr=1 mm=0xffff888102224000
        remove_rmap_ptes: (folio_remove_rmap_ptes+0x4/0x1a0) folio=0xffffea0000077dc0 page=0xffffea0000077dc0 nr=1 mm=0xffff88800014ca00 map=1
        move_anon_rmap: (folio_move_anon_rmap+0x4/0x40) folio=0xffffea0000077080 vma=0xffff888000d3f500
        try_to_unmap_one: (try_to_unmap_one+0x4/0xcb0) folio=0xffffea0004069840 mm=0xffff888102224500 addr=0x7fe659390000 ref=3 map=0 ttu=0x40
        shrink_folio_list: (shrink_folio_list+0x0/0xdf0)
        __remove_mapping_ret: (shrink_folio_list+0x924/0xdf0 <- __remove_mapping) ret=1
        folio_unlock: (folio_unlock+0x4/0x30) folio=0xffffea0001f5a080 ref=4 pflags=0x2013d
        folio_lock_or_retry: (__folio_lock_or_retry+0x4/0x390) folio=0xffffea0004068e80 addr=0x7fe659398000
        mn_range_start: (__mmu_notifier_invalidate_range_start+0x4/0x1d0) mm=0xffff88800014d400 start=0x7fb2860ba000 end=0x7fb2860bb000 event=1
        ksm_replace_page: (replace_page+0x0/0x590) mm=0xffff88800014ca00 page=0xffffea0000529380 kpage=0xffffea0000549d40 orig_pte=0x8000000014a4e825
      `),
    ).toEqual([
      'rmap.new pfn=0x1dcc mm=0xffff88800014ca00 va=0x2ac27000 exclusive=1',
      'rmap.add pfn=0xc801 folio=0xc800 nr=511 mm=0xffff88800014cf00 va=0x7fb667a00000 anon=1 exclusive=0',
      'rmap.add pfn=0x10165b folio=0x10165b nr=1 mm=0xffff888102224000 anon=0',
      'rmap.del pfn=0x1df7 folio=0x1df7 nr=1 mm=0xffff88800014ca00 mapcount=1',
      'rmap.move pfn=0x1dc2',
      'unmap.begin pfn=0x101a61 mm=0xffff888102224500 va=0x7fe659390000 count=3 mapcount=0',
      'reclaim.begin how=4',
      'remove-mapping.end ok=1',
      'lock.release pfn=0x7d682 count=4 flags=locked|referenced|uptodate|dirty|lru|active|swapbacked',
      'lock.wait pfn=0x101a3a va=0x7fe659398000',
      'mn.start mm=0xffff88800014d400 start=0x7fb2860ba000 end=0x7fb2860bb000 event=1',
      'ksm.replace.begin mm=0xffff88800014ca00 page=0x14a4e kpage=0x15275 pte=page:0x14a4e:As',
    ]);
  });

  test('get_user_pages and pins', () => {
    expect(
      decode(`
        pin_user_pages: (pin_user_pages+0x4/0x80) start=0x7fb667a07000 nr=2 gup_flags=0x101
        gup_longterm_locked: (__gup_longterm_locked+0x0/0xbf0) mm=0xffff88800014cf00 start=0x7fb667a07000 nr=2 gup_flags=0x80101
        try_grab_folio: (try_grab_folio+0x4/0xd0) folio=0xffffea0000077180 refs=1 gup_flags=0x50003 ref=2
        try_grab_folio_fast: (try_grab_folio_fast+0x0/0x320) page=0xffffea0004061b00 refs=1 gup_flags=0x3
        try_grab_folio_fast_ret: (gup_fast_pte_range+0x1d2/0x350 <- try_grab_folio_fast) folio=0xffffea0004061b00
        gup_put_folio: (gup_put_folio+0x0/0x90) folio=0xffffea00000775c0 refs=1 gup_flags=0x80000 ref=1024
        unpin_user_pages: (unpin_user_pages+0x4/0x140) n=2
      `),
    ).toEqual([
      'gup.begin how=0 start=0x7fb667a07000 nr=2 flags=17',
      'gup.begin how=3 mm=0xffff88800014cf00 start=0x7fb667a07000 nr=2 flags=21',
      'gup.grab pfn=0x1dc6 refs=1 flags=35 count=2',
      'gup.grab-fast.begin pfn=0x10186c refs=1 flags=3',
      'gup.grab-fast.end pfn=0x10186c',
      'gup.put pfn=0x1dd7 refs=1 flags=4 count=1024',
      'gup.unpin nr=2',
    ]);
  });

  test('swap: a record that another one repeats in full says nothing', () => {
    expect(
      decode(`
        add_to_swap_cache: (add_to_swap_cache+0x4/0x380) folio=0xffffea00000710c0 entry=0x5 ref=2
        delete_from_swap_cache: (delete_from_swap_cache+0x4/0xa0) folio=0xffffea000061af80 entry=0x6 ref=2 map=-1
        __delete_from_swap_cache: (__delete_from_swap_cache+0x4/0x1c0) folio=0xffffea000061af80 entry=0x6 ref=2
        folio_alloc_swap_ret: (add_to_swap+0x2a/0x90 <- folio_alloc_swap) entry=0x5
        folio_alloc_swap_ret: (add_to_swap+0x2a/0x90 <- folio_alloc_swap) entry=0x0
        swap_duplicate: (swap_duplicate+0x4/0x40) entry=0x5
        __swap_duplicate: (__swap_duplicate+0x0/0x240) entry=0x5 usage=1 nr=1
        __swap_duplicate_ret: (swap_duplicate+0x32/0x40 <- __swap_duplicate) ret=0
        swap_free_nr: (swap_free_nr+0x4/0x80) entry=0x4000000000021c0 nr=1
        __swap_entry_free: (__swap_entry_free+0x0/0x90) type=1 entry=0x4000000000021c0
        __swap_entry_free_ret: (__swap_entries_free+0x8a/0x220 <- __swap_entry_free) left=64
        swap_entry_range_free: (swap_entry_range_free+0x0/0x290) type=1 entry=0x4000000000021c2 nr=1
        swap_range_free: (swap_range_free+0x0/0x130) type=1 offset=0x21c2 nr=1 inuse=512
        try_to_reclaim_swap: (__try_to_reclaim_swap+0x0/0x310) type=1 offset=0x21d9 flags=0x6 inuse=512
        get_swap_device: (get_swap_device+0x4/0x130) entry=0x5
        get_swap_device_ret: (do_swap_page+0xd5/0x1220 <- get_swap_device) si=0x0
        unuse_pte: (unuse_pte+0x0/0x570) mm=0xffff888000e32a00 addr=0x7fd0296f8000 entry=0x1 folio=0xffffea0000623840
        exit_swap_address_space: (exit_swap_address_space+0x4/0x60) type=0
        swapoff_ret: (do_syscall_64+0x3b/0xc0 <- __x64_sys_swapoff) ret=-16
      `),
    ).toEqual([
      'swapcache.add pfn=0x1c43 entry=0:5',
      'swapcache.del pfn=0x186be entry=0:6',
      'swap.alloc entry=0:5',
      'swap.dup entry=0:5 usage=1 nr=1',
      'swap.dup.end ret=0',
      'swap.free entry=1:8640 nr=1',
      'swap.entry-free entry=1:8640 nr=1 usage=1',
      'swap.entry-free.end left=64',
      'swap.slotfree entry=1:8642 nr=1',
      'si.range entry=1:8642 nr=1 inuse=512 alloc=0',
      'swap.reclaim.begin entry=1:8665 inuse=512',
      'si.get entry=0:5',
      'si.got ok=0',
      'si.unuse-pte.begin mm=0xffff888000e32a00 va=0x7fd0296f8000 entry=0:1 pfn=0x188e1',
      'si.freed type=0',
      'si.off.end ret=-16',
    ]);
  });

  test('the kprobe form has fewer fields and some names of its own', () => {
    expect(
      decode(`
        do_wp_page: (do_wp_page+0x0/0x530) vma=0xffff888000ea1000 addr=0x7fff912fd000 fflags=0x1a55 pte=0x840000000f064825 mm=0xffff88800014c500
        wp_can_reuse_symaddr: (wp_can_reuse_anon_folio+0x0/0xf0) folio=0xffffea00003c1900 comm="init"
        wp_page_copy: (wp_page_copy+0x0/0x840) addr=0x7fff912fd000 page=0xffffea00003c1900 ref=3 map=1 pflags=0x20028
        add_new_anon_rmap: (folio_add_new_anon_rmap+0x4/0x1a0) folio=0xffffea00003c8f00 vma=0xffff888000ea1000 addr=0x7fff912fd000
        remove_rmap: (folio_remove_rmap_ptes+0x4/0x1a0) folio=0xffffea00003c1900 page=0xffffea00003c1900 nr=1 vma=0xffff888000ea1000
        copy_present_ptes: (copy_present_ptes+0x0/0x9a0) dst_vma=0xffff888000ea1f00 src_vma=0xffff888000ea1280 addr=0x5db000 pte=0x800000000030c025
        delete_from_swap_cache: (__delete_from_swap_cache+0x4/0x1c0) folio=0xffffea00003d8500 entry=0x59
        swap_duplicate: (swap_duplicate+0x4/0x40) entry=0x59
        folio_unlock: (folio_unlock+0x4/0x30) folio=0xffffea0001f5a480
      `),
    ).toEqual([
      'wp.begin mm=0xffff88800014c500 va=0x7fff912fd000 flags=3 pte=page:0xf064:DAs',
      'wp.test pfn=0xf064',
      'wp.copy va=0x7fff912fd000 pfn=0xf064 count=3 mapcount=1 flags=uptodate|lru|swapbacked',
      'rmap.new pfn=0xf23c va=0x7fff912fd000',
      'rmap.del pfn=0xf064 folio=0xf064 nr=1',
      'fork.ptes.begin va=0x5db000',
      'swapcache.del pfn=0xf614 entry=0:89',
      'swap.dup entry=0:89 usage=1 nr=1',
      'lock.release pfn=0x7d692',
    ]);
  });
});
