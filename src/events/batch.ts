// Kinds get their codes in the registry: without it every event would be stored with code -1.
import './registry.ts';
import type { EventKind } from './declare.ts';

/**
 * Events in columns. Event `i` has the kind `kind[i]`, and its arguments are `args[at[i]] ..`, laid out as its
 * kind declares. NaN is "not known".
 */
export interface EventBatch {
  readonly count: number;
  /** Seq of the first event; event `i` has seq `firstSeq + i`. */
  readonly firstSeq: number;
  readonly kind: Uint8Array;
  readonly at: Uint32Array;
  readonly args: Float64Array;
  /** Nanoseconds (or ticks) since the trace's origin. */
  readonly ns: Float64Array;
  readonly cpu: Int16Array;
  readonly pid: Int32Array;
  /** CTX_* bits of the record (core/records.ts). */
  readonly ctx: Uint16Array;
  /** Ordinal of the record that stated the event. */
  readonly record: Float64Array;
}

const BATCH_EVENTS = 16384;
/** No kind of event has more arguments than this. */
export const MAX_WIDTH = 8;

const BATCH_ARGS = BATCH_EVENTS * 6;

/** Columns with room for events. */
type Columns = Pick<EventBatch, 'kind' | 'at' | 'args' | 'ns' | 'cpu' | 'pid' | 'ctx' | 'record'>;

const ownMemory = (bytes: number): ArrayBufferLike => new ArrayBuffer(bytes);
const sharedMemory = (bytes: number): ArrayBufferLike => new SharedArrayBuffer(bytes);

function makeColumns(
  capacity: number,
  argCapacity: number,
  memory: (bytes: number) => ArrayBufferLike,
): Columns {
  return {
    kind: new Uint8Array(memory(capacity)),
    at: new Uint32Array(memory(capacity * 4)),
    args: new Float64Array(memory(argCapacity * 8)),
    ns: new Float64Array(memory(capacity * 8)),
    cpu: new Int16Array(memory(capacity * 2)),
    pid: new Int32Array(memory(capacity * 4)),
    ctx: new Uint16Array(memory(capacity * 2)),
    record: new Float64Array(memory(capacity * 8)),
  };
}

/** Fills batches event by event. `take` hands over what was filled and starts anew. */
export class EventBatchBuilder {
  #capacity = 0;
  #argCapacity = 0;
  /** Columns that are used in turn; none: every batch has its own. */
  readonly #ring: (Columns | undefined)[];
  #turn = -1;
  #firstSeq: number;
  count = 0;
  #argCount = 0;
  #kind!: Uint8Array;
  #at!: Uint32Array;
  #args!: Float64Array;
  #ns!: Float64Array;
  #cpu!: Int16Array;
  #pid!: Int32Array;
  #ctx!: Uint16Array;
  #record!: Float64Array;
  // Header of the record being decoded.
  #hNs = Number.NaN;
  #hCpu = 0;
  #hPid = 0;
  #hCtx = 0;
  #hRecord = Number.NaN;

  /**
   * `ring`: so many batches share their memory in turn, and with other threads: one that was taken is overwritten when
   * so many less one have been taken after it. 0: every batch has its own.
   */
  constructor(firstSeq = 1, ring = 0) {
    this.#firstSeq = firstSeq;
    this.#ring = new Array<Columns | undefined>(ring).fill(undefined);
    this.#fresh();
  }

