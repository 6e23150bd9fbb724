import {
  ksmMightCopy,
  siFreed,
  siGet,
  siGot,
  siRange,
  swapAdd,
  swapAddEnd,
  swapAlloc,
  swapClear,
  swapcacheAdd,
  swapcacheDel,
  swapcacheFound,
  swapDup,
  swapDupEnd,
  swapEntriesFreeEnd,
  swapEntryFree,
  swapEntryFreeEnd,
  swapFree,
  swapFreeCache,
  swapFreeCacheEnd,
  swapFreeFolio,
  swapFreeFolioEnd,
  swapoffBegin,
  swapoffEnd,
  swaponBegin,
  swaponEnd,
  swapPrepare,
  swapPrepareEnd,
  swapPutFolio,
  swapRead,
  swapReadAsync,
  swapReadAsyncEnd,
  swapReclaim,
  swapReclaimEnd,
  swapSlotFree,
  swapWrite,
  unuseBegin,
  unuseEnd,
  unusePte,
  unusePteEnd,
} from '../events/index.ts';
import { constant, entry, int, page, ptr, slot, truth, va } from './columns.ts';
import { silent, type Tracepoint, tell } from './tracepoint.ts';

const ret = int('ret');
const ok = truth('ret');
const ofEntry = entry('entry');
const ofSlot = slot('type', 'offset');
const nr = int('nr');

const cache: readonly Tracepoint[] = [
  tell('add_to_swap', swapAdd, { pfn: page('folio'), count: int('ref', 'folio') }),
  tell('add_to_swap_ret', swapAddEnd, { ok }),
  tell('add_to_swap_cache', swapcacheAdd, { pfn: page('folio'), entry: ofEntry }),
  tell('__delete_from_swap_cache', swapcacheDel, { pfn: page('folio'), entry: ofEntry }),
  // Calls __delete_from_swap_cache; as a kprobe of that function it bears its name alone.
  tell(
    'delete_from_swap_cache',
    swapcacheDel,
    { pfn: page('folio'), entry: ofEntry },
    {
      unless: '__delete_from_swap_cache',
    },
  ),
  tell('swap_cache_get_folio_ret', swapcacheFound, { pfn: page('folio') }),
  tell('folio_free_swap', swapFreeFolio, {
    pfn: page('folio'),
    entry: entry('entry', 'folio'),
    count: int('ref', 'folio'),
  }),
  tell('folio_free_swap_ret', swapFreeFolioEnd, { ok }),
  tell('put_swap_folio', swapPutFolio, { pfn: page('folio'), entry: ofEntry }),
  tell('ksm_might_need_to_copy', ksmMightCopy, { pfn: page('folio'), va: va('addr') }),
];

const slots: readonly Tracepoint[] = [
  // Entry 0: nothing was allocated.
  tell('folio_alloc_swap_ret', swapAlloc, { entry: ofEntry }, { when: truth('entry') }),
  tell('__swap_duplicate', swapDup, { entry: ofEntry, usage: int('usage'), nr }),
  tell('__swap_duplicate_ret', swapDupEnd, { ret }),
  // Calls __swap_duplicate for one more user of one slot.
  tell(
    'swap_duplicate',
    swapDup,
    { entry: ofEntry, usage: constant(1), nr: constant(1) },
    {
      unless: '__swap_duplicate',
    },
  ),
  tell('swap_free_nr', swapFree, { entry: ofEntry, nr }),
  tell('free_swap_and_cache_nr', swapFreeCache, { entry: ofEntry, nr }),
  tell('free_swap_and_cache_nr_ret', swapFreeCacheEnd),
  tell('__swap_entry_free', swapEntryFree, { entry: ofEntry, nr: constant(1), usage: constant(1) }),
  tell('__swap_entry_free_ret', swapEntryFreeEnd, { left: int('left') }),
  tell('__swap_entries_free', swapEntryFree, { entry: ofEntry, nr, usage: constant(1) }),
  tell('__swap_entries_free_ret', swapEntriesFreeEnd, { cached: truth('has_cache') }),
  tell('swap_entry_range_free', swapSlotFree, { entry: ofEntry, nr }),
  tell('swap_range_free', siRange, { entry: ofSlot, nr, inuse: int('inuse'), alloc: constant(0) }),
  tell('swap_range_alloc', siRange, { entry: ofSlot, nr, inuse: int('inuse'), alloc: constant(1) }),
  tell('try_to_reclaim_swap', swapReclaim, { entry: ofSlot, inuse: int('inuse') }),
  tell('try_to_reclaim_swap_ret', swapReclaimEnd, { ret }),
  tell('swapcache_prepare', swapPrepare, { entry: ofEntry }),
  tell('swapcache_prepare_ret', swapPrepareEnd, { ret }),
  tell('swapcache_clear', swapClear, { entry: ofEntry }),
  // Frees a batch of slots, each of which swap_entry_range_free tells.
  silent('swapcache_free_entries'),
];

const io: readonly Tracepoint[] = [
  tell('swap_writepage', swapWrite, { pfn: page('page') }),
  tell('swap_read_folio', swapRead, { pfn: page('folio'), entry: entry('entry', 'folio') }),
  tell('read_swap_cache_async', swapReadAsync, { entry: ofEntry }),
  tell('read_swap_cache_async_ret', swapReadAsyncEnd, { pfn: page('folio') }),
  // Names a bio and no page.
  silent('end_swap_bio_write'),
];

const devices: readonly Tracepoint[] = [
  tell('get_swap_device', siGet, { entry: ofEntry }),
  tell('get_swap_device_ret', siGot, { ok: truth('si') }),
  tell('try_to_unuse', unuseBegin, { type: int('type') }),
  tell('try_to_unuse_ret', unuseEnd, { ret }),
  tell('unuse_pte', unusePte, { mm: ptr('mm'), va: va('addr'), entry: ofEntry, pfn: page('folio') }),
  tell('unuse_pte_ret', unusePteEnd, { ret }),
  tell('swapoff', swapoffBegin),
  tell('swapoff_ret', swapoffEnd, { ret }),
  // The body of the same syscall.
  silent('swapoff_do'),
  tell('swapon', swaponBegin),
  tell('swapon_ret', swaponEnd, { ret }),
  tell('exit_swap_address_space', siFreed, { type: int('type') }),
];

/** The rich pack's probes (fprobes with argument names, 6.12) on swap: cache, slots, I/O and devices. */
export const richSwapTracepoints: readonly Tracepoint[] = [...cache, ...slots, ...io, ...devices];
