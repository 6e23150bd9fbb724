import { copyFileSync, existsSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/core/errors.ts';
import { encodePlain, type Plain } from '../../src/core/image.ts';
import type { Input } from '../../src/core/input.ts';
import type { EventBatch } from '../../src/events/batch.ts';
import { analyze } from '../../src/replay/analyze.ts';
import { eventsOf, isCase } from '../../src/replay/case-source.ts';
import type { IngestOptions } from '../../src/replay/ingest.ts';
import { ingestHere } from '../../src/replay/ingest-here.ts';
import { Traveller } from '../../src/replay/travel.ts';
import {
  APPLICATION_ID,
  createCase,
  kindOfFile,
  migrate,
  migrations,
  openToRead,
  openToWrite,
  settle,
} from '../../src/store/database.ts';
import { explainSqlite } from '../../src/store/errors.ts';
import { CaseReader } from '../../src/store/reader.ts';
import { packSegment, unpackSegment } from '../../src/store/segments.ts';
import { readVocabulary } from '../../src/store/vocabulary.ts';
import { CaseWriter } from '../../src/store/writer.ts';
import { caseOf, copyOf, OPTIONS, place, source } from './made.ts';

const NEWEST = migrations().at(-1)!.version;

/** What a case is made of, as SQLite tells it. */
function schemaOf(path: string): unknown[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare('select type, name, sql from sqlite_master order by name').all();
  } finally {
    db.close();
  }
}

describe('migrations', () => {
  test('are numbered without gaps', () => {
    expect(migrations().map(({ version }) => version)).toEqual(
      Array.from({ length: NEWEST }, (_, i) => i + 1),
    );
  });

  test.each(migrations().map(({ version }) => version))(
    'bring a case of version %i up to date',
    (version) => {
      const path = place();
      const db = new Database(path);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      migrate(db, version);
      db.prepare(
        `insert into source (id, name, program, options, origin_ns, ticks, events, records, complete)
       values (1, 'then.txt', '0.0', '{}', '0', 0, 0, 0, 1)`,
      ).run();
      expect(db.pragma('user_version', { simple: true })).toBe(version);
      db.close();
      const reader = new CaseReader(path);
      expect(reader.head.name).toBe('then.txt');
      reader.close();
      const fresh = place();
      createCase(fresh);
      expect(schemaOf(path)).toEqual(schemaOf(fresh));
    },
  );

  test('that fail leave the version before, whole', () => {
    const path = place();
    const db = new Database(path);
    migrate(db, 1);
    db.exec('create table decision (in_the_way integer)');
    expect(() => migrate(db)).toThrow();
    expect(db.pragma('user_version', { simple: true })).toBe(1);
    expect(db.prepare("select 1 from sqlite_master where name = 'divergence'").get()).toBeUndefined();
    db.close();
  });
});

/** The one line that the user sees. */
function complaint(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).not.toContain('\n');
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}

describe('a case that cannot be used is refused in one line', () => {
  test('newer than the program', async () => {
    const path = await copyOf('V1-pin-guptest');
    const db = new Database(path);
    db.pragma(`user_version = ${NEWEST + 1}`);
    db.close();
    for (const open of [openToRead, openToWrite])
      expect(complaint(() => open(path))).toMatch(/version \d+, and this faultline reads up to/);
  });

  test('an SQLite file of another program', async () => {
    const path = place();
    new Database(path).exec('create table t (x)').close();
    expect(kindOfFile(path)).toBe('sqlite');
    expect(complaint(() => new CaseReader(path))).toMatch(/no case of faultline/);
    await expect(analyze(path, OPTIONS, { source })).rejects.toThrow(/no case of faultline/);
  });

  test('damaged', async () => {
    const path = await copyOf('V1-pin-guptest');
    const bytes = Buffer.alloc(8192 * 3, 0xab);
    writeFileSync(path, bytes, { flag: 'r+' });
    expect(kindOfFile(path)).toBe('other');
    expect(complaint(() => new CaseReader(path))).toMatch(/is no case/);
    const half = await copyOf('V1-pin-guptest');
    truncateSync(half, 20_000);
    expect(complaint(() => new CaseReader(half))).toMatch(/is damaged/);
    expect(complaint(() => new CaseReader(`${half}.no`))).toMatch(/no such file/);
  });

  test.each([0, 1])('a byte of an event is another one (deflated: %i)', async (deflated) => {
    const path = await copyOf('V1-pin-guptest');
    const db = new Database(path);
    db.function('stored', (bytes) => (deflated === 1 ? deflateRawSync(bytes as Buffer) : (bytes as Buffer)));
    db.function('flipped', (bytes) => {
      const copy = Buffer.from(bytes as Buffer);
      copy[copy.length >> 1]! ^= 1;
      return copy;
    });
    db.exec(`update segment set columns = stored(columns), deflated = ${deflated}`);
    db.exec('update segment set columns = flipped(columns) where first_seq > 5000');
    db.close();
    const reader = new CaseReader(path);
    expect(reader.segmentOf(4000)?.firstSeq).toBeLessThan(4001);
    expect(complaint(() => reader.segmentOf(6000))).toMatch(/is damaged: the events from \d+ on/);
    expect(complaint(() => [...reader.eventsAt([6000])])).toMatch(/is damaged: the events from \d+ on/);
    reader.close();
  });

  test('full disk, read-only, missing folder', () => {
    const path = place();
    const db = new Database(path);
    db.exec('create table t (x)');
    db.pragma('max_page_count = 3');
    const full = (): unknown => db.exec('insert into t values (zeroblob(100000))');
    expect(() => full()).toThrow();
    try {
      full();
    } catch (error) {
      expect(
        complaint(() => {
          throw explainSqlite(path, error);
        }),
      ).toMatch(/disk is full; what was written so far is kept/);
    }
    db.close();
    const readonly = new Database(path, { readonly: true });
    try {
      readonly.exec('insert into t values (1)');
    } catch (error) {
      expect(
        complaint(() => {
          throw explainSqlite(path, error);
        }),
      ).toMatch(/is read-only/);
    }
    readonly.close();
    expect(complaint(() => createCase('/no/such/folder/x.case'))).toMatch(/folder does not exist/);
  });

  test('an SQLite that was never built, or for another Node', () => {
    const unbuilt = new Error('Could not locate the bindings file. Tried:\n → /x/better_sqlite3.node');
    const foreign = Object.assign(new Error('was compiled against a different Node.js version'), {
      code: 'ERR_DLOPEN_FAILED',
    });
    for (const error of [unbuilt, foreign])
      expect(
        complaint(() => {
          throw explainSqlite('x.case', error);
        }),
      ).toMatch(/^x.case: cases need better-sqlite3, .* run `npm rebuild better-sqlite3`/);
  });

  test('being written: the second writer and every reader are kept out, the first goes on', () => {
    const path = place();
    createCase(path);
    const first = openToWrite(path);
    expect(complaint(() => openToWrite(path))).toMatch(/being written by another faultline/);
    expect(complaint(() => new CaseReader(path))).toMatch(/being written by another faultline/);
    first.prepare('insert into task (pid, comm) values (1, ?)').run('init');
    first.close();
    const after = openToRead(path);
    expect(after.prepare('select comm from task').pluck().get()).toBe('init');
    after.close();
  });
});

