/**
 * Records: entries of a trace as they were written, in columns. What every reader yields and every
 * tracepoint decoder consumes. A batch is filled once, consumed once and dropped.
 */

/** Interned names (event names): the id is the position. Grows as a reader meets new names. */
export interface NameTable {
  readonly names: readonly string[];
  /** Id of a name, interning it if it is new. */
  id(name: string): number;
}

/** Context bits of a record (the flags column, formats.md 1.5). */
export const CTX_IRQS_OFF = 1;
export const CTX_HARDIRQ = 2;
export const CTX_SOFTIRQ = 4;
export const CTX_NMI = 8;
/** Set if the flags column was present at all: without it the other bits say nothing. */
export const CTX_KNOWN = 16;
/** Preempt depth (0..15) sits above this shift. */
export const CTX_PREEMPT_SHIFT = 5;

/** A record: the ordinary row of a batch. */
export const ROW_RECORD = 0;
/** A new segment begins: nothing that was known before holds. `aux` is the count of records that the header says were overwritten (NaN unknown, 0 none), `cpu` how many CPUs it names (-1 not told). */
export const ROW_SEGMENT = 1;
/** Records of CPU `cpu` were lost just before its next record; `aux` is how many, NaN if not told. `cpu` -1: of any CPU. */
export const ROW_LOST = 2;
/** The input ended in the middle of a record or of its compression; nothing follows. */
export const ROW_CUT = 3;
/** The first record of this CPU although others have older ones ("##### CPU 2 buffer started ####"). */
export const ROW_CPU_STARTED = 4;

/**
 * Name of the records of a trace that is written as events and not as records: their payload is a line of JSON
 * (events/json-lines.ts), which tells the time, CPU and task, too.
 */
export const EVENT_LINE_NAME = '(event line)';
/** The schema that a first line of such a trace may name, which states no event and tells what the trace is. */
export const EVENT_LINES_SCHEMA = 'faultline.event-lines/1';

/** Columns of up to some ten thousand rows. `count` rows are valid. */
export interface RecordBatch {
  readonly count: number;
  /** ROW_* per row. */
  readonly row: Uint8Array;
  /** Nanoseconds (or ticks, where the clock is not in ns) since the trace's origin; integers. */
  readonly ns: Float64Array;
  readonly cpu: Int16Array;
  /** Thread id (the kernel's pid); -1 unknown. */
  readonly pid: Int32Array;
  /** CTX_* bits. */
  readonly ctx: Uint16Array;
  /** Event name id in the reader's NameTable. */
  readonly name: Int32Array;
  /** Ordinal of the record in its trace, from 1. Rows that are no record carry the ordinal of the record before. */
  readonly record: Float64Array;
  /** Bounds of the payload in `bytes` (text: behind the event name and its colon). */
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Value of ROW_SEGMENT and ROW_LOST rows. */
  readonly aux: Float64Array;
  readonly bytes: Uint8Array;
  /** Lines of text that were read for these rows, those that hold no record included; 0 where records are no lines. */
  readonly lines: number;
}

/** Fills field values from the payload of one row of a batch. Made by a reader for one event name. */
export type FieldExtractor = (
  batch: RecordBatch,
  row: number,
  into: import('./fields.ts').FieldValues,
) => void;
