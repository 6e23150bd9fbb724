import { InputError } from '../core/errors.ts';
import type { EventKind } from '../events/declare.ts';
import { EVENT_KINDS, eventKind } from '../events/registry.ts';
import type { CaseDatabase } from './database.ts';

/** A kind as a case stores it, and what it is today. */
export interface StoredKind {
  readonly kind: EventKind;
  /** Numbers of an event as stored. */
  readonly width: number;
  /** For each stored number its place among today's, -1: no longer told. Null: as today. */
  readonly places: readonly number[] | null;
}

/** Kinds by the code that a case stores them under. */
export type Vocabulary = ReadonlyArray<StoredKind | undefined>;

/** Notes the kinds of this program in a new case. */
export function writeVocabulary(db: CaseDatabase): void {
  const insert = db.prepare('insert or ignore into kind (code, name, args) values (?, ?, ?)');
  for (const kind of EVENT_KINDS) insert.run(kind.code, kind.name, JSON.stringify(kind.args));
}

/** Names of the numbers of an event: a pte has two. */
function numbersOf(args: Readonly<Record<string, string>>): string[] {
  return Object.entries(args).flatMap(([name, type]) =>
    type === 'pte' ? [`${name} bits`, `${name} frame`] : [name],
  );
}

/** The kinds of a case. Arguments go by their names, so a case outlives changes of the vocabulary. */
export function readVocabulary(path: string, db: CaseDatabase): Vocabulary {
  const stored: Array<StoredKind | undefined> = [];
  const rows = db.prepare('select code, name, args from kind').all() as Array<{
    code: number;
    name: string;
    args: string;
  }>;
  for (const { code, name, args } of rows) {
    const kind = eventKind(name);
    if (kind === undefined) continue;
    const then = numbersOf(JSON.parse(args) as Record<string, string>);
    const now = numbersOf(kind.args);
    const same = then.length === now.length && then.every((argument, i) => argument === now[i]);
    stored[code] = {
      kind,
      width: then.length,
      places: same ? null : then.map((argument) => now.indexOf(argument)),
    };
  }
  if (rows.length > 0 && stored.length === 0)
    throw new InputError(`${path} holds no kind of event that this faultline knows`);
  return stored;
}
