import type { CollapseBracket } from './collapse.ts';
import type { Cursor } from './cursor.ts';

/**
 * A task and the brackets it is in: functions that it entered and has not left. Records are written after the
 * operation (or at entry, before it), so what a task may have done since its last record is part of the state
 * (domain.md 1.0, instant rule).
 */
export interface Task {
  readonly pid: number;
  /** Seq from which this task (and not an earlier one with its pid) is meant. */
  since: number;
  /** Its mm as last seen, NaN unknown. */
  mm: number;
  /** Seq and time of its last record. */
  lastSeq: number;
  lastNs: number;
  lastRecord: number;
  /** Seq of the record before the one being folded: an operation stated now happened after it. */
  prevSeq: number;
  /** RECLAIM_* contexts it is in, as bits. */
  reclaim: number;
  /** Page whose unlock it announced in its last record: still its lock, until its next record. NaN none. */
  unlocking: number;
  /** mm that dup_mm just returned, to be given to the child that follows. NaN none. */
  dupMm: number;
  /** copy_page_range's child mm, while a fork is under way. NaN none. */
  forkMm: number;
  /** mm it is tearing down. NaN none. */
  exitMm: number;
  fault: FaultBracket | null;
  forkPtes: ForkBracket | null;
  /** The huge PMD that its fork copied last: it may turn out that it was split instead. */
  forkPmd: ForkPmd | null;
  zap: ZapBracket | null;
  unmap: UnmapBracket | null;
  clearFlush: AddressBracket | null;
  gup: GupBracket | null;
  collapse: CollapseBracket | null;
  merge: MergeBracket | null;
  /** Page that folio_migrate_mapping moves, and where to. NaN none. */
  moving: number;
  movingTo: number;
  split: AddressBracket | null;
  /** Swap entry that __swap_entry_free deals with, page that __remove_mapping deals with. NaN none. */
  freeing: number;
  removing: number;
  /** Page that KSM write-protects. NaN none. */
  protecting: number;
  /** The child that it is making shares its mm (CLONE_VM). */
  sharing: boolean;
  /** Page on which a bare +1024 is expected because gup.grab announced it, and the FOLL_* flags that it told. NaN none. */
  grabPfn: number;
  grabHold: number;
}

/** A place in an address space that a function deals with. */
export interface AddressBracket {
  readonly mm: number;
  readonly va: number;
  readonly seq: number;
}

/** A page fault: `only` says that every PTE written inside is that of `va` (P7). */
export interface FaultBracket extends AddressBracket {
  kind: 'fault' | 'anon' | 'swapin' | 'wp' | 'unuse' | 'mig' | 'huge-wp';
  outer: FaultBracket | null;
}

/** copy_present_ptes: references taken net of those dropped again are new mappings (P6 a). */
export interface ForkBracket extends AddressBracket {
  readonly child: number;
  readonly dst: number;
  readonly src: number;
  /** Pages and net references within the bracket, in order of appearance. */
  readonly pfns: number[];
  readonly deltas: number[];
  /** Page that add_new_anon_rmap made inside (an early copy). -1 none. */
  copied: number;
  /** Whether a PTE written for the child was writable (a shared mapping keeps W). */
  childWrite: boolean;
}

/** copy_huge_pmd, with what the folio's exclusivity was before (TRI_*). */
export interface ForkPmd extends AddressBracket {
  readonly child: number;
  readonly pfn: number;
  readonly exclusive: number;
}

export interface ZapBracket extends AddressBracket {
  /** PTEs cleared so far within zap_present_ptes. */
  cleared: number;
  readonly ptep: number;
}

/** try_to_unmap_one, try_to_migrate_one, or remove_migration_pte, whose page is not told (NaN). */
export interface UnmapBracket extends AddressBracket {
  readonly pfn: number;
  readonly migrate: boolean;
  /** AnonExclusive of the page before (TRI_*): the entry that takes the PTE's place carries it on. */
  readonly exclusive: number;
}

/** KSM replaces a page by a page of its stable tree. */
export interface MergeBracket {
  readonly mm: number;
  readonly page: number;
  readonly kpage: number;
  readonly seq: number;
}

export interface GupBracket {
  readonly how: number;
  readonly mm: number;
  readonly start: number;
  readonly nr: number;
  readonly flags: number;
  readonly seq: number;
  taken: number;
  /** Pages that it pinned while nothing told whether they are exclusive. */
  readonly pinned: number[];
  outer: GupBracket | null;
}

/** Interrupts act for nobody: each CPU has a task of its own for them, with this pid less the CPU. */
const INTERRUPT_PID = -1000;
/** How many exited tasks are remembered. */
const RETIRED_KEPT = 1024;

