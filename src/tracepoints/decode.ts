import {
  createFieldValues,
  FIELD_ABSENT,
  FIELD_OK,
  type FieldSpec,
  type FieldValues,
  fieldText,
} from '../core/fields.ts';
import type { Word } from '../core/pointer.ts';
import {
  type FieldExtractor,
  type NameTable,
  type RecordBatch,
  ROW_CPU_STARTED,
  ROW_CUT,
  ROW_LOST,
  ROW_RECORD,
  ROW_SEGMENT,
} from '../core/records.ts';
import type { EventBatchBuilder } from '../events/batch.ts';
import { traceCpuStarted, traceCut, traceLost, traceSegment } from '../events/index.ts';
import { PageAddresses } from './addresses.ts';
import { KernelFacts } from './generation.ts';
import { tracepointsOf } from './index.ts';
import { LESSONS, type Learning, type Lesson, learnFromName } from './learn.ts';
import { OpenEntries } from './open-entries.ts';
import { type Shortfall, shortfallsOf } from './shortfalls.ts';
import type { DecodeContext, Tracepoint } from './tracepoint.ts';

/** What the user declares about the machine. */
export interface DecodeOptions {
  /** Release of the kernel (`6.12.117`). */
  readonly kernel?: string;
  /** `x86-64`, or another name: then page-table words stay unknown. */
  readonly arch?: string;
  /** Start of the array of struct page, as a signed word. */
  readonly vmemmapBase?: Word;
  /** Records to look at before the first is decoded. */
  readonly hold?: number;
  /** What the header of the trace says of the machine; what the user declares goes before it. */
  readonly header?: { readonly kernel: string | null; readonly arch: string | null };
  /** What messages call the trace. */
  readonly label?: string;
}

/** Records that are looked at for facts about the machine before the first is decoded. */
const HOLD = 65536;

interface BoundTracepoint {
  readonly tracepoint: Tracepoint;
  readonly extract: FieldExtractor;
  readonly values: FieldValues;
  /** Positions of required and of excluding fields among the values. */
  readonly required: readonly number[];
  readonly readable: readonly number[];
  readonly excluded: readonly number[];
  /** Fits every record of its name. */
  readonly unconditional: boolean;
  /** It and no other fits the records of its name, and they state nothing. */
  readonly mute: boolean;
  /** As of the tracepoint: one look less for every record. */
  readonly unless: string | null;
}

interface BoundLesson {
  readonly lesson: Lesson;
  readonly extract: FieldExtractor;
  readonly values: FieldValues;
}

/** One event name of the trace: what its records mean. */
interface Slot {
  readonly name: string;
  readonly candidates: readonly BoundTracepoint[];
  /** The candidate that fitted last. */
  current: BoundTracepoint | null;
  readonly lessons: readonly BoundLesson[];
  /** Reads the function that a probe names; used for the first record only. */
  readonly func: BoundLesson | null;
  count: number;
  /** Records that no candidate fits. */
  undecoded: number;
  told: boolean;
}

/** What the decoder knows of the machine, and what it could not decode. */
export interface DecodeFacts {
  readonly kernel: { readonly release: string; readonly how: readonly string[] } | null;
  readonly kernelContradiction: string | null;
  readonly arch: string | null;
  readonly archHow: string | null;
  readonly vmemmapBase: Word;
  readonly vmemmapHow: string | null;
  readonly vmemmapConflict: boolean;
  /** What could not be understood for want of a fact about the machine, with what to do. */
  readonly shortfalls: readonly Shortfall[];
  /** Tables in use for numeric flags, and numbers without one. */
  readonly flags: KernelFacts['flags'];
  /** Records of known events that lack fields which the event needs, by name. */
  readonly undecoded: ReadonlyMap<string, number>;
  /** Returns whose entry is not in the trace, by probe pair. */
  readonly orphanReturns: ReadonlyMap<string, number>;
}

/**
 * Turns records into events: one per trace. The first records are held back until the machine is known well
 * enough, then decoded in order; what is learned later holds from then on.
 */
export class TraceDecoder {
  readonly #names: NameTable;
  readonly #extractor: (nameId: number, specs: readonly FieldSpec[]) => FieldExtractor;
  readonly #slots: (Slot | undefined)[] = [];
  readonly #pages: PageAddresses;
  readonly #kernel: KernelFacts;
  readonly #open = new OpenEntries();
  readonly #seen = new Set<string>();
  readonly #ctx: DecodeContext;
  readonly #learning: { -readonly [K in keyof Learning]: Learning[K] };
  readonly #hold: number;
  #arch: string | null;
  #archHow: string | null;
  #held: RecordBatch[] | null = [];
  #heldRows = 0;
  /** Rows whose lessons were learned while they were held back, and rows decoded so far. */
  #taughtRows = 0;
  #decodedRows = 0;
  /** Something may still be learned. */
  #learns = true;

