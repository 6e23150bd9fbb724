import { InputError } from '../core/errors.ts';
import type { FieldSpec } from '../core/fields.ts';
import type { LineWriter } from '../core/line-writer.ts';
import type { FieldExtractor, RecordBatch } from '../core/records.ts';
import { BinaryEvents, kernelStrings, UNKNOWN_TYPE } from './binary-events.ts';
import { BinaryRows, binaryContext } from './binary-rows.ts';
import { ReaderFacts } from './facts.ts';
import type { OpenTrace, TraceFormat } from './format.ts';
import { KernelSymbols } from './kernel-symbols.ts';
import { MergedRecords } from './merged-records.ts';
import { InternedNames } from './names.ts';
import { ByteCursor, type RandomBytes, randomBytes } from './random-access.ts';
import { CpuRecords, pageLayout } from './ring-buffer.ts';
import { SavedTasks } from './saved-tasks.ts';
import type { ByteSource } from './source.ts';
import { DatCompression, pageChunks } from './trace-dat-chunks.ts';
import { type DatMeta, damaged, emptyMeta } from './trace-dat-meta.ts';
import { readV6 } from './trace-dat-v6.ts';
import { DatSections } from './trace-dat-v7.ts';

const MAGIC = Buffer.from([0x17, 0x08, 0x44, ...Buffer.from('tracing')]);
/** Clocks whose stamps are no nanoseconds. */
const TICK_CLOCKS = /^(counter|uptime|x86-tsc|arm-.*|ppc-tb)$/;

/** Files of trace-cmd: the ring buffers as they were, with what is needed to read them. */
export const traceDat: TraceFormat = {
  name: 'trace.dat of trace-cmd',
  sniff: (prefix) => (MAGIC.every((byte, i) => prefix[i] === byte) ? 100 : 0),
  open: openTraceDat,
};

async function openTraceDat(source: ByteSource): Promise<OpenTrace> {
  const file = await randomBytes(source, 'a trace.dat');
  try {
    return await openFile(source, file);
  } catch (error) {
    file.close();
    throw error;
  }
}

async function openFile(source: ByteSource, file: RandomBytes): Promise<OpenTrace> {
  const label = source.label;
  const start = new ByteCursor(file, MAGIC.length, true, label);
  const version = Number(start.string(16));
  const little = start.u8() === 0;
  const longSize = start.u8();
  if (version !== 6 && version !== 7) {
    throw new InputError(
      `${label} is a trace.dat of version ${version}; this version reads 6 and 7, give the text of: trace-cmd report -t`,
    );
  }
  if (longSize !== 4 && longSize !== 8) throw damaged(label, `a long of ${longSize} bytes`);
  const cursor = new ByteCursor(file, start.at, little, label);
  const meta = emptyMeta(version, little, longSize, cursor.u32());
  let compression: DatCompression;
  if (version === 7) {
    const kind = cursor.string(32);
    cursor.string(64);
    compression = await DatCompression.named(kind, file.size, label);
    new DatSections(file, meta, compression, label).read(cursor.size());
  } else {
    compression = await DatCompression.named('none', file.size, label);
    readV6(cursor, meta, file, (at) => new ByteCursor(file, at, little, label), label);
  }
  if (meta.latency) {
    throw new InputError(
      `${label} holds the text of a latency tracer and no records; give that text: trace-cmd report`,
    );
  }
  if (meta.buffers.length === 0) throw new InputError(`${label} holds no record: it names no buffer`);
  refuseOverlap(meta, label);
  return new TraceDat(source, file, meta, compression);
}

/** Regions that share bytes would be read over and over. */
function refuseOverlap({ buffers }: DatMeta, label: string): void {
  const regions = buffers.flatMap(({ cpus }) => cpus).sort((a, b) => a.at - b.at);
  for (const [i, region] of regions.entries()) {
    const before = regions[i - 1];
    if (before && before.at + before.size > region.at)
      throw damaged(label, `records of CPU ${before.cpu} and of CPU ${region.cpu} in the same place`);
  }
}

