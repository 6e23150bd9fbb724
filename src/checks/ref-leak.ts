import { EXACT } from '../core/knowledge.ts';
import { PG_HEAD, PG_LRU, PG_SWAPBACKED } from '../core/pageflags.ts';
import { refSet, taskExit, taskFork, traceCut } from '../events/index.ts';
import { LIFE_ALLOCATED, TRI_TRUE } from '../state/pages.ts';
import type { MmState } from '../state/state.ts';
import type { Check } from './check.ts';
import { incomplete } from './integrity.ts';
import { tell } from './pending.ts';

const ID = 'ref-leak';

/** Tasks that may still be about to drop a reference of the page: those that changed its count or its mapping last. */
function lastUsers(s: MmState, row: number): number[] {
  return [s.pages.col.refPid[row]!, s.pages.col.mapPid[row]!];
}

/** References of a page that nothing known holds: not mapped, not cached, not pinned, not on its way to the LRU. */
function unheld(s: MmState, row: number): number {
  const c = s.pages.col;
  if (c.slot[row] !== 0 || c.hold[row] !== 0 || c.pins[row]! > 0 || c.swapcache[row] === TRI_TRUE) return 0;
  const place = s.lru.of(s.pages.table.key(row))?.place;
  // A page off its list is in a batch, or isolated: either holds a reference.
  const lru = place === undefined ? (c.flags[row]! & PG_LRU ? 0 : 1) : place === 'list' ? 0 : 1;
  return c.count[row]! - lru;
}

export const refLeak: Check = {
  id: ID,
  statement: 'At the end of the trace a page still has references, and nothing known to the trace holds one.',
  origin: 'include/linux/page_ref.h: a page whose last reference is never put is never freed',
  severity: 'critical',
  needs: ['page.alloc', 'page.free', 'ref.set', 'ref.add', 'rmap.del', 'task.exit'],
  specificity: 2,
  example: `Fires:
  get P ; unmap P ; exit (no put)   |
Silent:
  P waits in an LRU batch           |
Silent: references taken before the trace begins`,
  start(context) {
    const s = context.state;
    const exited = new Set<number>();
    return {
      after: [
        [taskExit, (e) => void exited.add(e.args[e.at + taskExit.at.pid]!)],
        [taskFork, (e) => void exited.delete(e.args[e.at + taskFork.at.child]!)],
      ],
      finish() {
        const why = incomplete(s) ?? (s.lossy || s.blind ? 'the records that were lost' : null);
        if (why !== null || s.sources.seen[traceCut.code] === 1 || s.sources.seen[refSet.code] === 0) {
          context.cannot(why ?? 'the end of the trace');
          return;
        }
        const c = s.pages.col;
        for (let row = 0; row < s.pages.table.bound; row++) {
          if (!s.pages.table.alive(row) || c.life[row] !== LIFE_ALLOCATED || c.flagsSeq[row] === 0) continue;
          // Only pages that processes map: the kernel's own are reached in ways that no trace tells.
          if (!(c.flags[row]! & PG_SWAPBACKED) || c.flags[row]! & PG_HEAD || c.large[row] === 1) continue;
          if (!s.pages.exact(row) || c.mapGrade[row] !== EXACT || c.mapSeq[row] === 0) {
            context.cannot('history of the page since its allocation');
            continue;
          }
          context.judged();
          if (c.map[row] !== 0 || unheld(s, row) <= 0 || c.countOff[row] !== 0) continue;
          // Whoever dealt with it last is gone: it will not put it a moment after the trace.
          if (lastUsers(s, row).some((pid) => !exited.has(pid))) continue;
          const pfn = s.pages.table.key(row);
          tell(
            context,
            ID,
            {
              severity: 'critical',
              cause: 'never-put',
              moment: c.refSeq[row]!,
              place: {
                seq: c.refSeq[row]!,
                ns: s.ns,
                cpu: null,
                pid: c.refPid[row]!,
                mm: null,
                address: null,
                pfn,
                newPfn: null,
                entry: null,
              },
              values: { refcount: c.count[row]!, mapcount: 0 },
              evidence: [
                { seq: c.mapSeq[row]!, role: 'context', text: 'last mapping removed' },
                {
                  seq: c.refSeq[row]!,
                  role: 'decision',
                  text: `last change of the count: ${c.count[row]} left`,
                },
              ],
            },
            'rests on the absence of ref.add: a put after the end, or a holder that no record names',
          );
        }
      },
    };
  },
};
