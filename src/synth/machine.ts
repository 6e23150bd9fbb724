import type { Chance } from './chance.ts';
import { Kernel, type Steps } from './kernel.ts';
import { Memory, type Mm } from './memory.ts';
import { addTable, fork } from './ops/fork.ts';
import type { SynthSpec } from './spec.ts';
import { type Actor, Tape } from './tape.ts';

/** First address of every task's memory: all of them run the same program. */
const BASE = 0x7f5f_6680_0000;
const FIRST_PID = 1000;
/** pids wrap as the kernel's do by default (PID_MAX_DEFAULT). */
const PID_MAX = 32768;

/** A task, and what it is about to do. */
export interface Task extends Actor {
  steps: Steps | null;
  /** Pages that it has pinned. */
  readonly pinned: number[];
}

/**
 * A machine: its kernel, and the tasks on its CPUs. Tasks take turns between the steps of what they do; what a step
 * does is not interrupted, as it would not be under the locks that the kernel holds there.
 */
export class Machine {
  readonly k: Kernel;
  readonly chance: Chance;
  readonly #cpus: number;
  /** Every task that ever ran, for the header of a trace: pid 0 and kernel threads too. */
  readonly names = new Map<number, { readonly comm: string; readonly tgid: number }>();
  readonly init: Task;
  #nextPid = FIRST_PID;

  constructor(spec: SynthSpec, chance: Chance) {
    this.chance = chance;
    this.#cpus = spec.cpus;
    const tape = new Tape(chance, spec.events, spec.beyondTracers);
    this.k = new Kernel(new Memory(spec.pages, spec.slots), chance, tape, spec.cpus);
    this.init = this.task(1, 'init');
    this.as(this.init);
    const mm = this.k.mem.addMm(BASE);
    addTable(this.k, mm);
    this.init.mm = mm;
  }

  /** A task that the trace knows. */
  task(pid: number, comm: string, mm: Mm | null = null): Task {
    this.names.set(pid, { comm, tgid: pid });
    return {
      pid,
      tgid: pid,
      comm,
      cpu: this.chance.below(this.#cpus),
      mm,
      depth: 0,
      steps: null,
      pinned: [],
    };
  }

  pid(): number {
    do this.#nextPid = this.#nextPid + 1 < PID_MAX ? this.#nextPid + 1 : FIRST_PID;
    while (this.#taken.has(this.#nextPid));
    return this.#nextPid;
  }
  readonly #taken = new Set<number>();

  /** A pid is in use, or not any more. */
  hold(pid: number): void {
    this.#taken.add(pid);
  }
  release(pid: number): void {
    this.#taken.delete(pid);
  }

  /** From here on this task acts. */
  as(actor: Actor): void {
    this.k.tape.self = actor;
  }

  /** A task moves to another CPU, now and then. */
  migrate(actor: Actor): void {
    if (this.chance.once(4)) actor.cpu = this.chance.below(this.#cpus);
  }

  /** Two tasks that run at one time, on different CPUs. */
  apart(one: Actor, other: Actor): void {
    if (one.cpu === other.cpu) other.cpu = (one.cpu + 1) % this.#cpus;
  }

  /** Does something from beginning to end while nobody else runs. */
  whole<T>(actor: Actor, steps: Steps<T>): T {
    this.as(actor);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /** Forks a task from another one, from beginning to end. */
  child(of: Task, comm: string): Task {
    const pid = this.pid();
    this.hold(pid);
    const mm = this.whole(of, fork(this.k, pid));
    return this.task(pid, comm, mm);
  }
}
