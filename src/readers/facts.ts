import type { CounterName } from './counters.ts';
import type { InternedNames } from './names.ts';

/** A line that could not be read. */
export interface ParseError {
  /** From 1. */
  readonly line: number;
  /** The beginning of the line. */
  readonly text: string;
  readonly reason: string;
}

/** What the input prints of a task: never its identity, comm is the last one printed. */
export interface TaskNote {
  readonly comm: string;
  /** Null where the trace does not tell. */
  readonly tgid: number | null;
}

const KEPT_PARSE_ERRORS = 20;

/** What a reader has learned of its input so far. Filled while reading. */
export class ReaderFacts {
  /** Time of the first record as written: ns, or ticks if {@link ticks}. */
  originNs = 0n;
  /** Stamps are no nanoseconds (counter, uptime, x86-tsc). */
  ticks = false;
  /** Smallest unit that stamps were written in (ns or ticks). */
  resolution = 1;
  firstNs: number | null = null;
  lastNs: number | null = null;
  /** Records read. */
  records = 0;
  /** Lines read, of any kind. */
  lines = 0;
  segments = 0;
  /** From the first header that tells; null if none does. */
  entriesWritten: number | null = null;
  entriesInBuffer: number | null = null;
  /** CPUs online, from the header. */
  cpusOnline: number | null = null;
  /** Name of the tracer in the header. */
  tracer: string | null = null;
  clock: string | null = null;
  /** Kernel release where a header tells it. */
  kernel: string | null = null;
  /** Machine as uname tells it (`x86_64`). */
  arch: string | null = null;
  readonly cpus = new Set<number>();
  readonly tasks = new Map<number, TaskNote>();
  /** Pids whose note changed since somebody last emptied this. */
  readonly changedTasks = new Set<number>();
  readonly parseErrors: ParseError[] = [];
  parseErrorCount = 0;
  readonly counters = new Map<CounterName, number>();
  /** What was cut off, if the input ends early. */
  truncated: string | null = null;
  readonly names: InternedNames;
  /** Records by name id. */
  readonly counts: number[] = [];

  constructor(names: InternedNames) {
    this.names = names;
  }

  count(name: CounterName, by = 1): void {
    this.counters.set(name, (this.counters.get(name) ?? 0) + by);
  }

  parseError(line: number, text: string, reason: string): void {
    this.parseErrorCount++;
    if (this.parseErrors.length < KEPT_PARSE_ERRORS) this.parseErrors.push({ line, text, reason });
  }

  task(pid: number, comm: string, tgid: number | null): void {
    const known = this.tasks.get(pid);
    // `<...>` means that the kernel has forgotten the name.
    const name = comm === '<...>' && known ? known.comm : comm;
    const group = tgid ?? known?.tgid ?? null;
    if (known?.comm === name && known.tgid === group) return;
    this.tasks.set(pid, { comm: name, tgid: group });
    this.changedTasks.add(pid);
  }

  /** Records by event name. */
  histogram(): Map<string, number> {
    const histogram = new Map<string, number>();
    for (const [id, count] of this.counts.entries()) {
      if (count > 0) histogram.set(this.names.names[id]!, count);
    }
    return histogram;
  }
}
