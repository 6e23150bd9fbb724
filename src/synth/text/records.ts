import { ascii } from '../../core/line.ts';
import type { EventKind } from '../../events/declare.ts';
import { GUP_GET_FAST, GUP_LOCKED, GUP_PIN, GUP_PIN_FAST } from '../../events/gup.ts';
import * as events from '../../events/index.ts';
import { RECLAIM_LIST } from '../../events/reclaim.ts';
import { SYSCALLS } from '../../events/task.ts';
import { syscallArguments } from '../../tracepoints/syscalls.ts';
import { entry, exit, type Print, template } from './template.ts';
import { word } from './values.ts';

type Row = readonly [kind: EventKind, template: string];

const SAMPLE = 'count={count} mapcount={mapcount} mapping={mapping:mapping} mt=1';
const ref = (name: string, rest: string): string =>
  `page_ref_${name}: pfn={pfn:hex} flags={flags:names} ${SAMPLE} ${rest}`;

const pages: readonly Row[] = [
  [
    events.pageAlloc,
    'mm_page_alloc: page={pfn:digits} pfn={pfn:hex} order={order} migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP',
  ],
  [events.pageFree, 'mm_page_free: page={pfn:digits} pfn={pfn:hex} order={order}'],
  [events.pageFreeBatched, 'mm_page_free_batched: page={pfn:digits} pfn={pfn:hex} order=0'],
  [events.refSet, ref('set', 'val={value}')],
  [events.refFreeze, ref('freeze', 'val={expect} ret={ok}')],
  [events.pageRelease, entry('folio_put', '__folio_put', 'folio={pfn}')],
  [events.lockRelease, entry('folio_unlock', 'folio_unlock', 'folio={pfn} ref={count} pflags={flags}')],
  [events.lockWait, entry('folio_lock_or_retry', '__folio_lock_or_retry', 'folio={pfn} addr={va}')],
];

const RANGE = 'mm={mm} start={start} end={end}';
const tables: readonly Row[] = [
  [
    events.pteSet,
    entry('pte_set', '__page_table_check_ptes_set', 'mm={mm} ptep={ptep} old={old} pte={value} nr={nr}'),
  ],
  [events.pteClear, entry('pte_clear', '__page_table_check_pte_clear', 'mm={mm} pte={value}')],
  [events.pteClearFlush, entry('ptep_clear_flush', 'ptep_clear_flush', 'mm={mm} addr={va} ptep={ptep}')],
  [
    events.pteAccess,
    entry('ptep_set_access_flags', 'ptep_set_access_flags', 'mm={mm} addr={va} ptep={ptep} entry={value}'),
  ],
  [events.pmdSet, entry('pmd_set', '__page_table_check_pmd_set', 'mm={mm} pmdp={pmdp} pmd={value}')],
  [events.pmdClear, entry('pmd_clear', '__page_table_check_pmd_clear', 'mm={mm} pmd={value}')],
  [events.zapRangeBegin, entry('zap_pte_range', 'zap_pte_range', 'mm={mm} addr={start} end={end}')],
  [
    events.zapBegin,
    entry('zap_present_ptes', 'zap_present_ptes', 'mm={mm} addr={va} ptep={ptep} pte={value} max_nr={max}'),
  ],
  [events.zapEnd, exit('zap_present_ptes_ret', 'zap_present_ptes', 'nr={nr}')],
  [
    events.protectBegin,
    entry('change_pte_range', 'change_pte_range', 'mm={mm} addr={start} end={end} cp_flags=0x1'),
  ],
  [events.tlbFlush, entry('flush_tlb_mm_range', 'flush_tlb_mm_range', `${RANGE} stride=12 freed=0`)],
  [
    events.mnStart,
    entry('mn_range_start', '__mmu_notifier_invalidate_range_start', `${RANGE} event={event}`),
  ],
  [events.mnEnd, entry('mn_range_end', '__mmu_notifier_invalidate_range_end', `${RANGE} event={event}`)],
];