describe('a recording', () => {
  test('leaves one file without companions, and refuses to be made again', async () => {
    const { path } = await caseOf('V1-pin-guptest');
    const beside = readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)));
    expect(beside).toEqual([basename(path)]);
    await expect(
      analyze('traces/V1-pin-guptest.txt.gz', OPTIONS, { source, record: { path, program: 'test' } }),
    ).rejects.toThrow(/complete case already/);
  });

  test('of what is no trace leaves no case', async () => {
    const path = place();
    await expect(
      analyze('package.json', OPTIONS, { source, record: { path, program: 'test' } }),
    ).rejects.toThrow(InputError);
    expect(existsSync(path)).toBe(false);
  });

  test('that was stopped is told, analyzed as far as it goes, and gone on with to the same case', async () => {
    const trace = 'traces/V1-pin-guptest.txt.gz';
    const path = place();
    // Decoded at once: several messages, not one at the end.
    const small = (input: Input, options: IngestOptions) =>
      isCase(input)
        ? eventsOf(input, options)
        : ingestHere(input, { ...options, decode: { ...options.decode, hold: 4096 } });
    const stopped = async function* (input: Input, options: IngestOptions) {
      let messages = 0;
      for await (const message of small(input, options)) {
        if (messages++ === 1) throw new Error('killed');
        yield message;
      }
    };
    await expect(
      analyze(trace, OPTIONS, { source: stopped, record: { path, program: 'test' } }),
    ).rejects.toThrow('killed');
    const part = new CaseReader(path);
    expect(part.head.complete).toBe(false);
    const { events } = part.head;
    expect(events).toBeGreaterThan(0);
    const pages = part.pages();
    expect(part.seqsOfPage(pages[0]!.key).length).toBe(pages[0]!.events);
    part.close();
    const sofar = await analyze(path, OPTIONS, { source });
    expect(sofar.trace.events).toBe(events);
    expect(sofar.trace.truncated).toMatch(`stopped after event ${events}`);

    const other = { source: small, record: { path, program: 'test' } };
    await expect(analyze('traces/base-pin-guptest.txt.gz', OPTIONS, other)).rejects.toThrow(
      /was recorded from/,
    );
    await expect(analyze(trace, { ...OPTIONS, kernel: '6.1' }, other)).rejects.toThrow(/other options/);
    const whole = await analyze(trace, OPTIONS, other);
    const unbroken = place();
    expect(whole).toEqual(
      await analyze(trace, OPTIONS, { ...other, record: { path: unbroken, program: 'test' } }),
    );
    expect(dump(path)).toEqual(dump(unbroken));
  });

  test('goes on only with the events that it holds', async () => {
    const { path, analysis } = await caseOf('V1-pin-guptest');
    const copy = await copyOf('V1-pin-guptest');
    const db = new Database(copy);
    db.exec('update source set complete = 0; update segment set checksum = 1 where first_seq = 1');
    db.close();
    await expect(
      analyze(analysis.trace.path, OPTIONS, { source, record: { path: copy, program: 'test' } }),
    ).rejects.toThrow(/recorded from another trace, or with other options: event 1 /);
    expect(path).not.toBe(copy);
  });
});

