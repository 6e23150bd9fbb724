import type { ReaderFacts } from './facts.ts';

const SLOTS = 1024;
const MAX_TASKS = 262_144;
const UTF8 = new TextDecoder();

/** Names of tasks from the map that a recording tool saved: the last name of each pid, noted when it appears. */
export class SavedTasks {
  readonly #facts: ReaderFacts;
  readonly #names = new Map<number, string>();
  /** Pids that were noted last, by their low bits. */
  readonly #noted = new Int32Array(SLOTS).fill(-1);

  /** `pid comm` by line. */
  constructor(facts: ReaderFacts, lines: Buffer) {
    this.#facts = facts;
    for (let at = 0; at < lines.length && this.#names.size < MAX_TASKS; ) {
      let end = lines.indexOf(10, at);
      if (end < 0) end = lines.length;
      const blank = lines.indexOf(32, at);
      const pid = Number(lines.toString('latin1', at, Math.min(end, at + 11)).split(' ', 1)[0]);
      if (blank > at && blank < end && Number.isInteger(pid))
        this.#names.set(pid, UTF8.decode(lines.subarray(blank + 1, end)));
      at = end + 1;
    }
  }

  /** Notes that a thread belongs to a process. */
  member(pid: number, tgid: number): void {
    const known = this.#facts.tasks.get(pid);
    if (known?.tgid === tgid || (!known && this.#facts.tasks.size >= MAX_TASKS)) return;
    this.#facts.task(pid, known?.comm ?? (pid === 0 ? '<idle>' : (this.#names.get(pid) ?? '<...>')), tgid);
  }

  /** Notes the task of a record. */
  note(pid: number): void {
    const slot = pid & (SLOTS - 1);
    if (this.#noted[slot] === pid) return;
    this.#noted[slot] = pid;
    const facts = this.#facts;
    if (facts.tasks.has(pid)) return;
    if (facts.tasks.size >= MAX_TASKS) facts.count('tasks-not-kept');
    else facts.task(pid, pid === 0 ? '<idle>' : (this.#names.get(pid) ?? '<...>'), null);
  }
}
