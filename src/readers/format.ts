import type { FieldSpec } from '../core/fields.ts';
import type { LineWriter } from '../core/line-writer.ts';
import type { FieldExtractor, NameTable, RecordBatch } from '../core/records.ts';
import type { ReaderFacts } from './facts.ts';
import type { ByteSource } from './source.ts';

/** A trace that is being read: rows as they come, and what was learned of it so far. */
export interface OpenTrace {
  /** E.g. "tracefs text". */
  readonly format: string;
  readonly names: NameTable;
  /** The bytes behind it: their label, and how many are consumed. */
  readonly source: ByteSource;
  /** Filled while {@link batches} is read. */
  readonly facts: ReaderFacts;
  /** The rows of the trace, once. Batches may be kept, until they are recycled. */
  batches(): AsyncGenerator<RecordBatch>;
  /** Takes back a batch when nobody looks at it or at one before it any more: its memory is used for a later one. */
  recycle?(batch: RecordBatch): void;
  /** Batches hold text: a record's line begins behind the last line feed before its payload, and ends with it. */
  readonly lines?: boolean;
  /** Where batches hold no text: prints a record as the kernel does, name and payload, as far as it can be told. */
  printRecord?(batch: RecordBatch, row: number, out: LineWriter): void;
  /** Compiles the reading of some fields of one event. */
  extractor(nameId: number, specs: readonly FieldSpec[]): FieldExtractor;
}

/**
 * A format of traces. To add one, write a file that exports one of these and add a line to formats.ts.
 */
export interface TraceFormat {
  /** Shown to users. */
  readonly name: string;
  /**
   * How sure the beginning of an input is this format: 0 no, 100 a magic number. Bytes only: never the name
   * of the file. The highest wins; a test table keeps two formats from claiming the same input.
   */
  sniff(prefix: Uint8Array): number;
  /** Known, but not read. */
  readonly refused?: boolean;
  /** Starts reading. Throws InputError where the format is known but cannot be read. */
  open(source: ByteSource): OpenTrace | Promise<OpenTrace>;
}
