import type { EventBatch } from '../events/batch.ts';
import type { EventKind } from '../events/declare.ts';
import { PIN_BIAS } from '../events/flags.ts';
import {
  gupGrab,
  gupGrabFast,
  gupGrabFastEnd,
  gupPut,
  lruInsert,
  lruIsolate,
  pteSet,
  refAdd,
  refFreeze,
  refSet,
  refUnfreeze,
  rmapAdd,
  rmapDel,
  rmapNew,
  swapcacheAdd,
  swapcacheDel,
  wpCopy,
} from '../events/index.ts';
import { EVENT_KINDS } from '../events/registry.ts';
import { Cursor } from './cursor.ts';
import { LIFE_FREE } from './pages.ts';
import { type Fold, MmState } from './state.ts';
import { Tasks } from './tasks.ts';

/** For what a reference was taken or put, as far as the page's own events tell. */
export type Purpose =
  | 'allocation'
  | 'mapping'
  | 'swap cache'
  | 'pin'
  | 'get'
  | 'LRU batch'
  | 'isolation'
  | 'copy'
  | 'freeze'
  | 'other';

/** One event of a page's life. */
export interface LifeEvent {
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  readonly pid: number;
  readonly kind: EventKind;
  readonly args: readonly number[];
  readonly record: number;
  /** Change of the reference count, and what it was for; 0: none. */
  readonly change: number;
  purpose: Purpose | null;
  /** Reference count after it, as integrated and as printed; null: not known. */
  readonly count: number | null;
  readonly printed: number | null;
}

/** References taken and put for one purpose. */
export interface LedgerLine {
  readonly purpose: Purpose;
  readonly taken: number;
  readonly put: number;
}

/** A life of a page between allocation and free, or as much of it as the trace holds. */
export interface Generation {
  readonly number: number;
  readonly events: readonly LifeEvent[];
  /** Its count is known from its beginning. */
  readonly fromStart: boolean;
  /** Count that the generation was first seen with, before its first change; 0 where known from the start. */
  readonly opening: number | null;
  readonly freed: boolean;
  /** By purpose, which is inferred from what the same task did to the page just before. */
  readonly ledger: readonly LedgerLine[];
  /** Opening count and all changes; null where the opening is not known. */
  readonly sum: number | null;
  /** What the sum must be: 0 of a freed page, else the last printed count. Null: not told. */
  readonly due: number | null;
}

const COUNTED = new Set([refSet, refAdd, refFreeze, refUnfreeze].map(({ code }) => code));
/** An operation on a page and what announces it are at most so many events apart, those of other tasks included. */
const NEAR = 16;
const GRABS = new Set([gupGrab, gupGrabFast, gupGrabFastEnd].map(({ code }) => code));

/** Events of a page's life as they are found, before they are understood. */
export interface FoundEvent {
  readonly batch: EventBatch;
  readonly index: number;
}

interface Draft {
  number: number;
  events: LifeEvent[];
  opening: number | null;
  fromStart: boolean;
  /** It was mapped for the first time before a count was known: the reference that it was seen with is that mapping's. */
  mappedFirst: boolean;
  freed: boolean;
  sum: number;
  printed: number | null;
  taken: Map<Purpose, number>;
  put: Map<Purpose, number>;
}

/**
 * The life of a page from the events that name it (and those at which records are missing). Generations and counts are
 * those of the fold itself, applied to these events alone: nothing else moves them.
 */
export class PageLife {
  readonly #pfn: number;
  readonly #state: MmState;
  readonly #generations: Draft[] = [];
  readonly #e = new Cursor();
  /** Last event of the page by each task: what a change of the count was announced by. */
  readonly #before = new Map<number, { readonly kind: EventKind; readonly seq: number }>();
  /** Mappings that each task removed and whose references it has still to put (mmu_gather puts them late). */
  readonly #unmapped = new Map<number, number>();
  /** References that each task's do_wp_page holds while it copies. */
  readonly #copying = new Map<number, number>();