const rmap: readonly Row[] = [
  [
    events.rmapNew,
    entry(
      'add_new_anon_rmap',
      'folio_add_new_anon_rmap',
      'folio={pfn} vma={mm:vma} mm={mm} addr={va} flags={exclusive:hex}',
    ),
  ],
  [
    events.rmapAdd,
    entry(
      'add_anon_rmap_ptes',
      'folio_add_anon_rmap_ptes',
      'folio={folio} page={pfn} nr={nr} mm={mm} addr={va} flags={exclusive:hex}',
    ),
  ],
  [
    events.rmapDel,
    entry(
      'remove_rmap_ptes',
      'folio_remove_rmap_ptes',
      'folio={folio} page={pfn} nr={nr} mm={mm} map={mapcount}',
    ),
  ],
  [events.rmapDelPmd, entry('remove_rmap_pmd', 'folio_remove_rmap_pmd', 'folio={pfn} page={pfn} mm={mm}')],
  [events.rmapMove, entry('move_anon_rmap', 'folio_move_anon_rmap', 'folio={pfn}')],
  [
    events.unmapBegin,
    entry(
      'try_to_unmap_one',
      'try_to_unmap_one',
      'folio={pfn} mm={mm} addr={va} ref={count} map={mapcount} ttu=0x40',
    ),
  ],
  [events.unmapEnd, exit('try_to_unmap_one_ret', 'try_to_unmap_one', 'ret={ok}')],
];

const WP_SAMPLE = 'ref={count} map={mapcount} pflags={flags}';
const faults: readonly Row[] = [
  [events.faultBegin, entry('handle_mm_fault', 'handle_mm_fault', 'addr={va} fflags={flags:early} mm={mm}')],
  [events.faultEnd, exit('handle_mm_fault_ret', 'handle_mm_fault', 'ret={ret:hex}')],
  [events.anonBegin, entry('do_anonymous_page', 'do_anonymous_page', 'addr={va} fflags={flags} mm={mm}')],
  [events.anonEnd, exit('do_anonymous_page_ret', 'do_anonymous_page', 'ret={ret:hex}')],
  [events.swapinBegin, entry('do_swap_page', 'do_swap_page', 'addr={va} fflags={flags} pte={pte} mm={mm}')],
  [events.swapinEnd, exit('do_swap_page_ret', 'do_swap_page', 'ret={ret:hex}')],
  [
    events.wpBegin,
    entry('do_wp_page', 'do_wp_page', 'addr={va} fflags={flags} pte={pte} vma={mm:vma} mm={mm}'),
  ],
  [
    events.wpTest,
    entry('wp_can_reuse', 'wp_can_reuse_anon_folio', `folio={pfn} vma=0xffff888002aeed20 ${WP_SAMPLE}`),
  ],
  [events.wpTested, exit('wp_can_reuse_ret', 'wp_can_reuse_anon_folio', 'ret={ok}')],
  [
    events.wpCopy,
    entry('wp_page_copy', 'wp_page_copy', `addr={va} page={pfn} pte={pte} mm={mm} ${WP_SAMPLE}`),
  ],
  [events.wpCopied, exit('wp_page_copy_ret', 'wp_page_copy', 'ret={ret:hex}')],
  [
    events.wpReuse,
    entry('wp_page_reuse', 'wp_page_reuse', `addr={va} page={pfn} folio={pfn} mm={mm} ${WP_SAMPLE}`),
  ],
  [events.wpEnd, exit('do_wp_page_ret', 'do_wp_page', 'ret={ret:hex}')],
  [
    events.forkRange,
    entry('copy_page_range', 'copy_page_range', 'dst_mm={child} src_mm={parent} start={start} end={end}'),
  ],
  [
    events.forkPtes,
    entry(
      'copy_present_ptes',
      'copy_present_ptes',
      'dst_mm={child} src_mm={parent} addr={va} max_nr={max} dst_pte={dst} src_pte={src}',
    ),
  ],
  [events.forkPtesEnd, exit('copy_present_ptes_ret', 'copy_present_ptes', 'ret={nr}')],
  [
    events.forkSwap,
    entry('copy_nonpresent_pte', 'copy_nonpresent_pte', 'dst_mm={child} src_mm={parent} addr={va}'),
  ],
];

const PLACE = 'mm={mm} addr={va}';
const collapses: readonly Row[] = [
  [events.collapseScan, entry('hpage_scan_pmd', 'hpage_collapse_scan_pmd', PLACE)],
  [events.collapseScanEnd, exit('hpage_scan_pmd_ret', 'hpage_collapse_scan_pmd', 'ret={ret}')],
  [events.collapseBegin, entry('collapse_huge_page', 'collapse_huge_page', PLACE)],
  [events.collapseEnd, exit('collapse_huge_page_ret', 'collapse_huge_page', 'ret={ret}')],
  [events.collapseIsolate, entry('collapse_isolate', '__collapse_huge_page_isolate', PLACE)],
  [events.collapseIsolateEnd, exit('collapse_isolate_ret', '__collapse_huge_page_isolate', 'ret={ok}')],
  [events.collapseCopied, entry('collapse_copy_succeeded', '__collapse_huge_page_copy_succeeded', PLACE)],
];

