import { describe, expect, test } from 'vitest';
import { parseHex } from '../../src/core/pointer.ts';
import { decode } from './decoding.ts';

/** Debian kernels on a machine with 5-level paging. */
const at = parseHex('ffd4000000000000');
const DEBIAN_6_1 = { kernel: '6.1.0-56', arch: 'x86-64', vmemmapBase: at };
const DEBIAN_6_12 = { kernel: '6.12.117+deb12', arch: 'x86-64', vmemmapBase: at };
const DEBIAN_7_2 = { kernel: '7.2.13', arch: 'x86-64', vmemmapBase: at };

describe('the distribution pack', () => {
  test('6.1: a copy, its page functions and their compound forms', () => {
    expect(
      decode(
        `
        flt_in: (handle_mm_fault+0x0/0x2d0) mm=0xff11000004853180 addr=0x7ffc5a07e3d8 ffl=0x255 vfl=0x100173
        wp_in: (do_wp_page+0x0/0x380) mm=0xff11000004853180 addr=0x7ffc5a07e000 ffl=0xa55 opte=0x8000000027f57865 vb=0xffd4000000000000
        wp_copy: (wp_page_copy+0x0/0x720) addr=0x7ffc5a07e000 page=0xffd40000009fd5c0
        rm_new: (page_add_new_anon_rmap+0x0/0xe0) page=0xffd4000000817280 mm=0xff1100000405f380 addr=0x7fffee8f5000
        rm_del: (page_remove_rmap+0x0/0x2a0) page=0xffd40000009fd5c0 mm=0xff11000004853180 cmp=0 mc=1 ref=3 pfl=0xfffffc00a0014
        rm_del: (page_remove_rmap+0x0/0x2a0) page=0xffd4000000228000 mm=0xff11000004853180 cmp=1 mc=-1 ref=513 pfl=0xfffffc00b0014
        rm_anon: (page_add_anon_rmap+0x0/0x1f0) page=0xffd40000009fd5c0 mm=0xff11000004853180 addr=0x7ffc5a07e000 rf=0x1 mc=-1 ref=2
        rm_anon: (page_add_anon_rmap+0x0/0x1f0) page=0xffd4000000228000 mm=0xff11000004853180 addr=0x7ffc5a000000 rf=0x2 mc=-1 ref=2
        rm_file: (page_add_file_rmap+0x0/0x1b0) page=0xffd4000000221e00 mm=0xff11000004853180 cmp=0
        wp_out: (__handle_mm_fault+0x97b/0xfa0 <- do_wp_page) ret=0x8
        mn_chg: (__mmu_notifier_change_pte+0x0/0x80) mm=0xff3d3b2dc1055680 addr=0x7ffec275c000 pte=0x8000000004f1d867
      `,
        DEBIAN_6_1,
      ),
    ).toEqual([
      'fault.begin mm=0xff11000004853180 va=0x7ffc5a07e3d8 flags=3',
      'wp.begin mm=0xff11000004853180 va=0x7ffc5a07e000 flags=3 pte=page:0x27f57:DAs',
      'wp.copy va=0x7ffc5a07e000 pfn=0x27f57',
      'rmap.new pfn=0x205ca mm=0xff1100000405f380 va=0x7fffee8f5000 exclusive=1',
      'rmap.del pfn=0x27f57 nr=1 mm=0xff11000004853180 mapcount=1 count=3 flags=uptodate|lru|owner_2|swapbacked',
      'rmap.del-pmd pfn=0x8a00 mm=0xff11000004853180',
      'rmap.add pfn=0x27f57 nr=1 mm=0xff11000004853180 va=0x7ffc5a07e000 anon=1 exclusive=1',
      'rmap.add-pmd pfn=0x8a00 mm=0xff11000004853180 va=0x7ffc5a000000',
      'rmap.add pfn=0x8878 nr=1 mm=0xff11000004853180 anon=0',
      'wp.end ret=8',
      'mn.change-pte mm=0xff3d3b2dc1055680 va=0x7ffec275c000',
    ]);
  });

  test('6.1: returns are joined with the entries of their task, last in first out', () => {
    expect(
      decode(
        `
        pte_clr_in: (ptep_clear_flush+0x0/0x60) mm=0xff11000004853180 addr=0x7ffc5a07e000 cur=0x8000000027f57865
        200> pte_clr_in: (ptep_clear_flush+0x0/0x60) mm=0xff11000004850d80 addr=0x2000 cur=0x0
        pte_clr: (wp_page_copy+0x2da/0x720 <- ptep_clear_flush) old=0x8000000027f57865
        200> pte_clr: (wp_page_copy+0x2da/0x720 <- ptep_clear_flush) old=0x8000000027f58865
        sc_add_in: (add_to_swap_cache+0x0/0x3c0) folio=0xffd400000013ca40 ent=0x2
        sw_dup_in: (__swap_duplicate+0x0/0x180) ent=0x2 use=0x40
        sw_dup: (swapcache_prepare+0x10/0x20 <- __swap_duplicate) ret=0
        sc_add: (__read_swap_cache_async+0x1bb/0x2e0 <- add_to_swap_cache) ret=-12
        si_get_in: (get_swap_device+0x0/0x120) ent=0x2
        si_get_in: (get_swap_device+0x0/0x120) ent=0x3
        si_get: (do_swap_page+0xa0/0x9f0 <- get_swap_device) si=0x0
        si_get: (do_swap_page+0xa0/0x9f0 <- get_swap_device) si=0xff1d97014533fc00
        plk_retry_in: (__folio_lock_or_retry+0x0/0xd0) folio=0xffd400000013ca40 mm=0xff3d3b2dc1055680 ffl=0xa54
        plk_retry: (do_swap_page+0x58c/0x9f0 <- __folio_lock_or_retry) ret=0
        gup_pte_in: (follow_page_pte+0x0/0x5e0) mm=0xff11000005fda400 addr=0x7fffffffe000 gf=0x2007
        grab_in: (try_grab_page+0x0/0x100) page=0xffd4000000a27c00 gf=0x2007
        grab: (follow_page_pte+0x2c9/0x5e0 <- try_grab_page) ret=1
        gup_pte: (__get_user_pages+0x185/0x660 <- follow_page_pte) page=0xffd4000000a27c00
        gupf_in: (internal_get_user_pages_fast+0x0/0x13e0) st=0x7f88bba47000 nr=1 gf=0x40001
        grabf_in: (try_grab_folio+0x0/0x370) page=0xffd400000013c8c0 refs=1 gf=0x40001
        grabf: (internal_get_user_pages_fast+0x637/0x13e0 <- try_grab_folio) folio=0xffd400000013c8c0
        gupf_out: (get_futex_key+0xb0/0x620 <- internal_get_user_pages_fast) ret=1
        dup_in: (dup_mmap+0x0/0x610) mm=0xff11000004850d80 omm=0xff11000004853180
        dup_out: (copy_process+0x1945/0x1ae0 <- dup_mmap) ret=0
        dup_in: (dup_mmap+0x0/0x610) mm=0xff11000004850d80 omm=0xff11000004853180
        dup_out: (copy_process+0x1945/0x1ae0 <- dup_mmap) ret=-12
        mig_mv_in: (move_to_new_folio+0x0/0x140) dst=0xffd4000000a3dfc0 src=0xffd4000000078840 mode=2
        mig_map: (folio_migrate_mapping+0x0/0x560) dst=0xffd4000000a3dfc0 src=0xffd4000000078840 extra=0
        mig_mv: (migrate_pages_batch+0x462/0xc70 <- move_to_new_folio) ret=0
        ksm_get_in: (get_ksm_page+0x0/0x2c0) node=0xff3d3b2dc8977080 gfl=0
        ksm_get: (ksm_scan_thread+0x8d8/0x2320 <- get_ksm_page) page=0xffd4000000381d40
      `,
        DEBIAN_6_1,
      ),
    ).toEqual([
      'pte.clear-flush mm=0xff11000004853180 va=0x7ffc5a07e000 old=page:0x27f57:DAs',
      'pte.clear-flush mm=0xff11000004850d80 va=0x2000 old=page:0x27f58:DAs',
      'swap.dup entry=0:2 usage=64 nr=1',
      'swap.dup.end entry=0:2 ret=0',
      'swapcache.add pfn=0x4f29 entry=0:2 ok=0',
      'si.get entry=0:2',
      'si.get entry=0:3',
      'si.got entry=0:3 ok=0',
      'si.got entry=0:2 ok=1',
      'lock.wait pfn=0x4f29',
      'lock.acquired pfn=0x4f29 ok=0',
      'gup.grab pfn=0x289f0 refs=1 flags=35 ok=1',
      'gup.follow mm=0xff11000005fda400 va=0x7fffffffe000 pfn=0x289f0 flags=35',
      'gup.begin how=1 start=0x7f88bba47000 nr=1 flags=5',
      'gup.grab-fast.begin pfn=0x4f23 refs=1 flags=5',
      'gup.grab-fast.end pfn=0x4f23 refs=1 flags=5',
      'gup.end how=1 ret=1',
      'mm.dup mm=0xff11000004850d80',
      'mig.copy src=0x1e21 dst=0x28f7f extra=0',
      'mig.move src=0x1e21 dst=0x28f7f ret=0',
      'ksm.get node=0xff3d3b2dc8977080 pfn=0xe075',
    ]);
  });

  test('6.1: swap slots', () => {
    expect(
      decode(
        `
        sw_efl_in: (__swap_entry_free_locked+0x0/0x120) typ=0 off=0x2 use=0x40
        sw_efl: (__swap_entry_free+0x5b/0xc0 <- __swap_entry_free_locked) left=0x1
        sw_free: (swap_free+0x0/0x50) ent=0x2
        sw_fac: (free_swap_and_cache+0x0/0x1f0) ent=0x3
        sw_rel: (swap_range_free+0x0/0x120) typ=1 off=0x7 nr=4
        sw_alloc_in: (folio_alloc_swap+0x0/0x250) folio=0xffd400000013ca40
        sw_alloc: (add_to_swap+0x13/0x80 <- folio_alloc_swap) ent=0x0
        sw_alloc: (add_to_swap+0x13/0x80 <- folio_alloc_swap) ent=0x5
        sw_rd: (swap_readpage+0x0/0x4a0) page=0xffd400000013ca40 ent=0x5
      `,
        DEBIAN_6_1,
      ),
    ).toEqual([
      'swap.entry-free entry=0:2 nr=1 usage=64',
      'swap.entry-free.end left=1',
      'swap.free entry=0:2 nr=1',
      'swap.free-cache.begin entry=0:3 nr=1',
      'swap.slotfree entry=1:7 nr=4',
      'swap.alloc entry=0:5 nr=1',
      'swap.read pfn=0x4f29 entry=0:5',
    ]);
  });

  test('6.12: returns bring their arguments along', () => {
    expect(
      decode(
        `
        wp_in: (do_wp_page+0x0/0xc90) mm=0xff1100000405f900 addr=0x13d36000 ffl=0xa15 opte=0x840000001626f805 vb=0xffd4000000000000
        pte_clr: (do_wp_page+0x75a/0xfb0 <- ptep_clear_flush) mm=0xff1100000446f700 addr=0x2f308000 old=0x84000000210b7825
        rm_new: (folio_add_new_anon_rmap+0x4/0x1d0) folio=0xffd40000005f9e40 mm=0xff1100000446f700 addr=0x2f308000 rf=0x1
        pte_acc: (ptep_set_access_flags+0x4/0x40) mm=0xff1100000446aa00 addr=0x2f308000 old=0x84000000210b7805 new=0x80000000210b7867 dirty=1
        rm_anon: (folio_add_anon_rmap_ptes+0x4/0x310) folio=0xffd400000086ea40 page=0xffd400000086ea40 nr=1 mm=0xff1100000446f700 addr=0x2f31e000 rf=0x0 ref=3
        rm_del: (folio_remove_rmap_ptes+0x4/0x250) folio=0xffd4000000842dc0 page=0xffd4000000842dc0 nr=1 mm=0xff1100000446f700 mc=1 ref=3 pfl=0xfffffd802002c
        wp_out: (__handle_mm_fault+0xa6b/0xf90 <- do_wp_page) addr=0x2f308000 page=0xffd4000000842dc0 ret=0x0
        plk_retry: (do_swap_page+0xbb7/0x15f0 <- __folio_lock_or_retry) folio=0xffd40000000f9300 addr=0x7f4ca93f7000 ret=0x400
        plk_got: (shmem_get_folio_gfp+0x4ba/0x610 <- __folio_lock) folio=0xffd40000000f9300
        sc_add: (add_to_swap+0x2d/0x60 <- add_to_swap_cache) folio=0xffd40000008172c0 ent=0x3d ret=0
        sw_alloc: (add_to_swap+0x13/0x60 <- folio_alloc_swap) folio=0xffd40000008172c0 ent=0x3d
        sw_dup: (swap_duplicate+0x32/0x40 <- __swap_duplicate) ent=0x1 use=0x1 nr=1 ret=0
        sw_free: (swap_free_nr+0x4/0x80) ent=0x9 nr=1
        sw_rel: (swap_entry_range_free+0x0/0x3a0) typ=0 ent=0x4052 nr=2
        si_get: (do_swap_page+0xa0/0x1510 <- get_swap_device) ent=0x9 si=0x0
        gupf_in: (gup_fast_fallback+0x0/0xef0) st=0x7f4ca93eb000 nr=1 gf=0x80001
        grabf: (gup_fast_fallback+0x5a2/0xef0 <- try_grab_folio_fast) page=0xffd400000000e000 refs=1 gf=0x80001 folio=0x0
        gupf_out: (get_futex_key+0x109/0x590 <- gup_fast_fallback) st=0x7f4ca93eb000 ret=1
        gup_pte: (__get_user_pages+0x7ea/0x1230 <- follow_page_pte) mm=0xff1100000446aa00 addr=0x7fffffffe000 gf=0x50003 page=0xffd40000004b4900
        gup_pte: (__get_user_pages+0x7ea/0x1230 <- follow_page_pte) mm=0xff1100000446aa00 addr=0x7fffffffe000 gf=0x50003 page=0x0
        grab: (follow_page_pte+0x117/0x4a0 <- try_grab_folio) folio=0xffd40000004b4900 refs=1 gf=0x50003 ret=0 ref=3
        mig_map: (__migrate_folio.isra.0+0xd8/0x1f0 <- __folio_migrate_mapping) dst=0xffd4000000893800 src=0xffd400000008ba80 exp=3 ret=0
        mig_mv: (migrate_pages_batch+0xab0/0xe40 <- move_to_new_folio) dst=0xffd4000000893800 src=0xffd400000008ba80 mode=0 ret=0
        ksm_wp: (try_to_merge_one_page+0xc4/0x5b0 <- write_protect_page) mm=0xff1edad541076200 folio=0xffd4000000ef4cc0 ret=0
        spl_pg: (shrink_folio_list+0x4dd/0xd70 <- split_huge_page_to_list_to_order) page=0xffd4000000420000 ord=0 ret=0
      `,
        DEBIAN_6_12,
      ),
    ).toEqual([
      'wp.begin mm=0xff1100000405f900 va=0x13d36000 flags=1 pte=page:0x1626f:Ds',
      'pte.clear-flush mm=0xff1100000446f700 va=0x2f308000 old=page:0x210b7:DAs',
      'rmap.new pfn=0x17e79 mm=0xff1100000446f700 va=0x2f308000 exclusive=1',
      'pte.access mm=0xff1100000446aa00 va=0x2f308000 old=page:0x210b7:Ds value=page:0x210b7:WDAs',
      'rmap.add pfn=0x21ba9 folio=0x21ba9 nr=1 mm=0xff1100000446f700 va=0x2f31e000 anon=1 exclusive=0',
      'rmap.del pfn=0x210b7 folio=0x210b7 nr=1 mm=0xff1100000446f700 mapcount=1 count=3 flags=referenced|uptodate|lru|swapbacked',
      'wp.end ret=0',
      'lock.wait pfn=0x3e4c va=0x7f4ca93f7000',
      'lock.acquired pfn=0x3e4c ok=0',
      'lock.acquired pfn=0x3e4c ok=1',
      'swapcache.add pfn=0x205cb entry=0:61 ok=1',
      'swap.alloc entry=0:61',
      'swap.dup entry=0:1 usage=1 nr=1',
      'swap.dup.end entry=0:1 ret=0',
      'swap.free entry=0:9 nr=1',
      'swap.slotfree entry=0:16466 nr=2',
      'si.got entry=0:9 ok=0',
      'gup.begin how=1 start=0x7f4ca93eb000 nr=1 flags=5',
      'gup.grab-fast.begin pfn=0x380 refs=1 flags=5',
      'gup.grab-fast.end refs=1 flags=5',
      'gup.end how=1 ret=1',
      'gup.follow mm=0xff1100000446aa00 va=0x7fffffffe000 pfn=0x12d24 flags=35',
      'gup.grab pfn=0x12d24 refs=1 flags=35 ok=1',
      'mig.copy src=0x22ea dst=0x224e0',
      'mig.copied ret=0',
      'mig.move src=0x22ea dst=0x224e0 ret=0',
      'ksm.wrprotect.begin mm=0xff1edad541076200 pfn=0x3bd33',
      'ksm.wrprotect.end ret=0',
      'thp.split.begin pfn=0x10800 order=0',
      'thp.split.end ret=0',
    ]);
  });

  test('7.2: other functions under the same names', () => {
    expect(
      decode(
        `
        mm_new: (mm_init+0x0/0x400) mm=0xff1100000446aa00 pid=1 tgid=1 vb=0xffd4000000000000
        sc_add: (__swap_cache_add_folio+0x4/0x70) folio=0xffd40000001398c0 ent=0x1
        sc_delf: (swap_cache_del_folio+0x4/0x80) folio=0xffd40000001398c0 ent=0x1
        sc_del: (__swap_cache_del_folio+0x4/0x70) folio=0xffd40000001390c0 ent=0x5
        sc_rep: (__swap_cache_replace_folio+0x4/0x70) old=0xffd40000001390c0 new=0xffd4000000139100 ent=0x5
        sc_get: (do_swap_page+0x98/0x15f0 <- swap_cache_get_folio) ent=0x3 folio=0xffd4000000139640
        sc_new: (swap_cache_read_folio+0x41/0xb0 <- swap_cache_alloc_folio) ent=0x1 folio=0xfffffffffffffffe
        sw_alloc: (shrink_folio_list+0x530/0xfe0 <- folio_alloc_swap) folio=0xffd40000001398c0 ent=0x1 ret=0
        sw_alloc: (shrink_folio_list+0x530/0xfe0 <- folio_alloc_swap) folio=0xffd40000001398c0 ent=0x0 ret=-12
        sw_dup: (try_to_unmap_one+0xb18/0x1260 <- folio_dup_swap) folio=0xffd40000001398c0 sub=0xffd40000001398c0 ent=0x1 ret=0
        sw_dup: (try_to_unmap_one+0xb18/0x1260 <- folio_dup_swap) folio=0xffd4000000139800 sub=0xffd40000001398c0 ent=0x10 ret=0
        sw_dup: (shmem_writeout+0xb18/0x1260 <- folio_dup_swap) folio=0xffd4000000139800 sub=0x0 ent=0x10 ret=0
        sw_dupd: (copy_page_range+0xf5a/0x2400 <- swap_dup_entry_direct) ent=0x1 ret=0
        sw_free: (folio_put_swap+0x4/0x60) folio=0xffd4000000139640 sub=0xffd4000000139640 ent=0x3
        sw_fac: (swap_put_entries_direct+0x4/0xf0) ent=0x17 nr=1
        sw_putc: (swap_put_entries_cluster+0x0/0x190) typ=0 off=0x3 nr=1 rec=0
        sw_pute: (__swap_cluster_put_entry+0x0/0x110) ci=0xff1edad545a4c000 off=3
        sw_rel: (__swap_cluster_free_entries+0x4/0x310) typ=0 ci=0xff1edad545a4c000 off=1 nr=1
        zapb_in: (zap_vma_range_batched+0x4/0x210) mm=0xff1100000446bf00 st=0x7fcbc0a01000 len=0x1000
        zapb_out: (madvise_vma_behavior+0xb3c/0xcd0 <- zap_vma_range_batched) st=0x7fcbc0a01000 len=0x1000
        anon_map: (map_anon_folio_pte_nopf+0x4/0x160) folio=0xffd40000004b4900 mm=0xff1100000446aa00 addr=0x7fffffffe000
        unp_fo: (unpin_user_folio+0x4/0x80) folio=0xffd4000001ffda40 n=1 ref=1025
      `,
        DEBIAN_7_2,
      ),
    ).toEqual([
      'mm.init mm=0xff1100000446aa00 pid=1 tgid=1',
      'swapcache.add pfn=0x4e63 entry=0:1 ok=1',
      'swapcache.del pfn=0x4e43 entry=0:5',
      'swapcache.del pfn=0x4e43 entry=0:5',
      'swapcache.add pfn=0x4e44 entry=0:5 ok=1',
      'swapcache.found pfn=0x4e59',
      'swap.read-async.end',
      'swap.alloc entry=0:1',
      'swap.dup entry=0:1 usage=1 nr=1',
      'swap.dup.end entry=0:1 ret=0',
      'swap.dup entry=0:19 usage=1 nr=1',
      'swap.dup.end entry=0:19 ret=0',
      'swap.dup entry=0:16 usage=1',
      'swap.dup.end entry=0:16 ret=0',
      'swap.dup entry=0:1 usage=1 nr=1',
      'swap.dup.end entry=0:1 ret=0',
      'swap.free entry=0:3 nr=1',
      'swap.free-cache.begin entry=0:23 nr=1',
      'swap.entry-free entry=0:3 nr=1 usage=1',
      'swap.slotfree nr=1',
      'zap.begin mm=0xff1100000446bf00 start=0x7fcbc0a01000 end=0x7fcbc0a02000',
      'zap.end',
      'pte.map mm=0xff1100000446aa00 va=0x7fffffffe000 pfn=0x12d24',
      'gup.unpin pfn=0x7ff69 nr=1',
    ]);
  });
});