  constructor(
    names: NameTable,
    extractor: (nameId: number, specs: readonly FieldSpec[]) => FieldExtractor,
    options: DecodeOptions = {},
  ) {
    this.#names = names;
    this.#extractor = extractor;
    this.#hold = options.hold ?? HOLD;
    this.#pages = new PageAddresses(options.vmemmapBase);
    const header = options.header;
    this.#kernel =
      options.kernel === undefined && header?.kernel != null
        ? new KernelFacts(header.kernel, 'header')
        : new KernelFacts(options.kernel);
    const arch = options.arch ?? header?.arch ?? null;
    this.#arch = arch === 'x86_64' ? 'x86-64' : arch;
    this.#archHow = arch === null ? null : options.arch === undefined ? 'header' : 'given';
    this.#kernel.pte.x86 = this.#arch === 'x86-64';
    this.#ctx = {
      pid: 0,
      cpu: 0,
      record: 0,
      label: options.label ?? 'the trace',
      pages: this.#pages,
      kernel: this.#kernel,
      open: this.#open,
      seen: (event) => this.#seen.has(event),
    };
    this.#learning = {
      pages: this.#pages,
      kernel: this.#kernel,
      pid: 0,
      nearFrame: new Map(),
      anon: new Set(),
      proveX86: (how) => {
        if (this.#arch !== null) return;
        this.#arch = 'x86-64';
        this.#archHow = how;
        this.#kernel.pte.x86 = true;
      },
    };
  }

  /** Whether batches are held back: until none is, those that were pushed must stay as they are. */
  get holds(): boolean {
    return this.#held !== null;
  }

  /** Decodes a batch into `out`, or holds it back. */
  push(batch: RecordBatch, out: EventBatchBuilder): void {
    if (this.#held === null) {
      this.#decode(batch, out);
      return;
    }
    // Exactly so many rows teach before the first is decoded, however they are batched.
    const rows = Math.min(batch.count, this.#hold - this.#heldRows);
    for (let row = 0; row < rows; row++) this.#learn(batch, row);
    this.#held.push(batch);
    this.#heldRows += batch.count;
    if (this.#heldRows >= this.#hold) this.#release(out);
  }

  /** Decodes what is still held back. Call once, at the end of the trace. */
  finish(out: EventBatchBuilder): void {
    if (this.#held !== null) this.#release(out);
  }

  #release(out: EventBatchBuilder): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.#taughtRows = Math.min(this.#heldRows, this.#hold);
    this.#conclude();
    for (const batch of held) this.#decode(batch, out);
  }

  #conclude(): void {
    this.#kernel.settle();
    this.#learns = this.#pages.open || this.#arch === null || !this.#kernel.complete;
  }

  #bind(nameId: number): Slot {
    const name = this.#names.names[nameId]!;
    const bind = (fields: readonly FieldSpec[]) => ({
      extract: this.#extractor(nameId, fields),
      values: createFieldValues(fields.length),
    });
    const candidates = tracepointsOf(name);
    const slot: Slot = {
      name,
      candidates: candidates.map((tracepoint) => {
        const fields = [...tracepoint.fields];
        const positions = (keys: readonly string[]): number[] =>
          keys.map((key) => {
            const known = fields.findIndex((field) => field.key === key);
            return known >= 0 ? known : fields.push({ key, form: 'bytes' }) - 1;
          });
        const required = positions(tracepoint.requires);
        const readable = positions(tracepoint.readable);
        const excluded = positions(tracepoint.lacks);
        const unconditional = required.length + readable.length + excluded.length === 0;
        return {
          tracepoint,
          required,
          readable,
          excluded,
          unconditional,
          mute: tracepoint.silent && candidates.length === 1,
          unless: tracepoint.unless,
          ...bind(fields),
        };
      }),
      current: null,
      lessons: LESSONS.filter(({ event }) => event === name).map((lesson) => ({
        lesson,
        ...bind(lesson.fields),
      })),
      func: null,
      count: 0,
      undecoded: 0,
      told: false,
    };
    this.#slots[nameId] = slot;
    this.#seen.add(name);
    return slot;
  }

  /** Runs the lessons of one row. */
  #learn(batch: RecordBatch, row: number): void {
    if (batch.row[row] !== ROW_RECORD) return;
    const nameId = batch.name[row]!;
    const slot = this.#slots[nameId] ?? this.#bind(nameId);
    if (!slot.told) this.#learnName(slot, nameId, batch, row);
    if (slot.lessons.length === 0) return;
    this.#learning.pid = batch.pid[row]!;
    for (const { lesson, extract, values } of slot.lessons) {
      extract(batch, row, values);
      lesson.learn(values, this.#learning);
    }
  }

  #learnName(slot: Slot, nameId: number, batch: RecordBatch, row: number): void {
    slot.told = true;
    const extract = this.#extractor(nameId, [{ key: '@func', form: 'bytes' }]);
    const values = createFieldValues(1);
    extract(batch, row, values);
    learnFromName(slot.name, fieldText(values, 0), this.#kernel);
  }

  #decode(batch: RecordBatch, out: EventBatchBuilder): void {
    const { count, row, ns, cpu, pid, ctx, name, record, aux } = batch;
    const context = this.#ctx;
    for (let i = 0; i < count; i++) {
      out.record(ns[i]!, cpu[i]!, pid[i]!, ctx[i]!, record[i]!);
      if (row[i] !== ROW_RECORD) {
        this.#decodeMark(row[i]!, cpu[i]!, aux[i]!, out);
        continue;
      }
      if (this.#learns && this.#decodedRows + i >= this.#taughtRows) {
        const { open } = this.#pages;
        this.#learn(batch, i);
        if (open !== this.#pages.open || this.#kernel.unsettled) this.#conclude();
      }
      const nameId = name[i]!;
      const slot = this.#slots[nameId] ?? this.#bind(nameId);
      slot.count++;
      const bound = slot.current;
      if (bound === null) {
        if (slot.candidates.length > 0) this.#decodeAnew(slot, batch, i, out);
        continue;
      }
      if (bound.mute) continue;
      bound.extract(batch, i, bound.values);
      if (!bound.unconditional && !fits(bound)) {
        this.#decodeAnew(slot, batch, i, out);
        continue;
      }
      if (bound.unless !== null && this.#seen.has(bound.unless)) continue;
      context.pid = pid[i]!;
      context.cpu = cpu[i]!;
      context.record = record[i]!;
      bound.tracepoint.decode(bound.values, out, context);
    }
    this.#decodedRows += count;
  }

  /** Finds the candidate that fits this record's fields, and decodes it. */
  #decodeAnew(slot: Slot, batch: RecordBatch, row: number, out: EventBatchBuilder): void {
    for (const bound of slot.candidates) {
      bound.extract(batch, row, bound.values);
      if (!fits(bound)) continue;
      slot.current = bound;
      if (bound.tracepoint.unless !== null && this.#seen.has(bound.tracepoint.unless)) return;
      this.#ctx.pid = batch.pid[row]!;
      this.#ctx.cpu = batch.cpu[row]!;
      this.#ctx.record = batch.record[row]!;
      bound.tracepoint.decode(bound.values, out, this.#ctx);
      return;
    }
    slot.undecoded++;
  }

  #decodeMark(kind: number, cpu: number, aux: number, out: EventBatchBuilder): void {
    if (kind === ROW_SEGMENT) out.emit(traceSegment, aux, cpu < 0 ? Number.NaN : cpu);
    else if (kind === ROW_LOST) out.emit(traceLost, cpu, aux);
    else if (kind === ROW_CPU_STARTED) out.emit(traceCpuStarted, cpu);
    else if (kind === ROW_CUT) out.emit(traceCut);
    // An entry may have lost its return.
    if (kind === ROW_SEGMENT || kind === ROW_LOST) this.#open.clear();
  }

  /** Records by event name. */
  get histogram(): Map<string, number> {
    return this.#count((slot) => slot.count);
  }

  /** Records of events that no tracepoint here knows, by name. */
  get unknownEvents(): Map<string, number> {
    return this.#count((slot) => (slot.candidates.length === 0 ? slot.count : 0));
  }

  #count(of: (slot: Slot) => number): Map<string, number> {
    const counts = new Map<string, number>();
    for (const slot of this.#slots) {
      if (slot !== undefined && of(slot) > 0) counts.set(slot.name, of(slot));
    }
    return counts;
  }

  get facts(): DecodeFacts {
    const kernel = this.#kernel;
    return {
      kernel: kernel.text === null ? null : { release: kernel.text, how: [...kernel.reasons] },
      kernelContradiction: kernel.contradiction,
      arch: this.#arch,
      archHow: this.#archHow,
      vmemmapBase: this.#pages.base,
      vmemmapHow: this.#pages.how,
      vmemmapConflict: this.#pages.conflicting,
      shortfalls: shortfallsOf(kernel, this.#pages),
      flags: kernel.flags,
      undecoded: this.#count((slot) => slot.undecoded),
      orphanReturns: new Map(this.#open.orphans),
    };
  }
}

function fits(bound: BoundTracepoint): boolean {
  const state = bound.values.state;
  for (const field of bound.required) if (state[field] === FIELD_ABSENT) return false;
  for (const field of bound.readable) if (state[field] !== FIELD_OK) return false;
  for (const field of bound.excluded) if (state[field] !== FIELD_ABSENT) return false;
  return true;
}
