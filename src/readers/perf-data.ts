import { InputError } from '../core/errors.ts';
import type { FieldSpec } from '../core/fields.ts';
import type { LineWriter } from '../core/line-writer.ts';
import type { FieldExtractor, RecordBatch } from '../core/records.ts';
import { BinaryEvents, kernelStrings, UNKNOWN_TYPE } from './binary-events.ts';
import { BinaryRows, binaryContext } from './binary-rows.ts';
import { ReaderFacts } from './facts.ts';
import type { OpenTrace, TraceFormat } from './format.ts';
import { KernelSymbols } from './kernel-symbols.ts';
import { InternedNames } from './names.ts';
import { type PerfAttr, type SampleParts, sampleParts, trailerParts } from './perf-data-attrs.ts';
import { type PerfMeta, perfScriptAdvice, readPerfMeta } from './perf-data-meta.ts';
import { type RandomBytes, randomBytes } from './random-access.ts';
import { commIn, SavedTasks } from './saved-tasks.ts';
import type { ByteSource } from './source.ts';
import { ZstdDamage, type ZstdStream, zstdStream } from './zstd.ts';

const FORMAT = 'perf.data';
/** Types of records (include/uapi/linux/perf_event.h, tools/perf/util/event.h). */
const RECORD_LOST = 2;
const RECORD_COMM = 3;
const RECORD_SAMPLE = 9;
const RECORD_LOST_SAMPLES = 13;
const RECORD_FINISHED_ROUND = 68;
const RECORD_COMPRESSED = 81;
const RECORD_COMPRESSED2 = 83;

/** Bytes that are read at once; a record has at most 64 KiB. */
const PIECE = 1 << 20;
/** Records that may wait for their round to end. */
const MAX_WAITING = 1 << 20;

/** Files of perf with tracepoints. */
export const perfData: TraceFormat = {
  name: FORMAT,
  sniff(prefix) {
    const magic = Buffer.from(prefix.buffer, prefix.byteOffset, Math.min(8, prefix.length)).toString(
      'latin1',
    );
    return magic === 'PERFILE2' || magic === '2ELIFREP' ? 100 : 0;
  },
  async open(source) {
    const file = await randomBytes(source, 'a perf.data');
    try {
      const meta = readPerfMeta(file, source.label);
      return new PerfData(source, file, meta, meta.compressed ? await zstdStream(file.size) : null);
    } catch (error) {
      file.close();
      throw error;
    }
  },
};

/** Where a record stands. */
interface Place {
  readonly type: number;
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly words: Int32Array;
  readonly at: number;
  readonly end: number;
}

/** A record that waits until no older one can come. */
interface Waiting {
  readonly ts: number;
  /** -1: not told. */
  readonly cpu: number;
  /** Records lost; 0 for a sample. */
  readonly lost: number;
  readonly words: Int32Array;
  readonly at: number;
  readonly length: number;
}

const NO_WORDS = new Int32Array(0);

class PerfData implements OpenTrace {
  readonly format = FORMAT;
  readonly names = new InternedNames();
  readonly facts = new ReaderFacts(this.names);
  readonly source: ByteSource;
  readonly #file: RandomBytes;
  readonly #meta: PerfMeta;
  /** Set where records are compressed. */
  readonly #inflate: ZstdStream | null;
  readonly #events: BinaryEvents;
  readonly #rows = new BinaryRows(this.facts);
  readonly #tasks: SavedTasks;
  readonly #parts: SampleParts = { tid: -1, time: -1, cpu: -1, raw: -1, rawLength: 0 };
  #waiting: Waiting[] = [];
  /** Stamp of the first record, from which the others are counted. */
  #base: bigint | null = null;
  #originTs = 0;
  #begun = false;
  /** Newest stamp of this round, and of those before. */
  #newest = Number.NEGATIVE_INFINITY;
  #settled = Number.NEGATIVE_INFINITY;

