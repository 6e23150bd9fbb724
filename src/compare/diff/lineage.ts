import type { CheckRun } from '../../checks/check.ts';
import { sysEnter, sysExit, taskExec, taskExit, taskFork, taskNew } from '../../events/index.ts';
import { SYSCALLS } from '../../events/task.ts';
import type { Cursor } from '../../state/cursor.ts';
import { Tasks } from '../../state/tasks.ts';
import { Space, type SpacePage } from './spaces.ts';

/** One life of a task: from its fork, or from when it was first seen, to its exit. */
export interface Life {
  readonly pid: number;
  readonly parent: Life | null;
  /** Event that it came to be with, or was first seen at. */
  readonly since: number;
  /** Event of its first exec, 0 none. */
  execSeq: number;
  /** Fork was told by one event; the other one that tells it makes no second life. */
  fresh: boolean;
  /** mmaps that it made since its last exec. */
  maps: number;
  space: Space<Life>;
}

/** A system call under way that changes mappings. */
interface Call {
  readonly call: number;
  readonly a0: number;
  readonly a1: number;
  readonly a2: number;
}

const MMAP: number = SYSCALLS.indexOf('mmap');
const MUNMAP: number = SYSCALLS.indexOf('munmap');
const MREMAP: number = SYSCALLS.indexOf('mremap');

/** Who is who, without pids: the tree of forks and execs, and the mappings of each task. */
export class Lineage {
  readonly #lives: Life[] = [];
  readonly #byPid = new Map<number, Life>();
  readonly #calls = new Map<number, Call>();
  #execs = false;
  #maps = false;

  /** Whether any exec, and any mmap, was seen. */
  get tells(): { readonly execs: boolean; readonly maps: boolean } {
    return { execs: this.#execs, maps: this.#maps };
  }

  /** The life that a pid has now. */
  of(pid: number, seq: number): Life {
    return this.#byPid.get(pid) ?? this.#begin(pid, null, seq, new Space());
  }

  /** The page of an address of a task. */
  page(life: Life, va: number): SpacePage<Life> | null {
    return Number.isNaN(va) ? null : life.space.at(va);
  }

  #begin(pid: number, parent: Life | null, since: number, space: Space<Life>): Life {
    const life: Life = { pid, parent, since, execSeq: 0, fresh: parent !== null, maps: 0, space };
    this.#lives.push(life);
    this.#byPid.set(pid, life);
    return life;
  }

  #fork(e: Cursor, parentPid: number, pid: number, shared: boolean): void {
    if (!(pid >= 0)) return;
    const parent = this.of(parentPid, e.seq);
    const before = this.#byPid.get(pid);
    if (before?.fresh === true && before.parent === parent) {
      before.fresh = false;
      return;
    }
    this.#begin(pid, parent, e.seq, shared ? parent.space : parent.space.copy());
  }

  #returned(e: Cursor): void {
    const pid = Tasks.actor(e);
    const open = this.#calls.get(pid);
    const ret = e.args[e.at + sysExit.at.ret]!;
    if (open === undefined || open.call !== e.args[e.at + sysExit.at.call]) return;
    this.#calls.delete(pid);
    const life = this.of(pid, e.seq);
    if (open.call === MUNMAP) {
      if (ret === 0) life.space.unmap(open.a0, open.a0 + open.a1);
      return;
    }
    if (!(ret > 0)) return;
    if (open.call === MREMAP) life.space.move(open.a0, ret, open.a2);
    else {
      life.maps++;
      this.#maps = true;
      life.space.map({ maker: life, ordinal: life.maps, start: ret, end: ret + open.a1 });
    }
  }

  /** Takes the events in, as they are folded. */
  watch(): CheckRun {
    return {
      before: [
        [
          taskNew,
          (e) => {
            const { pid, vm, thread } = taskNew.at;
            const shared = e.args[e.at + vm] === 1 || e.args[e.at + thread] === 1;
            this.#fork(e, Tasks.actor(e), e.args[e.at + pid]!, shared);
          },
        ],
        [
          taskFork,
          (e) => this.#fork(e, e.args[e.at + taskFork.at.parent]!, e.args[e.at + taskFork.at.child]!, false),
        ],
        [
          taskExec,
          (e) => {
            const life = this.of(e.args[e.at + taskExec.at.pid]!, e.seq);
            this.#execs = true;
            life.execSeq ||= e.seq;
            life.maps = 0;
            life.space = new Space();
          },
        ],
        [
          taskExit,
          (e) => {
            const life = this.#byPid.get(e.args[e.at + taskExit.at.pid]!);
            // What it mapped is of no use any more; its name still is.
            if (life !== undefined) life.space = new Space();
          },
        ],
        [
          sysEnter,
          (e) => {
            const { call, a0, a1, a2 } = sysEnter.at;
            const { args, at } = e;
            const number = args[at + call]!;
            if (number !== MMAP && number !== MUNMAP && number !== MREMAP) return;
            this.#calls.set(Tasks.actor(e), {
              call: number,
              a0: args[at + a0]!,
              a1: args[at + a1]!,
              a2: args[at + a2]!,
            });
          },
        ],
        [sysExit, (e) => this.#returned(e)],
      ],
    };
  }

  /**
   * Names of all lives. A task is its way down from the last exec (`byExec`), or from the first task of its line that was
   * seen: `comm#k` is the k-th of that name, `/comm#n` the n-th child of that name. `comm` is what the trace calls a pid,
   * null where it does not.
   */
  names(comm: (pid: number) => string | null, byExec: boolean): ReadonlyMap<Life, string> {
    const names = new Map<Life, string>();
    const counts = new Map<string, number>();
    const rooted = (life: Life): boolean => life.parent === null || (byExec && life.execSeq > 0);
    const since = (life: Life): number => (byExec && life.execSeq) || life.since;
    // A parent comes before its children; roots in the order in which they became what they are.
    const roots = this.#lives.filter(rooted).sort((a, b) => since(a) - since(b));
    const children = this.#lives.filter((life) => !rooted(life));
    for (const life of [...roots, ...children]) {
      const above = rooted(life) ? '' : `${names.get(life.parent!)}/`;
      const base = `${above}${comm(life.pid) ?? '?'}`;
      const number = (counts.get(base) ?? 0) + 1;
      counts.set(base, number);
      names.set(life, `${base}#${number}`);
    }
    return names;
  }
}
