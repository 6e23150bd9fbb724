import { kind } from './declare.ts';

export const swapcacheAdd = kind('swapcache.add', 'a folio enters the swap cache; ok unknown at entry', {
  pfn: 'pfn',
  entry: 'entry',
  ok: 'bool',
});
export const swapcacheDel = kind(
  'swapcache.del',
  'a folio leaves the swap cache (__delete_from_swap_cache)',
  { pfn: 'pfn', entry: 'entry' },
);
export const swapcacheFound = kind('swapcache.found', 'a swap cache lookup returned a folio (NaN: none)', {
  pfn: 'pfn',
});
export const swapAdd = kind('swap.add.begin', 'add_to_swap starts', { pfn: 'pfn', count: 'count' });
export const swapAddEnd = kind('swap.add.end', 'add_to_swap returned', { ok: 'bool' });
export const swapAlloc = kind('swap.alloc', 'a slot was allocated', { entry: 'entry', nr: 'count' });
export const swapFreeFolio = kind(
  'swap.try-free.begin',
  'folio_free_swap starts: free the slot and leave the swap cache if nobody else needs it',
  { pfn: 'pfn', entry: 'entry', count: 'count' },
);
export const swapFreeFolioEnd = kind('swap.try-free.end', 'folio_free_swap returned; pfn where told', {
  pfn: 'pfn',
  ok: 'bool',
});
export const swapDup = kind(
  'swap.dup',
  'nr slots get one more user (usage 1) or the cache bit (usage 0x40); at entry',
  { entry: 'entry', usage: 'code', nr: 'count' },
);
export const swapDupEnd = kind('swap.dup.end', '__swap_duplicate returned; entry where told', {
  entry: 'entry',
  ret: 'long',
});
export const swapFree = kind('swap.free', 'nr slots lose one user (entry of swap_free_nr)', {
  entry: 'entry',
  nr: 'count',
});
export const swapFreeCache = kind(
  'swap.free-cache.begin',
  'nr slots lose one user and their cache is dropped if it was the last (free_swap_and_cache_nr)',
  { entry: 'entry', nr: 'count' },
);
export const swapFreeCacheEnd = kind('swap.free-cache.end', 'free_swap_and_cache_nr returned', {});
export const swapEntryFree = kind(
  'swap.entry-free',
  'one user of a slot goes, under the cluster lock; at entry; usage 0x40: the cache bit goes, where told',
  { entry: 'entry', nr: 'count', usage: 'code' },
);
export const swapEntryFreeEnd = kind(
  'swap.entry-free.end',
  "what the slot's map byte is afterwards (0x40: cache only)",
  { left: 'code' },
);
export const swapEntriesFreeEnd = kind(
  'swap.entries-free.end',
  '__swap_entries_free returned: whether any of the slots is cached',
  { cached: 'bool' },
);
export const swapSlotFree = kind('swap.slotfree', 'slots go back to the free pool', {
  entry: 'entry',
  nr: 'count',
});
export const swapPutFolio = kind('swap.put-folio', "the swap cache's hold on a folio's slots is given up", {
  pfn: 'pfn',
  entry: 'entry',
});
export const swapReclaim = kind('swap.reclaim.begin', 'an unused cached slot is to be reclaimed', {
  entry: 'entry',
  inuse: 'count',
});
export const swapReclaimEnd = kind('swap.reclaim.end', '__try_to_reclaim_swap returned', { ret: 'long' });
export const swapWrite = kind('swap.write', 'a folio is written to swap', { pfn: 'pfn', entry: 'entry' });
export const swapRead = kind('swap.read', 'a folio is read from swap', { pfn: 'pfn', entry: 'entry' });
export const swapPrepare = kind(
  'swap.prepare',
  'a slot is reserved for a swap-in without cache (swapcache_prepare)',
  { entry: 'entry' },
);
export const swapPrepareEnd = kind('swap.prepare.end', 'swapcache_prepare returned', { ret: 'long' });
export const swapClear = kind('swap.clear', 'the reservation of a slot ends (swapcache_clear)', {
  entry: 'entry',
});
export const swapReadAsync = kind('swap.read-async.begin', '__read_swap_cache_async starts', {
  entry: 'entry',
});
export const swapReadAsyncEnd = kind('swap.read-async.end', '__read_swap_cache_async returned a folio', {
  pfn: 'pfn',
});
export const ksmMightCopy = kind(
  'swapin.check',
  'the swap-in has its folio locked (ksm_might_need_to_copy)',
  { pfn: 'pfn', va: 'va' },
);
export const siGet = kind('si.get', 'a swap device reference is asked for', { entry: 'entry' });
export const siGot = kind('si.got', 'get_swap_device returned; ok 0: the device goes away', {
  entry: 'entry',
  ok: 'bool',
});
export const siPut = kind('si.put', 'a swap device reference is given back (put_swap_device)', {
  entry: 'entry',
});
/** `what` of si.use. */
export const SI_USE_MAP = 0;
export const siUse = kind(
  'si.use',
  'a task reads or writes the swap_map, the clusters or the swap_info of a device; no tracer of a kernel tells it',
  { entry: 'entry', what: 'code' },
);
export const siRange = kind(
  'si.range',
  'slots of a device were taken or given back; inuse is inuse_pages before',
  { entry: 'entry', nr: 'count', inuse: 'count', alloc: 'bool' },
);
export const swapoffBegin = kind('si.off.begin', 'swapoff starts', {});
export const swapoffEnd = kind('si.off.end', 'swapoff returned', { ret: 'long' });
export const unuseBegin = kind('si.unuse.begin', 'try_to_unuse starts on a device', { type: 'code' });
export const unuseEnd = kind('si.unuse.end', 'try_to_unuse returned', { ret: 'long' });
export const unusePte = kind('si.unuse-pte.begin', 'swapoff converts one swap PTE', {
  mm: 'mm',
  va: 'va',
  entry: 'entry',
  pfn: 'pfn',
});
export const unusePteEnd = kind('si.unuse-pte.end', 'unuse_pte returned', { ret: 'long' });
export const siFreed = kind(
  'si.freed',
  "the device's swap_map and address space are gone (exit_swap_address_space runs after their free)",
  { type: 'code' },
);
export const swaponBegin = kind('si.on.begin', 'swapon starts', {});
export const swaponEnd = kind('si.on.end', 'swapon returned', { ret: 'long' });
export const swapcachePeek = kind(
  'swapcache.peek',
  'a reader without the page lock saw PG_swapcache set and then read this entry from the folio (synthetic traces: no probe tells it)',
  { pfn: 'pfn', entry: 'entry' },
);
export const siStable = kind(
  'si.stable',
  'the device needs pages that do not change while they are written (SWP_STABLE_WRITES; synthetic traces: no probe tells it)',
  { type: 'code' },
);