// What comes from the columns is a double, and so is "none": a field that held small integers first would be laid out
// anew at its first double, and all that is compiled for tasks would be thrown away in mid-trace.
function newTask(pid: number, seq: number): Task {
  return {
    pid,
    since: seq,
    mm: Number.NaN,
    lastSeq: 0,
    lastNs: Number.NaN,
    lastRecord: Number.NaN,
    prevSeq: 0,
    reclaim: 0,
    unlocking: Number.NaN,
    dupMm: Number.NaN,
    forkMm: Number.NaN,
    exitMm: Number.NaN,
    fault: null,
    forkPtes: null,
    forkPmd: null,
    zap: null,
    unmap: null,
    clearFlush: null,
    gup: null,
    collapse: null,
    merge: null,
    moving: Number.NaN,
    movingTo: Number.NaN,
    split: null,
    freeing: Number.NaN,
    removing: Number.NaN,
    protecting: Number.NaN,
    sharing: false,
    grabPfn: Number.NaN,
    grabHold: Number.NaN,
  };
}

/** All tasks and the retired ones, as they are: the objects themselves and no copies. */
export interface TasksImage {
  readonly byPid: readonly Task[];
  readonly retired: readonly Task[];
}

/** Tasks by pid. Idle tasks are one per CPU (pid -1-cpu); interrupts too. */
export class Tasks {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 5;
  #byPid = new Map<number, Task>();
  #cached: Task = newTask(Number.NaN, 0);
  /** Tasks that exited, oldest first: kept for a while, because their last records come after their exit. */
  #retired: Task[] = [];

  /** Key under which the actor of an event is kept. */
  static actor(e: Cursor): number {
    if (e.inInterrupt) return INTERRUPT_PID - e.cpu;
    return e.pid === 0 ? -1 - e.cpu : e.pid;
  }

  /** The task of a pid, made on first sight. */
  get(pid: number, seq: number): Task {
    if (this.#cached.pid === pid) return this.#cached;
    let task = this.#byPid.get(pid);
    if (task === undefined) {
      task = newTask(pid, seq);
      this.#byPid.set(pid, task);
    }
    this.#cached = task;
    return task;
  }

  /** The task of a pid if it was seen. */
  peek(pid: number): Task | undefined {
    return this.#byPid.get(pid);
  }

  /** A new life of a pid: nothing of the earlier task holds. */
  renew(pid: number, seq: number): Task {
    const task = newTask(pid, seq);
    this.#byPid.set(pid, task);
    if (this.#cached.pid === pid) this.#cached = task;
    return task;
  }

  /** A task exited. It is forgotten once {@link RETIRED_KEPT} others have exited too. */
  retire(pid: number): void {
    const task = this.#byPid.get(pid);
    if (task === undefined) return;
    this.#retired.push(task);
    if (this.#retired.length <= RETIRED_KEPT) return;
    const oldest = this.#retired.shift();
    if (oldest !== undefined && this.#byPid.get(oldest.pid) === oldest) this.drop(oldest.pid);
  }

  /** Forgets a task that is gone. */
  drop(pid: number): void {
    this.#byPid.delete(pid);
    if (this.#cached.pid === pid) this.#cached = newTask(Number.NaN, 0);
  }

  /** All tasks, in order of first sight. */
  all(): IterableIterator<Task> {
    return this.#byPid.values();
  }

  get size(): number {
    return this.#byPid.size;
  }

  /** Open functions are forgotten: after lost records nobody knows who left them. */
  forgetBrackets(): void {
    for (const task of this.#byPid.values()) {
      task.reclaim = 0;
      task.unlocking = Number.NaN;
      task.dupMm = Number.NaN;
      task.forkMm = Number.NaN;
      task.fault = null;
      task.forkPtes = null;
      task.forkPmd = null;
      task.zap = null;
      task.unmap = null;
      task.clearFlush = null;
      task.gup = null;
      task.collapse = null;
      task.merge = null;
      task.moving = Number.NaN;
      task.split = null;
      task.freeing = Number.NaN;
      task.removing = Number.NaN;
      task.protecting = Number.NaN;
      task.grabPfn = Number.NaN;
      task.grabHold = Number.NaN;
    }
  }

  clear(): void {
    this.#byPid.clear();
    this.#cached = newTask(Number.NaN, 0);
  }

  /**
   * What a snapshot holds. Brackets are shared with the state's list of open ones, so these are the objects
   * themselves: write them down before the next event.
   */
  image(): TasksImage {
    return { byPid: [...this.#byPid.values()], retired: [...this.#retired] };
  }

  /** Takes over the objects of an image that nobody else keeps. */
  restore(image: TasksImage): void {
    this.clear();
    const own = new Map<Task, Task>();
    const adopt = (read: Task): Task => {
      // Filled into a task made here: all tasks have their members in the same order.
      const task = own.get(read) ?? Object.assign(newTask(read.pid, read.since), read);
      own.set(read, task);
      return task;
    };
    for (const task of image.byPid) this.#byPid.set(task.pid, adopt(task));
    this.#retired = image.retired.map(adopt);
  }
}