const GRAB = 'refs={refs} gup_flags={flags}';
const gup: readonly Row[] = [
  [events.gupGrab, entry('try_grab_folio', 'try_grab_folio', `folio={pfn} ${GRAB} ref={count}`)],
  [events.gupGrabFast, entry('try_grab_folio_fast', 'try_grab_folio_fast', `page={pfn} ${GRAB}`)],
  [events.gupGrabFastEnd, exit('try_grab_folio_fast_ret', 'try_grab_folio_fast', 'folio={pfn}')],
  [events.gupPut, entry('gup_put_folio', 'gup_put_folio', `folio={pfn} ${GRAB} ref={count}`)],
];

const ksm: readonly Row[] = [
  [events.ksmMerge, entry('ksm_merge_one', 'try_to_merge_one_page', 'mm={mm} page={page} kpage={kpage}')],
  [events.ksmMergeEnd, exit('ksm_merge_one_ret', 'try_to_merge_one_page', 'ret={ret}')],
  [
    events.ksmWriteProtect,
    entry('ksm_write_protect_page', 'write_protect_page', 'mm={mm} folio={pfn} ref={count} map={mapcount}'),
  ],
  [events.ksmWriteProtectEnd, exit('ksm_write_protect_page_ret', 'write_protect_page', 'ret={ret}')],
  [
    events.ksmReplace,
    entry('ksm_replace_page', 'replace_page', 'mm={mm} page={page} kpage={kpage} orig_pte={pte}'),
  ],
  [events.ksmReplaceEnd, exit('ksm_replace_page_ret', 'replace_page', 'ret={ret}')],
  [events.ksmInsert, entry('ksm_stable_insert', 'stable_tree_insert', 'kfolio={pfn}')],
];

const reclaim: readonly Row[] = [
  [events.reclaimPages, entry('reclaim_pages', 'reclaim_pages')],
  [events.pageout, entry('pageout', 'pageout', 'folio={pfn} ref={count}')],
  [events.pageoutEnd, exit('pageout_ret', 'pageout', 'ret={ret}')],
  [
    events.reclaimWrite,
    'mm_vmscan_write_folio: page={pfn:digits} pfn={pfn:hex} flags=RECLAIM_WB_ANON|RECLAIM_WB_ASYNC',
  ],
  [
    events.removeMapping,
    entry('__remove_mapping', '__remove_mapping', 'folio={pfn} ref={count} reclaimed=1'),
  ],
  [events.removeMappingEnd, exit('__remove_mapping_ret', '__remove_mapping', 'ret={ok}')],
];

