import { type FieldValues, fieldNumber, fieldText } from '../core/fields.ts';
import type { EventBatchBuilder } from '../events/batch.ts';
import { taskExec, taskExit, taskFork, taskFree, taskSwitch } from '../events/index.ts';
import { int } from './columns.ts';
import { silent, type Tracepoint, tell, tracepoint } from './tracepoint.ts';

/** prev_state in binary records: 0 is running, this bit is set for a task that was preempted. */
const PREEMPTED = 0x100;

/** Whether a task that was switched away wanted to go on: `R` and `R+` do, every other letter sleeps. */
function runnable(state: string): number {
  if (state === '') return Number.NaN;
  if (/^\d+$/.test(state)) return Number(state) === 0 || Number(state) & PREEMPTED ? 1 : 0;
  return state.startsWith('R') ? 1 : 0;
}

const switched = tracepoint(
  'sched_switch',
  [taskSwitch],
  [
    { key: 'prev_pid', form: 'int' },
    { key: 'next_pid', form: 'int' },
    { key: 'prev_state', form: 'bytes' },
  ],
  (values: FieldValues, out: EventBatchBuilder) => {
    out.emit(taskSwitch, fieldNumber(values, 0), fieldNumber(values, 1), runnable(fieldText(values, 2)));
  },
  { requires: ['prev_pid'] },
);

/** Characters of a switch as text: two comms, and some numbers. */
const MAX_SWITCHED = 512;

/** `wl:1375 [120] R+ ==> swapper/0:0 [120]`: a comm may hold the same words, but not in its 15 bytes all of them. */
const SWITCHED = /:(\d+) \[-?\d+\] (\S+) ==> .*:(\d+) \[-?\d+\]\s*$/;

/** The same as trace-cmd and perf print it. */
const switchedInTools = tracepoint(
  'sched_switch',
  [taskSwitch],
  [{ key: '@text', form: 'bytes' }],
  (values, out) => {
    const text = fieldText(values, 0);
    const match = text.length <= MAX_SWITCHED ? SWITCHED.exec(text) : null;
    if (match) out.emit(taskSwitch, Number(match[1]), Number(match[3]), runnable(match[2]!));
    else out.emit(taskSwitch);
  },
);

/**
 * sched/*: the lives of tasks. sched_process_fork is written after the page tables were copied,
 * sched_process_exec after the mm was replaced, sched_process_exit (up to 6.12) after the mm was given up.
 */
export const schedTracepoints: readonly Tracepoint[] = [
  // Text prints the parent as `pid=`, binary has it as parent_pid.
  tell(
    'sched_process_fork',
    taskFork,
    { parent: int('pid'), child: int('child_pid') },
    { requires: ['pid'] },
  ),
  tell('sched_process_fork', taskFork, { parent: int('parent_pid'), child: int('child_pid') }),
  tell('sched_process_exec', taskExec, { pid: int('pid'), oldpid: int('old_pid') }),
  tell('sched_process_exit', taskExit, { pid: int('pid') }),
  tell('sched_process_free', taskFree, { pid: int('pid') }),
  switched,
  switchedInTools,
  ...[
    'sched_prepare_exec',
    'sched_wakeup',
    'sched_wakeup_new',
    'sched_waking',
    'sched_migrate_task',
    'sched_process_wait',
    'sched_process_hang',
    'sched_skip_vma_numa',
    'sched_move_numa',
    'sched_stick_numa',
    'sched_swap_numa',
    'sched_stat_runtime',
    'sched_stat_wait',
    'sched_stat_sleep',
    'sched_stat_iowait',
    'sched_stat_blocked',
    'sched_pi_setprio',
  ].map((event) => silent(event)),
];
