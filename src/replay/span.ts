import type { Ingested } from './ingest.ts';

/** A moment of a trace: a seq, or an absolute time as the trace prints it, in nanoseconds. */
export type Moment = { readonly seq: number } | { readonly ns: bigint };

/** Which part of a trace is asked about: from `since` up to `until`, both included; null: open. */
export interface SpanOptions {
  readonly since: Moment | null;
  readonly until: Moment | null;
}

/** Whether an event lies at or after a moment. */
function reached(moment: Moment, seq: number, ns: number, originNs: bigint): boolean {
  return 'seq' in moment ? seq >= moment.seq : originNs + BigInt(ns) >= moment.ns;
}

/** Whether an event lies behind a moment. */
function past(moment: Moment, seq: number, ns: number, originNs: bigint): boolean {
  return 'seq' in moment ? seq > moment.seq : originNs + BigInt(ns) > moment.ns;
}

/** The part of a trace that is asked about. What is before it is folded all the same; what is behind it is not read. */
export class Span {
  readonly #since: Moment | null;
  readonly #until: Moment | null;
  readonly #originNs: () => bigint;

  /** `originNs` is known once the first message has come. */
  constructor({ since, until }: SpanOptions, originNs: () => bigint) {
    this.#since = since;
    this.#until = until;
    this.#originNs = originNs;
  }

  /** Whether an event belongs to it; `ns` is relative to the origin. */
  has(seq: number, ns: number): boolean {
    return (
      (this.#since === null || reached(this.#since, seq, ns, this.#originNs())) &&
      (this.#until === null || !past(this.#until, seq, ns, this.#originNs()))
    );
  }

  /** Index behind the last event of a batch that is not behind it. */
  end({ events }: Ingested): number {
    let end = events.count;
    if (this.#until === null) return end;
    const origin = this.#originNs();
    while (end > 0 && past(this.#until, events.firstSeq + end - 1, events.ns[end - 1]!, origin)) end--;
    return end;
  }

  /** Whether nothing of what follows a batch can belong to it, given the events taken up to now. */
  over({ events }: Ingested, taken: number): boolean {
    return this.#until !== null && events.count > 0 && taken < events.firstSeq + events.count - 1;
  }
}
