import { PTE_NONE, PTE_WRITE } from '../core/pte.ts';
import type { Steps } from './kernel.ts';
import type { Machine, Task } from './machine.ts';
import { LRU_ON, type Mm } from './memory.ts';
import { collapse, collapsible, discardHuge } from './ops/collapse.ts';
import { touch } from './ops/fault.ts';
import { fork } from './ops/fork.ts';
import { pin, protect, unpin } from './ops/gup.ts';
import { scan } from './ops/ksm.ts';
import { isReclaimable, reclaim } from './ops/reclaim.ts';
import { EVENTS_PER_SLOT, swapoff, swapon } from './ops/swapoff.ts';
import { discard, exit } from './ops/unmap.ts';
import { RATES, type RateName, type SynthSpec } from './spec.ts';

/** PTEs of a table that tasks use: few enough that they meet the same pages again. */
const WORKING_SET = 64;
/** Pages that a task touches in a row. */
const RUN_PAGES = 6;
/** Free pages below which no fresh ones are asked for. */
const LOW_WATER = 256;
/** Pages isolated in one go. */
const RECLAIM_BATCH = 16;
/** Events that reclaim takes for a page, and for each mapping of it, at most. */
const EVENTS_PER_VICTIM = 25;
const EVENTS_PER_UNMAP = 14;
/** Events that reclaim may always take. */
const LEAST_BUDGET = 200;
/** A task goes on after a step, rather than another one: once in so many it does not. */
const TURN_STEPS = 3;

/** The rates of what a user's task does by itself. */
const OWN: readonly RateName[] = ['fault', 'fork', 'exit', 'unmap', 'protect', 'swap', 'pin', 'collapse'];

/** A random workload: user tasks, and the kernel's threads that work on their memory. */
export class Workload {
  readonly #machine: Machine;
  readonly #spec: SynthSpec;
  readonly #own: ReadonlyArray<readonly [name: RateName, upTo: number]>;
  readonly #ownTotal: number;
  #users: Task[] = [];
  readonly #kswapd: Task;
  readonly #ksmd: Task;
  readonly #swapper: Task;
  #last: Task | null = null;
  #budget = Number.POSITIVE_INFINITY;

