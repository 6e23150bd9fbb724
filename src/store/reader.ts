import { InputError } from '../core/errors.ts';
import { decodePlain, type Plain } from '../core/image.ts';
import type { EventBatch } from '../events/batch.ts';
import type { MmState } from '../state/state.ts';
import { unsqueeze, unsqueezeText } from './compress.ts';
import { type CaseDatabase, openToRead } from './database.ts';
import { guarded } from './errors.ts';
import { BLOCKS, blocksOf, listsOf, MARK_KEY, MARKS, MMS, PAGES, RunPostings, seqsIn } from './postings.ts';
import { pickFrom, type StoredColumns, unpackSegment } from './segments.ts';
import { restoreSnapshot, versionText } from './snapshots.ts';
import { Statements } from './statements.ts';
import { recordIn } from './texts.ts';
import { readVocabulary, type Vocabulary } from './vocabulary.ts';

/** What a case says of itself. */
export interface CaseHead {
  /** The trace that it was recorded from, as it was given. */
  readonly name: string;
  readonly size: number | null;
  readonly sha256: string | null;
  readonly format: string | null;
  readonly program: string;
  readonly options: Readonly<Record<string, string | number | null>>;
  readonly originNs: bigint;
  readonly ticks: boolean;
  readonly events: number;
  readonly records: number;
  /** The recording went to the end of the trace. */
  readonly complete: boolean;
}

/** One batch as it was recorded, in pieces. */
export interface StoredBatch {
  readonly events: EventBatch;
  /** Facts of the input after the batch, with its first piece; null with the others. */
  readonly facts: Plain | null;
}

interface SegmentRow extends StoredColumns {
  readonly first_seq: number;
  readonly last_seq: number;
}

/** A page or mm and the events that name it. */
export interface NamedKey {
  readonly key: number;
  readonly events: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** Segments that are kept open: a page's events come in neighbours. */
const SEGMENTS_KEPT = 8;

/** Reads a case. */
export class CaseReader {
  readonly path: string;
  readonly head: CaseHead;
  readonly #db: CaseDatabase;
  readonly #vocabulary: Vocabulary;
  readonly #open = new Map<number, EventBatch>();
  readonly #statements: Statements;
  #tail: RunPostings | null = null;

