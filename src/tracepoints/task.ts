import { type FieldValues, fieldNumber } from '../core/fields.ts';
import type { EventBatchBuilder } from '../events/batch.ts';
import { taskNew } from '../events/index.ts';
import { type DecodeContext, silent, type Tracepoint, tracepoint } from './tracepoint.ts';

/** Clone flags (include/uapi/linux/sched.h: part of the ABI). */
const CLONE_VM = 0x100;
const CLONE_THREAD = 0x10000;

function stateTask(out: EventBatchBuilder, pid: number, flags: number, mm: number): void {
  const bit = (mask: number): number => (Number.isNaN(flags) ? flags : flags & mask ? 1 : 0);
  out.emit(taskNew, pid, bit(CLONE_VM), bit(CLONE_THREAD), mm);
}

/**
 * task_newtask tells the new pid; the probe `nt` on the same tracepoint is written just behind it by the same
 * task and adds the mm, but not the pid. Where `nt` is recorded the two make one event, stated at `nt`.
 */
const newTask = tracepoint(
  'task_newtask',
  [taskNew],
  [
    { key: 'pid', form: 'int' },
    { key: 'clone_flags', form: 'hex' },
  ],
  (values: FieldValues, out: EventBatchBuilder, ctx: DecodeContext) => {
    const pid = fieldNumber(values, 0);
    if (ctx.seen('nt')) {
      const { cells, at } = ctx.open.push('task_newtask', ctx.pid, ctx.cpu);
      cells[at] = pid;
    } else {
      stateTask(out, pid, fieldNumber(values, 1), Number.NaN);
    }
  },
);

const newTaskWithMm = tracepoint(
  'nt',
  [taskNew],
  [
    { key: 'mm', form: 'ptr' },
    { key: 'cf', form: 'hex' },
    { key: 'tgid', form: 'int' },
  ],
  (values: FieldValues, out: EventBatchBuilder, ctx: DecodeContext) => {
    const flags = fieldNumber(values, 1);
    // Without task_newtask only a task that is no thread tells its pid: it is its own group leader.
    const fallback = flags & CLONE_THREAD ? Number.NaN : fieldNumber(values, 2);
    const pid = ctx.seen('task_newtask')
      ? ctx.open.pop('task_newtask', ctx.pid, ctx.cpu)
        ? ctx.open.popped[0]!
        : fallback
      : fallback;
    const mm = fieldNumber(values, 0);
    stateTask(out, pid, flags, mm === 0 ? Number.NaN : mm);
  },
  { requires: ['mm', 'cf'] },
);

/** task/*: new tasks. */
export const taskTracepoints: readonly Tracepoint[] = [newTask, newTaskWithMm, silent('task_rename')];
