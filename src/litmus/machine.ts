import { CTX_IRQS_OFF, CTX_KNOWN, CTX_PREEMPT_SHIFT } from '../core/records.ts';
import type { EventKind } from '../events/declare.ts';
import { type Flag, flagBit } from './flags.ts';
import type { Layout, PageCell, PteCell, SlotCell } from './layout.ts';
import type { Program, Statement, Thread } from './program.ts';
import type { Rules } from './rules.ts';

/** Takes the events of a run; exploration has none. */
export interface Sink {
  emit(thread: number, kind: EventKind, args: readonly number[], ctx: number): void;
}

/**
 * The state of a program under a variant, and what a step may do with it. Every access goes through get and set, so
 * the footprint of a step (which cells it read, which it wrote) is known without being declared: two steps of
 * different threads commute if neither writes what the other touches.
 */
export class Machine {
  readonly program: Program;
  readonly rules: Rules;
  readonly at: Layout;
  cells: Int16Array;
  /** Bits of what was seen so far (flags.ts). They only ever gather, so they are in no footprint. */
  flags = 0;
  /** The thread whose step runs, and its statement. */
  self = 0;
  args: readonly number[] = [];
  sink: Sink | null = null;
  readonly reads: Int32Array;
  readonly writes: Int32Array;

  constructor(program: Program, rules: Rules) {
    this.program = program;
    this.rules = rules;
    this.at = program.layout;
    this.cells = program.initial.slice();
    if (!rules.exclusive) this.#forgetExclusive();
    const words = (program.layout.cells + 31) >> 5;
    this.reads = new Int32Array(words);
    this.writes = new Int32Array(words);
  }

  /** Before 5.19 no page and no swap entry has the mark. */
  #forgetExclusive(): void {
    const { pages, mms, vas } = this.at.sizes;
    for (let page = 0; page < pages; page++) this.cells[this.at.page(page, 'ae')] = 0;
    for (let mm = 0; mm < mms; mm++)
      for (let va = 0; va < vas; va++) this.cells[this.at.pte(mm, va, 'excl')] = 0;
  }

  get(cell: number): number {
    this.reads[cell >> 5]! |= 1 << (cell & 31);
    return this.cells[cell]!;
  }

  set(cell: number, value: number): void {
    this.writes[cell >> 5]! |= 1 << (cell & 31);
    this.cells[cell] = value;
  }

  add(cell: number, delta: number): number {
    this.reads[cell >> 5]! |= 1 << (cell & 31);
    this.writes[cell >> 5]! |= 1 << (cell & 31);
    this.cells[cell]! += delta;
    return this.cells[cell]!;
  }

  /** Notes that something was seen. */
  flag(flag: Flag): void {
    this.flags |= flagBit(flag);
  }

  page(page: number, cell: PageCell): number {
    return this.get(this.at.page(page, cell));
  }
  setPage(page: number, cell: PageCell, value: number): void {
    this.set(this.at.page(page, cell), value);
  }
  pte(mm: number, va: number, cell: PteCell): number {
    return this.get(this.at.pte(mm, va, cell));
  }
  slot(slot: number, cell: SlotCell): number {
    return this.get(this.at.slot(slot, cell));
  }

  /** Register of the running thread: no other thread sees it, so it is in no footprint. */
  reg(n: 0 | 1 | 2 | 3 | 4 | 5): number {
    return this.cells[this.at.thread(this.self, `r${n}`)]!;
  }
  setReg(n: 0 | 1 | 2 | 3 | 4 | 5, value: number): void {
    this.cells[this.at.thread(this.self, `r${n}`)] = value;
  }

  get thread(): Thread {
    return this.program.threads[this.self]!;
  }

  /** Emits an event of the running thread. */
  emit(kind: EventKind, ...args: number[]): void {
    if (this.sink !== null) this.sink.emit(this.self, kind, args, this.#context());
  }

  /** What the flags column of a record would say: interrupts, and how deep preemption is off (a probe counts for one). */
  #context(): number {
    let depth = 1;
    for (let mm = 0; mm < this.at.sizes.mms; mm++)
      if (this.cells[this.at.mm(mm, 'ptl')] === this.self + 1) depth++;
    const walks = this.cells[this.at.thread(this.self, 'irq')] !== 0;
    return CTX_KNOWN | (walks ? CTX_IRQS_OFF : 0) | (depth << CTX_PREEMPT_SHIFT);
  }

  /** Statement that a thread is at; undefined: it is done. */
  statement(thread: number): Statement | undefined {
    return this.program.threads[thread]!.statements[this.cells[this.at.thread(thread, 'pc')]!];
  }

  /** Whether a thread has a step that can be taken now. Its footprint so far is what it looked at. */
  ready(thread: number): boolean {
    const statement = this.statement(thread);
    if (statement === undefined) return false;
    this.self = thread;
    this.args = statement.args;
    const phase = statement.op.phases[statement.op.order[this.cells[this.at.thread(thread, 'phase')]!]!]!;
    return phase.ready === undefined || phase.ready(this);
  }

  /** What the next step of a thread is called. */
  describe(thread: number): { readonly phase: string; readonly text: string } {
    const statement = this.statement(thread)!;
    this.self = thread;
    this.args = statement.args;
    const phase = statement.op.order[this.cells[this.at.thread(thread, 'phase')]!]!;
    return { phase, text: statement.op.phases[phase]!.text(this) };
  }

  /** Takes the next step of a thread, which must be ready. */
  step(thread: number): void {
    const statement = this.statement(thread)!;
    this.self = thread;
    this.args = statement.args;
    const { order, phases } = statement.op;
    const pc = this.at.thread(thread, 'pc');
    const phase = this.at.thread(thread, 'phase');
    const next = phases[order[this.cells[phase]!]!]!.run(this);
    if (next === null) {
      this.cells[pc]!++;
      this.cells[phase] = 0;
      for (const n of [0, 1, 2, 3, 4, 5] as const) this.setReg(n, 0);
    } else this.cells[phase] = order.indexOf(next);
  }

  /** Whether every thread is done. */
  get done(): boolean {
    for (let thread = 0; thread < this.program.threads.length; thread++)
      if (this.statement(thread) !== undefined) return false;
    return true;
  }

  /** Forgets the footprint gathered so far. */
  clearFootprint(): void {
    this.reads.fill(0);
    this.writes.fill(0);
  }
}
