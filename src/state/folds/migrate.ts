import {
  migrateEntryRemoved,
  migrateEntrySet,
  migrateMapping,
  migrateMappingEnd,
  migrateMove,
  migrateRestore,
  migrateUndo,
  migrateUnmap,
  migrateUnmapEnd,
} from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import type { Migration } from '../machines.ts';
import { TRI_UNKNOWN } from '../pages.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import type { Task } from '../tasks.ts';
import { exclusiveOf } from './rmap.ts';

/** The migration of a page, made on first sight; one that was moved or undone before is over. */
function migrationOf(s: MmState, e: Cursor, src: number, pid: number): Migration {
  const found = s.machines.migrations.get(src);
  if (found !== undefined && (found.entries.length > 0 || (found.movedSeq === 0 && found.undoneSeq === 0)))
    return found;
  const begun: Migration = {
    src,
    dst: Number.NaN,
    pid,
    seq: e.seq,
    entries: [],
    movedSeq: 0,
    undoneSeq: 0,
  };
  s.machines.migrations.set(src, begun);
  return begun;
}

/** Forgets a migration that left nothing behind. */
function settle(s: MmState, migration: Migration): void {
  if (migration.entries.length === 0 && (migration.movedSeq > 0 || migration.undoneSeq > 0))
    s.machines.migrations.delete(migration.src);
}

/** An entry is gone; mm NaN: not told whose. */
function dropEntry(s: MmState, mm: number, va: number): void {
  for (const migration of s.machines.migrations.values()) {
    const at = migration.entries.findIndex(
      (entry) => entry.va === va && (entry.mm === mm || Number.isNaN(mm)),
    );
    if (at < 0) continue;
    migration.entries.splice(at, 1);
    settle(s, migration);
    return;
  }
}

/** mm that the task writes migration entries of: that of the function it is in. */
function mmOf(task: Task): number {
  return task.unmap?.mm ?? Number.NaN;
}

export const migrateFolds: readonly Fold[] = [
  fold(migrateUnmap, (s, e, task) => {
    const { pfn, mm, va } = migrateUnmap.at;
    const page = e.args[e.at + pfn]!;
    task.unmap = {
      pfn: page,
      mm: e.args[e.at + mm]!,
      va: e.args[e.at + va]!,
      seq: e.seq,
      migrate: true,
      exclusive: exclusiveOf(s, page),
    };
    if (page >= 0) migrationOf(s, e, page, task.pid);
  }),
  fold(migrateEntrySet, (s, e, task) => {
    const page = e.args[e.at + migrateEntrySet.at.pte + 1]!;
    const va = e.args[e.at + migrateEntrySet.at.va]!;
    const mm = mmOf(task);
    if (!(page >= 0) || Number.isNaN(mm)) return;
    // A large folio's PTEs name its pages; the function names the head.
    const src = task.unmap !== null && task.unmap.pfn >= 0 ? task.unmap.pfn : page;
    migrationOf(s, e, src, task.pid).entries.push({ mm, va, seq: e.seq });
  }),
  fold(migrateUnmapEnd, (_s, _e, task) => {
    task.unmap = null;
  }),
  fold(migrateRestore, (s, e, task) => {
    const mm = e.args[e.at + migrateRestore.at.mm]!;
    const va = e.args[e.at + migrateRestore.at.va]!;
    // Its return is not probed: the bracket is good for the PTE write that follows at once, which must match its index.
    task.unmap = { pfn: Number.NaN, mm, va, seq: e.seq, migrate: true, exclusive: TRI_UNKNOWN };
    dropEntry(s, mm, va);
  }),
  fold(migrateEntryRemoved, (s, e, task) => {
    dropEntry(s, mmOf(task), e.args[e.at + migrateEntryRemoved.at.va]!);
  }),
  fold(migrateMapping, (s, e, task) => {
    const { src, dst } = migrateMapping.at;
    task.moving = e.args[e.at + src]!;
    task.movingTo = e.args[e.at + dst]!;
    if (task.moving >= 0) migrationOf(s, e, task.moving, task.pid).dst = task.movingTo;
  }),
  fold(migrateMappingEnd, (s, e, task) => {
    const migration = s.machines.migrations.get(task.moving);
    task.moving = Number.NaN;
    if (migration === undefined || e.args[e.at + migrateMappingEnd.at.ret] !== 0) return;
    migration.movedSeq = e.seq;
    settle(s, migration);
  }),
  fold(migrateMove, (s, e, task) => {
    const { src, dst } = migrateMove.at;
    const page = e.args[e.at + src]!;
    if (page >= 0) migrationOf(s, e, page, task.pid).dst = e.args[e.at + dst]!;
  }),
  fold(migrateUndo, (s, e) => {
    const migration = s.machines.migrations.get(e.args[e.at + migrateUndo.at.pfn]!);
    if (migration === undefined) return;
    migration.undoneSeq = e.seq;
    settle(s, migration);
  }),
];
