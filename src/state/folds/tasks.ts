import {
  forkPtes,
  forkRange,
  mmDup,
  mmExec,
  mmExit,
  mmInit,
  sysEnter,
  sysExit,
  taskExec,
  taskExit,
  taskFork,
  taskFree,
  taskNew,
  traceCpuStarted,
  traceCut,
  traceLost,
  traceSegment,
} from '../../events/index.ts';
import { RECLAIM_PAGES } from '../../events/reclaim.ts';
import { SYSCALLS } from '../../events/task.ts';
import { weakenRange } from '../pte-ranges.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import type { Task } from '../tasks.ts';
import { abandon } from './brackets.ts';

const MUNMAP = SYSCALLS.indexOf('munmap');

/** A new life of a pid; what the earlier task had open is given up. */
function renew(s: MmState, pid: number, seq: number): Task {
  const earlier = s.tasks.peek(pid);
  if (earlier !== undefined) abandon(s, earlier, null);
  return s.tasks.renew(pid, seq);
}

export const taskFolds: readonly Fold[] = [
  fold(traceSegment, (s, e) => {
    s.reset(e.seq);
    const overwritten = e.args[e.at + traceSegment.at.overwritten]!;
    const cpus = e.args[e.at + traceSegment.at.cpus]!;
    s.overwritten = overwritten > 0;
    s.cpusExpected = Number.isNaN(cpus) ? 0 : cpus;
    s.blind = s.overwritten && s.cpusExpected > 1;
    if (s.overwritten) s.noteLoss({ cpu: Number.NaN, count: overwritten, afterSeq: e.seq - 1 });
  }),
  fold(traceLost, (s, e) => {
    const { cpu, count } = traceLost.at;
    s.noteLoss({
      cpu: e.args[e.at + cpu]! < 0 ? Number.NaN : e.args[e.at + cpu]!,
      count: e.args[e.at + count]!,
      afterSeq: e.seq - 1,
    });
    s.lose(e.seq);
  }),
  fold(traceCpuStarted, (s, e) => s.lose(e.seq)),
  fold(traceCut, () => {}),

  fold(taskFork, (s, e, task) => {
    const { seen } = s.sources;
    if (!task.sharing && seen[forkRange.code] === 0 && seen[forkPtes.code] === 0 && seen[mmDup.code] === 0)
      s.sources.untoldForks = true;
    // Where neither return is told: the child is announced once its mm is made (kernel/fork.c:copy_process).
    s.machines.forked(task.pid, e.seq);
    const child = renew(s, e.args[e.at + taskFork.at.child]!, e.seq);
    child.mm = Number.isNaN(task.dupMm) ? task.forkMm : task.dupMm;
    // CLONE_VM: no page tables were copied, the child runs on its maker's mm.
    if (Number.isNaN(child.mm)) child.mm = task.sharing ? task.mm : Number.NaN;
    task.sharing = false;
    task.dupMm = Number.NaN;
    task.forkMm = Number.NaN;
  }),
  fold(taskNew, (s, e, task) => {
    const { pid, vm, mm } = taskNew.at;
    task.sharing = e.args[e.at + vm] === 1;
    s.machines.forked(task.pid, e.seq);
    const told = e.args[e.at + mm]!;
    const child = renew(s, e.args[e.at + pid]!, e.seq);
    child.mm = !Number.isNaN(told)
      ? told
      : task.sharing
        ? task.mm
        : Number.isNaN(task.dupMm)
          ? task.forkMm
          : task.dupMm;
  }),
  fold(taskExec, (s, e, task) => {
    const pid = e.args[e.at + taskExec.at.pid]!;
    const old = e.args[e.at + taskExec.at.oldpid]!;
    // What it has run on since is told by its next fault, where no probe on exec told it before.
    if (s.sources.seen[mmExec.code] === 0) task.mm = Number.NaN;
    if (!Number.isNaN(old) && old !== pid) renew(s, pid, e.seq).mm = task.mm;
  }),
  fold(taskExit, (s, e, task) => {
    if (!Number.isNaN(task.exitMm)) {
      s.ptes.end(task.exitMm);
      s.secondary.forgetMm(task.exitMm);
    }
    s.secondary.forgetTask(task.pid);
    task.exitMm = Number.NaN;
    s.tasks.retire(e.args[e.at + taskExit.at.pid]!);
  }),
  fold(taskFree, (s, e) => s.tasks.drop(e.args[e.at + taskFree.at.pid]!)),
  fold(mmInit, (s, e) => s.ptes.renew(e.args[e.at + mmInit.at.mm]!, e.seq)),
  fold(mmDup, (s, e, task) => {
    const mm = e.args[e.at + mmDup.at.mm]!;
    if (!Object.is(task.forkMm, mm) && !Number.isNaN(mm)) s.ptes.renew(mm, e.seq);
    task.dupMm = mm;
    for (const run of s.machines.forks.values()) if (run.child === mm && run.endSeq === 0) run.endSeq = e.seq;
    task.forkMm = Number.NaN;
    task.forkPtes = null;
  }),
  fold(mmExec, (s, e, task) => {
    const mm = e.args[e.at + mmExec.at.mm]!;
    if (!Number.isNaN(mm)) task.mm = mm;
    s.ptes.mm(mm, e.seq);
  }),
  fold(mmExit, (s, e, task) => {
    const mm = e.args[e.at + mmExit.at.mm]!;
    const row = s.ptes.mm(mm, e.seq);
    if (row < 0) return;
    s.ptes.mms.col.dying[row] = 1;
    if (!Number.isNaN(task.exitMm) && task.exitMm !== mm) s.ptes.end(task.exitMm);
    task.exitMm = mm;
    s.machines.forgetMm(mm);
    s.secondary.forgetMm(mm);
    s.tlb.forgetMm(mm);
    if (task.mm === mm) task.mm = Number.NaN;
  }),
  fold(sysEnter, (s, e, task) => {
    if (e.args[e.at + sysEnter.at.call] !== MUNMAP || Number.isNaN(task.mm)) return;
    const start = e.args[e.at + sysEnter.at.a0]!;
    weakenRange(s.ptes, s.ptes.mm(task.mm, e.seq), start, start + e.args[e.at + sysEnter.at.a1]!);
  }),
  fold(sysExit, (_s, _e, task) => {
    // Not every walk tells its end.
    task.gup = null;
    task.grabPfn = Number.NaN;
    task.reclaim &= ~(1 << RECLAIM_PAGES);
  }),
];