const TYPE = 'type=0';
const swap: readonly Row[] = [
  [events.swapAdd, entry('add_to_swap', 'add_to_swap', 'folio={pfn} ref={count}')],
  [events.swapAddEnd, exit('add_to_swap_ret', 'add_to_swap', 'ret={ok}')],
  [events.swapAlloc, exit('folio_alloc_swap_ret', 'folio_alloc_swap', 'entry={entry}')],
  [events.swapcacheAdd, entry('add_to_swap_cache', 'add_to_swap_cache', 'folio={pfn} entry={entry}')],
  [
    events.swapcacheDel,
    entry('__delete_from_swap_cache', '__delete_from_swap_cache', 'folio={pfn} entry={entry}'),
  ],
  [events.swapPutFolio, entry('put_swap_folio', 'put_swap_folio', 'folio={pfn} entry={entry}')],
  [events.swapcacheFound, exit('swap_cache_get_folio_ret', 'swap_cache_get_folio', 'folio={pfn}')],
  [
    events.swapFreeFolio,
    entry('folio_free_swap', 'folio_free_swap', 'folio={pfn} entry={entry} ref={count}'),
  ],
  [events.swapFreeFolioEnd, exit('folio_free_swap_ret', 'folio_free_swap', 'ret={ok}')],
  [events.ksmMightCopy, entry('ksm_might_need_to_copy', 'ksm_might_need_to_copy', 'folio={pfn} addr={va}')],
  [events.swapDup, entry('__swap_duplicate', '__swap_duplicate', 'entry={entry} usage={usage} nr={nr}')],
  [events.swapDupEnd, exit('__swap_duplicate_ret', '__swap_duplicate', 'ret={ret}')],
  [events.swapFree, entry('swap_free_nr', 'swap_free_nr', 'entry={entry} nr={nr}')],
  [events.swapFreeCache, entry('free_swap_and_cache_nr', 'free_swap_and_cache_nr', 'entry={entry} nr={nr}')],
  [events.swapFreeCacheEnd, exit('free_swap_and_cache_nr_ret', 'free_swap_and_cache_nr')],
  [events.swapEntryFree, entry('__swap_entry_free', '__swap_entry_free', `${TYPE} entry={entry}`)],
  [events.swapEntryFreeEnd, exit('__swap_entry_free_ret', '__swap_entry_free', 'left={left}')],
  [events.swapEntriesFreeEnd, exit('__swap_entries_free_ret', '__swap_entries_free', 'has_cache={cached}')],
  [
    events.swapSlotFree,
    entry('swap_entry_range_free', 'swap_entry_range_free', `${TYPE} entry={entry} nr={nr}`),
  ],
  [
    events.swapReclaim,
    entry('try_to_reclaim_swap', '__try_to_reclaim_swap', `${TYPE} offset={entry} flags=0x6 inuse={inuse}`),
  ],
  [events.swapReclaimEnd, exit('try_to_reclaim_swap_ret', '__try_to_reclaim_swap', 'ret={ret}')],
  [events.swapPrepare, entry('swapcache_prepare', 'swapcache_prepare', 'entry={entry}')],
  [events.swapPrepareEnd, exit('swapcache_prepare_ret', 'swapcache_prepare', 'ret={ret}')],
  [events.swapWrite, entry('swap_writepage', 'swap_writepage', 'page={pfn}')],
  [events.swapRead, entry('swap_read_folio', 'swap_read_folio', 'folio={pfn} entry={entry}')],
  [events.swapReadAsync, entry('read_swap_cache_async', '__read_swap_cache_async', 'entry={entry}')],
  [events.swapReadAsyncEnd, exit('read_swap_cache_async_ret', '__read_swap_cache_async', 'folio={pfn}')],
];

const devices: readonly Row[] = [
  [events.siGet, entry('get_swap_device', 'get_swap_device', 'entry={entry}')],
  [events.unuseBegin, entry('try_to_unuse', 'try_to_unuse', 'type={type}')],
  [events.unuseEnd, exit('try_to_unuse_ret', 'try_to_unuse', 'ret={ret}')],
  [events.unusePte, entry('unuse_pte', 'unuse_pte', 'mm={mm} addr={va} entry={entry} folio={pfn}')],
  [events.unusePteEnd, exit('unuse_pte_ret', 'unuse_pte', 'ret={ret}')],
  [events.swapoffBegin, entry('swapoff', '__x64_sys_swapoff')],
  [events.swapoffEnd, exit('swapoff_ret', '__x64_sys_swapoff', 'ret={ret}')],
  [events.swaponBegin, entry('swapon', '__x64_sys_swapon')],
  [events.swaponEnd, exit('swapon_ret', '__x64_sys_swapon', 'ret={ret}')],
  [events.siFreed, entry('exit_swap_address_space', 'exit_swap_address_space', 'type={type}')],
];

const tasks: readonly Row[] = [
  [events.taskNew, 'task_newtask: pid={pid} comm=wl clone_flags=1200000 oom_score_adj=0'],
  [events.taskFork, 'sched_process_fork: comm=wl pid={parent} child_comm=wl child_pid={child}'],
  [events.taskExit, 'sched_process_exit: comm=wl pid={pid} prio=120'],
  [events.mmExit, entry('exit_mmap', 'exit_mmap', 'mm={mm}')],
];

/** A choice of templates by the value of an argument. */
function either(kind: EventKind, arg: string, texts: ReadonlyMap<number, string>): Print {
  const prints = new Map([...texts].map(([value, text]) => [value, template(kind, text)]));
  const at = kind.at[arg]!;
  return (to, args, i) => {
    const print = prints.get(args[i + at]!);
    if (print === undefined)
      throw new Error(`no record of ${kind.name} with ${arg} ${args[i + at]} is known`);
    print(to, args, i);
  };
}

const WALKS = new Map([
  [GUP_PIN, 'pin_user_pages'],
  [GUP_PIN_FAST, 'pin_user_pages_fast'],
  [GUP_GET_FAST, 'get_user_pages_fast'],
]);
const WALK = 'start={start} nr={nr} gup_flags={flags}';

const untested = template(events.refAdd, ref('mod', 'val={delta}'));
const tested = template(events.refAdd, ref('mod_and_test', 'val={delta} ret={zero}'));

