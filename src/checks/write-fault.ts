import type { Truth } from '../core/knowledge.ts';
import { PG_LRU, pageFlagText } from '../core/pageflags.ts';
import { PTE_KIND, PTE_PRESENT } from '../core/pte.ts';
import { FOLL_WRITE } from '../events/flags.ts';
import { reclaimBegin } from '../events/index.ts';
import type { Decision } from '../state/decision.ts';
import { SLOT_UNKNOWN } from '../state/ptes.ts';
import type { MmState } from '../state/state.ts';
import type { Task } from '../state/tasks.ts';
import type { Evidence, Finding, Place } from './finding.ts';

/** A reference that GUP took on the page of a decision. */
export interface HeldReference {
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  readonly pid: number;
  readonly mm: number;
  readonly va: number;
  readonly pin: boolean;
  readonly write: boolean;
  /** Taken through the faulting mm: true, through another: false, not told: undefined. */
  readonly own: Truth;
  /** A put may have ended it already. */
  readonly doubtful: boolean;
}

/** A decision of do_wp_page with what the shared predicates of domain.md 3 say of it, computed once for all checks. */
export interface WriteFault {
  readonly d: Decision;
  readonly place: Place;
  readonly holds: readonly HeldReference[];
  /** sum == 1, no sharers, no foreign references, neither KSM nor zero nor page cache. */
  readonly exclusive: Truth;
  /** mms other than the faulting one with a present PTE to the page, as known. */
  readonly sharers: readonly number[];
  /** References beyond mappings, cache, LRU batch or isolation, and other functions in flight: those GUP must hold. */
  readonly gupReferences: number;
  /** Task that held the page lock at the decision, and the event that shows it; null if not known. */
  readonly lockHolder: { readonly task: Task; readonly seq: number; readonly reclaim: boolean } | null;
  /** Why a copy was made: domain.md, unexpected-cow. */
  readonly cause: string;
  readonly causeSeq: number;
  /** For those who tell of it: made when asked for, of the state as it is then. */
  readonly values: Finding['values'];
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function heldReferences(s: MmState, d: Decision): HeldReference[] {
  const row = s.pages.find(d.pfn);
  if (row < 0) return [];
  const c = s.holds.col;
  const held: HeldReference[] = [];
  const mm = s.ptes.mms.find(d.mm);
  const since = mm < 0 ? 0 : s.ptes.mms.col.since[mm]!;
  for (const hold of s.holds.of(row)) {
    const through = c.mm[hold]!;
    const va = c.va[hold]!;
    // The same pointer in an earlier life is another mm.
    const same = Number.isNaN(through) ? undefined : through === d.mm && since <= c.seq[hold]!;
    held.push({
      seq: c.seq[hold]!,
      ns: c.ns[hold]!,
      cpu: c.cpu[hold]!,
      pid: c.pid[hold]!,
      mm: through,
      va,
      pin: s.holds.isPin(hold),
      write: c.flags[hold]! >= 0 && (c.flags[hold]! & FOLL_WRITE) !== 0,
      own: same === true && !Number.isNaN(va) && Math.floor(va / 4096) * 4096 !== d.va ? false : same,
      doubtful: c.doubtful[hold] === 1,
    });
  }
  return held;
}

function sharersOf(s: MmState, d: Decision): number[] {
  const row = s.pages.find(d.pfn);
  const sharers: number[] = [];
  if (row < 0) return sharers;
  for (let at = s.pages.col.slot[row]!; at !== 0; at = s.ptes.next[at - 1]!) {
    const slot = at - 1;
    const owner = s.ptes.mms.key(s.ptes.owner(slot));
    if (
      owner === d.mm ||
      s.ptes.know[slot] === SLOT_UNKNOWN ||
      (s.ptes.bits[slot]! & PTE_KIND) !== PTE_PRESENT
    )
      continue;
    if (!sharers.includes(owner)) sharers.push(owner);
  }
  for (const owner of d.wp.unmappedSharers) if (!sharers.includes(owner)) sharers.push(owner);
  return sharers;
}

/** Functions of other tasks that may hold a reference to the page for their own time. */
function inFlight(s: MmState, d: Decision): number {
  let found = 0;
  for (const wp of s.open) if (wp.pfn === d.pfn && wp.pid !== d.pid && wp.decided) found++;
  for (const task of s.tasks.all()) {
    if (task.pid === d.pid) continue;
    if (task.forkPtes?.pfns.includes(d.pfn)) found++;
    if (task.fault?.kind === 'swapin' || task.fault?.kind === 'unuse') found++;
  }
  return found;
}

/** Who may have held the page lock: a task that announced its unlock and was not heard of since. */
function lockHolder(s: MmState, d: Decision): WriteFault['lockHolder'] {
  const told = d.wp.lockPid === -1 ? undefined : s.tasks.peek(d.wp.lockPid);
  if (told !== undefined) return { task: told, seq: d.wp.lockSeq, reclaim: d.wp.lockReclaim };
  const row = s.pages.find(d.pfn);
  for (const task of s.tasks.all()) {
    if (task.pid !== d.pid && task.unlocking === d.pfn && row >= 0)
      return { task, seq: s.pages.col.unlockSeq[row]!, reclaim: inReclaim(task) };
  }
  // Or one that unlocked it after the decision while this task was still in its fault.
  if (row >= 0 && s.pages.col.unlockSeq[row]! > d.wp.decidedSeq && s.pages.col.unlockPid[row] !== d.pid) {
    const task = s.tasks.peek(s.pages.col.unlockPid[row]!);
    if (task !== undefined) return { task, seq: s.pages.col.unlockSeq[row]!, reclaim: inReclaim(task) };
  }
  return null;
}

function exclusiveTo(
  s: MmState,
  d: Decision,
  holds: readonly HeldReference[],
  sharers: readonly number[],
): Truth {
  const { exclusive, ksm, anon, mappings, swapcache, swapcount } = d.inputs;
  if (anon === false || ksm === true || d.page === 'zero') return false;
  // AE2: at most one mm maps an exclusive page, and no swap PTE refers to it.
  if (exclusive === true) return d.inputs.exclusiveSeq > 0 ? true : undefined;
  if (mappings > 1 || sharers.length > 0 || holds.some((held) => held.own === false && !held.doubtful))
    return false;
  if (anon === undefined || ksm === undefined || mappings !== 1 || d.wp.mapBefore !== 1) return undefined;
  if (swapcache === undefined || (swapcache && swapcount !== 0))
    return swapcache && swapcount > 0 ? false : undefined;
  if (holds.some((held) => held.own !== true)) return undefined;
  return s.lossy || s.blind ? undefined : true;
}

function causeOf(
  s: MmState,
  d: Decision,
  holds: readonly HeldReference[],
  holder: WriteFault['lockHolder'],
  spare: number,
): { cause: string; seq: number } {
  const { locked, count, mappings, swapcache, onLru, large } = d.inputs;
  if (large === true && d.inputs.exclusive !== true) return { cause: 'large-folio', seq: 0 };
  // The lock is what decided if its holder is known, or if nothing else speaks against a reuse.
  const spared = d.inputs.exclusive === true || !(count > mappings + (swapcache === true ? 1 : 0));
  if (locked === true && (holder !== null || spared))
    return { cause: 'page-lock', seq: holder?.seq ?? d.wp.lockedSeq };
  if (d.wp.gatherSeq > 0 && count > 1) return { cause: 'mmu-gather', seq: d.wp.gatherSeq };
  const own = holds.find((held) => held.own === true);
  if (own !== undefined && (own.pin || spare > 0)) return { cause: 'own-gup', seq: own.seq };
  for (const wp of s.open)
    if (wp.pfn === d.pfn && wp.pid !== d.pid && wp.decided)
      return { cause: 'sibling-cow', seq: wp.decidedSeq };
  // A reference that nobody accounts for may be the cause as well as the isolation.
  if (!(spare <= 0)) return { cause: 'unknown-ref', seq: 0 };
  if (d.wp.isolatorReclaim && onLru === false && count > 1)
    return { cause: 'lru-isolated', seq: d.wp.isolatorSeq };
  if (onLru === false && count > 1) {
    const row = s.pages.find(d.pfn);
    const seq = row < 0 ? 0 : s.pages.col.offListSeq[row]!;
    const isolator = seq === 0 ? undefined : s.tasks.peek(s.pages.col.offListPid[row]!);
    if (isolator !== undefined && isolator.pid !== d.pid && isolator.reclaim !== 0)
      return { cause: 'lru-isolated', seq };
    return { cause: 'lru-batch', seq: 0 };
  }
  if (swapcache === true && count === 2) return { cause: 'swapcache-ref', seq: 0 };
  return { cause: 'unknown-ref', seq: 0 };
}

/** Applies the shared predicates to a decision. */
export function viewFault(s: MmState, d: Decision): WriteFault {
  const holds = heldReferences(s, d);
  const sharers = sharersOf(s, d);
  const { count, mappings, swapcache, onLru } = d.inputs;
  const holder = lockHolder(s, d);
  const cached = swapcache === undefined ? Number.NaN : swapcache ? 1 : 0;
  const offLru = onLru === undefined ? 1 : onLru ? 0 : 1;
  const spare = count - mappings - cached - offLru - inFlight(s, d);
  const { cause, seq } = causeOf(s, d, holds, holder, spare);
  const row = s.pages.find(d.pfn);
  return {
    d,
    place: {
      seq: d.seq,
      ns: d.ns,
      cpu: d.cpu,
      pid: d.pid,
      mm: orNull(d.mm),
      address: orNull(d.va),
      pfn: orNull(d.pfn),
      newPfn: orNull(d.newPfn),
      entry: row < 0 ? null : orNull(s.pages.col.entry[row]!),
    },
    holds,
    exclusive: exclusiveTo(s, d, holds, sharers),
    sharers,
    gupReferences: spare,
    lockHolder: holder,
    cause,
    causeSeq: seq,
    get values() {
      return valuesOf(s, d, holds, cause, holder);
    },
  };
}

function valuesOf(
  s: MmState,
  d: Decision,
  holds: readonly HeldReference[],
  cause: string,
  holder: WriteFault['lockHolder'],
): Finding['values'] {
  const { count, mappings, swapcache, exclusive, ksm, anon, swapcount } = d.inputs;
  const flags = (d.wp.copy ?? d.wp.test ?? d.wp.first ?? d.wp.reuse)?.flags ?? Number.NaN;
  const row = s.pages.find(d.pfn);
  const offList = !Number.isNaN(flags) && !(flags & PG_LRU);
  const isolated = cause === 'lru-isolated' || holder?.reclaim === true;
  const pins = holds.filter((held) => held.pin).length;
  const own = holds.find((held) => held.own === true);
  return {
    generation: row < 0 ? null : s.pages.col.gen[row]!,
    anon: anon ?? null,
    ksm: ksm ?? null,
    swapcache: swapcache ?? null,
    exclusive: exclusive ?? null,
    locked: d.inputs.locked ?? null,
    pageflags: Number.isNaN(flags) ? null : pageFlagText(flags),
    refcount: orNull(count),
    mapcount: orNull(mappings),
    swapcount: swapcache === false ? 0 : orNull(swapcount),
    pins,
    gets: holds.length - pins,
    batch: offList && !isolated ? 1 : 0,
    isolated: offList && isolated ? 1 : 0,
    holder: holder?.task.pid ?? null,
    pinned: pins > 0,
    pinner: own?.pid ?? null,
  };
}

/** Evidence of the decision itself and of what led to it, in the order of events. */
export function evidenceOf(fault: WriteFault): Evidence[] {
  const { d, holds } = fault;
  const found: Evidence[] = [];
  for (const held of holds) {
    if (held.own === true || held.pin)
      found.push({
        seq: held.seq,
        role: 'context',
        text: held.pin ? 'FOLL_PIN taken: ref +1024' : 'FOLL_GET reference taken: ref +1',
      });
  }
  if (fault.causeSeq > 0 && fault.cause === 'page-lock' && fault.lockHolder !== null) {
    found.push({
      seq: fault.lockHolder.seq,
      role: 'cause',
      text: 'holds the page lock: unlock announced, not yet done',
    });
  } else if (fault.causeSeq > 0 && fault.cause !== 'own-gup')
    found.push({ seq: fault.causeSeq, role: 'cause', text: fault.cause });
  found.push({ seq: d.seq, role: 'context', text: 'write fault, PTE read-only' });
  if (d.inputs.exclusiveSeq > 0 && d.inputs.exclusive !== undefined) {
    found.push({
      seq: d.inputs.exclusiveSeq,
      role: 'context',
      text: d.inputs.exclusive ? 'page is AnonExclusive' : 'page is not AnonExclusive',
    });
  }
  const pfn = Number.isNaN(d.pfn) ? '?' : `0x${d.pfn.toString(16)}`;
  const to = Number.isNaN(d.newPfn) ? '?' : `0x${d.newPfn.toString(16)}`;
  found.push({
    seq: d.outcomeSeq,
    role: 'decision',
    text: d.outcome === 'copy' ? `COPY: PTE ${pfn} -> ${to}` : `REUSE: PTE ${pfn} made writable`,
  });
  return found.sort((a, b) => a.seq - b.seq);
}

/** Whether a task is reclaiming. */
function inReclaim(task: Task): boolean {
  return task.reclaim !== 0;
}

/** Kind of event that says so, for coverage. */
export const RECLAIM_KIND: string = reclaimBegin.name;
