import { PG_LOCKED, PG_LRU, PG_SLAB, PG_WRITEBACK } from '../core/pageflags.ts';
import type { Check } from './check.ts';
import { placeOn } from './evidence.ts';
import { tell } from './pending.ts';

interface Kind {
  readonly id: string;
  readonly statement: string;
  readonly flag: number;
  readonly name: string;
  /** The free path itself clears the flag behind the last put: only the allocator's own reading tells. */
  readonly clearedOnTheWay: boolean;
  readonly example: string;
}

function freeWhile({ id, statement, flag, name, clearedOnTheWay, example }: Kind): Check {
  return {
    id,
    statement,
    origin: 'mm/page_alloc.c:free_page_is_bad: PAGE_FLAGS_CHECK_AT_FREE',
    severity: 'critical',
    needs: clearedOnTheWay ? ['page.free'] : ['ref.add', 'page.free'],
    specificity: 4,
    example,
    start(context) {
      return {
        lastUse(e, { pfn, at, flags }) {
          if (Number.isNaN(flags) || (clearedOnTheWay && at === 'put')) {
            if (at === 'free' || !clearedOnTheWay) context.cannot('page flags at the free');
            return;
          }
          context.judged();
          // Slab pages use the lock bit as they please.
          if (!(flags & flag) || flags & PG_SLAB) return;
          tell(
            context,
            id,
            {
              severity: 'critical',
              cause: name,
              moment: e.seq,
              place: placeOn(e, { pfn }),
              values: { flag: name },
              evidence: [
                {
                  seq: e.seq,
                  role: 'decision',
                  text: at === 'put' ? `last reference dropped, page ${name}` : `page freed, ${name}`,
                },
              ],
            },
            null,
          );
        },
      };
    },
  };
}

export const freeWhileLocked: Check = freeWhile({
  id: 'free-while-locked',
  statement: 'A page was freed while its lock was held.',
  flag: PG_LOCKED,
  name: 'locked',
  clearedOnTheWay: false,
  example: `Fires:
  lock P ; put P (last reference)   |
Silent:
  lock P ; unlock P ; put P         |`,
});

export const freeWhileWriteback: Check = freeWhile({
  id: 'free-while-writeback',
  statement: 'A page was freed while it was being written back.',
  flag: PG_WRITEBACK,
  name: 'under writeback',
  clearedOnTheWay: false,
  example: `Fires:
  start writeback of P              | put P (last reference)
Silent:
  writeback of P ends ; put P       |`,
});

export const freeWhileOnLru: Check = freeWhile({
  id: 'free-while-on-lru',
  statement: 'A page was freed while it was on an LRU list.',
  flag: PG_LRU,
  name: 'on an LRU list',
  clearedOnTheWay: true,
  example: `Fires:
  the allocator takes P             | P is still on its LRU list
Silent: the last put finds P on its list, and takes it off on the way to the allocator`,
});
