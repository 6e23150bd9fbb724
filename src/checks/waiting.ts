/**
 * Whether a check looks for anything now. It is asked before every call of a hook that sleeps, on the hottest kinds
 * of event: one class with one plain field for all checks, so that the question costs a load.
 */
export class Wake {
  any = false;
}

/** What a check waits for, by a number such as a task or a page; hooks with its {@link wake} sleep until there is any. */
export class Waiting<V> {
  readonly wake = new Wake();
  readonly #by = new Map<number, V>();

  get(key: number): V | undefined {
    return this.#by.get(key);
  }

  set(key: number, value: V): void {
    this.#by.set(key, value);
    this.wake.any = true;
  }

  /** Whether there was one. */
  delete(key: number): boolean {
    const was = this.#by.delete(key);
    this.wake.any = this.#by.size > 0;
    return was;
  }
}