  constructor(machine: Machine, spec: SynthSpec) {
    this.#machine = machine;
    this.#spec = spec;
    this.#kswapd = machine.task(55, 'kswapd0');
    this.#ksmd = machine.task(33, 'ksmd');
    this.#swapper = machine.task(990, 'swapoff');
    let total = 0;
    this.#own = OWN.map((name) => {
      total += spec.rates[name];
      return [name, total] as const;
    });
    this.#ownTotal = total;
  }

  /** Lets one task take one step. Everyone must be able to come to an end within so many events, or soon after. */
  step(budget: number): void {
    const { k } = this.#machine;
    this.#budget = budget;
    const task = this.#next();
    this.#machine.as(task);
    k.settleIo();
    task.steps ??= this.#begin(task);
    if (task.steps === null) return;
    if (task.steps.next().done === true) this.#done(task);
  }

  /** Brings every task to the end of what it does: nobody is in the middle of anything. */
  settle(): void {
    const { k } = this.#machine;
    const busy = (): Task[] =>
      [...this.#users, this.#kswapd, this.#ksmd, this.#swapper].filter((task) => task.steps !== null);
    for (let tasks = busy(); tasks.length > 0 && !k.tape.full; tasks = busy())
      for (const task of tasks) {
        this.#machine.as(task);
        if (task.steps!.next().done === true) this.#done(task);
        if (k.io.length > 0) k.endIo(k.io.shift()!.page);
      }
  }

  #next(): Task {
    if (this.#last === null || this.#machine.chance.once(TURN_STEPS)) this.#last = this.#pick();
    return this.#last;
  }

  #pick(): Task {
    const { chance, k } = this.#machine;
    const { rates } = this.#spec;
    if (this.#users.length === 0) return this.#spawn();
    const threads = rates.reclaim + rates.ksm + rates.swapoff;
    const roll = (chance.bits() / 2 ** 32) * (this.#ownTotal + threads);
    if (roll < rates.reclaim || (k.mem.free.length < LOW_WATER && chance.once(2))) return this.#kswapd;
    if (roll < rates.reclaim + rates.ksm) return this.#ksmd;
    return roll < threads ? this.#swapper : chance.of(this.#users);
  }

  #done(task: Task): void {
    task.steps = null;
    if (task.mm === null && this.#users.includes(task)) {
      this.#users = this.#users.filter((one) => one !== task);
      this.#machine.release(task.pid);
      if (this.#last === task) this.#last = null;
    }
  }

  /** A task forked by init: it has nothing of its own yet. */
  #spawn(): Task {
    const { init, chance } = this.#machine;
    const task = this.#machine.child(init, chance.once(2) ? 'worker' : 'wl');
    task.mm!.notified = chance.once(4);
    this.#users.push(task);
    return task;
  }

  #begin(task: Task): Steps | null {
    this.#machine.migrate(task);
    if (task === this.#kswapd) return this.#reclaim();
    if (task === this.#ksmd) return this.#scan();
    if (task === this.#swapper) return this.#swapoff();
    return this.#userOp(task);
  }

  #userOp(task: Task): Steps | null {
    const { chance, k } = this.#machine;
    const scarce = k.mem.free.length < LOW_WATER;
    if (scarce && this.#users.length > 1 && chance.once(3)) return this.#exit(task);
    const roll = (chance.bits() / 2 ** 32) * this.#ownTotal;
    const name = this.#own.find(([, upTo]) => roll < upTo)?.[0] ?? 'fault';
    const mm = task.mm!;
    switch (name) {
      case 'fault':
        return scarce ? null : this.#touchSome(mm, chance.below(WORKING_SET));
      case 'swap':
        return scarce ? null : this.#touchSwapped(mm);
      case 'fork':
        return scarce ? null : this.#fork();
      case 'exit':
        return this.#users.length > 2 || chance.once(4) ? this.#exit(task) : null;
      case 'unmap': {
        const from = chance.below(WORKING_SET - RUN_PAGES);
        return discard(k, mm, from, from + 1 + chance.below(RUN_PAGES));
      }
      case 'protect':
        return this.#protect(mm);
      case 'pin':
        return scarce ? null : this.#pinOrUnpin(task);
      default:
        return this.#collapse(mm);
    }
  }

  *#touchSome(mm: Mm, from: number): Steps {
    const { chance, k } = this.#machine;
    const pages = 1 + chance.below(RUN_PAGES);
    for (let index = from; index < Math.min(from + pages, WORKING_SET); index++) {
      yield* touch(k, mm, index, !chance.once(4));
      yield;
    }
  }

  #touchSwapped(mm: Mm): Steps | null {
    const { chance, k } = this.#machine;
    const from = chance.below(WORKING_SET);
    for (let i = 0; i < WORKING_SET; i++) {
      const index = (from + i) % WORKING_SET;
      if (k.mem.isSwap(mm, index)) return touch(k, mm, index, chance.once(2));
    }
    return null;
  }

  /** A user forks, or init does where there are few. */
  #fork(): Steps | null {
    if (this.#users.length >= this.#spec.tasks) return null;
    const machine = this.#machine;
    const pid = machine.pid();
    machine.hold(pid);
    const users = this.#users;
    const { self } = machine.k.tape;
    return (function* (): Steps {
      const mm = yield* fork(machine.k, pid);
      users.push(machine.task(pid, (self as Task).comm, mm));
    })();
  }

  *#exit(task: Task): Steps {
    const { k } = this.#machine;
    for (const page of task.pinned.splice(0)) unpin(k, page);
    yield* exit(k);
  }

  *#protect(mm: Mm): Steps {
    const { chance, k } = this.#machine;
    const from = chance.below(WORKING_SET);
    for (let i = 0; i < WORKING_SET; i++) {
      const index = (from + i) % WORKING_SET;
      if (!k.mem.isPresent(mm, index) || !(mm.bits[index]! & PTE_WRITE)) continue;
      protect(k, mm, index);
      yield;
      if (mm.bits[index] !== PTE_NONE) yield* touch(k, mm, index, true);
      return;
    }
  }

  *#pinOrUnpin(task: Task): Steps {
    const { chance, k } = this.#machine;
    if (task.pinned.length > 2 || (task.pinned.length > 0 && chance.once(2))) {
      unpin(k, task.pinned.shift()!);
      return;
    }
    const page = yield* pin(k, task.mm!, chance.below(WORKING_SET));
    if (page >= 0) task.pinned.push(page);
  }

  #collapse(mm: Mm): null {
    const { k } = this.#machine;
    k.drain();
    const indices = mm.notified ? null : collapsible(k, mm);
    const huge = indices === null ? -1 : collapse(k, mm, indices);
    if (huge >= 0) discardHuge(k, mm, huge);
    return null;
  }

  #reclaim(): Steps {
    const { chance, k } = this.#machine;
    const { mem } = k;
    const victims: number[] = [];
    const from = chance.below(mem.pages);
    const most = 1 + chance.below(RECLAIM_BATCH);
    let budget = Math.max(this.#budget, LEAST_BUDGET);
    for (let i = 0; i < mem.pages && victims.length < most && budget > 0; i++) {
      const page = (from + i) % mem.pages;
      if (mem.lru[page] !== LRU_ON || !isReclaimable(k, page)) continue;
      victims.push(page);
      budget -= EVENTS_PER_VICTIM + EVENTS_PER_UNMAP * mem.maps[page]!;
    }
    return reclaim(k, victims);
  }

  #scan(): Steps | null {
    const { chance, k } = this.#machine;
    const mms = this.#users.flatMap(({ mm }) => (mm !== null && !mm.writer ? [mm] : []));
    return mms.length === 0 ? null : scan(k, chance.of(mms));
  }

  #swapoff(): Steps | null {
    const { k } = this.#machine;
    const { free, inuse } = k.mem;
    if (free.length < inuse + 2 * LOW_WATER || inuse * EVENTS_PER_SLOT > this.#budget) return null;
    return (function* (): Steps {
      yield* swapoff(k);
      swapon(k);
    })();
  }
}

/** The rates of a workload, some of them other than usual. */
export function ratesWith(over: Partial<Record<RateName, number>>): SynthSpec['rates'] {
  return { ...RATES, ...over };
}