  constructor(pfn: number, folds: readonly Fold[]) {
    this.#pfn = pfn;
    this.#state = new MmState(folds);
  }

  /** Takes the next event, in order. */
  add({ batch, index }: FoundEvent): void {
    const e = this.#e;
    const s = this.#state;
    e.seek(batch, index);
    const kind = EVENT_KINDS[e.kind]!;
    const args = Array.from(e.args.subarray(e.at, e.at + kind.width));
    const at = kind.at as Readonly<Record<string, number>>;
    const argument = (name: string): number => (at[name] === undefined ? Number.NaN : args[at[name]]!);
    const row = s.pages.find(this.#pfn);
    const free = row >= 0 && s.pages.col.life[row] === LIFE_FREE;
    const generation = row < 0 ? 0 : s.pages.col.gen[row]!;
    const before = row < 0 || free ? Number.NaN : s.pages.count(row);
    s.apply(e);
    const now = s.pages.find(this.#pfn);
    if (now < 0) return;
    const number = s.pages.col.gen[now]!;
    const ended = s.pages.col.life[now] === LIFE_FREE;
    // The event that frees a page is the last of the life that it ends.
    const late = ended && (free || (number !== generation && generation > 0));
    const draft = this.#draft(late ? (this.#generations.at(-1)?.number ?? number) : number);
    const counted = COUNTED.has(e.kind) && argument('pfn') === this.#pfn && !(late && free);
    const printed = counted && !Number.isNaN(argument('count')) ? argument('count') : null;
    const change = counted ? this.#change(kind, argument) : 0;
    const purpose = change === 0 ? null : this.#purpose(kind, e.seq, Tasks.actor(e), change, draft);
    if (change !== 0) this.#book(draft, kind, change, purpose!, before, printed);
    const after = ended ? 0 : s.pages.count(now);
    draft.events.push({
      seq: e.seq,
      ns: e.ns,
      cpu: e.cpu,
      pid: e.pid,
      kind,
      args,
      record: e.record,
      change,
      purpose,
      count: change === 0 || Number.isNaN(after) ? null : after,
      printed,
    });
    if (ended) draft.freed = true;
    const actor = Tasks.actor(e);
    if (kind === rmapNew && draft.opening === null) draft.mappedFirst = true;
    else if (kind === rmapNew) this.#move(draft, 'allocation', 'mapping');
    if (kind === rmapDel) this.#unmapped.set(actor, (this.#unmapped.get(actor) ?? 0) + 1);
    // fork takes the child's reference before it writes the PTE, do_wp_page its own before it copies.
    if (kind === pteSet) this.#explain(draft, e.pid, e.seq, 'mapping');
    if (kind === wpCopy && this.#explain(draft, e.pid, e.seq, 'copy'))
      this.#copying.set(actor, (this.#copying.get(actor) ?? 0) + 1);
    if (ended) {
      this.#unmapped.clear();
      this.#copying.clear();
    }
    this.#before.set(actor, { kind, seq: e.seq });
  }

  #draft(number: number): Draft {
    const last = this.#generations.at(-1);
    if (last !== undefined && last.number === number) return last;
    const draft: Draft = {
      number,
      events: [],
      opening: null,
      fromStart: false,
      mappedFirst: false,
      freed: false,
      sum: 0,
      printed: null,
      taken: new Map(),
      put: new Map(),
    };
    this.#generations.push(draft);
    return draft;
  }

  #change(kind: EventKind, argument: (name: string) => number): number {
    if (kind === refAdd) return argument('delta');
    if (kind === refSet || kind === refUnfreeze) return argument('value');
    return argument('ok') === 1 ? -argument('expect') : 0;
  }

  /** What a change was for: the task's event before it tells, where one does. */
  #purpose(kind: EventKind, seq: number, actor: number, change: number, draft: Draft): Purpose {
    if (kind === refSet) return 'allocation';
    if (kind === refFreeze || kind === refUnfreeze) return 'freeze';
    if (Math.abs(change) >= PIN_BIAS && change % PIN_BIAS === 0) return 'pin';
    const last = this.#before.get(actor);
    const before = last !== undefined && seq - last.seq <= NEAR ? last.kind : null;
    if (before !== null) {
      if (GRABS.has(before.code) || before === gupPut) return 'get';
      if (before === swapcacheAdd || before === swapcacheDel) return 'swap cache';
      if (before === lruInsert || (before === rmapNew && change > 0)) return 'LRU batch';
      if (before === lruIsolate) return 'isolation';
      if (change > 0 && (before === rmapAdd || before === pteSet)) return 'mapping';
    }
    const unmapped = this.#unmapped.get(actor) ?? 0;
    if (change < 0 && unmapped > 0) {
      this.#unmapped.set(actor, unmapped - 1);
      return 'mapping';
    }
    const copying = this.#copying.get(actor) ?? 0;
    if (change === -1 && copying > 0) {
      this.#copying.set(actor, copying - 1);
      return 'copy';
    }
    // A put out of nowhere while a batch holds the page: the batch was drained, by whoever filled its CPU's.
    const batched = (draft.taken.get('LRU batch') ?? 0) - (draft.put.get('LRU batch') ?? 0);
    return before === null && change === -1 && batched > 0 ? 'LRU batch' : 'other';
  }

