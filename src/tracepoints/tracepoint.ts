import type { FieldSpec, FieldValues } from '../core/fields.ts';
import { type EventBatchBuilder, MAX_WIDTH } from '../events/batch.ts';
import type { ArgTypes, EventKind } from '../events/declare.ts';
import type { PageAddresses } from './addresses.ts';
import { type Column, columnWidth, compileColumns, storeColumns, whenTrue } from './columns.ts';
import type { KernelFacts } from './generation.ts';
import type { OpenEntries } from './open-entries.ts';

/** What a decoder may know beside the fields of its record. */
export interface DecodeContext {
  /** Header of the record being decoded. */
  pid: number;
  cpu: number;
  /** Ordinal of the record being decoded. */
  record: number;
  /** What messages call the trace. */
  readonly label: string;
  readonly pages: PageAddresses;
  readonly kernel: KernelFacts;
  readonly open: OpenEntries;
  /** Whether a record of this event has been seen in the trace. */
  seen(event: string): boolean;
}

/** One tracepoint or probe: which fields of its record are wanted, and which events they state. */
export interface Tracepoint {
  /** Name of the event in the trace, without its system or probe group. */
  readonly event: string;
  readonly fields: readonly FieldSpec[];
  /** Keys that must be present: a name that two probe packs use is told apart by them. */
  readonly requires: readonly string[];
  /** Keys whose value must be readable in the declared form: one field may be printed in two ways. */
  readonly readable: readonly string[];
  /** Keys that must not be present. */
  readonly lacks: readonly string[];
  /** Nothing is said once a record of this event has been seen: it tells the same fact, and more of it. */
  readonly unless: string | null;
  /** The event is known and states no fact about the MM. */
  readonly silent: boolean;
  /** Kinds of event that its records state. */
  readonly states: readonly EventKind[];
  decode(values: FieldValues, out: EventBatchBuilder, ctx: DecodeContext): void;
}

/** What a declaration may add to its event and fields. */
export interface Options {
  readonly requires?: readonly string[];
  readonly readable?: readonly string[];
  readonly lacks?: readonly string[];
  readonly unless?: string;
}

/** One event that a record states: its kind, where its arguments come from, and when it is stated. */
export interface Part {
  readonly kind: EventKind;
  /** Columns by argument of the kind, in storage order; null: the record does not tell it. */
  readonly columns: readonly (Column | null)[];
  readonly when: Column | null;
}

/** An event stated by a record; `when` names a column that must be non-zero for the event to be stated. */
export function part<A extends ArgTypes>(
  kind: EventKind<A>,
  args: { readonly [K in keyof A]?: Column },
  when: Column | null = null,
): Part {
  const columns: (Column | null)[] = [];
  for (const arg in kind.args) {
    const column: Column | null = args[arg] ?? null;
    const width = kind.args[arg] === 'pte' ? 2 : 1;
    if (column !== null && columnWidth(column) !== width)
      throw new Error(`${kind.name}.${arg}: wrong kind of column`);
    columns.push(column);
    if (column === null && width === 2) columns.push(null);
  }
  return { kind: kind as unknown as EventKind, columns, when };
}

/** A tracepoint with a decoder of its own. */
export function tracepoint(
  event: string,
  states: readonly EventKind[],
  fields: readonly FieldSpec[],
  decode: Tracepoint['decode'],
  options: Options = {},
): Tracepoint {
  return {
    event,
    fields,
    requires: options.requires ?? [],
    readable: options.readable ?? [],
    lacks: options.lacks ?? [],
    unless: options.unless ?? null,
    silent: false,
    states,
    decode,
  };
}

/** The columns of some parts, in the order in which their fields are laid out. */
function statedColumns(parts: readonly Part[]): readonly Column[] {
  return parts.flatMap((each) => [...each.columns, each.when]).filter((column) => column !== null);
}

/** A tracepoint whose record states these events, in this order. */
export function tells(event: string, parts: readonly Part[], options: Options = {}): Tracepoint {
  const columns = statedColumns(parts);
  const { fields, compile } = compileColumns(columns);
  const plans = parts.map((each) => ({
    kind: each.kind,
    columns: each.columns.filter((column) => column !== null).map(compile),
    at: storageOffsets(each),
    // What no column fills is never known.
    cells: new Float64Array(MAX_WIDTH).fill(Number.NaN),
    when: each.when === null ? null : compile(each.when),
  }));
  return tracepoint(
    event,
    parts.map(({ kind }) => kind),
    fields,
    (values, out, ctx) => {
      for (let i = 0; i < plans.length; i++) {
        const plan = plans[i]!;
        if (plan.when !== null && !whenTrue(plan.when, values, ctx)) continue;
        storeColumns(plan.columns, plan.at, values, ctx, plan.cells);
        out.put(plan.kind, plan.cells);
      }
    },
    options,
  );
}

/** Where each told column of a part is stored among the numbers of its event. */
function storageOffsets(each: Part): readonly number[] {
  const offsets: number[] = [];
  let at = 0;
  for (const column of each.columns) {
    if (column !== null) offsets.push(at);
    at += column === null ? 1 : columnWidth(column);
  }
  return offsets;
}

/** A tracepoint whose record states one event. */
export function tell<A extends ArgTypes>(
  event: string,
  kind: EventKind<A>,
  args: { readonly [K in keyof A]?: Column } = {},
  options: Options & { readonly when?: Column } = {},
): Tracepoint {
  return tells(event, [part(kind, args, options.when ?? null)], options);
}

/** The record of an entry whose facts are stated at its return: keeps these columns under the name of a pair. */
export function opens(
  event: string,
  pair: string,
  kept: readonly Column[],
  parts: readonly Part[] = [],
  options: Options = {},
): Tracepoint {
  // The stated columns first, so that the stated events find their fields at the same positions.
  const columns = [...statedColumns(parts), ...kept];
  const { fields, compile } = compileColumns(columns);
  const plan = kept.map(compile);
  const at: number[] = [];
  let width = 0;
  for (const column of kept) {
    at.push(width);
    width += columnWidth(column);
  }
  const numbers = new Float64Array(width);
  const stated = tells(event, parts, options);
  return tracepoint(
    event,
    stated.states,
    fields,
    (values, out, ctx) => {
      if (parts.length > 0) stated.decode(values, out, ctx);
      storeColumns(plan, at, values, ctx, numbers);
      const { cells, at: start } = ctx.open.push(pair, ctx.pid, ctx.cpu);
      for (let i = 0; i < width; i++) cells[start + i] = numbers[i]!;
    },
    options,
  );
}

/** The record of a return: closes the pair's innermost entry of the task, whose kept cells are `opened(n)`. */
export function closes(
  event: string,
  pair: string,
  parts: readonly Part[],
  options: Options = {},
): Tracepoint {
  const stated = tells(event, parts, options);
  return tracepoint(
    event,
    stated.states,
    stated.fields,
    (values, out, ctx) => {
      ctx.open.pop(pair, ctx.pid, ctx.cpu);
      stated.decode(values, out, ctx);
    },
    options,
  );
}

/** A tracepoint that is known and states no fact about the MM. */
export function silent(event: string, options: Options = {}): Tracepoint {
  return { ...tracepoint(event, [], [], () => undefined, options), silent: true };
}
