import { describe, expect, test } from 'vitest';
import { decode } from './decoding.ts';

describe('tracepoints of the kernel', () => {
  test('page_ref: deltas, samples and outcomes', () => {
    expect(
      decode(`
        page_ref_set: pfn=0x1013be flags=none count=1 mapcount=-1 mapping=0000000000000000 mt=0 val=1
        page_ref_mod: pfn=0x1df8 flags=uptodate|lru|swapbacked count=2 mapcount=0 mapping=ffff888000d44069 mt=1 val=1
        page_ref_mod_and_test: pfn=0x1dba flags=uptodate|lru|owner_2|swapbacked count=2 mapcount=1 mapping=ffff888000d44001 mt=1 val=-1 ret=0
        page_ref_mod_and_return: pfn=0x1dba flags=uptodate count=2 mapcount=1 mapping=ffff888000d44000 mt=1 val=-1 ret=2
        page_ref_mod_unless: pfn=0x10165b flags=referenced|uptodate count=3 mapcount=0 mapping=ffff8881012b0458 mt=1 val=1 ret=1
        page_ref_mod_unless: pfn=0x10165b flags=none count=0 mapcount=-1 mapping=0000000000000000 mt=1 val=1 ret=0
        page_ref_freeze: pfn=0x101ad9 flags=locked|uptodate|owner_priv_1|swapbacked count=0 mapcount=-1 mapping=ffff888101e863a9 mt=1 val=2 ret=1
        page_ref_unfreeze: pfn=0x101ad9 flags=locked count=2 mapcount=-1 mapping=ffff888101e863a3 mt=1 val=2
      `),
    ).toEqual([
      'ref.set pfn=0x1013be value=1 count=1 mapcount=-1 flags=none mapping=0',
      'ref.add pfn=0x1df8 delta=1 count=2 mapcount=0 flags=uptodate|lru|swapbacked mapping=2',
      'ref.add pfn=0x1dba delta=-1 zero=0 count=2 mapcount=1 flags=uptodate|lru|owner_2|swapbacked mapping=2',
      'ref.add pfn=0x1dba delta=-1 result=2 count=2 mapcount=1 flags=uptodate mapping=1',
      'ref.add pfn=0x10165b delta=1 count=3 mapcount=0 flags=referenced|uptodate mapping=1',
      'ref.refused pfn=0x10165b delta=1 count=0 mapcount=-1 flags=none mapping=0',
      'ref.freeze pfn=0x101ad9 expect=2 ok=1 count=0 mapcount=-1 flags=locked|uptodate|owner_priv_1|swapbacked mapping=2',
      'ref.unfreeze pfn=0x101ad9 value=2 count=2 mapcount=-1 flags=locked mapping=3',
    ]);
  });

  test("page_ref: flags as a number go through the kernel's table, a hashed mapping tells nothing", () => {
    expect(
      decode(`
        page_ref_mod: pfn=0x1df8 flags=0x20028 count=2 mapcount=0 mapping=00000000f7d44069 mt=1 val=1
        page_ref_mod: pfn=0x1df8 flags=uptodate count=2 mapcount=0 mapping=ffff888000d44069 mt=1 val=1
        page_ref_mod: pfn=0x1df8 flags=(fault) count=2 mapcount=0 mapping=ffff888000d44069 mt=1 val=1
      `),
    ).toEqual([
      'ref.add pfn=0x1df8 delta=1 count=2 mapcount=0 flags=uptodate|lru|swapbacked',
      'ref.add pfn=0x1df8 delta=1 count=2 mapcount=0 flags=uptodate mapping=2',
      'ref.add pfn=0x1df8 delta=1 count=2 mapcount=0 mapping=2',
    ]);
  });

  test('kmem: a failed allocation is no page, allocator internals and counters say nothing', () => {
    expect(
      decode(`
        mm_page_alloc: page=ffffea000404ef80 pfn=0x1013be order=1 migratetype=0 gfp_flags=__GFP_IO|__GFP_FS
        mm_page_alloc: page=0000000000000000 pfn=0x0 order=4 migratetype=0 gfp_flags=GFP_KERNEL
        mm_page_free: page=ffffea000404ee00 pfn=0x1013b8 order=1
        mm_page_free_batched: page=ffffea000406a000 pfn=0x101a80 order=0
        mm_page_pcpu_drain: page=ffc7d4f8c0430b80 pfn=0x10c2e order=0 migratetype=1
        rss_stat: mm_id=2548182466 curr=0 type=MM_ANONPAGES size=8192B
      `),
    ).toEqual([
      'page.alloc pfn=0x1013be order=1',
      'page.free pfn=0x1013b8 order=1',
      'page.free-batched pfn=0x101a80',
    ]);
  });

  test('kmem: the probes on the tracepoints count only where the tracepoints are not recorded', () => {
    expect(
      decode(`
        pg_alloc: (__probestub_mm_page_alloc+0x4/0x10) page=0xffffea000404ef80 ord=1
        pg_free: (__probestub_mm_page_free+0x4/0x10) page=0xffffea000404ef80 ord=0
        mm_page_free: page=ffffea000404ee00 pfn=0x1013b8 order=1
      `),
    ).toEqual(['page.alloc pfn=0x1013be order=1', 'page.free pfn=0x1013b8 order=1']);
  });

  test('pagemap: six letters or blanks, or a number', () => {
    expect(
      decode(`
        mm_lru_insertion: folio=ffffea0004069940 pfn=0x101a65 lru=0 flags=Ma b  
        mm_lru_insertion: folio=ffd4000000a27c00 pfn=0x289f0 lru=0 flags=a bd
        mm_lru_insertion: folio=ffd4000000a27c00 pfn=0x289f0 lru=1 flags=Masbd 
        mm_lru_insertion: folio=0000000038969a97 pfn=0x4a54 lru=2 flags= f   B
        mm_lru_insertion: folio=0000000038969a97 pfn=0x4a54 lru=0 flags=51
        mm_lru_activate: folio=ffc7d4f8c0381b40 pfn=0xe06d
      `),
    ).toEqual([
      'lru.insert pfn=0x101a65 lru=0 anon=1 swapcache=0 exclusive=0',
      'lru.insert pfn=0x289f0 lru=0 anon=1 swapcache=0 exclusive=1',
      'lru.insert pfn=0x289f0 lru=1 anon=1 swapcache=1 exclusive=1',
      'lru.insert pfn=0x4a54 lru=2 anon=0 swapcache=0',
      'lru.insert pfn=0x4a54 lru=0 anon=1 swapcache=0 exclusive=1',
      'lru.activate pfn=0xe06d',
    ]);
  });

  test('vmscan: who is in reclaim', () => {
    expect(
      decode(`
        mm_vmscan_direct_reclaim_begin: order=0 gfp_flags=GFP_HIGHUSER_MOVABLE
        mm_vmscan_direct_reclaim_end: nr_reclaimed=3
        mm_vmscan_memcg_reclaim_begin: order=0 gfp_flags=GFP_HIGHUSER_MOVABLE pid=1569 memcg_id=28
        mm_vmscan_memcg_reclaim_end: nr_reclaimed=34
        mm_vmscan_kswapd_wake: nid=0 order=0
        mm_vmscan_kswapd_sleep: nid=0
        mm_vmscan_write_folio: page=00000000e70ea4e1 pfn=0x4a95 flags=RECLAIM_WB_ANON|RECLAIM_WB_ASYNC
        mm_shrink_slab_end: super_cache_scan+0x0/0x1b0 ffff8881010bb180: nid: 0 unused scan count 0 new scan count 0 total_scan 0 last shrinker return val 0
      `),
    ).toEqual([
      'reclaim.begin how=0',
      'reclaim.end how=0',
      'reclaim.begin how=2',
      'reclaim.end how=2',
      'reclaim.begin how=1',
      'reclaim.end how=1',
      'reclaim.write pfn=0x4a95',
    ]);
  });

  test('huge_memory: a status that was not printed is not known', () => {
    expect(
      decode(`
        mm_khugepaged_scan_pmd: mm=ff11000007b8aa00, scan_pfn=0x7f69e, referenced=0, none_or_zero=0, status=succeeded, unmapped=0
        mm_khugepaged_scan_pmd: mm=ff11000005fd9b00, scan_pfn=0x210cd, writable=1, referenced=0, none_or_zero=0, status=, unmapped=0
        mm_collapse_huge_page_isolate: scan_pfn=0xffffffffffffffff, none_or_zero=0, referenced=0, writable=1, status=page_count
        mm_collapse_huge_page: mm=00000000300cc1cf, isolated=1, status=succeeded
      `),
    ).toEqual([
      'thp.status pfn=0x7f69e ok=1',
      'thp.status pfn=0x210cd',
      'thp.status ok=0',
      'thp.status ok=1',
    ]);
  });

  test('migrate: entries by role, of PTEs and PMDs, and a probe of the same name', () => {
    expect(
      decode(`
        mm_migrate_pages_start: mode=MIGRATE_SYNC reason=compaction
        set_migration_pte: addr=13d46000, pte=e7f9ffffffa90a02 order=0
        set_migration_pte: addr=7fc873600000, pte=f7ffe7fffc7ffe02 order=9
        remove_migration_pte: addr=13d46000, pte=84000000215d6825 order=0
        remove_migration_pte: (remove_migration_pte+0x4/0x880) folio=0xffffea000086ea40 mm=0xff1100000446f700 addr=0x2f31e000
        mm_migrate_pages: nr_succeeded=32 nr_failed=1 nr_thp_succeeded=0 nr_thp_failed=0 nr_thp_split=0 nr_split=0 mode=MIGRATE_SYNC reason=compaction
      `),
    ).toEqual([
      'mig.begin',
      'mig.entry va=0x13d46000 pte=migration:0x2b7a:DAs',
      'mig.entry va=0x7fc873600000 pte=migration:0x1c000:WDAsH',
      'mig.restored va=0x13d46000 pte=page:0x215d6:DAs',
      'mig.restore.begin pfn=0x21ba9 mm=0xff1100000446f700 va=0x2f31e000',
      'mig.end ok=32 failed=1',
    ]);
  });

  test('ksm: keys without = and pfns in decimal', () => {
    expect(
      decode(`
        ksm_merge_one_page: ksm pfn 521948 rmap_item ff1d9701bcdb1e80 mm ff1d9701452e7900 error 0
        ksm_merge_with_ksm_page: pfn 70132 rmap_item ff1d9701bcdb1e80 mm ff1d9701452e7900 error 0
        ksm_merge_with_ksm_page: ksm pfn 91676 rmap_item 00000000e6caa0ea mm 000000002ddf5356 error -14
        ksm_remove_ksm_page: pfn 70132
        ksm_start_scan: seq 0 rmap size 0
      `),
    ).toEqual([
      'ksm.merged pfn=0x7f6dc mm=0xff1d9701452e7900 err=0',
      'ksm.merged pfn=0x111f4 mm=0xff1d9701452e7900 err=0',
      'ksm.merged pfn=0x1661c err=-14',
      'ksm.remove pfn=0x111f4',
    ]);
  });

  test('exceptions: the address of a kernel symbol is not known', () => {
    expect(
      decode(`
        page_fault_user: address=0x7ffe8c812a88 ip=0x460c48 error_code=0x7
        page_fault_kernel: address=0x2ac27690 ip=__put_user_4 error_code=0x3
        page_fault_kernel: address=init_mm ip=__put_user_4 error_code=0x0
      `),
    ).toEqual([
      'fault.trap va=0x7ffe8c812a88 present=1 write=1 user=1',
      'fault.trap va=0x2ac27690 present=1 write=1 user=0',
      'fault.trap present=0 write=0 user=0',
    ]);
  });

  test('sched and task: pids behind names that look like fields', () => {
    expect(
      decode(`
        sched_process_fork: comm=init pid=1 child_comm=init child_pid=1699
        sched_process_exec: filename=/proc/self/exe pid=1700 old_pid=1700
        sched_process_exit: comm=cut pid=1616 prio=120 group_dead=true
        sched_process_free: comm=cat pid=1615 prio=120
        sched_switch: prev_comm=init prev_pid=1 prev_prio=120 prev_state=S ==> next_comm=swapper/0 next_pid=0 next_prio=120
        sched_switch: prev_comm=wl prev_pid=7 prev_prio=120 prev_state=R+ ==> next_comm=pid=3 next_pid=8 next_prio=120
        task_newtask: pid=1616 comm=init clone_flags=1200000 oom_score_adj=0
        task_newtask: pid=1617 comm=wl clone_flags=3d0f00 oom_score_adj=0
      `),
    ).toEqual([
      'task.fork parent=1 child=1699',
      'task.exec pid=1700 oldpid=1700',
      'task.exit pid=1616',
      'task.free pid=1615',
      'task.switch prev=1 next=0 preempted=0',
      'task.switch prev=7 next=8 preempted=1',
      'task.new pid=1616 vm=0 thread=0',
      'task.new pid=1617 vm=1 thread=1',
    ]);
  });

  test('task: the probe on task_newtask brings the mm, and the two make one event', () => {
    expect(
      decode(`
        task_newtask: pid=1616 comm=init clone_flags=1200000 oom_score_adj=0
        1> task_newtask: pid=1700 comm=wl clone_flags=3d0f00 oom_score_adj=0
        nt: (__probestub_task_newtask+0x4/0x10) task=0xff11000004db2300 mm=0xff1100000446aa00 cf=0x1200000 tgid=1616
        1> nt: (__probestub_task_newtask+0x4/0x10) task=0xff11000004db2300 mm=0xff1100000446aa00 cf=0x3d0f00 tgid=1616
      `),
    ).toEqual([
      'task.new pid=1616 vm=0 thread=0 mm=0xff1100000446aa00',
      'task.new pid=1700 vm=1 thread=1 mm=0xff1100000446aa00',
    ]);
  });

  test('tlb and kvm', () => {
    expect(
      decode(`
        tlb_flush: pages:-1 reason:local mm shootdown (3)
        tlb_flush: pages:1 reason:remote IPI send (4)
        kvm_unmap_hva_range: mmu notifier unmap range: 0x7f4ca93ec000 -- 0x7f4ca93ed000
      `),
    ).toEqual([
      'tlb.flush pages=-1',
      'tlb.flush pages=1',
      'kvm.unmap start=0x7f4ca93ec000 end=0x7f4ca93ed000',
    ]);
  });

  test('syscalls: as tracefs prints them, as tools name them, and by number', () => {
    expect(
      decode(`
        sys_madvise(start: 7fd0296f8000, len_in: 20000, behavior: f)
        sys_madvise -> 0x0
        sys_mmap(addr: 0, len: 220000, prot: 3, flags: 22, fd: ffffffff, off: 0)
        sys_mmap -> 0xfffffffffffffff4
        sys_swapoff(specialfile: 0x7ffe4a238f2d "/dev/vda")
        sys_exit_group(error_code: 0)
        sys_exit(error_code: 1)
        sys_bpf(cmd: 1, uattr: 7f, size: 3)
        sys_enter_madvise: start: 0x7f2939286000, len_in: 0x00008000, behavior: 0x0000000f
        sys_exit_madvise: 0xffffffffffffffea
        sys_enter: NR 28 (7f5d60000000, 200000, 4, 0, 0, 0)
        sys_exit: NR 28 = -22
      `),
    ).toEqual([
      'sys.enter call=6 a0=0x7fd0296f8000 a1=0x20000 a2=0xf',
      'sys.exit call=6 ret=0',
      'sys.enter call=0 a0=0x0 a1=0x220000 a2=0x3 a3=0x22',
      'sys.exit call=0 ret=-12',
      'sys.enter call=28 a0=0x7ffe4a238f2d',
      'sys.enter call=26 a0=0x0',
      'sys.enter call=25 a0=0x1',
      'sys.enter call=-1',
      'sys.enter call=6 a0=0x7f2939286000 a1=0x8000 a2=0xf',
      'sys.exit call=6 ret=-22',
      'sys.enter call=6 a0=0x7f5d60000000 a1=0x200000 a2=0x4 a3=0x0',
      'sys.exit call=6 ret=-22',
    ]);
  });
});