  #fresh(): void {
    this.count = 0;
    this.#argCount = 0;
    if (this.#ring.length === 0) {
      this.#use(makeColumns(BATCH_EVENTS, BATCH_ARGS, ownMemory));
      return;
    }
    this.#turn = (this.#turn + 1) % this.#ring.length;
    this.#ring[this.#turn] ??= makeColumns(BATCH_EVENTS, BATCH_ARGS, sharedMemory);
    this.#use(this.#ring[this.#turn]!);
  }

  #use({ kind, at, args, ns, cpu, pid, ctx, record }: Columns): void {
    this.#capacity = kind.length;
    this.#argCapacity = args.length;
    this.#kind = kind;
    this.#at = at;
    this.#args = args;
    this.#ns = ns;
    this.#cpu = cpu;
    this.#pid = pid;
    this.#ctx = ctx;
    this.#record = record;
  }

  /** States the record that the next events come from. */
  record(ns: number, cpu: number, pid: number, ctx: number, record: number): void {
    this.#hNs = ns;
    this.#hCpu = cpu;
    this.#hPid = pid;
    this.#hCtx = ctx;
    this.#hRecord = record;
  }

  #open(kind: EventKind): number {
    if (this.count === this.#capacity || this.#argCount + MAX_WIDTH > this.#argCapacity) this.#grow();
    const i = this.count++;
    this.#kind[i] = kind.code;
    this.#at[i] = this.#argCount;
    this.#ns[i] = this.#hNs;
    this.#cpu[i] = this.#hCpu;
    this.#pid[i] = this.#hPid;
    this.#ctx[i] = this.#hCtx;
    this.#record[i] = this.#hRecord;
    const at = this.#argCount;
    this.#argCount += kind.width;
    return at;
  }

  #grow(): void {
    const ringed = this.#ring.length > 0;
    const wider = makeColumns(this.#capacity * 2, this.#argCapacity * 2, ringed ? sharedMemory : ownMemory);
    wider.kind.set(this.#kind);
    wider.at.set(this.#at);
    wider.args.set(this.#args);
    wider.ns.set(this.#ns);
    wider.cpu.set(this.#cpu);
    wider.pid.set(this.#pid);
    wider.ctx.set(this.#ctx);
    wider.record.set(this.#record);
    if (ringed) this.#ring[this.#turn] = wider;
    this.#use(wider);
  }

  /** Adds an event; arguments in storage order, missing ones are NaN (a pte is two arguments). */
  emit(
    kind: EventKind,
    a = Number.NaN,
    b = Number.NaN,
    c = Number.NaN,
    d = Number.NaN,
    e = Number.NaN,
    f = Number.NaN,
    g = Number.NaN,
    h = Number.NaN,
  ): void {
    const at = this.#open(kind);
    const args = this.#args;
    // All eight are stored, whatever the width: the next event overwrites what is not this one's. No branch.
    args[at] = a;
    args[at + 1] = b;
    args[at + 2] = c;
    args[at + 3] = d;
    args[at + 4] = e;
    args[at + 5] = f;
    args[at + 6] = g;
    args[at + 7] = h;
  }

  /** Adds an event whose arguments are the first numbers of `cells`, of which there are {@link MAX_WIDTH}. */
  put(kind: EventKind, cells: Float64Array): void {
    const at = this.#open(kind);
    const args = this.#args;
    // Doubles handed over in an array need no objects of their own.
    args[at] = cells[0]!;
    args[at + 1] = cells[1]!;
    args[at + 2] = cells[2]!;
    args[at + 3] = cells[3]!;
    args[at + 4] = cells[4]!;
    args[at + 5] = cells[5]!;
    args[at + 6] = cells[6]!;
    args[at + 7] = cells[7]!;
  }

  /** Whether enough events are waiting for `take`. */
  get full(): boolean {
    return this.count >= BATCH_EVENTS - 64;
  }

  /** The events so far as a batch; the builder starts a new one. */
  take(): EventBatch {
    const count = this.count;
    const batch: EventBatch = {
      count,
      firstSeq: this.#firstSeq,
      kind: this.#kind.subarray(0, count),
      at: this.#at.subarray(0, count),
      args: this.#args.subarray(0, this.#argCount),
      ns: this.#ns.subarray(0, count),
      cpu: this.#cpu.subarray(0, count),
      pid: this.#pid.subarray(0, count),
      ctx: this.#ctx.subarray(0, count),
      record: this.#record.subarray(0, count),
    };
    this.#firstSeq += count;
    this.#fresh();
    return batch;
  }
}
