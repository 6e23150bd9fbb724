import { EXACT, UNKNOWN } from '../core/knowledge.ts';
import { swapAlloc, swapDup, swapDupEnd, swapEntryFree, swapEntryFreeEnd } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { SWAP_COUNT_MAX } from '../state/swap.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { entriesOf, Suspicions, slotPlace } from './swap-slots.ts';

const ID = 'swap-count-overflow';
const ONE_USER = 1;
const CONTINUED = 0x80;

export const swapCountOverflow: Check = {
  id: ID,
  statement:
    'A swap slot got a user that it cannot count: beyond the range of its map byte without a continuation, or while it was nobody’s.',
  origin: 'mm/swapfile.c:__swap_duplicate, add_swap_count_continuation',
  severity: 'critical: the slot will be freed while it is in use',
  needs: ['swap.alloc', 'swap.dup', 'swap.dup.end', 'swap.slotfree', 'swap.entry-free.end'],
  specificity: 4,
  example: `Fires:  62 users ; swap.dup e succeeds ; the map byte has no continuation bit
Fires:  swap.slotfree e ; swap.dup e succeeds (count 0, no cache)
Silent: 62 users ; swap.dup e refused (-ENOMEM) ; continuation added ; swap.dup e
Silent: swap.dup e refused (-ENOENT): the slot is free, the PTE has changed`,
  start(context) {
    const s = context.state;
    const suspicions = new Suspicions(context);
    const dups = new Map<
      number,
      ReadonlyArray<{ entry: number; cause: string; count: number; since: number }>
    >();
    const freeing = new Map<number, number>();

    function begin(e: Cursor): void {
      dups.delete(Tasks.actor(e));
      if (e.args[e.at + swapDup.at.usage] !== ONE_USER) return;
      const doubtful: Array<{ entry: number; cause: string; count: number; since: number }> = [];
      for (const entry of entriesOf(e.args[e.at + swapDup.at.entry]!, e.args[e.at + swapDup.at.nr]!)) {
        const row = s.swap.table.find(entry);
        const c = s.swap.table.col;
        const free = row >= 0 && c.grade[row] === UNKNOWN && c.freeSeq[row]! > 0;
        if (row < 0 || (c.grade[row] !== EXACT && !free)) {
          context.cannot('swap.alloc: the history of the slot');
          continue;
        }
        context.judged();
        if (free && c.cached[row] === 0)
          doubtful.push({ entry, cause: 'slot-was-free', count: 0, since: c.freeSeq[row]! });
        else if (!free && c.count[row]! >= SWAP_COUNT_MAX)
          doubtful.push({ entry, cause: 'past-the-range', count: c.count[row]!, since: c.seq[row]! });
      }
      if (doubtful.length > 0) dups.set(Tasks.actor(e), doubtful);
    }

    function end(e: Cursor): void {
      const doubtful = dups.get(Tasks.actor(e)) ?? [];
      dups.delete(Tasks.actor(e));
      if (e.args[e.at + swapDupEnd.at.ret] !== 0) return;
      for (const { entry, cause, count, since } of doubtful) {
        suspicions.raise(entry, {
          finding: {
            check: ID,
            severity: 'critical',
            cause,
            moment: e.seq,
            place: slotPlace(e, entry),
            values: { count },
            evidence: [
              {
                seq: since,
                role: 'context',
                text: cause === 'slot-was-free' ? 'slot goes back to the pool' : `slot has ${count} users`,
              },
              { seq: e.seq, role: 'decision', text: 'gets one user more' },
            ],
          },
          missing:
            cause === 'slot-was-free'
              ? 'that the slot was not allocated again meanwhile: this rests on the absence of swap.alloc'
              : 'the map byte of the slot afterwards: its continuation bit',
          ns: e.ns,
          cpu: e.cpu,
          pfn: Number.NaN,
        });
      }
    }

    return {
      before: [
        [swapDup, begin],
        [swapDupEnd, end],
        [swapEntryFree, (e) => void freeing.set(Tasks.actor(e), e.args[e.at + swapEntryFree.at.entry]!)],
        [
          swapEntryFreeEnd,
          (e) => {
            const entry = freeing.get(Tasks.actor(e)) ?? Number.NaN;
            freeing.delete(Tasks.actor(e));
            const left = e.args[e.at + swapEntryFreeEnd.at.left]!;
            if (Number.isNaN(entry) || Number.isNaN(left)) return;
            if (suspicions.peek(entry)?.finding.cause !== 'past-the-range') return;
            if (left & CONTINUED) suspicions.drop(entry);
            else suspicions.confirm(entry, e, `map byte 0x${left.toString(16)}: no continuation`);
          },
        ],
        [swapAlloc, (e) => suspicions.settle(e.args[e.at + swapAlloc.at.entry]!)],
      ],
      finish: () => suspicions.settleAll(),
    };
  },
};
