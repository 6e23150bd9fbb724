import { type RecordBatch, ROW_RECORD } from '../core/records.ts';

/** Rows of a batch: a megabyte of trace text holds about as many. */
const CAPACITY = 8192;

/** Fills the columns of a record batch. Readers write into the columns directly. */
export class RecordBatchBuilder {
  count = 0;
  row!: Uint8Array;
  ns!: Float64Array;
  cpu!: Int16Array;
  pid!: Int32Array;
  ctx!: Uint16Array;
  name!: Int32Array;
  record!: Float64Array;
  start!: Int32Array;
  end!: Int32Array;
  aux!: Float64Array;

  /** A batch that nobody reads any more. */
  #spare: RecordBatch | null = null;

  constructor() {
    this.#fresh();
  }

  /** Takes back the columns of a batch. */
  recycle(batch: RecordBatch): void {
    if (batch.row.length === CAPACITY) this.#spare = batch;
  }

  #fresh(): void {
    this.count = 0;
    const spare = this.#spare;
    if (spare !== null) {
      this.#spare = null;
      this.row = spare.row;
      this.ns = spare.ns;
      this.cpu = spare.cpu;
      this.pid = spare.pid;
      this.ctx = spare.ctx;
      this.name = spare.name;
      this.record = spare.record;
      this.start = spare.start;
      this.end = spare.end;
      this.aux = spare.aux;
      return;
    }
    this.row = new Uint8Array(CAPACITY);
    this.ns = new Float64Array(CAPACITY);
    this.cpu = new Int16Array(CAPACITY);
    this.pid = new Int32Array(CAPACITY);
    this.ctx = new Uint16Array(CAPACITY);
    this.name = new Int32Array(CAPACITY);
    this.record = new Float64Array(CAPACITY);
    this.start = new Int32Array(CAPACITY);
    this.end = new Int32Array(CAPACITY);
    this.aux = new Float64Array(CAPACITY);
  }

  /** Room for one more record and the rows that may go before it. */
  get full(): boolean {
    return this.count > CAPACITY - 4;
  }

  /** Adds a row that is no record: ROW_SEGMENT, ROW_LOST, ROW_CUT, ROW_CPU_STARTED. */
  mark(row: number, ns: number, cpu: number, record: number, aux: number): void {
    const i = this.count++;
    this.row[i] = row;
    this.ns[i] = ns;
    this.cpu[i] = cpu;
    this.pid[i] = -1;
    this.ctx[i] = 0;
    this.name[i] = -1;
    this.record[i] = record;
    this.start[i] = 0;
    this.end[i] = 0;
    this.aux[i] = aux;
  }

  /** Adds a record. */
  add(
    ns: number,
    cpu: number,
    pid: number,
    ctx: number,
    name: number,
    record: number,
    start: number,
    end: number,
  ): void {
    const i = this.count++;
    this.row[i] = ROW_RECORD;
    this.ns[i] = ns;
    this.cpu[i] = cpu;
    this.pid[i] = pid;
    this.ctx[i] = ctx;
    this.name[i] = name;
    this.record[i] = record;
    this.start[i] = start;
    this.end[i] = end;
    this.aux[i] = Number.NaN;
  }

  /** The rows so far over `bytes`, for which `lines` were read; the builder starts anew, so that the batch may be kept or transferred. */
  take(bytes: Uint8Array, lines = 0): RecordBatch {
    const batch: RecordBatch = {
      count: this.count,
      row: this.row,
      ns: this.ns,
      cpu: this.cpu,
      pid: this.pid,
      ctx: this.ctx,
      name: this.name,
      record: this.record,
      start: this.start,
      end: this.end,
      aux: this.aux,
      bytes,
      lines,
    };
    this.#fresh();
    return batch;
  }
}
