/** Numbers kept per entry, and entries kept per task: deeper nesting forgets the outermost. */
const WIDTH = 6;
const DEPTH = 16;

interface Stack {
  readonly cells: Float64Array;
  depth: number;
}

/**
 * Entries that wait for their return, per probe pair and task, last in first out. Return probes before 6.9
 * print nothing but the returned value: what they returned from stands in the record of the entry.
 */
export class OpenEntries {
  readonly #pairs = new Map<string, Map<number, Stack>>();
  /** Returns whose entry is not in the trace, by pair. */
  readonly orphans = new Map<string, number>();
  /** The entry popped last; all NaN if there was none. Read at once. */
  readonly popped = new Float64Array(WIDTH);

  /** Idle tasks share pid 0: they are told apart by their CPU. */
  #key(pid: number, cpu: number): number {
    return pid === 0 ? -1 - cpu : pid;
  }

  /** Opens an entry and returns the cells to fill, from `at` on. */
  push(pair: string, pid: number, cpu: number): { readonly cells: Float64Array; readonly at: number } {
    let tasks = this.#pairs.get(pair);
    if (tasks === undefined) {
      tasks = new Map();
      this.#pairs.set(pair, tasks);
    }
    const key = this.#key(pid, cpu);
    let stack = tasks.get(key);
    if (stack === undefined) {
      stack = { cells: new Float64Array(WIDTH * DEPTH), depth: 0 };
      tasks.set(key, stack);
    }
    if (stack.depth === DEPTH) {
      stack.cells.copyWithin(0, WIDTH);
      stack.depth--;
    }
    this.#pushed.cells = stack.cells;
    this.#pushed.at = stack.depth++ * WIDTH;
    stack.cells.fill(Number.NaN, this.#pushed.at, this.#pushed.at + WIDTH);
    return this.#pushed;
  }
  readonly #pushed: { cells: Float64Array; at: number } = { cells: new Float64Array(0), at: 0 };

  /** Closes the innermost entry of the task into {@link popped}; false if none is open. */
  pop(pair: string, pid: number, cpu: number): boolean {
    const stack = this.#pairs.get(pair)?.get(this.#key(pid, cpu));
    if (stack === undefined || stack.depth === 0) {
      this.orphans.set(pair, (this.orphans.get(pair) ?? 0) + 1);
      this.popped.fill(Number.NaN);
      return false;
    }
    const at = --stack.depth * WIDTH;
    for (let i = 0; i < WIDTH; i++) this.popped[i] = stack.cells[at + i]!;
    return true;
  }

  /** Records were lost: an entry may have lost its return. */
  clear(): void {
    this.#pairs.clear();
  }
}
