import type { Coverage, Divergence } from '../checks/finding.ts';
import { encodePlain, type Plain } from '../core/image.ts';
import { squeeze } from './compress.ts';
import type { CaseDatabase } from './database.ts';
import type { Statements } from './statements.ts';

/** A decision as the table holds it; NaN and null are unknown. */
export interface StoredDecision {
  readonly seq: number;
  readonly endSeq: number;
  readonly outcomeSeq: number;
  readonly ns: number;
  readonly cpu: number;
  readonly pid: number;
  readonly mm: number;
  readonly va: number;
  readonly pfn: number;
  readonly newPfn: number;
  readonly outcome: string;
  readonly outcomeBy: string;
  readonly page: string;
  readonly exclusive: boolean | undefined;
  readonly refcount: number;
  readonly mapcount: number;
  readonly swapcache: boolean | undefined;
  readonly locked: boolean | undefined;
  readonly cause: string;
}

/** What the recording's own analysis found. */
export interface CaseFindings {
  readonly divergences: readonly Divergence[];
  readonly coverage: readonly Coverage[];
  readonly counters: ReadonlyArray<{
    readonly name: string;
    readonly count: number;
    readonly severity: string;
    readonly advice: string;
  }>;
  readonly histogram: ReadonlyMap<string, number>;
  readonly unknownEvents: ReadonlyMap<string, number>;
  /** The analysis itself, with the question that it answers. */
  readonly analysis: StoredAnalysis;
}

/** A result and what it depends on. */
export interface StoredAnalysis {
  readonly question: string;
  readonly version: string;
  readonly result: Plain;
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function truth(value: boolean | undefined): number | null {
  return value === undefined ? null : value ? 1 : 0;
}

/** Puts an answer beside the events it was made from. */
export function writeAnalysis(db: CaseDatabase, { question, version, result }: StoredAnalysis): void {
  db.prepare('insert or replace into analysis (question, version, result) values (?, ?, ?)').run(
    question,
    version,
    squeeze(encodePlain(result)),
  );
}

/** Fills the tables of findings. */
export class FindingsWriter {
  readonly #db: CaseDatabase;
  readonly #statements: Statements;

  constructor(db: CaseDatabase, statements: Statements) {
    this.#db = db;
    this.#statements = statements;
  }

  decisions(decisions: readonly StoredDecision[]): void {
    const insert = this.#statements.of(
      `insert or replace into decision (seq, end_seq, outcome_seq, ns, cpu, pid, mm, address, pfn, new_pfn, outcome,
         outcome_by, page, exclusive, refcount, mapcount, swapcache, locked, cause)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    for (const d of decisions) {
      insert.run(
        d.seq,
        d.endSeq,
        d.outcomeSeq,
        d.ns,
        d.cpu,
        d.pid,
        known(d.mm),
        known(d.va),
        known(d.pfn),
        known(d.newPfn),
        d.outcome,
        d.outcomeBy,
        d.page,
        truth(d.exclusive),
        known(d.refcount),
        known(d.mapcount),
        truth(d.swapcache),
        truth(d.locked),
        d.cause,
      );
    }
  }

  /** Everything that is known at the end. */
  all(findings: CaseFindings): void {
    const db = this.#db;
    for (const table of ['divergence', 'coverage', 'counter', 'record_count'])
      db.exec(`delete from ${table}`);
    const divergence = db.prepare(
      `insert into divergence (id, check_id, severity, verdict, cause, count, first_seq, last_seq, cpu, pid, mm, address,
         pfn, new_pfn, entry, fingerprint, body) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    for (const found of findings.divergences) {
      const { place } = found;
      divergence.run(
        found.id,
        found.check,
        found.severity,
        found.verdict,
        found.cause,
        found.count,
        found.firstSeq,
        found.lastSeq,
        place.cpu,
        place.pid,
        place.mm,
        place.address,
        place.pfn,
        place.newPfn,
        place.entry,
        found.fingerprint,
        JSON.stringify(found),
      );
    }
    const coverage = db.prepare(
      'insert into coverage (check_id, judged, cannot_judge, missing) values (?, ?, ?, ?)',
    );
    for (const { check, judged, cannotJudge, missing } of findings.coverage)
      coverage.run(check, judged, cannotJudge, JSON.stringify(missing));
    const counter = db.prepare('insert into counter (name, count, severity, advice) values (?, ?, ?, ?)');
    for (const { name, count, severity, advice } of findings.counters)
      counter.run(name, count, severity, advice);
    const records = db.prepare('insert into record_count (name, records, known) values (?, ?, ?)');
    for (const [name, count] of findings.histogram)
      records.run(name, count, findings.unknownEvents.has(name) ? 0 : 1);
    writeAnalysis(db, findings.analysis);
  }
}
