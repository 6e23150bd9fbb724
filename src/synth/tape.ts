import { CTX_HARDIRQ, CTX_IRQS_OFF, CTX_KNOWN, CTX_PREEMPT_SHIFT } from '../core/records.ts';
import { EventBatchBuilder } from '../events/batch.ts';
import type { EventKind } from '../events/declare.ts';
import * as events from '../events/index.ts';
import type { Chance } from './chance.ts';
import type { Mm } from './memory.ts';

/** A task: who acts, and where. */
export interface Actor {
  readonly pid: number;
  readonly tgid: number;
  readonly comm: string;
  cpu: number;
  mm: Mm | null;
  /** Spinlocks held. */
  depth: number;
}

/**
 * Functions that are probed at entry and return: the probe itself counts for one in the preempt depth that its record
 * prints (seen in captures of 6.12).
 */
const BRACKETED: ReadonlySet<EventKind> = new Set<EventKind>([
  events.faultBegin,
  events.faultEnd,
  events.anonBegin,
  events.anonEnd,
  events.swapinBegin,
  events.swapinEnd,
  events.wpBegin,
  events.wpEnd,
  events.wpTest,
  events.wpTested,
  events.wpCopy,
  events.wpCopied,
  events.forkPtes,
  events.forkPtesEnd,
  events.zapBegin,
  events.zapEnd,
  events.unmapBegin,
  events.unmapEnd,
  events.swapAdd,
  events.swapAddEnd,
  events.swapAlloc,
  events.swapcacheFound,
  events.swapFreeFolio,
  events.swapFreeFolioEnd,
  events.swapFreeCache,
  events.swapFreeCacheEnd,
  events.swapEntryFree,
  events.swapEntryFreeEnd,
  events.swapEntriesFreeEnd,
  events.swapReclaim,
  events.swapReclaimEnd,
  events.swapDup,
  events.swapDupEnd,
  events.swapPrepare,
  events.swapPrepareEnd,
  events.siGet,
  events.siGot,
  events.swapReadAsync,
  events.swapReadAsyncEnd,
  events.unuseBegin,
  events.unuseEnd,
  events.unusePte,
  events.unusePteEnd,
  events.swapoffBegin,
  events.swapoffEnd,
  events.swaponBegin,
  events.swaponEnd,
  events.reclaimBegin,
  events.reclaimEnd,
  events.pageout,
  events.pageoutEnd,
  events.removeMapping,
  events.removeMappingEnd,
  events.gupBegin,
  events.gupEnd,
  events.gupGrabFast,
  events.gupGrabFastEnd,
  events.ksmWriteProtect,
  events.ksmWriteProtectEnd,
  events.ksmReplace,
  events.ksmReplaceEnd,
  events.ksmMerge,
  events.ksmMergeEnd,
  events.collapseBegin,
  events.collapseEnd,
  events.collapseIsolate,
  events.collapseIsolateEnd,
  events.collapseScan,
  events.collapseScanEnd,
  events.sysEnter,
  events.sysExit,
]);

/** Least and most time between two records, in nanoseconds: no two share a microsecond. */
const GAP_NS = { least: 1000, most: 4000 };

/** Where the events go: who acts, what time it is, how many there were. */
export class Tape {
  readonly out = new EventBatchBuilder();
  readonly #chance: Chance;
  readonly #limit: number;
  readonly #beyond: boolean;
  readonly #extra = new Uint8Array(256);
  self!: Actor;
  #interrupt = 0;
  ns = 0;
  /** Events so far. */
  count = 0;

  constructor(chance: Chance, limit: number, beyondTracers: boolean) {
    this.#chance = chance;
    this.#limit = limit;
    this.#beyond = beyondTracers;
    for (const kind of BRACKETED) this.#extra[kind.code] = 1;
  }

  get full(): boolean {
    return this.count >= this.#limit;
  }

  /** States an event of the acting task; what comes behind the last event of the trace is not stated. */
  emit(
    kind: EventKind,
    a?: number,
    b?: number,
    c?: number,
    d?: number,
    e?: number,
    f?: number,
    g?: number,
    h?: number,
  ): void {
    if (this.count >= this.#limit) return;
    this.count++;
    this.ns += GAP_NS.least + this.#chance.below(GAP_NS.most - GAP_NS.least);
    const { cpu, pid, depth } = this.self;
    const ctx =
      this.#interrupt === 0
        ? CTX_KNOWN | ((depth + this.#extra[kind.code]!) << CTX_PREEMPT_SHIFT)
        : this.#interrupt;
    this.out.record(this.ns, cpu, pid, ctx, this.count);
    this.out.emit(kind, a, b, c, d, e, f, g, h);
  }

  /** States an event that no tracer of a kernel tells, where such events are wanted. */
  beyond(kind: EventKind, a?: number, b?: number, c?: number, d?: number, e?: number, f?: number): void {
    if (this.#beyond) this.emit(kind, a, b, c, d, e, f);
  }

  /** What an interrupt does while the acting task is interrupted. */
  inInterrupt(work: () => void): void {
    this.#interrupt = CTX_KNOWN | CTX_IRQS_OFF | CTX_HARDIRQ | (1 << CTX_PREEMPT_SHIFT);
    work();
    this.#interrupt = 0;
  }
}
