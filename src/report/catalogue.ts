import type { EventKind } from '../events/declare.ts';
import type { Json } from './json.ts';
import { labelled, paragraph, table } from './layout.ts';
import type { Style } from './style.ts';

/** What the catalogue tells of a check. */
export interface CheckEntry {
  readonly id: string;
  readonly statement: string;
  readonly origin: string;
  readonly severity: string;
  readonly needs: readonly string[];
  /** The minimal trigger and the near-miss, as two lanes of text. */
  readonly example: string;
}

/** Every check in a few lines each. */
export function checksText(checks: readonly CheckEntry[], style: Style): string {
  const entries = checks.map((check) => `${style.bold(check.id)}\n${paragraph(check.statement, 4)}`);
  return `${entries.join('\n')}\n\nOne at length, with its example: faultline checks ID\n`;
}

/** One check at length. */
export function checkText(check: CheckEntry, style: Style): string {
  const example = check.example.trimEnd();
  return `${[
    style.bold(check.id),
    paragraph(check.statement),
    '',
    labelled('origin', check.origin),
    labelled('severity', check.severity),
    labelled('needs', check.needs.length > 0 ? check.needs.join(', ') : 'nothing beyond the decision itself'),
    ...(example === '' ? [] : ['', example]),
  ].join('\n')}\n`;
}

/** The catalogue as JSON. */
export function checksJson(checks: readonly CheckEntry[]): Json {
  return {
    schema: 'faultline.checks/1',
    checks: checks.map(({ id, statement, origin, severity, needs, example }) => ({
      id,
      statement,
      origin,
      severity,
      needs: [...needs],
      example,
    })),
  };
}

/** How the types of arguments are to be read, for `events KIND` and the schema. */
export const ARG_MEANINGS: Readonly<Record<string, string>> = {
  pfn: 'page frame number',
  order: 'order of a folio: 2^order pages',
  count: 'signed number of references, pages or slots',
  code: 'small closed number, explained by the event',
  bool: 'false or true',
  pid: 'thread id',
  cpu: 'CPU number',
  mm: 'kernel pointer of an mm',
  ptr: 'kernel pointer or raw word',
  va: 'virtual address, bytes',
  pte: 'page-table entry',
  entry: 'swap entry: device and slot',
  pageflags: 'page flags',
  gupflags: 'FOLL_* flags',
  faultflags: 'FAULT_FLAG_* flags',
  long: 'signed integer',
};

/** Every kind of event in a line. */
export function eventsText(kinds: readonly EventKind[]): string {
  return `${table(
    [{}, { width: 52 }],
    kinds.map((kind) => [kind.name, kind.meaning]),
  )}\n`;
}

/** One kind of event at length. */
export function eventText(kind: EventKind, style: Style): string {
  const rows = Object.entries(kind.args).map(([name, type]) => [name, type, ARG_MEANINGS[type] ?? '']);
  const args = rows.length === 0 ? 'no arguments' : table([{}, {}, { width: 50 }], rows, 2);
  return `${style.bold(kind.name)}\n${paragraph(kind.meaning)}\n\n${args}\n`;
}

/** The vocabulary as JSON. */
export function eventsJson(kinds: readonly EventKind[]): Json {
  return {
    schema: 'faultline.events/1',
    types: ARG_MEANINGS,
    kinds: kinds.map(({ name, meaning, args }) => ({
      name,
      meaning,
      args: Object.entries(args).map(([arg, type]) => ({ name: arg, type })),
    })),
  };
}