  #book(
    draft: Draft,
    kind: EventKind,
    change: number,
    purpose: Purpose,
    before: number,
    printed: number | null,
  ): void {
    if (draft.opening === null) {
      draft.fromStart = kind === refSet;
      // A count that was not known is learned from what this event prints.
      draft.opening = draft.fromStart
        ? 0
        : !Number.isNaN(before)
          ? before
          : printed === null
            ? null
            : printed - change;
    }
    if (draft.mappedFirst && draft.opening === 1 && draft.sum === 0) {
      draft.mappedFirst = false;
      draft.opening = 0;
      draft.sum = 1;
      draft.taken.set('mapping', 1);
    }
    draft.sum += change;
    if (printed !== null) draft.printed = printed;
    const book = change > 0 ? draft.taken : draft.put;
    book.set(purpose, (book.get(purpose) ?? 0) + Math.abs(change));
  }

  /** Says what the reference was for that this task took just before; false if it took none. */
  #explain(draft: Draft, pid: number, seq: number, purpose: Purpose): boolean {
    const taken = draft.events.findLast(
      (event) => event.pid === pid && event.seq < seq && event.change !== 0,
    );
    if (taken === undefined || seq - taken.seq > NEAR || taken.change !== 1 || taken.purpose !== 'other')
      return false;
    taken.purpose = purpose;
    draft.taken.set('other', draft.taken.get('other')! - 1);
    if (draft.taken.get('other') === 0) draft.taken.delete('other');
    draft.taken.set(purpose, (draft.taken.get(purpose) ?? 0) + 1);
    return true;
  }

  /** The first mapping takes over the reference of the allocation. */
  #move(draft: Draft, from: Purpose, to: Purpose): void {
    if ((draft.taken.get(from) ?? 0) <= (draft.put.get(from) ?? 0)) return;
    draft.put.set(from, (draft.put.get(from) ?? 0) + 1);
    draft.taken.set(to, (draft.taken.get(to) ?? 0) + 1);
  }

  /** All generations, oldest first. */
  generations(): Generation[] {
    return this.#generations.map((draft) => ({
      number: draft.number,
      events: draft.events,
      fromStart: draft.fromStart,
      opening: draft.opening,
      freed: draft.freed,
      ledger: [...new Set([...draft.taken.keys(), ...draft.put.keys()])].sort().map((purpose) => ({
        purpose,
        taken: draft.taken.get(purpose) ?? 0,
        put: draft.put.get(purpose) ?? 0,
      })),
      sum: draft.opening === null ? null : draft.opening + draft.sum,
      due: draft.freed ? 0 : draft.printed,
    }));
  }
}
