import type { CpuRecords } from './ring-buffer.ts';

/**
 * The records of all CPUs by time. Equal stamps stand in the order of their streams, as tracefs prints them;
 * within a stream the order is that of the ring buffer, whatever the stamps say.
 */
export class MergedRecords {
  /** A heap: the stream whose record comes next is the first. */
  readonly #heap: CpuRecords[] = [];

  /** Adds a stream that stands at its first record. */
  add(stream: CpuRecords): void {
    const heap = this.#heap;
    let at = heap.push(stream) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(heap[at]!, heap[parent]!)) return;
      swap(heap, at, parent);
      at = parent;
    }
  }

  /** The stream whose record comes next; undefined at the end. */
  get first(): CpuRecords | undefined {
    return this.#heap[0];
  }

  /** Goes on behind the record of {@link first}; false if its stream has ended with it. */
  advance(): boolean {
    const heap = this.#heap;
    const goesOn = heap[0]!.advance();
    if (!goesOn) {
      const last = heap.pop()!;
      if (heap.length === 0) return false;
      heap[0] = last;
    }
    const size = heap.length;
    let at = 0;
    for (;;) {
      let least = 2 * at + 1;
      if (least >= size) return goesOn;
      if (least + 1 < size && before(heap[least + 1]!, heap[least]!)) least++;
      if (!before(heap[least]!, heap[at]!)) return goesOn;
      swap(heap, at, least);
      at = least;
    }
  }
}

function before(a: CpuRecords, b: CpuRecords): boolean {
  return a.ts < b.ts || (a.ts === b.ts && a.order < b.order);
}

function swap(heap: CpuRecords[], a: number, b: number): void {
  const held = heap[a]!;
  heap[a] = heap[b]!;
  heap[b] = held;
}
