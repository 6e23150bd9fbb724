import { type EventBatch, EventBatchBuilder } from './batch.ts';
import { EVENT_KINDS } from './registry.ts';

/** Events of a trace that are held in memory, each with its seq there, and parts of them as batches of their own. */
export class EventList {
  readonly #builder = new EventBatchBuilder();
  readonly seqs: number[] = [];
  #whole: EventBatch | null = null;

  get count(): number {
    return this.seqs.length;
  }

  /** Adds event `i` of a batch. Not after the list was read. */
  add(batch: EventBatch, i: number): void {
    const at = batch.at[i]!;
    this.#builder.record(batch.ns[i]!, batch.cpu[i]!, batch.pid[i]!, batch.ctx[i]!, this.count + 1);
    this.#builder.emit(
      EVENT_KINDS[batch.kind[i]!]!,
      ...(batch.args.subarray(at, at + EVENT_KINDS[batch.kind[i]!]!.width) as unknown as [number]),
    );
    this.seqs.push(batch.firstSeq + i);
  }

  /** All events, each a record of its own as in the form of JSON lines, with seqs from 1. */
  get whole(): EventBatch {
    this.#whole ??= this.#builder.take();
    return this.#whole;
  }

  /** The events at these positions as a trace of their own: seqs and records from 1. */
  part(positions: readonly number[]): EventBatch {
    const { kind, at, args, ns, cpu, pid, ctx } = this.whole;
    const count = positions.length;
    const column = <T extends { [index: number]: number }>(to: T, from: T): T => {
      for (let i = 0; i < count; i++) to[i] = from[positions[i]!]!;
      return to;
    };
    return {
      count,
      firstSeq: 1,
      kind: column(new Uint8Array(count), kind),
      at: column(new Uint32Array(count), at),
      args,
      ns: column(new Float64Array(count), ns),
      cpu: column(new Int16Array(count), cpu),
      pid: column(new Int32Array(count), pid),
      ctx: column(new Uint16Array(count), ctx),
      record: Float64Array.from({ length: count }, (_, i) => i + 1),
    };
  }
}
