import type { Layout } from './layout.ts';
import type { Op } from './op.ts';

/** One statement of a thread: what it does, on what, and where it stands in the file. */
export interface Statement {
  readonly op: Op;
  /** Objects by position, in the order of the op's syntax; -1 for an optional one that is left out. */
  readonly args: readonly number[];
  readonly text: string;
  readonly line: number;
}

/** A thread: a task on a CPU of its own. */
export interface Thread {
  readonly name: string;
  readonly cpu: number;
  readonly pid: number;
  /** mm that it runs on, -1 for a kernel thread. */
  readonly mm: number;
  readonly reclaim: boolean;
  readonly statements: readonly Statement[];
}

export interface Device {
  readonly name: string;
  readonly mm: number;
}

/** A reference that get_user_pages took or will take. */
export interface Hold {
  readonly name: string;
  readonly mm: number;
  readonly va: number;
  readonly pin: boolean;
  readonly write: boolean;
  /** Held from the start. */
  readonly initial: boolean;
}

/** A condition on a variant: each axis has one of the values. */
export interface Condition {
  readonly axis: string;
  readonly values: readonly string[];
}

/** How often something was seen over all complete interleavings. */
export type Often = 'some' | 'all';

export interface Expectation {
  readonly when: readonly Condition[];
  /** Divergences that are to be found; every other one is not. `may`: either way is right. */
  readonly found: ReadonlyMap<string, Often | 'may'>;
  readonly line: number;
}

/** A scenario, read and checked: threads of atomic steps over an initial state. */
export interface Program {
  readonly name: string;
  readonly title: string;
  readonly origin: string;
  readonly about: readonly string[];
  readonly requires: readonly Condition[];
  readonly pages: readonly string[];
  readonly mms: readonly string[];
  readonly vas: readonly string[];
  readonly slots: readonly string[];
  readonly devices: readonly Device[];
  readonly holds: readonly Hold[];
  readonly threads: readonly Thread[];
  /** Some CPU's TLB is told of: flushes are steps, and stores may go through what a TLB still has. */
  readonly tlb: boolean;
  /** Checks that the expectations name and the model does not see itself: they are asked of each class of interleavings. */
  readonly judged: readonly string[];
  readonly expectations: readonly Expectation[];
  readonly layout: Layout;
  readonly initial: Int16Array;
  /** First page that threads take for copies: each thread has {@link FRESH_PAGES} of its own. */
  readonly fresh: number;
  readonly text: string;
}

/** Pages that one thread may allocate: fixed per thread, so that who allocates first makes no difference. */
export const FRESH_PAGES = 3;
