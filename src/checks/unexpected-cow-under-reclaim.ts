import type { Check } from './check.ts';
import { watchCopies } from './unexpected-cow.ts';

export const unexpectedCowUnderReclaim: Check = {
  id: 'unexpected-cow-under-reclaim',
  statement:
    'An exclusively owned anonymous page was copied on a write fault because a reclaimer held its lock or had isolated it.',
  origin: 'Hugh Dickins to Robin Holt, 2008-06-23',
  severity: 'as unexpected-cow',
  needs: ['wp.begin', 'wp.copy', 'lock.release', 'reclaim.begin'],
  printed: true,
  specificity: 2,
  example: `Fires (2.6.26):
  wp fault va, PTL, orig R/O P      | kswapd: isolate P, lock P
  trylock(P) fails -> copy, pte=Q   |
                                    | (referenced) unlock P, putback
Silent: the lock is that of the faulting task's own earlier read-in`,
  start: (context) => watchCopies('unexpected-cow-under-reclaim', context, true),
};