/** Everything that a case holds. */
function dump(path: string): unknown {
  const db = new Database(path, { readonly: true });
  const tables = db
    .prepare("select name from sqlite_master where type = 'table' order by name")
    .pluck()
    .all();
  const all = tables.map((table) => [table, db.prepare(`select * from ${table} order by 1, 2, 3`).all()]);
  db.close();
  return all;
}

describe('what an older program left', () => {
  test('snapshots of other slices are made anew and not trusted', async () => {
    const path = await copyOf('V1-pin-guptest');
    const { path: good } = await caseOf('V1-pin-guptest');
    const db = new Database(path);
    db.exec("update snapshot set versions = 'of another program', image = x'00'");
    db.close();
    const [before, after] = [Traveller.open(good), Traveller.open(path)];
    const bytes = (t: Traveller): Buffer =>
      Buffer.from(encodePlain(t.stateAt(20_000).image() as unknown as Plain));
    expect(bytes(after).equals(bytes(before))).toBe(true);
    const versions = after.reader.db.prepare('select distinct versions from snapshot').pluck().all();
    expect(versions).toEqual(
      before.reader.db.prepare('select distinct versions from snapshot').pluck().all(),
    );
    before.close();
    after.close();
  });

  test('columns that an older program deflated are read as before', async () => {
    const path = await copyOf('V1-pin-guptest');
    const events = (): Array<[number, Float64Array]> => {
      const reader = new CaseReader(path);
      const all = [...reader.segments()].map(({ firstSeq, args }): [number, Float64Array] => [
        firstSeq,
        args,
      ]);
      const seqs = [1, 700, 701, 5000];
      for (const { batch, index } of reader.eventsAt(seqs))
        all.push([batch.kind[index]!, batch.args.slice(batch.at[index]!, batch.at[index]! + 3)]);
      reader.close();
      return all;
    };
    const before = events();
    const db = new Database(path);
    db.function('deflated', (bytes) => deflateRawSync(bytes as Buffer));
    db.exec('update segment set columns = deflated(columns), deflated = 1');
    db.close();
    expect(events()).toEqual(before);
  });

  test('arguments go by their names, and a kind that is not known is refused', async () => {
    const path = await copyOf('V1-pin-guptest');
    const reader = new CaseReader(path);
    const batch = reader.segmentOf(1) as EventBatch;
    reader.close();
    const packed = packSegment(batch, 0, batch.count);
    const db = new Database(path);
    // As if `ref.add` had been stored with an argument that is gone, and without one that came later.
    const row = db.prepare("select code, args from kind where name = 'ref.add'").get() as {
      code: number;
      args: string;
    };
    const { delta, ...rest } = JSON.parse(row.args) as Record<string, string>;
    db.prepare('update kind set args = ? where code = ?').run(
      JSON.stringify({ gone: delta, ...rest }),
      row.code,
    );
    const vocabulary = readVocabulary(path, db);
    const read = unpackSegment(packed, 1, vocabulary, path);
    const i = batch.kind.indexOf(row.code);
    const names = Object.keys(JSON.parse(row.args) as object);
    const was = (name: string): number => batch.args[batch.at[i]! + names.indexOf(name)]!;
    // Stored as gone, pfn, zero, ...: read by name.
    expect(read.args[read.at[i]! + names.indexOf('pfn')]).toBe(was('delta'));
    expect(read.args[read.at[i]! + names.indexOf('delta')]).toBeNaN();
    db.prepare("update kind set name = 'ref.unheard-of' where code = ?").run(row.code);
    expect(complaint(() => unpackSegment(packed, 1, readVocabulary(path, db), path))).toMatch(
      /does not know/,
    );
    db.close();
  });
});

test('a stream cannot be gone on with', () => {
  const path = place();
  const from = { name: '-', size: null, program: 'test', options: {} };
  CaseWriter.open(path, from).close();
  expect(complaint(() => CaseWriter.open(path, from))).toMatch(/came of a stream/);
});

test('what a killed program had begun is rolled back by whoever reads next', () => {
  const path = place();
  createCase(path);
  const writer = openToWrite(path);
  writer.prepare('insert into task (pid, comm) values (1, ?)').run('init');
  settle(path, writer);
  // Changed pages reach the file before the transaction is over; the journal beside it tells what stood there.
  writer.pragma('cache_size = 2');
  writer.exec('begin; update task set comm = zeroblob(0) || char(120)');
  writer.prepare('insert into record_text values (1, 1, zeroblob(9), zeroblob(400000))').run();
  const killed = place();
  copyFileSync(path, killed);
  copyFileSync(`${path}-journal`, `${killed}-journal`);
  writer.close();
  const db = openToRead(killed);
  expect(db.prepare('select comm from task').pluck().get()).toBe('init');
  expect(db.prepare('select count(*) from record_text').pluck().get()).toBe(0);
  db.close();
});
