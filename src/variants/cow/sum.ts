import type { AnonPage } from '../page.ts';

/** page_mapcount() + page_swapcount(): all processes that could see the page (mm/swapfile.c until 5.8). */
export function users(page: AnonPage): number {
  return page.mappings + (page.mappings <= 1 && page.swapcache ? page.swapcount : 0);
}
