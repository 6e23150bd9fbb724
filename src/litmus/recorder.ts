import { type EventBatch, EventBatchBuilder } from '../events/batch.ts';
import type { EventKind } from '../events/declare.ts';
import { access } from '../events/index.ts';
import type { Sink } from './machine.ts';
import type { Program } from './program.ts';

/** Time between two steps of an interleaving, and between two events of one step. */
const STEP_NS = 10_000;
const EVENT_NS = 10;

/** Writes the events of an interleaving down: one record an event, on the CPU and under the pid of its thread. */
export class Recorder implements Sink {
  readonly #program: Program;
  readonly #builder = new EventBatchBuilder();
  /** Contents in the order in which they were written: what `version` of an access counts. */
  readonly #versions = new Map<number, number>();
  #record = 0;
  #step = 0;
  #ns = 0;
  /** Seq of the first event of each step, and how many it has. */
  readonly steps: Array<{ readonly first: number; readonly count: number }> = [];

  constructor(program: Program) {
    this.#program = program;
    for (let content = 0; content < 2; content++) this.#versions.set(content, content);
  }

  /** Begins the next step. */
  step(): void {
    this.endStep();
    this.#step++;
    this.#ns = this.#step * STEP_NS;
    this.#first = this.#record + 1;
  }
  #first = 0;

  endStep(): void {
    if (this.#step > 0) this.steps.push({ first: this.#first, count: this.#record - this.#first + 1 });
  }

  emit(thread: number, kind: EventKind, args: readonly number[], ctx: number): void {
    const { cpu, pid } = this.#program.threads[thread]!;
    this.emitAs(cpu, pid, kind, kind === access ? this.#versioned(args) : args, ctx);
  }

  /** An event of somebody who is no thread: what came before the scenario. */
  emitAs(cpu: number, pid: number, kind: EventKind, args: readonly number[], ctx = 0): void {
    this.#record++;
    this.#ns += EVENT_NS;
    this.#builder.record(this.#ns, cpu, pid, ctx, this.#record);
    this.#builder.emit(kind, ...(args as [number]));
  }

  #versioned(args: readonly number[]): number[] {
    const content = args[5]!;
    const isWrite = args[4] === 1;
    if (isWrite || !this.#versions.has(content)) this.#versions.set(content, this.#versions.size);
    return [...args.slice(0, 5), this.#versions.get(content)!];
  }

  /** All events so far. */
  take(): EventBatch {
    return this.#builder.take();
  }
}
