import type { Steps } from '../kernel.ts';
import type { Machine, Task } from '../machine.ts';
import type { Mm } from '../memory.ts';
import { touch } from '../ops/fault.ts';
import { isReclaimable, reclaim } from '../ops/reclaim.ts';
import { exit } from '../ops/unmap.ts';
import type { Planted } from './plant.ts';

/** The PTE that stories are about. */
export const SPOT = 3;

/** Tasks of a planted divergence: they are forked for it and exit behind it, and nobody else runs meanwhile. */
export class Scene {
  readonly machine: Machine;
  readonly k: Machine['k'];
  readonly mem: Machine['k']['mem'];
  readonly #cast: Task[] = [];

  constructor(machine: Machine) {
    this.machine = machine;
    this.k = machine.k;
    this.mem = machine.k.mem;
  }

  /** A task with an mm of its own, forked from another one or from init. */
  task(comm: string, of: Task = this.machine.init): Task {
    const task = this.machine.child(of, comm);
    this.#cast.push(task);
    return task;
  }

  /** A task forked in a way of its own. */
  childBy(of: Task, how: (pid: number) => Steps<Mm>): Task {
    const { machine } = this;
    const pid = machine.pid();
    machine.hold(pid);
    const task = machine.task(pid, 'child', machine.whole(of, how(pid)));
    this.#cast.push(task);
    return task;
  }

  /** A task does something from beginning to end. */
  run<T>(task: Task, steps: Steps<T>): T {
    return this.machine.whole(task, steps);
  }

  as(task: Task): void {
    this.machine.as(task);
  }

  /** A task writes to an address: the page behind it, on its LRU list. */
  written(task: Task, index = SPOT): number {
    this.run(task, touch(this.k, task.mm!, index, true));
    this.k.drain();
    return task.mm!.frame[index]!;
  }

  /** Reclaim takes a page of a task to swap; `free`: until the page is gone, else until it is written and cached. */
  swapOut(reclaimer: Task, page: number, free: boolean): void {
    const { k } = this;
    for (let round = 0; round < (free ? 2 : 1); round++) {
      if (!isReclaimable(k, page)) k.drain();
      this.run(reclaimer, reclaim(k, [page]));
      this.k.drain();
      while (k.io.length > 0) k.endIo(k.io.shift()!.page);
    }
  }

  /** Where the story took place, of a task and a page. */
  place(task: Task, page: number, index = SPOT): Planted {
    const mm = task.mm;
    return {
      pid: task.pid,
      mm: mm === null ? null : mm.addr,
      va: mm === null ? null : this.mem.va(mm, index),
      pfn: this.mem.pfn(page),
      entry: null,
    };
  }

  /** Everyone of the story exits. */
  end(): void {
    for (const task of this.#cast) {
      if (task.mm !== null) this.run(task, exit(this.k));
      this.machine.release(task.pid);
    }
  }
}
