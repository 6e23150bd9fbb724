import type { ReaderFacts } from './facts.ts';
import type { LineHead } from './line-head.ts';

/** What the comment lines of a tracefs header say of the lines that follow. */
export class TracefsHeader {
  /** Latency format: comm in 8 columns, flags glued to the CPU. */
  latency = false;
  functionGraph = false;
  /** Records that were overwritten before the oldest one here; NaN where no header tells. */
  overwritten = Number.NaN;
  /** CPUs online, -1 where the header does not tell. */
  cpus = -1;
  /** A `# tracer:` line was seen and no record since. */
  fresh = false;
  #flagColumns = 0;

  /** Takes in one line that begins with `#`. */
  line(text: string, head: LineHead, facts: ReaderFacts): void {
    if (text.startsWith('# tracer: ')) {
      this.#begin(text.slice(10).trim(), head, facts);
      return;
    }
    const entries = /^# entries-in-buffer\/entries-written: (\d+)\/(\d+)\s+#P:(\d+)/.exec(text);
    if (entries) {
      this.#entries(Number(entries[1]), Number(entries[2]), Number(entries[3]), facts);
      return;
    }
    const release = /^# \S+ latency trace v\S+ on (\S+)/.exec(text);
    if (release) {
      this.latency = true;
      facts.kernel ??= release[1]!;
      return;
    }
    const latency = /^# latency: \d+ us, #(\d+)\/(\d+), CPU#\d+ \|.*#P:(\d+)/.exec(text);
    if (latency) {
      this.#entries(Number(latency[1]), Number(latency[2]), Number(latency[3]), facts);
      return;
    }
    const column = /^#[ |/]*_-*=> (.*?)\s*$/.exec(text);
    if (column) this.#column(column[1]!, head);
  }

  #begin(tracer: string, head: LineHead, facts: ReaderFacts): void {
    facts.tracer ??= tracer;
    this.functionGraph = tracer === 'function_graph';
    this.latency = false;
    this.overwritten = Number.NaN;
    this.cpus = -1;
    this.fresh = true;
    this.#flagColumns = 0;
    head.contextColumn = 2;
    head.preemptColumn = 3;
  }

  #entries(inBuffer: number, written: number, cpus: number, facts: ReaderFacts): void {
    facts.entriesInBuffer ??= inBuffer;
    facts.entriesWritten ??= written;
    facts.cpusOnline ??= cpus;
    this.overwritten = Math.max(0, written - inBuffer);
    // More would not fit the column of CPUs, and no kernel has them.
    this.cpus = cpus <= 0x7fff ? cpus : -1;
  }

  /** One line of the drawing above the flags: their order is the order of these lines. */
  #column(title: string, head: LineHead): void {
    if (title.startsWith('CPU#')) return;
    if (title.startsWith('hardirq')) head.contextColumn = this.#flagColumns;
    else if (title.startsWith('preempt-depth')) head.preemptColumn = this.#flagColumns;
    this.#flagColumns++;
  }
}