class TraceDat implements OpenTrace {
  readonly format: string;
  readonly names = new InternedNames();
  readonly facts = new ReaderFacts(this.names);
  readonly source: ByteSource;
  readonly #file: RandomBytes;
  readonly #meta: DatMeta;
  readonly #compression: DatCompression;
  readonly #events: BinaryEvents;
  readonly #rows = new BinaryRows(this.facts);
  readonly #tasks: SavedTasks;
  readonly #streams: CpuRecords[] = [];
  /** Buffer that the records of a type are taken from: one that two buffers hold states its fact once. */
  readonly #bufferOfType = new Int16Array(1 << 16).fill(-1);
  readonly #bufferOfStream: number[] = [];
  /** Streams whose first record was read. */
  readonly #begun: number[] = [];
  /** Records overwritten before the first ones. */
  #overwrites = 0;

  constructor(source: ByteSource, file: RandomBytes, meta: DatMeta, compression: DatCompression) {
    this.source = source;
    this.#file = file;
    this.#meta = meta;
    this.#compression = compression;
    this.format = `trace.dat version ${meta.version}`;
    const { little, longSize } = meta;
    this.#events = new BinaryEvents(meta.formats, this.names, {
      little,
      longSize,
      symbols: new KernelSymbols(meta.kallsyms),
      strings: kernelStrings(meta.printk),
    });
    this.#tasks = new SavedTasks(this.facts, meta.cmdlines);
    this.#states();
  }

  /** What the header says of the recording. */
  #states(): void {
    const { facts } = this;
    const { statistics, uname, buffers, unknownOptions, ticks } = this.#meta;
    const clock = buffers[0]!.clock ?? this.#meta.clock;
    facts.clock = clock;
    facts.ticks = ticks === null && clock !== null && TICK_CLOCKS.test(clock);
    // `Linux (none) 6.12.117 x86_64`
    const [, , kernel, ...others] = (uname ?? '').trim().split(/\s+/);
    facts.kernel = kernel ?? null;
    facts.arch = others.at(-1) ?? null;
    if (statistics.length > 0) {
      let kept = 0;
      let overrun = 0;
      let dropped = 0;
      for (const each of statistics) {
        kept += each.kept;
        overrun += each.overrun;
        dropped += each.dropped;
      }
      facts.entriesInBuffer = kept;
      facts.entriesWritten = kept + overrun;
      if (dropped > 0) facts.count('records-dropped', dropped);
    }
    if (unknownOptions > 0) facts.count('unknown-options', unknownOptions);
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
      yield* this.#merge();
    } finally {
      this.#file.close();
      await this.source.close();
    }
  }

  /** Opens the streams of all CPUs of all buffers with the clock of the first one. */
  #open(): void {
    const { buffers, little, headerPage, longSize } = this.#meta;
    const clock = buffers[0]!.clock;
    for (const [index, buffer] of buffers.entries()) {
      if (buffer.clock !== clock) {
        this.facts.count('buffers-of-other-clock');
        continue;
      }
      const layout = pageLayout(headerPage, little, longSize, buffer.pageSize);
      if (layout.dataAt % 4 !== 0)
        throw damaged(this.source.label, `a page whose data begins at byte ${layout.dataAt}`);
      for (const region of [...buffer.cpus].sort((a, b) => a.cpu - b.cpu)) {
        const chunks = pageChunks(this.#file, buffer, region, little, this.#compression);
        const trouble = { damagedPage: () => this.facts.count('damaged-pages') };
        this.#streams.push(new CpuRecords(region.cpu, this.#streams.length, chunks, layout, trouble));
        this.#bufferOfStream.push(index);
      }
    }
  }

  *#merge(): Generator<RecordBatch> {
    this.#open();
    const stamps = this.#streams.map((stream) => stream.firstStamp());
    const base = stamps.reduce((a, b) => (a !== null && (b === null || a < b) ? a : b), null) ?? 0n;
    const merged = new MergedRecords();
    for (const [i, stream] of this.#streams.entries()) {
      if (stamps[i] !== null && stream.start(base)) merged.add(stream);
    }
    const first = merged.first;
    if (!first) throw this.#empty();
    this.facts.originNs = this.#nanoseconds(base + BigInt(first.ts)) + this.#meta.offsetNs;
    yield* this.#read(merged, base, first.ts);
    yield* this.#finish();
  }

  *#read(merged: MergedRecords, base: bigint, originTs: number): Generator<RecordBatch> {
    const { ticks } = this.#meta;
    const rows = this.#rows;
    const origin = this.#nanoseconds(base + BigInt(originTs));
    this.#overwrites = this.#overwritten();
    rows.segment(0, this.#meta.statistics.length || -1, this.#overwrites);
    for (let stream = merged.first; stream !== undefined; stream = merged.first) {
      const ns =
        ticks === null ? stream.ts - originTs : Number(this.#nanoseconds(base + BigInt(stream.ts)) - origin);
      if (rows.full(stream.length)) yield rows.take();
      this.#add(stream, ns);
      // What a CPU lost at its end is missing while the others go on.
      if (!merged.advance() && (stream.lost !== 0 || stream.chunks.failure !== null))
        rows.lost(ns, stream.cpu, stream.lost > 0 ? stream.lost : Number.NaN);
    }
  }

  /** Adds the record at which a stream stands, and what was lost before it. */
  #add(stream: CpuRecords, ns: number): void {
    const { facts } = this;
    const rows = this.#rows;
    if (this.#begun[stream.order] !== 1) {
      this.#begun[stream.order] = 1;
      facts.cpus.add(stream.cpu);
      // Lost in front of a CPU's first record: overwritten, which the segment tells.
      if (this.#overwrites > 0 && facts.cpus.size > 1) rows.cpuStarted(ns, stream.cpu);
    } else if (stream.lost !== 0) rows.lost(ns, stream.cpu, stream.lost);
    stream.lost = 0;
    const { view, at, length } = stream;
    const { little } = this.#meta;
    const type = view.getUint16(at, little);
    const name = this.#events.nameOf(type);
    if (name === UNKNOWN_TYPE) {
      facts.count('records-without-format');
      return;
    }
    const buffer = this.#bufferOfStream[stream.order]!;
    if (this.#bufferOfType[type] !== buffer) {
      if (this.#bufferOfType[type] !== -1) {
        facts.count('records-of-second-buffer');
        return;
      }
      this.#bufferOfType[type] = buffer;
    }
    const pid = view.getInt32(at + 4, little);
    this.#tasks.note(pid);
    const ctx = binaryContext(view.getUint8(at + 2), view.getUint8(at + 3));
    rows.add(stream.words, at, length, ns, stream.cpu, pid, ctx, name);
  }

  /**
   * Records that were overwritten before the first one of their CPU: as the pages tell, which is exact; else what
   * the statistics count over the whole recording; NaN where neither tells.
   */
  #overwritten(): number {
    let lost = 0;
    for (const stream of this.#streams) lost += stream.lost;
    if (lost > 0) return lost;
    const { statistics } = this.#meta;
    const overrun = statistics.reduce((sum, each) => sum + each.overrun, 0);
    return statistics.length === 0 || (Number.isNaN(lost) && overrun === 0) ? Number.NaN : overrun;
  }

  #nanoseconds(stamp: bigint): bigint {
    const { ticks } = this.#meta;
    return ticks === null ? stamp : (stamp * BigInt(ticks.mult)) >> BigInt(ticks.shift);
  }

  *#finish(): Generator<RecordBatch> {
    const failure =
      this.#streams.find(({ chunks }) => chunks.failure !== null)?.chunks.failure ?? this.source.truncated;
    if (failure != null) {
      this.facts.truncated = failure;
      this.#rows.cut();
    }
    if (this.#rows.waiting > 0) yield this.#rows.take();
    if (this.facts.records === 0) throw this.#empty();
  }

  #empty(): InputError {
    const failure = this.#streams.find(({ chunks }) => chunks.failure !== null)?.chunks.failure;
    const unknown = this.facts.counters.get('records-without-format') ?? 0;
    const why =
      failure ??
      (unknown > 0 ? `it describes none of its ${unknown} records` : 'the buffers of all CPUs are empty');
    return new InputError(`${this.source.label} holds no record: ${why}`);
  }
}