const insertion = template(
  events.lruInsert,
  'mm_lru_insertion: folio={pfn:digits} pfn={pfn:hex} lru={lru} flags=',
);
/** Letters of a folio by what it is: mapped and anonymous, in the swap cache, swap-backed, exclusive. */
const LETTERS = [0, 1, 2, 3, 4, 5, 6, 7].map((what) =>
  ascii(`${what & 4 ? 'Ma' : ' f'}${what & 2 ? 's' : ' '}b${what & 1 ? 'd' : ' '} `),
);

const fault = template(events.faultTrap, 'page_fault_user: address={va} ip=0x404f11 error_code=');

/** Kinds that more than one template stands for. */
const CHOSEN: ReadonlyArray<readonly [EventKind, Print]> = [
  [events.refAdd, (to, a, i) => (Number.isNaN(a[i + events.refAdd.at.zero]!) ? untested : tested)(to, a, i)],
  [
    events.lruInsert,
    (to, a, i) => {
      const { anon, swapcache, exclusive } = events.lruInsert.at;
      insertion(to, a, i);
      to.put(
        LETTERS[
          (a[i + anon] === 1 ? 4 : 0) | (a[i + swapcache] === 1 ? 2 : 0) | (a[i + exclusive] === 1 ? 1 : 0)
        ]!,
      );
    },
  ],
  [
    events.faultTrap,
    (to, a, i) => {
      const { present, write, user } = events.faultTrap.at;
      fault(to, a, i);
      word(to, a[i + present]! | (a[i + write]! << 1) | (a[i + user]! << 2));
    },
  ],
  [
    events.gupBegin,
    either(
      events.gupBegin,
      'how',
      new Map([
        ...[...WALKS].map(([how, func]) => [how, entry(func, func, WALK)] as const),
        [GUP_LOCKED, entry('gup_longterm_locked', '__gup_longterm_locked', `mm={mm} ${WALK}`)],
      ]),
    ),
  ],
  [
    events.gupEnd,
    either(
      events.gupEnd,
      'how',
      new Map([...WALKS].map(([how, func]) => [how, exit(`${func}_ret`, func, 'ret={ret}')])),
    ),
  ],
  [events.gupUnpin, template(events.gupUnpin, entry('unpin_user_pages', 'unpin_user_pages', 'n={nr}'))],
  [
    events.reclaimBegin,
    either(
      events.reclaimBegin,
      'how',
      new Map([[RECLAIM_LIST, entry('shrink_folio_list', 'shrink_folio_list')]]),
    ),
  ],
  [
    events.reclaimEnd,
    either(
      events.reclaimEnd,
      'how',
      new Map([[RECLAIM_LIST, exit('shrink_folio_list_ret', 'shrink_folio_list', 'nr=0')]]),
    ),
  ],
  [
    events.siRange,
    either(
      events.siRange,
      'alloc',
      new Map(
        ['free', 'alloc'].map((what, alloc) => [
          alloc,
          entry(`swap_range_${what}`, `swap_range_${what}`, `${TYPE} offset={entry} nr={nr} inuse={inuse}`),
        ]),
      ),
    ),
  ],
  [
    events.siGot,
    either(
      events.siGot,
      'ok',
      new Map(
        ['0x0', '0xffff888000cab800'].map((si, ok) => [
          ok,
          exit('get_swap_device_ret', 'get_swap_device', `si=${si}`),
        ]),
      ),
    ),
  ],
  [
    events.sysEnter,
    either(events.sysEnter, 'call', new Map(SYSCALLS.map((name, call) => [call, entered(name)]))),
  ],
  [
    events.sysExit,
    either(events.sysExit, 'call', new Map(SYSCALLS.map((name, call) => [call, `sys_${name} -> {ret:hex}`]))),
  ],
];

/** `sys_munmap(addr: 7f5f6692c000, len: 10000)` */
function entered(call: (typeof SYSCALLS)[number]): string {
  return `sys_${call}(${syscallArguments(call)
    .map((name, n) => `${name}: {a${n}:bare}`)
    .join(', ')})`;
}

/** What prints an event of each kind; kinds that are absent are told by no tracer of a kernel. */
export const RECORDS: ReadonlyMap<EventKind, Print> = new Map([
  ...[
    ...pages,
    ...tables,
    ...rmap,
    ...faults,
    ...collapses,
    ...gup,
    ...ksm,
    ...reclaim,
    ...swap,
    ...devices,
    ...tasks,
  ].map(([kind, text]) => [kind, template(kind, text)] as const),
  ...CHOSEN,
]);