  constructor(path: string) {
    this.path = path;
    this.#db = openToRead(path);
    this.#statements = new Statements(this.#db);
    try {
      this.head = guarded(path, () => readHead(path, this.#db));
      this.#vocabulary = readVocabulary(path, this.#db);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** The database, for those who query it. */
  get db(): CaseDatabase {
    return this.#db;
  }

  close(): void {
    this.#db.close();
  }

  #unpack(row: SegmentRow): EventBatch {
    const known = this.#open.get(row.first_seq);
    if (known !== undefined) return known;
    const batch = unpackSegment(row, row.first_seq, this.#vocabulary, this.path);
    if (this.#open.size >= SEGMENTS_KEPT) this.#open.delete(this.#open.keys().next().value!);
    this.#open.set(row.first_seq, batch);
    return batch;
  }

  /** The segment that holds an event, or null. */
  segmentOf(seq: number): EventBatch | null {
    const row = this.#statements
      .of(
        'select first_seq, last_seq, deflated, checksum, columns from segment where first_seq <= ? order by first_seq desc limit 1',
      )
      .get(seq) as SegmentRow | undefined;
    return row === undefined || row.last_seq < seq ? null : this.#unpack(row);
  }

  /** Events by their seqs, which are in order: each in a batch that holds it until the next one is asked for. */
  *eventsAt(seqs: readonly number[]): Generator<{ readonly batch: EventBatch; readonly index: number }> {
    const find = this.#statements.of(
      'select first_seq, last_seq, deflated, checksum, columns from segment where first_seq <= ? order by first_seq desc limit 1',
    );
    for (let i = 0; i < seqs.length; ) {
      const row = find.get(seqs[i]!) as SegmentRow | undefined;
      const positions: number[] = [];
      if (row !== undefined)
        for (; i < seqs.length && seqs[i]! <= row.last_seq; i++) positions.push(seqs[i]! - row.first_seq);
      if (row === undefined || positions.length === 0) {
        i++;
        continue;
      }
      const batch = pickFrom(row, row.first_seq, this.#vocabulary, this.path, positions);
      for (const index of positions) yield { batch, index };
    }
  }

  /** Events from one seq to another, both included, in segments: the first and the last may hold others too. */
  *segments(from = 1, to: number = Number.MAX_SAFE_INTEGER): Generator<EventBatch> {
    const next = this.#statements.of(
      'select first_seq, last_seq, deflated, checksum, columns from segment where last_seq >= ? and first_seq >= ? order by first_seq limit 1',
    );
    let row = this.#statements
      .of(
        'select first_seq, last_seq, deflated, checksum, columns from segment where first_seq <= ? order by first_seq desc limit 1',
      )
      .get(from) as SegmentRow | undefined;
    row ??= next.get(from, from) as SegmentRow | undefined;
    // One by one: a reader may leave, and the table may be asked for other things meanwhile.
    while (row !== undefined && row.first_seq <= to) {
      if (row.last_seq >= from) yield unpackSegment(row, row.first_seq, this.#vocabulary, this.path);
      row = next.get(row.last_seq + 1, row.last_seq + 1) as SegmentRow | undefined;
    }
  }

  /** All batches in order, each in pieces, with what was known of the input. */
  *batches(): Generator<StoredBatch> {
    const rows = this.#statements
      .of('select first_seq, events, facts from batch order by id')
      .all() as Array<{
      first_seq: number;
      events: number;
      facts: Uint8Array;
    }>;
    for (const { first_seq, events, facts } of rows) {
      let told: Plain | null = decodePlain(unsqueeze(facts));
      if (events === 0) {
        yield { events: emptyBatch(first_seq), facts: told };
        continue;
      }
      for (const piece of this.segments(first_seq, first_seq + events - 1)) {
        yield { events: piece, facts: told };
        told = null;
      }
    }
  }

  /** Seq of the event before the first one that is later than a time. */
  seqAt(ns: number): number {
    const row = this.#statements
      .of(
        'select first_seq, last_seq, deflated, checksum, columns from segment where max_ns > ? order by first_seq limit 1',
      )
      .get(ns) as SegmentRow | undefined;
    if (row === undefined) return this.head.events;
    const batch = this.#unpack(row);
    return batch.firstSeq - 1 + batch.ns.findIndex((at) => at > ns);
  }

  /** Puts the nearest usable snapshot at or before a seq into a fresh state. False: there is none. */
  restoreBefore(state: MmState, seq: number): boolean {
    const row = this.#statements
      .of('select image from snapshot where seq <= ? and versions = ? order by seq desc limit 1')
      .get(seq, versionText(state)) as { image: Uint8Array } | undefined;
    if (row === undefined) return false;
    restoreSnapshot(state, row.image);
    return true;
  }

  /** Whether snapshots of this program's slices are there. */
  hasSnapshots(state: MmState): boolean {
    return (
      this.#statements.of('select 1 from snapshot where versions = ? limit 1').get(versionText(state)) !==
      undefined
    );
  }

  /** Seqs of the events that name a page, or a block that it lies in. */
  seqsOfPage(pfn: number): number[] {
    const found = this.#seqs(PAGES, [pfn]);
    found.push(...this.#seqs(BLOCKS, blocksOf(pfn)));
    return [...new Set(found)].sort((a, b) => a - b);
  }

  /** Seqs at which records are missing, or a segment begins. */
  seqsOfMarks(): number[] {
    return this.#seqs(MARKS, [MARK_KEY]);
  }

  /** Seqs of the events that name an mm. */
  seqsOfMm(mm: number): number[] {
    return this.#seqs(MMS, [mm]);
  }

  /** Seqs of some keys that are near each other: of each run the rows between the least and the greatest. */
  #seqs(what: number, keys: readonly number[]): number[] {
    const least = Math.min(...keys);
    const greatest = Math.max(...keys);
    const rows = this.#statements.of(
      'select first_key, lists from posting where what = ? and run = ? and first_key <= ? order by first_key desc',
    );
    const seqs: number[] = [];
    for (const run of this.#runs()) {
      for (const row of rows.iterate(what, run.id, greatest) as Iterable<{
        first_key: number;
        lists: Uint8Array;
      }>) {
        seqsIn(row.lists, row.first_key, run.first_seq, keys, greatest, seqs);
        if (row.first_key <= least) break;
      }
    }
    for (const key of keys) seqs.push(...this.#unposted().of(what, key));
    return seqs;
  }

  #runs(): Array<{ id: number; first_seq: number; last_seq: number }> {
    return this.#statements.of('select id, first_seq, last_seq from run order by id').all() as Array<{
      id: number;
      first_seq: number;
      last_seq: number;
    }>;
  }

  /** Lists of the events behind the last stored run: there are some only where the recording was stopped. */
  #unposted(): RunPostings {
    if (this.#tail !== null) return this.#tail;
    const tail = new RunPostings();
    const posted = this.#runs().at(-1)?.last_seq ?? 0;
    if (posted < this.head.events)
      for (const batch of this.segments(posted + 1))
        tail.add(batch, Math.max(0, posted + 1 - batch.firstSeq));
    this.#tail = tail;
    return tail;
  }

  /** Every page that an event names, in order of pfn. */
  pages(): NamedKey[] {
    const byKey = new Map<number, NamedKey>();
    const add = (key: number, seqs: ArrayLike<number>): void => {
      const known = byKey.get(key);
      byKey.set(key, {
        key,
        events: (known?.events ?? 0) + seqs.length,
        firstSeq: known?.firstSeq ?? seqs[0]!,
        lastSeq: seqs[seqs.length - 1]!,
      });
    };
    const starts = new Map(this.#runs().map((run) => [run.id, run.first_seq]));
    const rows = this.#statements
      .of('select run, first_key, lists from posting where what = ? order by run, first_key')
      .all(PAGES) as Array<{ run: number; first_key: number; lists: Uint8Array }>;
    for (const row of rows)
      for (const [key, seqs] of listsOf(row.lists, row.first_key, starts.get(row.run)!)) add(key, seqs);
    for (const [key, seqs] of this.#unposted().lists(PAGES)) add(key, seqs);
    return [...byKey.values()].sort((a, b) => a.key - b.key);
  }

  /** A record as it was written; null where the case does not hold it. */
  record(number: number): string | null {
    const row = this.#statements
      .of(
        'select first_record, last_record, places, text from record_text where first_record <= ? order by first_record desc limit 1',
      )
      .get(number) as
      | { first_record: number; last_record: number; places: Uint8Array; text: Uint8Array }
      | undefined;
    if (row === undefined || row.last_record < number) return null;
    return recordIn(unsqueezeText(row.text), row.places, number - row.first_record);
  }

  /** A stored answer, if it was made by this version. */
  analysis(question: string, version: string): Plain | null {
    const row = this.#statements
      .of('select result from analysis where question = ? and version = ?')
      .get(question, version) as { result: Uint8Array } | undefined;
    return row === undefined ? null : decodePlain(unsqueeze(row.result));
  }

  /** Tasks as the trace prints them. */
  tasks(): Array<{ pid: number; comm: string; tgid: number | null }> {
    return this.#statements.of('select pid, comm, tgid from task order by pid').all() as Array<{
      pid: number;
      comm: string;
      tgid: number | null;
    }>;
  }
}

interface SourceRow {
  readonly name: string;
  readonly size: number | null;
  readonly sha256: string | null;
  readonly format: string | null;
  readonly program: string;
  readonly options: string;
  readonly origin_ns: string;
  readonly ticks: number;
  readonly events: number;
  readonly records: number;
  readonly complete: number;
}

function readHead(path: string, db: CaseDatabase): CaseHead {
  const row = db.prepare('select * from source').get() as SourceRow | undefined;
  if (row === undefined)
    throw new InputError(`${path} holds no event yet: its recording was stopped at once; record it again`);
  const { name, size, sha256, format, program, events, records } = row;
  return {
    ...{ name, size, sha256, format, program, events, records },
    options: JSON.parse(row.options) as CaseHead['options'],
    originNs: BigInt(row.origin_ns),
    ticks: row.ticks === 1,
    complete: row.complete === 1,
  };
}

function emptyBatch(firstSeq: number): EventBatch {
  return {
    count: 0,
    firstSeq,
    kind: new Uint8Array(0),
    at: new Uint32Array(0),
    args: new Float64Array(0),
    ns: new Float64Array(0),
    cpu: new Int16Array(0),
    pid: new Int32Array(0),
    ctx: new Uint16Array(0),
    record: new Float64Array(0),
  };
}
