import { lockAcquired, lockTry, lruAdd, lruInsert, lruIsolate, lruPutback } from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import type { LruPlace } from '../lru.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import type { Task } from '../tasks.ts';

function take(s: MmState, e: Cursor, task: Task, pfn: number): void {
  s.locks.take({ pfn, pid: task.pid, seq: e.seq, ns: e.ns, cpu: e.cpu });
}

/** Where a page went on its way to or from the LRU. */
function place(s: MmState, e: Cursor, task: Task, pfn: number, where: LruPlace): void {
  if (pfn >= 0) s.lru.note({ pfn, place: where, cpu: e.cpu, pid: task.pid, seq: e.seq });
}

/** Who holds which page lock, and which pages wait in batches, as far as it is told. */
export const lockFolds: readonly Fold[] = [
  fold(lockTry, (s, e, task) => {
    if (e.args[e.at + lockTry.at.ok] === 1) take(s, e, task, e.args[e.at + lockTry.at.pfn]!);
  }),
  fold(lockAcquired, (s, e, task) => {
    const told = e.args[e.at + lockAcquired.at.pfn]!;
    const pfn = Number.isNaN(told) ? (s.locks.waiting(task.pid)?.pfn ?? Number.NaN) : told;
    if (e.args[e.at + lockAcquired.at.ok] === 1 && pfn >= 0) take(s, e, task, pfn);
    else s.locks.giveUp(task.pid);
  }),
  fold(lruAdd, (s, e, task) => place(s, e, task, e.args[e.at + lruAdd.at.pfn]!, 'batch')),
  // Without lru.add and lru.putback nothing tells how pages leave these places: then nothing is kept.
  fold(lruInsert, (s, e, task) => {
    const pfn = e.args[e.at + lruInsert.at.pfn]!;
    if (s.lru.of(pfn) !== undefined) place(s, e, task, pfn, 'list');
  }),
  fold(lruIsolate, (s, e, task) => {
    const { seen } = s.sources;
    const pfn = e.args[e.at + lruIsolate.at.pfn]!;
    if (e.args[e.at + lruIsolate.at.ok] !== 0 && (seen[lruAdd.code] === 1 || seen[lruPutback.code] === 1))
      place(s, e, task, pfn, 'isolated');
  }),
  fold(lruPutback, (s, e, task) => place(s, e, task, e.args[e.at + lruPutback.at.pfn]!, 'list')),
];
