import { InputError } from '../core/errors.ts';
import { encodePlain, type Plain } from '../core/image.ts';
import type { EventBatch } from '../events/batch.ts';
import type { MmState } from '../state/state.ts';
import { squeeze, squeezeText } from './compress.ts';
import { type CaseDatabase, createCase, kindOfFile, openToWrite, settle } from './database.ts';
import { guarded } from './errors.ts';
import { type CaseFindings, FindingsWriter, type StoredDecision } from './findings.ts';
import { RUN_EVENTS, RunPostings } from './postings.ts';
import type { PackedSegment } from './segments.ts';
import { snapshotDue, versionText } from './snapshots.ts';
import { Statements } from './statements.ts';
import type { RecordText } from './texts.ts';
import { writeVocabulary } from './vocabulary.ts';

/** Where a case comes from, as far as known when the recording starts. */
export interface CaseSource {
  readonly name: string;
  /** Bytes of the file, null for a stream. */
  readonly size: number | null;
  /** Version of the program. */
  readonly program: string;
  /** What was declared about the machine. */
  readonly options: Plain;
}

/** What one transaction adds. */
export interface CaseBatch {
  readonly events: EventBatch;
  /** The same events, packed (segments.ts). */
  readonly segments: readonly PackedSegment[];
  /** What is known of the input after it, as the pipeline wants it back. */
  readonly facts: Plain;
  readonly texts: readonly RecordText[];
  readonly tasks: ReadonlyArray<{
    readonly pid: number;
    readonly comm: string;
    readonly tgid: number | null;
  }>;
  readonly decisions: readonly StoredDecision[];
  readonly origin: {
    readonly ns: bigint;
    readonly ticks: boolean;
    readonly format: string;
    readonly records: number;
  };
}

/** Writes a case, batch by batch; goes on where a killed program stopped. Nobody else writes or reads meanwhile. */
export class CaseWriter {
  readonly path: string;
  readonly #db: CaseDatabase;
  readonly #statements: Statements;
  readonly #findings: FindingsWriter;
  /** Last seq that was stored when the case was opened: what comes up to here is compared, not written. */
  readonly #storedSeq: number;
  readonly #storedRecord: number;
  readonly #storedBatch: number;
  #run = new RunPostings();
  #runId: number;
  /** Last seq whose posting lists are stored. */
  #postedSeq: number;
  #snapshotSeq = 0;
  #batchId = 0;
  #events = 0;

  private constructor(path: string, db: CaseDatabase, source: CaseSource) {
    this.path = path;
    this.#db = db;
    const one = (sql: string): number => (db.prepare(sql).pluck().get() as number | null) ?? 0;
    this.#storedSeq = one('select max(last_seq) from segment');
    this.#storedRecord = one('select max(last_record) from record_text');
    this.#storedBatch = one('select max(id) from batch');
    this.#runId = one('select max(id) from run');
    this.#postedSeq = one('select max(last_seq) from run');
    this.#statements = new Statements(db);
    this.#findings = new FindingsWriter(db, this.#statements);
    db.transaction(() => {
      writeVocabulary(db);
      db.prepare(
        `insert or ignore into source (id, name, size, program, options, origin_ns, ticks, events, records, complete)
         values (1, ?, ?, ?, ?, '0', 0, 0, 0, 0)`,
      ).run(source.name, source.size, source.program, JSON.stringify(source.options));
    })();
  }

  /** Makes a case, or opens one that was not completed to go on with it. */
  static open(path: string, source: CaseSource): CaseWriter {
    const kind = kindOfFile(path);
    if (kind === 'other') createCase(path);
    return guarded(path, () => {
      const db = openToWrite(path);
      try {
        verifySource(path, db, source);
        return new CaseWriter(path, db, source);
      } catch (error) {
        db.close();
        throw error;
      }
    });
  }

  /** Events that were stored when the case was opened. */
  get resumedAfter(): number {
    return this.#storedSeq;
  }

