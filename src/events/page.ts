import { kind } from './declare.ts';

export const pageAlloc = kind(
  'page.alloc',
  'pages left the allocator: refcount 1, no mapping, a new generation for 2^order pfns',
  { pfn: 'pfn', order: 'order' },
);
export const pageFree = kind(
  'page.free',
  'pages went back to the allocator; flags: as the allocator found them, where told',
  { pfn: 'pfn', order: 'order', flags: 'pageflags' },
);
export const pageFreeBatched = kind(
  'page.free-batched',
  'a page is freed through a batch; page.free tells the same page too, before or after',
  { pfn: 'pfn' },
);

/** Every ref.* event ends with the same sample: values read just after the operation, racily. `count` is _refcount, `mapcount` the raw _mapcount (-1: unmapped), `mapping` a MAPPING_* code. */
const sample = { count: 'count', mapcount: 'count', flags: 'pageflags', mapping: 'code' } as const;
export const refSet = kind('ref.set', 'the refcount was set to value', {
  pfn: 'pfn',
  value: 'count',
  ...sample,
});
export const refAdd = kind(
  'ref.add',
  'the refcount changed by delta; zero: it reached 0 (1), did not (0), or was not asked (NaN); result: the new value where the operation returns it',
  {
    pfn: 'pfn',
    delta: 'count',
    zero: 'bool',
    result: 'count',
    ...sample,
  },
);
export const refRefused = kind(
  'ref.refused',
  'an add-unless found the refcount at the forbidden value and changed nothing',
  { pfn: 'pfn', delta: 'count', ...sample },
);
export const refFreeze = kind(
  'ref.freeze',
  'the refcount was to be frozen from expect to 0; ok: it was, else someone held another reference',
  {
    pfn: 'pfn',
    expect: 'count',
    ok: 'bool',
    ...sample,
  },
);
export const refUnfreeze = kind('ref.unfreeze', 'a frozen refcount was set to value', {
  pfn: 'pfn',
  value: 'count',
  ...sample,
});

export const pageRelease = kind(
  'page.release',
  'the last reference was dropped, the folio is being freed (__folio_put)',
  { pfn: 'pfn' },
);
export const lruInsert = kind(
  'lru.insert',
  'a folio was put on an LRU list as its per-CPU batch drained; exclusive: AnonExclusive bit of the head (anon, 5.19+), swapcache: it was in the swap cache',
  {
    pfn: 'pfn',
    lru: 'code',
    anon: 'bool',
    swapcache: 'bool',
    exclusive: 'bool',
  },
);
export const lruAdd = kind(
  'lru.add',
  "a folio was put in this CPU's batch of pages for the LRU: the batch holds a reference until it drains",
  { pfn: 'pfn' },
);
export const lruPutback = kind('lru.putback', 'an isolated folio went back to its LRU list', { pfn: 'pfn' });
export const lruActivate = kind('lru.activate', 'a folio moved to the active list', { pfn: 'pfn' });
export const lruDrain = kind('lru.drain', "this CPU's LRU batches are drained (lru_add_drain)", {});
export const lruIsolate = kind('lru.isolate', 'a folio was taken off its LRU list; ok 0: it was not on one', {
  pfn: 'pfn',
  ok: 'bool',
});
export const lockTry = kind(
  'lock.try',
  'a task took the page lock (ok 1) or found it held (ok 0), without waiting; tracers of a kernel cannot tell it: the function is inlined',
  { pfn: 'pfn', ok: 'bool' },
);
export const lockRelease = kind(
  'lock.release',
  'the page lock is about to be released (entry of folio_unlock); flags and count are samples at entry',
  {
    pfn: 'pfn',
    count: 'count',
    flags: 'pageflags',
  },
);
export const lockWait = kind('lock.wait', 'a task waits for the page lock, or retries the fault for it', {
  pfn: 'pfn',
  va: 'va',
});
export const lockAcquired = kind(
  'lock.acquired',
  'a wait for the page lock ended with the lock held (ok 1) or not',
  { pfn: 'pfn', ok: 'bool' },
);
export const writebackStart = kind('wb.start', 'writeback of a folio starts', { pfn: 'pfn' });
export const writebackEnd = kind('wb.end', 'writeback of a folio ended', { pfn: 'pfn' });
export const dirtySet = kind('dirty.set', 'a folio was marked dirty', { pfn: 'pfn' });
export const pageZero = kind('page.zero', 'this pfn is the zero page', { pfn: 'pfn' });
export const pageUnpinnable = kind(
  'page.unpinnable',
  'the page lies in a CMA block or in ZONE_MOVABLE: no long-term pin may keep it there',
  { pfn: 'pfn' },
);
