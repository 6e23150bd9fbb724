import { pageAlloc, pageFree, pageFreeBatched } from '../events/index.ts';
import { int, page, pfn, truth } from './columns.ts';
import { silent, type Tracepoint, tell } from './tracepoint.ts';

/**
 * kmem/*: pages leaving and entering the allocator. A failed allocation (`pfn=0x0`, -1 in binary) is no page.
 * The probes pg_alloc and pg_free sit on the same tracepoints and print the pointer instead of the pfn: they
 * count only where the tracepoints themselves were not recorded.
 */
export const kmemTracepoints: readonly Tracepoint[] = [
  tell('mm_page_alloc', pageAlloc, { pfn: pfn('pfn'), order: int('order') }, { when: truth('pfn') }),
  tell('mm_page_free', pageFree, { pfn: pfn('pfn'), order: int('order') }),
  tell('mm_page_free_batched', pageFreeBatched, { pfn: pfn('pfn') }),
  tell(
    'pg_alloc',
    pageAlloc,
    { pfn: page('page'), order: int('ord') },
    { unless: 'mm_page_alloc', when: truth('page') },
  ),
  tell('pg_free', pageFree, { pfn: page('page'), order: int('ord') }, { unless: 'mm_page_free' }),
  // Movements inside the allocator: the page stays free.
  ...['mm_page_alloc_zone_locked', 'mm_page_pcpu_drain', 'mm_page_alloc_extfrag'].map((event) =>
    silent(event),
  ),
  // Counters per mm, which no decision depends on.
  silent('rss_stat'),
  silent('rss'),
  ...['kmalloc', 'kmalloc_node', 'kfree', 'kmem_cache_alloc', 'kmem_cache_alloc_node', 'kmem_cache_free'].map(
    (event) => silent(event),
  ),
  silent('mm_alloc_contig_migrate_range_info'),
];
