import type { EventBatch } from '../events/batch.ts';
import type { EventKind } from '../events/declare.ts';
import { eventOf } from '../events/json-lines.ts';
import { encodeEvent } from '../events/json-write.ts';
import { EVENT_KINDS } from '../events/registry.ts';
import { type Subject, subjectOf } from '../events/row.ts';
import type { CaseDatabase } from './database.ts';
import type { CaseReader } from './reader.ts';

type Value = number | string | null;

/** A table that is made while it is read. A parameter narrows by its index: `where page = 0x7fd7e`. */
interface LiveTable {
  readonly name: string;
  readonly meaning: string;
  readonly columns: readonly string[];
  readonly parameters: readonly string[];
  readonly rows: (...parameters: unknown[]) => Generator<Value[]>;
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** Name of the table of one kind of event: `ref.add` is `event_ref_add`. */
export function tableOfKind(kind: EventKind): string {
  return `event_${kind.name.replace(/[^a-z0-9]+/gi, '_')}`;
}

/** Segments that hold what the parameters ask for, with the positions wanted; null: all. */
function* wanted(
  reader: CaseReader,
  [page, mm, from, to]: readonly unknown[],
): Generator<readonly [batch: EventBatch, positions: readonly number[] | null]> {
  const first = typeof from === 'number' ? from : 1;
  const last = typeof to === 'number' ? to : Number.MAX_SAFE_INTEGER;
  if (typeof page !== 'number' && typeof mm !== 'number') {
    for (const batch of reader.segments(first, last)) {
      const whole = batch.firstSeq >= first && batch.firstSeq + batch.count - 1 <= last;
      yield [batch, whole ? null : range(batch, first, last)];
    }
    return;
  }
  let seqs = typeof page === 'number' ? reader.seqsOfPage(page) : reader.seqsOfMm(mm as number);
  if (typeof page === 'number' && typeof mm === 'number') {
    const both = new Set(reader.seqsOfMm(mm));
    seqs = seqs.filter((seq) => both.has(seq));
  }
  const within = seqs.filter((seq) => seq >= first && seq <= last);
  for (const { batch, index } of reader.eventsAt(within)) yield [batch, [index]];
}

function range(batch: EventBatch, first: number, last: number): number[] {
  const positions: number[] = [];
  for (let i = 0; i < batch.count; i++) {
    const seq = batch.firstSeq + i;
    if (seq >= first && seq <= last) positions.push(i);
  }
  return positions;
}

const NARROWING = ['page', 'of_mm', 'from_seq', 'to_seq'];

function eventTable(reader: CaseReader): LiveTable {
  const comms = new Map(reader.tasks().map(({ pid, comm }) => [pid, comm]));
  const subject: Subject = { pfn: 0, mm: 0, address: 0, entry: 0 };
  const row = (batch: EventBatch, i: number): Value[] => {
    subjectOf(batch, i, subject);
    const pid = batch.pid[i]!;
    return [
      batch.firstSeq + i,
      batch.ns[i]!,
      batch.cpu[i]!,
      pid,
      comms.get(pid) ?? null,
      EVENT_KINDS[batch.kind[i]!]!.name,
      batch.record[i]!,
      orNull(subject.pfn),
      orNull(subject.mm),
      orNull(subject.address),
      orNull(subject.entry),
    ];
  };
  return {
    name: 'event',
    meaning:
      'one row per event; pfn (of a PTE: the one written), mm, address and entry are the first that it names. `where page = 0x7fd7e` finds every event that names a page by an index, `of_mm` those of an mm, `from_seq` and `to_seq` a stretch',
    columns: ['seq', 'ns', 'cpu', 'pid', 'comm', 'kind', 'record', 'pfn', 'mm', 'address', 'entry'],
    parameters: NARROWING,
    *rows(...parameters) {
      for (const [batch, positions] of wanted(reader, parameters)) {
        if (positions !== null) for (const i of positions) yield row(batch, i);
        else for (let i = 0; i < batch.count; i++) yield row(batch, i);
      }
    },
  };
}

/** Columns of a kind's own arguments; a pte has two. */
function argumentColumns(kind: EventKind): string[] {
  return Object.entries(kind.args).flatMap(([name, type]) =>
    type === 'pte' ? [`${name}_bits`, `${name}_frame`] : [KEPT.has(name) ? `${name}_` : name],
  );
}

/** Columns that every table of events has: an argument of the same name gets an underscore. */
const COMMON = ['seq', 'ns', 'cpu', 'pid', 'record'];
const KEPT = new Set([...COMMON, ...NARROWING]);

function kindTable(reader: CaseReader, kind: EventKind): LiveTable {
  return {
    name: tableOfKind(kind),
    meaning: kind.meaning,
    columns: [...COMMON, ...argumentColumns(kind)],
    parameters: NARROWING,
    *rows(...parameters) {
      for (const [batch, positions] of wanted(reader, parameters)) {
        const count = positions?.length ?? batch.count;
        for (let k = 0; k < count; k++) {
          const i = positions === null ? k : positions[k]!;
          if (batch.kind[i] !== kind.code) continue;
          const row: Value[] = [
            batch.firstSeq + i,
            batch.ns[i]!,
            batch.cpu[i]!,
            batch.pid[i]!,
            batch.record[i]!,
          ];
          for (let n = 0; n < kind.width; n++) row.push(orNull(batch.args[batch.at[i]! + n]!));
          yield row;
        }
      }
    },
  };
}

/** Every table that is made while it is read. */
export function liveTables(reader: CaseReader): LiveTable[] {
  return [
    eventTable(reader),
    {
      name: 'event_json',
      meaning: 'one row per event: the line that `export --format jsonl` writes',
      columns: ['seq', 'json'],
      parameters: NARROWING,
      *rows(...parameters) {
        for (const [batch, positions] of wanted(reader, parameters)) {
          const count = positions?.length ?? batch.count;
          for (let k = 0; k < count; k++) {
            const i = positions === null ? k : positions[k]!;
            yield [batch.firstSeq + i, encodeEvent(eventOf(batch, i), batch.firstSeq + i)];
          }
        }
      },
    },
    {
      name: 'page',
      meaning: 'one row per page that any event names; `faultline page` tells its life',
      columns: ['pfn', 'events', 'first_seq', 'last_seq'],
      parameters: [],
      *rows() {
        for (const { key, events, firstSeq, lastSeq } of reader.pages())
          yield [key, events, firstSeq, lastSeq];
      },
    },
    {
      name: 'record_line',
      meaning: 'a record as it was written, `where number = 17581`; null where the input was no text',
      columns: ['line'],
      parameters: ['number'],
      *rows(number) {
        if (typeof number === 'number') yield [reader.record(number)];
      },
    },
    ...EVENT_KINDS.map((kind) => kindTable(reader, kind)),
  ];
}

/** Makes the live tables, which read from one connection, known to another. */
export function declareTables(db: CaseDatabase, reader: CaseReader): void {
  for (const { name, columns, parameters, rows } of liveTables(reader))
    db.table(name, {
      columns: [...columns],
      parameters: [...parameters],
      *rows(...given: unknown[]) {
        yield* rows(...given);
      },
    });
}

/** The documented schema: the plain tables as they are declared, and what the live ones mean. */
export function schemaText(reader: CaseReader): string {
  const plain = (
    reader.db
      .prepare(
        "select sql from sqlite_master where type = 'table' and sql not like '%-- internal%' order by name",
      )
      .pluck()
      .all() as string[]
  ).map((sql) => `${sql};`);
  const live = liveTables(reader);
  const text = (table: LiveTable): string =>
    `-- ${table.meaning}\n-- ${table.name} (${table.columns.join(', ')})${table.parameters.length > 0 ? `; narrows by ${table.parameters.join(', ')}` : ''}`;
  return [
    "-- Numbers are as in the kernel: pointers are signed 64-bit integers, printf('0x%x', mm) prints them.",
    '-- ns counts from source.origin_ns. What is not known is null.',
    '',
    '-- Tables made while they are read',
    ...live.filter(({ name }) => !name.startsWith('event_') || name === 'event_json').map(text),
    '',
    '-- One table per kind of event, with its arguments',
    ...live.filter(({ name }) => name.startsWith('event_') && name !== 'event_json').map(text),
    '',
    '-- Plain tables',
    ...plain,
    '',
  ].join('\n');
}
