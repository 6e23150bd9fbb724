/** A page lock whose holder was told: by a try, or by a wait that ended. */
export interface HeldLock {
  readonly pfn: number;
  /** Key of the task (Tasks.actor). */
  readonly pid: number;
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
}

interface LocksImage {
  readonly held: readonly HeldLock[];
  readonly waits: readonly HeldLock[];
}

/**
 * Page locks as told. Tracers of a kernel do not see most acquisitions (folio_trylock is inlined), so on their
 * traces the holder is unknown until its unlock names it, and a lock that nobody is told to hold may be held.
 */
export class Locks {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 1;
  readonly #held = new Map<number, HeldLock>();
  /** Who waits for which page, by task. */
  readonly #waits = new Map<number, HeldLock>();

  /** The lock is a task's from here on. */
  take(lock: HeldLock): void {
    this.#held.set(lock.pfn, lock);
    this.#waits.delete(lock.pid);
  }

  /** A task waits for the lock. */
  wait(lock: HeldLock): void {
    this.#waits.set(lock.pid, lock);
  }

  /** A wait is over without the lock. */
  giveUp(pid: number): void {
    this.#waits.delete(pid);
  }

  /** The lock is released, or its page is gone. */
  drop(pfn: number): void {
    this.#held.delete(pfn);
  }

  /** Who holds a page's lock, as told. */
  holder(pfn: number): HeldLock | undefined {
    return this.#held.get(pfn);
  }

  /** Which page a task waits for, as told. */
  waiting(pid: number): HeldLock | undefined {
    return this.#waits.get(pid);
  }

  /** Locks that are held, of one task or of all. */
  *held(pid?: number): Generator<HeldLock> {
    for (const lock of this.#held.values()) if (pid === undefined || lock.pid === pid) yield lock;
  }

  /** Records were lost: locks may have changed hands. */
  degrade(): void {
    this.clear();
  }

  clear(): void {
    this.#held.clear();
    this.#waits.clear();
  }

  image(): LocksImage {
    return { held: [...this.#held.values()], waits: [...this.#waits.values()] };
  }

  restore(image: LocksImage): void {
    this.clear();
    for (const lock of image.held) this.#held.set(lock.pfn, lock);
    for (const lock of image.waits) this.#waits.set(lock.pid, lock);
  }
}
