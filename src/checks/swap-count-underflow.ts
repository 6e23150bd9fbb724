import { UNKNOWN } from '../core/knowledge.ts';
import type { EventKind } from '../events/declare.ts';
import {
  swapAlloc,
  swapDup,
  swapEntryFree,
  swapEntryFreeEnd,
  swapFree,
  swapFreeCache,
  swapFreeCacheEnd,
} from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { doubt, entriesOf, Suspicions, slotPlace } from './swap-slots.ts';

const ID = 'swap-count-underflow';
/** A count of 0 that loses a user wraps: no valid map byte has these bits but that of a tmpfs slot (SWAP_MAP_SHMEM). */
const COUNT = 0x3f;
const ONE_USER = 1;

export const swapCountUnderflow: Check = {
  id: ID,
  statement: 'A swap slot lost a user that it did not have.',
  origin: 'mm/swapfile.c:_swap_info_get ("Unused swap offset entry"), __swap_entry_free_locked',
  severity: 'critical: the slot is given away while a PTE still refers to it',
  needs: ['swap.alloc', 'swap.dup', 'swap.free', 'swap.entry-free.end'],
  specificity: 4,
  example: `Fires:  swap.free e (count 1 -> 0) ; swap.free e (0 -> -1)
Silent: a slot with the cache bit alone waits for its return to the pool
Silent: a free told at its entry, done after another task's swap_duplicate`,
  start(context) {
    const s = context.state;
    const suspicions = new Suspicions(context);
    /** Entry and usage that a task's __swap_entry_free is about. */
    const freeing = new Map<number, { entry: number; seq: number }>();

    const look = (
      kind: EventKind,
      entryAt: number,
      nrAt: number,
    ): readonly [EventKind, (e: Cursor) => void] => [
      kind,
      (e) => {
        for (const entry of entriesOf(e.args[e.at + entryAt]!, e.args[e.at + nrAt]!)) {
          const users = s.swap.exactUsers(entry);
          if (Number.isNaN(users)) {
            context.cannot('swap.alloc: the history of the slot');
            continue;
          }
          context.judged();
          if (users > 0) continue;
          const row = s.swap.table.find(entry);
          suspicions.raise(entry, {
            finding: {
              check: ID,
              severity: 'critical',
              cause: 'freed-at-zero',
              moment: e.seq,
              place: slotPlace(e, entry),
              values: { count: users, freer: s.swap.table.col.pid[row]! },
              evidence: [
                {
                  seq: s.swap.table.col.seq[row]!,
                  role: 'context',
                  text: `count of the slot becomes ${users}`,
                },
                { seq: e.seq, role: 'decision', text: 'loses one user more' },
              ],
            },
            missing: 'the map byte after the free (return of __swap_entry_free)',
            ns: e.ns,
            cpu: e.cpu,
            pfn: Number.NaN,
          });
        }
      },
    ];

    return {
      before: [
        look(swapFree, swapFree.at.entry, swapFree.at.nr),
        look(swapFreeCache, swapFreeCache.at.entry, swapFreeCache.at.nr),
        [
          swapEntryFree,
          (e) => {
            if (e.args[e.at + swapEntryFree.at.usage] !== ONE_USER) freeing.delete(Tasks.actor(e));
            else freeing.set(Tasks.actor(e), { entry: e.args[e.at + swapEntryFree.at.entry]!, seq: e.seq });
          },
        ],
        [
          swapEntryFreeEnd,
          (e) => {
            const own = freeing.get(Tasks.actor(e));
            freeing.delete(Tasks.actor(e));
            const left = e.args[e.at + swapEntryFreeEnd.at.left]!;
            if (own === undefined || Number.isNaN(own.entry) || Number.isNaN(left)) return;
            if ((left & COUNT) !== COUNT) {
              // The kernel's own byte is sound: the fold missed a duplication.
              suspicions.drop(own.entry);
              return;
            }
            const why = doubt(s);
            const row = s.swap.table.find(own.entry);
            const shmem = row >= 0 && s.swap.table.col.shmem[row] === 1;
            if (shmem) return;
            suspicions.drop(own.entry);
            context.judged();
            // A byte that shows the wrap needs no history, but a tmpfs slot of which nothing is known could look alike.
            const told = row >= 0 && s.swap.table.col.grade[row] !== UNKNOWN;
            context.report({
              check: ID,
              severity: 'critical',
              verdict: why === null && told ? 'proven' : 'suspect',
              cause: 'freed-at-zero',
              moment: own.seq,
              place: slotPlace(e, own.entry),
              values: { count: -1, freer: null },
              evidence: [
                { seq: own.seq, role: 'decision', text: 'loses one user' },
                { seq: e.seq, role: 'harm', text: `map byte 0x${left.toString(16)}: the count wrapped` },
              ],
              missing: why ?? (told ? null : 'swap.alloc: whether the slot belongs to tmpfs'),
            });
          },
        ],
      ],
      after: [
        [
          swapFreeCacheEnd,
          (e) => {
            const section = s.swap.sections.closedAt(e.seq);
            if (section === null || section.droppedSeq > 0) return;
            // The function looked, found the slot unused and went away: that is how it says "Unused swap offset entry".
            for (const entry of entriesOf(section.entry, section.nr)) suspicions.settle(entry);
          },
        ],
        [
          swapDup,
          (e) => {
            const first = e.args[e.at + swapDup.at.entry]!;
            for (const entry of entriesOf(first, e.args[e.at + swapDup.at.nr]!)) {
              const held = suspicions.peek(entry);
              // Its record may stand behind that of a free that came later.
              if (held !== undefined && e.ns - held.ns <= context.skewNs()) suspicions.drop(entry);
            }
          },
        ],
        [swapAlloc, (e) => suspicions.settle(e.args[e.at + swapAlloc.at.entry]!)],
      ],
      finish: () => suspicions.settleAll(),
    };
  },
};
