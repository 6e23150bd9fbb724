import type { ReaderFacts } from './facts.ts';

const SLOTS = 1024;
const WIDTH = 6;
const MAX_TASKS = 262_144;
const UTF8 = new TextDecoder();

/**
 * Notes which comm and tgid the lines of a trace print for each pid. Nearly every line repeats what a line
 * before has said, so the comm is compared as four words and made into a string only when it is new.
 */
export class TaskNotes {
  readonly #facts: ReaderFacts;
  /** Per slot: pid, tgid, and four words that stand for the comm. */
  readonly #seen = new Int32Array(SLOTS * WIDTH).fill(-2);

  constructor(facts: ReaderFacts) {
    this.#facts = facts;
  }

  /** A comm printed in 16 columns at `at`, padded with blanks on the left. */
  padded(b: Uint8Array, view: DataView, at: number, pid: number, tgid: number): void {
    const seen = this.#seen;
    const slot = (pid & (SLOTS - 1)) * WIDTH;
    const w0 = view.getInt32(at, true);
    const w1 = view.getInt32(at + 4, true);
    const w2 = view.getInt32(at + 8, true);
    const w3 = view.getInt32(at + 12, true);
    if (
      seen[slot] === pid &&
      seen[slot + 1] === tgid &&
      seen[slot + 5] === w3 &&
      seen[slot + 4] === w2 &&
      seen[slot + 3] === w1 &&
      seen[slot + 2] === w0
    ) {
      return;
    }
    seen[slot] = pid;
    seen[slot + 1] = tgid;
    seen[slot + 2] = w0;
    seen[slot + 3] = w1;
    seen[slot + 4] = w2;
    seen[slot + 5] = w3;
    let from = at;
    while (b[from] === 32 && from < at + 16) from++;
    this.#note(b, from, at + 16, pid, tgid);
  }

  /** A comm that stands in `b[from, to)`, blanks in front not included. */
  bytes(b: Uint8Array, from: number, to: number, pid: number, tgid: number): void {
    let hash = to - from;
    for (let p = from; p < to; p++) hash = (Math.imul(hash, 31) + b[p]!) | 0;
    const seen = this.#seen;
    const slot = (pid & (SLOTS - 1)) * WIDTH;
    if (seen[slot] === pid && seen[slot + 1] === tgid && seen[slot + 2] === hash && seen[slot + 5] === -1) {
      return;
    }
    seen[slot] = pid;
    seen[slot + 1] = tgid;
    seen[slot + 2] = hash;
    seen[slot + 5] = -1;
    this.#note(b, from, to, pid, tgid);
  }

  #note(b: Uint8Array, from: number, to: number, pid: number, tgid: number): void {
    if (this.#facts.tasks.size >= MAX_TASKS && !this.#facts.tasks.has(pid)) {
      this.#facts.count('tasks-not-kept');
      return;
    }
    this.#facts.task(pid, UTF8.decode(b.subarray(from, to)), tgid < 0 ? null : tgid);
  }
}