  /** Stores a batch, and the state after it where a snapshot is due, in one transaction. */
  add(batch: CaseBatch, state: MmState): void {
    guarded(this.path, () => this.#db.transaction(() => this.#add(batch, state))());
  }

  #add(batch: CaseBatch, state: MmState): void {
    const { events, origin } = batch;
    this.#batchId++;
    this.#segments(batch.segments);
    this.#texts(batch.texts);
    this.#run.add(events, Math.max(0, this.#postedSeq + 1 - events.firstSeq));
    this.#storeRun(RUN_EVENTS);
    this.#findings.decisions(batch.decisions);
    if (this.#batchId > this.#storedBatch) {
      const lastSeq = events.firstSeq + events.count - 1;
      this.#statements
        .of('insert into batch (id, first_seq, events, facts) values (?, ?, ?, ?)')
        .run(this.#batchId, events.firstSeq, events.count, squeeze(encodePlain(batch.facts)));
      const task = this.#statements.of('insert or replace into task (pid, comm, tgid) values (?, ?, ?)');
      for (const { pid, comm, tgid } of batch.tasks) task.run(pid, comm, tgid);
      this.#events = lastSeq;
      this.#statements
        .of('update source set origin_ns = ?, ticks = ?, format = ?, events = ?, records = ? where id = 1')
        .run(String(origin.ns), origin.ticks ? 1 : 0, origin.format, lastSeq, origin.records);
    }
    if (snapshotDue(state, this.#snapshotSeq)) this.#snapshot(state);
  }

  #segments(segments: readonly PackedSegment[]): void {
    const insert = this.#statements.of(
      `insert into segment (first_seq, last_seq, min_ns, max_ns, first_record, last_record, checksum, deflated,
         columns)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const stored = this.#statements.of(
      'select last_seq, checksum, deflated from segment where first_seq = ?',
    );
    for (const s of segments) {
      if (s.firstSeq > this.#storedSeq) {
        insert.run(
          s.firstSeq,
          s.lastSeq,
          s.minNs,
          s.maxNs,
          s.firstRecord,
          s.lastRecord,
          s.checksum,
          s.deflated,
          s.columns,
        );
        continue;
      }
      const known = stored.get(s.firstSeq) as
        | { last_seq: number; checksum: number; deflated: number }
        | undefined;
      // What an older program packed in another way cannot be compared.
      const same = known?.deflated !== s.deflated || known.checksum === s.checksum;
      if (known?.last_seq !== s.lastSeq || !same)
        throw new InputError(
          `${this.path} was recorded from another trace, or with other options: event ${s.firstSeq} and those behind it differ; give another name, or remove it`,
        );
    }
  }

  #texts(texts: readonly RecordText[]): void {
    const insert = this.#statements.of(
      'insert into record_text (first_record, last_record, places, text) values (?, ?, ?, ?)',
    );
    for (const { firstRecord, lastRecord, places, text } of texts) {
      if (lastRecord > this.#storedRecord) insert.run(firstRecord, lastRecord, places, text);
    }
  }

  /** Stores the posting lists of the run if it has so many events. */
  #storeRun(least: number): void {
    if (this.#run.events < least) return;
    const id = ++this.#runId;
    const { firstSeq, lastSeq } = this.#run;
    const insert = this.#statements.of(
      'insert into posting (what, run, first_key, lists) values (?, ?, ?, ?)',
    );
    for (const row of this.#run.rows()) insert.run(row.what, id, row.firstKey, row.lists);
    this.#statements
      .of('insert into run (id, first_seq, last_seq) values (?, ?, ?)')
      .run(id, firstSeq, lastSeq);
    this.#postedSeq = lastSeq;
    this.#run = new RunPostings();
  }

  #snapshot(state: MmState): void {
    this.#snapshotSeq = state.seq;
    if (state.seq <= this.#storedSeq && this.#hasSnapshot(state)) return;
    this.#statements
      .of('insert or replace into snapshot (seq, versions, image) values (?, ?, ?)')
      .run(state.seq, versionText(state), squeezeText(encodePlain(state.image() as unknown as Plain)));
  }

  #hasSnapshot(state: MmState): boolean {
    const stored = this.#statements.of('select versions from snapshot where seq = ?').pluck().get(state.seq);
    return stored === versionText(state);
  }

  /** Stores what the whole trace gave, and declares the case complete. */
  finish(findings: CaseFindings, sha256: string | null): void {
    guarded(this.path, () => {
      this.#db.transaction(() => {
        this.#storeRun(1);
        this.#findings.all(findings);
        this.#statements.of('update source set complete = 1, sha256 = ? where id = 1').run(sha256);
      })();
    });
    settle(this.path, this.#db);
  }

  /** Events stored so far. */
  get events(): number {
    return Math.max(this.#events, this.#storedSeq);
  }

  close(): void {
    this.#db.close();
  }
}

/** A case that can be gone on with is one that was recorded from the same source in the same way, and not completed. */
function verifySource(path: string, db: CaseDatabase, source: CaseSource): void {
  const found = db.prepare('select name, size, options, complete from source').get() as
    | { name: string; size: number | null; options: string; complete: number }
    | undefined;
  if (found === undefined) return;
  if (found.complete === 1) {
    // Where the disk was full at the very end the log still stands beside the case.
    settle(path, db);
    throw new InputError(
      `${path} is a complete case already, of ${found.name}; analyze it without -o, give another name, or remove it`,
    );
  }
  if (found.size === null || source.size === null)
    throw new InputError(
      `${path} holds what came of a stream, which cannot be read again; give another name`,
    );
  if (found.size !== source.size)
    throw new InputError(
      `${path} was recorded from ${found.name} of ${found.size} bytes, but ${source.name} has ${source.size}; give another name, or remove it`,
    );
  if (found.options !== JSON.stringify(source.options))
    throw new InputError(
      `${path} was begun with other options (${found.options}); give the same ones, another name, or remove it`,
    );
}
