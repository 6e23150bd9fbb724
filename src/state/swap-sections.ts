import type { EventKind } from '../events/declare.ts';
import {
  dirtySet,
  faultBegin,
  lockAcquired,
  lockRelease,
  lockWait,
  lruDrain,
  lruInsert,
  pageFree,
  pageFreeBatched,
  pageRelease,
  refAdd,
  refFreeze,
  refRefused,
  refSet,
  refUnfreeze,
  siGet,
  siGot,
  siPut,
  siRange,
  siUse,
  swapcacheDel,
  swapcacheFound,
  swapEntriesFreeEnd,
  swapEntryFree,
  swapEntryFreeEnd,
  swapFreeCacheEnd,
  swapFreeFolio,
  swapFreeFolioEnd,
  swapinEnd,
  swapPutFolio,
  swapReadAsyncEnd,
  swapReclaim,
  swapReclaimEnd,
  swapSlotFree,
  sysEnter,
  sysExit,
  taskExit,
  taskSwitch,
  writebackEnd,
} from '../events/index.ts';
import { EVENT_KINDS } from '../events/registry.ts';

/**
 * A function that uses a swap device, entered by a task that has not left it: free_swap_and_cache_nr, do_swap_page or
 * __read_swap_cache_async. The device reference is put inline: its end is the function's return.
 */
export interface SwapSection {
  readonly of: 'free-cache' | 'swapin' | 'read-async';
  /** Key of the task in Tasks. */
  readonly pid: number;
  readonly type: number;
  readonly entry: number;
  readonly nr: number;
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  /** Context of the entry's record: CTX_* bits and preempt depth. */
  readonly ctx: number;
  /** Protection (a) of domain.md 1.7: seq of get_swap_device's success inside, 0 none, NaN it was refused. */
  gotSeq: number;
  /** The reference was given back, where that is told: seq, 0 not seen. */
  putSeq: number;
  /** Last free of one of its users inside: seq of the record that says the count was dropped, 0 none. */
  droppedSeq: number;
  /** Teardown of its device while it was open: seq 0 none. */
  freedSeq: number;
  freedNs: number;
  freedCpu: number;
  freedPid: number;
  /** Successful return of try_to_unuse before that. */
  unusedSeq: number;
}

/** What a task may tell from inside free_swap_and_cache_nr. Whatever else it tells shows that the return is missing. */
const INSIDE: Uint8Array = new Uint8Array(EVENT_KINDS.length);
for (const kind of [
  dirtySet,
  lockAcquired,
  lockRelease,
  lockWait,
  lruDrain,
  lruInsert,
  pageFree,
  pageFreeBatched,
  pageRelease,
  refAdd,
  refFreeze,
  refRefused,
  refSet,
  refUnfreeze,
  siGet,
  siGot,
  siPut,
  siRange,
  siUse,
  swapcacheDel,
  swapcacheFound,
  swapEntriesFreeEnd,
  swapEntryFree,
  swapEntryFreeEnd,
  swapFreeCacheEnd,
  swapFreeFolio,
  swapFreeFolioEnd,
  swapPutFolio,
  swapReclaim,
  swapReclaimEnd,
  swapSlotFree,
  taskSwitch,
  writebackEnd,
])
  INSIDE[kind.code] = 1;

/** What no task tells from inside any of them. */
const OUTSIDE: Uint8Array = new Uint8Array(EVENT_KINDS.length);
for (const kind of [faultBegin, sysEnter, sysExit, taskExit]) OUTSIDE[kind.code] = 1;

/** The return that ends each. */
function returnOf(of: SwapSection['of']): EventKind {
  if (of === 'free-cache') return swapFreeCacheEnd;
  return of === 'swapin' ? swapinEnd : swapReadAsyncEnd;
}

/** Sections by task: a task is in one of each function at most, the innermost last. */
export class SwapSections {
  readonly #open: SwapSection[] = [];
  #closed: SwapSection | null = null;
  #closedSeq = 0;

  get open(): readonly SwapSection[] {
    return this.#open;
  }

  /** Number of open sections. */
  get size(): number {
    return this.#open.length;
  }

  /** A task entered one. An earlier one of the same function lost its return. */
  begin(section: SwapSection): void {
    this.#drop((open) => open.pid === section.pid && open.of === section.of);
    this.#open.push(section);
  }

  /** The innermost section of a task. */
  innermost(pid: number): SwapSection | null {
    for (let i = this.#open.length - 1; i >= 0; i--) if (this.#open[i]!.pid === pid) return this.#open[i]!;
    return null;
  }

  /** The section of a task in one function. */
  find(pid: number, of: SwapSection['of']): SwapSection | null {
    return this.#open.find((open) => open.pid === pid && open.of === of) ?? null;
  }

  /** The section that the event at this seq closed by its return, for those who judge it. */
  closedAt(seq: number): SwapSection | null {
    return this.#closedSeq === seq ? this.#closed : null;
  }

  /** A task tells an event: what it cannot tell from inside a section ends it unjudged, its return ends it properly. */
  see(kind: number, pid: number, seq: number): void {
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const open = this.#open[i]!;
      if (open.pid !== pid) continue;
      const returns = kind === returnOf(open.of).code;
      if (returns) {
        this.#closed = open;
        this.#closedSeq = seq;
      }
      if (returns || OUTSIDE[kind] === 1 || (open.of === 'free-cache' && INSIDE[kind] === 0))
        this.#open.splice(i, 1);
    }
  }

  /** A device is torn down: whoever is inside with an entry of it is caught. */
  teardown(type: number, seq: number, ns: number, cpu: number, pid: number, unusedSeq: number): void {
    for (const open of this.#open) {
      if (open.type !== type || open.pid === pid || open.freedSeq > 0) continue;
      open.freedSeq = seq;
      open.freedNs = ns;
      open.freedCpu = cpu;
      open.freedPid = pid;
      open.unusedSeq = unusedSeq;
    }
  }

  /** Tasks that hold a reference to a device, got by get_swap_device. */
  users(type: number): readonly SwapSection[] {
    return this.#open.filter((open) => open.type === type && open.gotSeq > 0);
  }

  #drop(which: (open: SwapSection) => boolean): void {
    for (let i = this.#open.length - 1; i >= 0; i--) if (which(this.#open[i]!)) this.#open.splice(i, 1);
  }

  clear(): void {
    this.#open.length = 0;
    this.#closed = null;
    this.#closedSeq = 0;
  }

  image(): readonly SwapSection[] {
    return this.#open.map((open) => ({ ...open }));
  }

  restore(sections: readonly SwapSection[]): void {
    this.clear();
    for (const section of sections) this.#open.push({ ...section });
  }
}
