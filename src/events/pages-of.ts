import { PTE_KIND, PTE_MIGRATION, PTE_PRESENT } from '../core/pte.ts';
import type { EventBatch } from './batch.ts';
import type { EventKind } from './declare.ts';
import { traceCpuStarted, traceCut, traceLost, traceSegment } from './index.ts';
import { EVENT_KINDS } from './registry.ts';

/** Which numbers of an event of a kind name pages and mms. */
interface Names {
  /** Offsets of pfns. */
  readonly pfns: readonly number[];
  /** Offsets of PTE words: bits, frame behind them. */
  readonly ptes: readonly number[];
  readonly mms: readonly number[];
  /** Offset of how many pages follow the first pfn or PTE, or of their order; -1 none. */
  readonly nr: number;
  readonly order: number;
  /** A segment begins, or records are missing. */
  readonly mark: boolean;
  /** It names nothing. */
  readonly silent: boolean;
}

const MARKS: ReadonlySet<number> = new Set(
  [traceSegment, traceLost, traceCpuStarted, traceCut].map(({ code }) => code),
);

function placeOf(at: EventKind['at'], name: string): number {
  return at[name] ?? -1;
}

function namesOf({ args, at, code }: EventKind): Names {
  const { nr, order } = args;
  const mark = MARKS.has(code);
  const offsets = (type: string): number[] =>
    Object.keys(args)
      .filter((name) => args[name] === type)
      .map((name) => at[name]!);
  const pages = offsets('pfn').length + offsets('pte').length > 0;
  const mms = offsets('mm');
  return {
    pfns: offsets('pfn'),
    ptes: offsets('pte'),
    mms,
    nr: pages && nr === 'count' ? placeOf(at, 'nr') : -1,
    order: pages && order === 'order' ? placeOf(at, 'order') : -1,
    mark,
    silent: !pages && mms.length === 0 && !mark,
  };
}

const NAMES: readonly Names[] = EVENT_KINDS.map(namesOf);

/** Pages of one PTE write or one rmap call at most: a page table's. */
const MOST_PAGES = 512;

/** Who wants to know what an event names. A block is 2^order pages from an aligned first one. */
export interface NameSink {
  page(pfn: number, seq: number): void;
  block(pfn: number, order: number, seq: number): void;
  mm(mm: number, seq: number): void;
  /** A segment begins, or records are missing: what was known of any page may not hold. */
  mark(seq: number): void;
}

/** Tells which pages and mms the events `from` up to `to` of a batch name; one may be told twice for one event. */
export function eachName(batch: EventBatch, from: number, to: number, sink: NameSink): void {
  const { args } = batch;
  for (let i = from; i < to; i++) {
    const names = NAMES[batch.kind[i]!]!;
    if (names.silent) continue;
    const base = batch.at[i]!;
    const seq = batch.firstSeq + i;
    if (names.mark) sink.mark(seq);
    const order = names.order < 0 ? 0 : args[base + names.order]!;
    const told = names.nr < 0 ? 1 : args[base + names.nr]!;
    const nr = told > 1 ? Math.min(told, MOST_PAGES) : 1;
    for (let k = 0; k < names.pfns.length; k++) {
      const pfn = args[base + names.pfns[k]!]!;
      if (!(pfn >= 0)) continue;
      if (order > 0) sink.block(pfn, order, seq);
      else for (let n = 0; n < (k === 0 ? nr : 1); n++) sink.page(pfn + n, seq);
    }
    for (let k = 0; k < names.ptes.length; k++) {
      const offset = names.ptes[k]!;
      const kind = args[base + offset]! & PTE_KIND;
      const frame = args[base + offset + 1]!;
      if ((kind !== PTE_PRESENT && kind !== PTE_MIGRATION) || !(frame >= 0)) continue;
      for (let n = 0; n < (kind === PTE_PRESENT ? nr : 1); n++) sink.page(frame + n, seq);
    }
    for (let k = 0; k < names.mms.length; k++) {
      const mm = args[base + names.mms[k]!]!;
      if (!Number.isNaN(mm)) sink.mm(mm, seq);
    }
  }
}
