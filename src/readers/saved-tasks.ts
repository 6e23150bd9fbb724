import type { ReaderFacts } from './facts.ts';

const SLOTS = 1024;
const MAX_TASKS = 262_144;
/** Digits of a pid, its sign, and the blank behind. */
const PID_DIGITS = 12;
const BLANK = 32;
/** A kernel's names have at most 15 bytes: every record is printed with one. */
const MAX_COMM = 64;
const UTF8 = new TextDecoder();

/** The name of a task in `bytes[from, to)`, up to a NUL. */
export function commIn(bytes: Buffer, from: number, to: number): string {
  const name = bytes.subarray(from, Math.min(to, from + MAX_COMM));
  const nul = name.indexOf(0);
  return UTF8.decode(nul < 0 ? name : name.subarray(0, nul));
}

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
      const blank = at + lines.subarray(at, Math.min(end, at + PID_DIGITS)).indexOf(BLANK);
      const pid = Number(lines.toString('latin1', at, Math.max(at, blank)));
      if (blank > at && Number.isInteger(pid)) this.#names.set(pid, commIn(lines, blank + 1, end));
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
