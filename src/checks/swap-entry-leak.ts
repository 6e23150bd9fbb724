import { EXACT } from '../core/knowledge.ts';
import { entryType, PTE_KIND, PTE_SWAP } from '../core/pte.ts';
import type { EventKind } from '../events/declare.ts';
import {
  pteSet,
  swapAlloc,
  swapDup,
  swapEntryFree,
  swapEntryFreeEnd,
  swapFree,
  swapFreeCache,
  unuseEnd,
} from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { doubt, entriesOf, Suspicions, slotPlace } from './swap-slots.ts';

const ID = 'swap-entry-leak';
const COUNT = 0x3f;
const ONE_USER = 1;

/** What is told of one life of a slot. */
interface Life {
  dups: number;
  /** PTEs that got the entry, and PTEs that were seen to lose it. */
  placed: number;
  removed: number;
  removedSeq: number;
  /** Last map byte that the kernel printed. */
  left: number;
  leftSeq: number;
}

export const swapEntryLeak: Check = {
  id: ID,
  statement: 'A swap slot counts more users than there are PTEs that hold its entry: it can never be freed.',
  origin: 'mm/swapfile.c:try_to_unuse, which goes on until nothing is in use',
  severity: 'warning; high where swapoff ended with the slot still counted',
  needs: ['swap.alloc', 'swap.dup', 'swap.free', 'pte.set', 'si.unuse.end'],
  specificity: 3,
  example: `Fires:  swap.dup e ; PTE := e ; PTE := none, no swap.free e ; trace ends, count 1
Silent: the count is held by a migration or a move in flight
Silent: a PTE of an mm that the trace does not tell may hold the entry`,
  start(context) {
    const s = context.state;
    const suspicions = new Suspicions(context);
    const lives = new Map<number, Life>();
    const freeing = new Map<number, number>();
    const unusing = new Map<number, number>();

    function afterUnuse(e: Cursor): void {
      const type = unusing.get(Tasks.actor(e)) ?? Number.NaN;
      if (Number.isNaN(type) || e.args[e.at + unuseEnd.at.ret] !== 0) return;
      const { table } = s.swap;
      for (let row = 0; row < table.bound; row++) {
        if (!table.alive(row) || table.col.grade[row] !== EXACT || entryType(table.key(row)) !== type)
          continue;
        context.judged();
        const users = table.col.count[row]!;
        if (users <= 0) continue;
        const entry = table.key(row);
        suspicions.raise(entry, {
          finding: {
            check: ID,
            severity: 'high',
            cause: 'counted-after-swapoff',
            moment: e.seq,
            place: slotPlace(e, entry),
            values: { count: users, ptes: null, type },
            evidence: [
              { seq: table.col.seq[row]!, role: 'cause', text: `count of the slot becomes ${users}` },
              { seq: e.seq, role: 'decision', text: 'try_to_unuse finds nothing in use' },
            ],
          },
          missing: 'that someone still counts on the slot: none of its users was heard of afterwards',
          ns: e.ns,
          cpu: e.cpu,
          pfn: Number.NaN,
        });
      }
    }

    const drops = (
      kind: EventKind,
      entryAt: number,
      nrAt: number,
    ): readonly [EventKind, (e: Cursor) => void] => [
      kind,
      (e) => {
        for (const entry of entriesOf(e.args[e.at + entryAt]!, e.args[e.at + nrAt]!))
          suspicions.confirm(entry, e, 'drops a count that swapoff did not wait for');
      },
    ];

    /** Slots that are still counted as the trace ends, at rest: nobody is in the middle of a fault or of unmapping. */
    function atEnd(): void {
      suspicions.settleAll();
      const { table, sections } = s.swap;
      for (const task of s.tasks.all())
        if (task.fault !== null || task.unmap !== null || task.zap !== null || task.forkPtes !== null) return;
      if (sections.size > 0) return;
      for (const [entry, life] of lives) {
        const row = table.find(entry);
        if (row < 0 || table.col.grade[row] !== EXACT || table.col.count[row]! <= 0) continue;
        // tmpfs holds its count without a PTE.
        if (table.col.shmem[row] === 1) continue;
        if (life.placed !== life.dups) {
          context.cannot('pte.set: every PTE that holds the entry');
          continue;
        }
        context.judged();
        const users = table.col.count[row]!;
        const ptes = life.placed - life.removed;
        if (users <= ptes) continue;
        const sampled = life.leftSeq > life.removedSeq && life.left === users;
        const missing = doubt(s) ?? (sampled ? null : 'a map byte read after the last PTE lost the entry');
        context.report({
          check: ID,
          severity: 'warning',
          verdict: missing === null ? 'proven' : 'suspect',
          cause: 'count-without-pte',
          moment: life.removedSeq,
          place: {
            seq: life.removedSeq,
            ns: s.ns,
            cpu: null,
            pid: null,
            mm: null,
            address: null,
            pfn: null,
            newPfn: null,
            entry,
          },
          values: { count: users, ptes, type: entryType(entry) },
          evidence: [
            { seq: table.col.born[row]!, role: 'context', text: 'slot allocated' },
            { seq: life.removedSeq, role: 'decision', text: `a PTE loses the entry: ${ptes} left` },
            ...(sampled
              ? [{ seq: life.leftSeq, role: 'harm' as const, text: `map byte still counts ${users}` }]
              : []),
          ],
          missing,
        });
      }
    }

    return {
      before: [
        [swapAlloc, (e) => void begin(e)],
        [
          swapDup,
          (e) => {
            if (e.args[e.at + swapDup.at.usage] !== ONE_USER) return;
            for (const entry of entriesOf(e.args[e.at + swapDup.at.entry]!, e.args[e.at + swapDup.at.nr]!)) {
              const life = lives.get(entry);
              if (life !== undefined) life.dups++;
            }
          },
        ],
        [
          pteSet,
          (e) => {
            const { old, value } = pteSet.at;
            const had = (e.args[e.at + old]! & PTE_KIND) === PTE_SWAP ? e.args[e.at + old + 1]! : Number.NaN;
            const gets =
              (e.args[e.at + value]! & PTE_KIND) === PTE_SWAP ? e.args[e.at + value + 1]! : Number.NaN;
            if (Object.is(had, gets)) return;
            const lost = lives.get(had);
            if (lost !== undefined) {
              lost.removed++;
              lost.removedSeq = e.seq;
            }
            const won = lives.get(gets);
            if (won !== undefined) won.placed++;
          },
        ],
        [swapEntryFree, (e) => void freeing.set(Tasks.actor(e), e.args[e.at + swapEntryFree.at.entry]!)],
        [
          swapEntryFreeEnd,
          (e) => {
            const life = lives.get(freeing.get(Tasks.actor(e)) ?? Number.NaN);
            freeing.delete(Tasks.actor(e));
            const left = e.args[e.at + swapEntryFreeEnd.at.left]!;
            if (life === undefined || Number.isNaN(left)) return;
            life.left = left & COUNT;
            life.leftSeq = e.seq;
          },
        ],
        [
          unuseEnd,
          (e) => {
            const type = s.swap.unusing.get(Tasks.actor(e));
            if (type !== undefined) unusing.set(Tasks.actor(e), type);
          },
        ],
        drops(swapFree, swapFree.at.entry, swapFree.at.nr),
        drops(swapFreeCache, swapFreeCache.at.entry, swapFreeCache.at.nr),
      ],
      after: [[unuseEnd, afterUnuse]],
      finish: atEnd,
    };

    function begin(e: Cursor): void {
      const first = e.args[e.at + swapAlloc.at.entry]!;
      for (const entry of entriesOf(first, e.args[e.at + swapAlloc.at.nr]!)) {
        suspicions.settle(entry);
        lives.set(entry, { dups: 0, placed: 0, removed: 0, removedSeq: e.seq, left: Number.NaN, leftSeq: 0 });
      }
    }
  },
};