  constructor(source: ByteSource, file: RandomBytes, meta: PerfMeta, inflate: ZstdStream | null) {
    this.source = source;
    this.#inflate = inflate;
    this.#file = file;
    this.#meta = meta;
    const { tracing } = meta;
    this.#events = new BinaryEvents(tracing.formats, this.names, {
      little: tracing.little,
      longSize: tracing.longSize,
      symbols: new KernelSymbols(tracing.kallsyms),
      strings: kernelStrings(tracing.printk),
    });
    this.#tasks = new SavedTasks(this.facts, tracing.cmdlines);
    this.facts.kernel = meta.release;
    this.facts.arch = meta.arch;
    this.facts.clock = meta.attrs[0]!.clock;
  }

  extractor(nameId: number, specs: readonly FieldSpec[]): FieldExtractor {
    return this.#events.extractor(nameId, specs);
  }

  recycle(batch: RecordBatch): void {
    this.#rows.recycle(batch);
  }

  printRecord(batch: RecordBatch, row: number, out: LineWriter): void {
    this.#events.print(batch, row, out);
  }

  async *batches(): AsyncGenerator<RecordBatch> {
    try {
      yield* this.#read();
    } finally {
      this.#file.close();
      await this.source.close();
    }
  }

  *#read(): Generator<RecordBatch> {
    yield* this.#inflate === null ? this.#plain() : this.#compressed(this.#inflate);
    this.#settled = Number.POSITIVE_INFINITY;
    yield* this.#flush();
    if (this.facts.truncated !== null || this.source.truncated !== null) {
      this.facts.truncated ??= this.source.truncated;
      this.#rows.cut();
    }
    if (this.#rows.waiting > 0) yield this.#rows.take();
    if (this.facts.records === 0)
      throw new InputError(
        `${this.source.label} holds no record: ${this.facts.truncated ?? 'no tracepoint was hit'}`,
      );
  }

  *#plain(): Generator<RecordBatch> {
    for (const { type, bytes, view, words, at, end } of this.#fileRecords()) {
      if (type === RECORD_FINISHED_ROUND || this.#waiting.length > MAX_WAITING) yield* this.#finishRound();
      this.#record(type, bytes, view, words, at, end);
    }
  }

  /** The records of the file, one behind the other: the same object for all. */
  *#fileRecords(): Generator<Place> {
    const { data } = this.#meta;
    const end = data.at + data.size;
    for (let at = data.at; at + 8 <= end; ) {
      const bytes = this.#file.read(at, Math.min(PIECE, end - at));
      const done = yield* this.#recordsIn(bytes);
      if (done === 0) {
        this.facts.truncated = `a record at byte ${at} is damaged or goes beyond the end of the file`;
        return;
      }
      at += done;
    }
  }

  /** The whole records in some bytes; returns how many bytes they take. */
  *#recordsIn(bytes: Buffer): Generator<Place, number> {
    const { little } = this.#meta;
    const aligned = bytes.byteOffset & 3 ? Buffer.from(bytes) : bytes;
    const view = new DataView(aligned.buffer, aligned.byteOffset, aligned.byteLength);
    const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
    const place = { type: 0, bytes: aligned, view, words, at: 0, end: 0 };
    let p = 0;
    while (p + 8 <= bytes.length) {
      const size = view.getUint16(p + 6, little);
      if (size < 8 || p + size > bytes.length) break;
      place.type = view.getUint32(p, little);
      place.at = p;
      place.end = p + size;
      yield place;
      p += size;
    }
    return p;
  }

  /**
   * A file of `perf record -z`: one zstd stream in the pieces of compressed records, in which the other records
   * are, whole or not; rounds are told between them.
   */
  *#compressed(inflate: ZstdStream): Generator<RecordBatch> {
    let rest = Buffer.alloc(0);
    // What a piece inflates to may come with the next one: a round has ended when another one has.
    let rounds = 0;
    const pieces = function* (this: PerfData): Generator<Uint8Array> {
      for (const { type, bytes, view, words, at, end } of this.#fileRecords()) {
        const piece = this.#piece(type, bytes, view, at, end);
        if (piece !== null) yield piece;
        else if (type === RECORD_FINISHED_ROUND) rounds++;
        else this.#record(type, bytes, view, words, at, end);
      }
    };
    try {
      for (const piece of inflate(pieces.call(this))) {
        if (rounds > 1 || this.#waiting.length > MAX_WAITING) {
          rounds = 0;
          yield* this.#finishRound();
        }
        rest = Buffer.concat([rest, piece]);
        let done = 0;
        for (const { type, bytes, view, words, at, end } of this.#recordsIn(rest)) {
          this.#record(type, bytes, view, words, at, end);
          done = end;
        }
        rest = rest.subarray(done);
        // No record is longer.
        if (rest.length > 0xffff) throw new ZstdDamage('no record in what was inflated');
      }
    } catch (error) {
      if (!(error instanceof ZstdDamage)) throw error;
      this.facts.truncated ??= `its compressed records are damaged: ${error.message}`;
    }
    if (rest.length > 0) this.facts.truncated ??= 'the last compressed record is cut';
  }

  /** The compressed bytes of a record; null if it has none. */
  #piece(type: number, bytes: Buffer, view: DataView, at: number, end: number): Uint8Array | null {
    if (type === RECORD_COMPRESSED) return bytes.subarray(at + 8, end);
    if (type !== RECORD_COMPRESSED2) return null;
    // Padded to eight bytes; the true size stands in front.
    const size = at + 16 <= end ? Number(view.getBigUint64(at + 8, this.#meta.little)) : 0;
    return bytes.subarray(Math.min(at + 16, end), Math.min(at + 16 + size, end));
  }

  #record(type: number, bytes: Buffer, view: DataView, words: Int32Array, at: number, end: number): void {
    const { little } = this.#meta;
    switch (type) {
      case RECORD_SAMPLE:
        this.#sample(bytes, view, words, at + 8, end);
        return;
      case RECORD_LOST:
      case RECORD_LOST_SAMPLES: {
        const count = at + (type === RECORD_LOST ? 16 : 8);
        if (count + 8 > end) return;
        this.#lost(Number(view.getBigUint64(count, little)), view, count + 8, end);
        return;
      }
      case RECORD_COMM: {
        if (at + 16 > end) return;
        this.facts.task(
          view.getInt32(at + 12, little),
          commIn(bytes, at + 16, end),
          view.getInt32(at + 8, little),
        );
        return;
      }
      case RECORD_COMPRESSED:
      case RECORD_COMPRESSED2:
        throw new InputError(
          `${this.source.label} is a perf.data with compressed records that its header does not name; ${perfScriptAdvice(this.source.label)}`,
        );
      default:
    }
  }

  #attrOf(view: DataView, at: number): PerfAttr | undefined {
    const { identified, attrOfId, attrs, little } = this.#meta;
    return identified ? attrOfId.get(view.getBigUint64(at, little)) : attrs[0];
  }

  #stamp(view: DataView, at: number): number {
    const stamp = view.getBigUint64(at, this.#meta.little);
    this.#base ??= stamp;
    const ts = Number(stamp - this.#base);
    if (ts > this.#newest) this.#newest = ts;
    return ts;
  }

  #cpu(view: DataView): number {
    const cpu = this.#parts.cpu < 0 ? -1 : view.getUint32(this.#parts.cpu, this.#meta.little);
    return cpu <= 0x7fff ? cpu : -1;
  }

  #sample(bytes: Buffer, view: DataView, words: Int32Array, at: number, end: number): void {
    const parts = this.#parts;
    const attr = at + 8 <= end ? this.#attrOf(view, at) : undefined;
    if (!attr || !sampleParts(attr, view, at, end, this.#meta.little, parts)) {
      this.facts.count('damaged-samples');
      return;
    }
    if (!attr.tracepoint || parts.raw < 0 || parts.rawLength < 8) return;
    const aligned = (parts.raw & 3) === 0;
    const copy = aligned ? null : Buffer.from(bytes.subarray(parts.raw, parts.raw + parts.rawLength));
    this.#waiting.push({
      ts: this.#stamp(view, parts.time),
      cpu: this.#cpu(view),
      lost: 0,
      words: copy ? new Int32Array(copy.buffer, copy.byteOffset, copy.length >> 2) : words,
      at: copy ? 0 : parts.raw,
      length: parts.rawLength,
    });
    if (parts.tid >= 0) {
      const { little } = this.#meta;
      this.#tasks.member(view.getInt32(parts.tid + 4, little), view.getInt32(parts.tid, little));
    }
  }

  /** Lost records are lost in front of where they are told. */
  #lost(count: number, view: DataView, at: number, end: number): void {
    const told = trailerParts(this.#meta.attrs[0]!, at, end, this.#parts);
    this.#waiting.push({
      ts: told ? this.#stamp(view, this.#parts.time) : Math.max(0, this.#newest),
      cpu: told ? this.#cpu(view) : -1,
      lost: count > 0 ? count : Number.NaN,
      words: NO_WORDS,
      at: 0,
      length: 0,
    });
  }

  /** What is as old as the round before is in order now: tools/perf/util/ordered-events.c. */
  *#finishRound(): Generator<RecordBatch> {
    yield* this.#flush();
    this.#settled = this.#newest;
  }

  *#flush(): Generator<RecordBatch> {
    if (this.#waiting.length === 0) return;
    // Stable: equal stamps stay in the order of the file.
    const sorted = this.#waiting.sort((a, b) => a.ts - b.ts);
    let done = 0;
    while (done < sorted.length && sorted[done]!.ts <= this.#settled) {
      const one = sorted[done++]!;
      if (this.#rows.full(one.length)) yield this.#rows.take();
      this.#add(one);
    }
    this.#waiting = sorted.slice(done);
  }

  #add({ ts, cpu, lost, words, at, length }: Waiting): void {
    const { facts } = this;
    const rows = this.#rows;
    if (!this.#begun) {
      this.#begun = true;
      this.#originTs = ts;
      facts.originNs = this.#base! + BigInt(ts);
      rows.segment(0, this.#meta.cpus, Number.NaN);
    }
    const ns = ts - this.#originTs;
    if (lost !== 0) {
      rows.lost(ns, cpu, lost);
      return;
    }
    const { little } = this.#meta.tracing;
    const view = new DataView(words.buffer, words.byteOffset, words.byteLength);
    const name = this.#events.nameOf(view.getUint16(at, little));
    if (name === UNKNOWN_TYPE) {
      facts.count('records-without-format');
      return;
    }
    if (cpu >= 0) facts.cpus.add(cpu);
    const pid = view.getInt32(at + 4, little);
    this.#tasks.note(pid);
    rows.add(
      words,
      at,
      length,
      ns,
      cpu,
      pid,
      binaryContext(view.getUint8(at + 2), view.getUint8(at + 3)),
      name,
    );
  }
}
