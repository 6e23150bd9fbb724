import { EXACT, SAMPLED, UNKNOWN } from '../../core/knowledge.ts';
import { PG_HEAD, PG_LOCKED, PG_LRU, PG_OWNER_PRIV_1, PG_SWAPBACKED } from '../../core/pageflags.ts';
import { FOLL_GET, FOLL_PIN, MAPPING_ANON, MAPPING_KSM, PIN_BIAS } from '../../events/flags.ts';
import {
  gupPut,
  pageAlloc,
  pageFree,
  pageFreeBatched,
  refAdd,
  refFreeze,
  refRefused,
  refSet,
  refUnfreeze,
} from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import { LIFE_ALLOCATED, LIFE_FREE, LIFE_FROZEN, LIFE_UNKNOWN, TRI_FALSE } from '../pages.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import { type Task, Tasks } from '../tasks.ts';
import { wpOf } from './brackets.ts';
import { noteCached } from './cached.ts';
import { sampleCollapse } from './collapse.ts';
import { noteExclusive } from './exclusive.ts';
import { resolveGets } from './gup.ts';
import { becomesLarge, noteSize } from './large.ts';
import { compareMap, LATE_SAMPLES, settleMap } from './mapcounts.ts';
import { watchCount } from './watch.ts';

/** Takes over the flags and the kind of mapping that a record printed. */
export function noteFlags(
  s: MmState,
  seq: number,
  row: number,
  flags: number,
  mapping: number,
  actor: number,
): void {
  const c = s.pages.col;
  if (mapping >= 0) c.mapping[row] = mapping + 1;
  if (Number.isNaN(flags)) return;
  c.flags[row] = flags;
  c.flagsSeq[row] = seq;
  if (flags & PG_HEAD && c.large[row] === 0) becomesLarge(s, row);
  if (flags & PG_LOCKED) c.lockedSeq[row] = seq;
  const kind = c.mapping[row]! - 1;
  if (kind === MAPPING_ANON) noteExclusive(s, seq, row, flags, actor);
  else if (kind === MAPPING_KSM) c.exclusive[row] = TRI_FALSE;
  if (flags & PG_SWAPBACKED) noteCached(s, seq, row, (flags & PG_OWNER_PRIV_1) !== 0, actor);
}

/** Compares the reconstructed refcount with a printed one; differences wait for the late record that explains them. */
function compareCount(s: MmState, seq: number, row: number, printed: number, zero: number): void {
  const c = s.pages.col;
  const expected = c.count[row]!;
  if (printed === expected) {
    if (c.countOff[row] !== 0) s.refcount.race(c.countOff[row]!);
    c.countOff[row] = 0;
    s.refcount.agree();
  } else if ((zero === 0 && printed === 0) || (zero === 1 && printed !== 0)) {
    // The printed count contradicts what the operation itself returned: it was read too late.
    s.refcount.race();
  } else if (c.countOff[row] === LATE_SAMPLES) {
    s.refcount.disagree(c.countOffSeq[row]!, expected, printed, LATE_SAMPLES + 1);
    c.count[row] = printed;
    c.countGrade[row] = SAMPLED;
    c.countOff[row] = 0;
  } else {
    if (c.countOff[row] === 0) c.countOffSeq[row] = seq;
    c.countOff[row]!++;
  }
}

/** The generation ends: what waited is settled by whether the integral reached zero. */
function settleCount(s: MmState, row: number): void {
  const c = s.pages.col;
  if (c.countGrade[row]! < SAMPLED || c.countOff[row] === 0) return;
  if (c.count[row] === 0) s.refcount.race(c.countOff[row]!);
  else s.refcount.disagree(c.countOffSeq[row]!, c.count[row]!, 0, c.countOff[row]!);
  c.countOff[row] = 0;
}

/** The pages behind the head of a large folio leave their users with it; it was a head when its flags were last seen. */
function endTails(s: MmState, e: Cursor, row: number): void {
  if (s.pages.col.flagsSeq[row] === 0 || !(s.pages.col.flags[row]! & PG_HEAD)) return;
  const head = s.pages.table.key(row);
  const order = s.machines.folios.get(head)?.order ?? s.pages.col.order[row]!;
  for (let k = 1; k < 2 ** order; k++) {
    const tail = s.pages.find(head + k);
    if (tail >= 0 && s.pages.col.large[tail] === 1 && s.pages.col.life[tail] !== LIFE_FREE)
      endGeneration(s, e, tail);
  }
}

/** The page left its users: slots that still show it changed unseen, holds on it are over. */
export function endGeneration(s: MmState, e: Cursor, row: number): void {
  settleCount(s, row);
  settleMap(s, row);
  if (s.pages.col.large[row] === 1) endTails(s, e, row);
  if (s.pages.col.slot[row] !== 0) s.ptes.forgetPage(row, e.seq);
  if (s.pages.col.hold[row] !== 0) s.holds.dropAll(row, true);
  s.machines.freed(s.pages.table.key(row), e.seq);
  s.locks.drop(s.pages.table.key(row));
  s.lru.forget(s.pages.table.key(row));
  s.pages.free(row, e.seq);
  s.pages.col.freeNs[row] = e.ns;
  s.pages.col.freeCpu[row] = e.cpu;
}

/** Row of a page about to be used: a page that was free begins a generation that nobody announced. */
function usedRow(s: MmState, seq: number, pfn: number): number {
  const row = s.pages.ensure(pfn, seq);
  if (s.pages.col.life[row] === LIFE_FREE) s.pages.begin(row, seq, LIFE_UNKNOWN);
  return row;
}

/**
 * Who may have taken the page off its LRU list: isolation takes a reference and clears the flag, in this order in
 * vmscan.c:isolate_lru_folios, in the other one in folio_isolate_lru and where a batch takes the page.
 */
function noteOffList(s: MmState, seq: number, row: number, change: number, flags: number, task: Task): void {
  const c = s.pages.col;
  if (Number.isNaN(flags)) return;
  const was = c.flagsSeq[row] !== 0 && (c.flags[row]! & PG_LRU) !== 0;
  if (change === 1 && (was || flags & PG_LRU)) {
    // do_wp_page takes a reference for its copy: it isolates nothing.
    if (wpOf(task)?.pfn === s.pages.table.key(row)) return;
    c.offListPid[row] = task.pid;
    c.offListSeq[row] = seq;
  } else if (flags & PG_LRU) c.offListSeq[row] = 0;
}

function onAdd(s: MmState, e: Cursor, task: Task): void {
  const { pfn, delta, zero, result, count, mapcount, flags, mapping } = refAdd.at;
  const a = e.args;
  const o = e.at;
  const page = a[o + pfn]!;
  const change = a[o + delta]!;
  const known = s.pages.find(page);
  // A put that was recorded after the page was freed: it was done before.
  if (known >= 0 && change < 0 && s.pages.col.life[known] === LIFE_FREE) return;
  const row = usedRow(s, e.seq, page);
  const c = s.pages.col;
  const printed = a[o + count]!;
  const reached = a[o + zero]!;
  const actor = task.pid;
  const before = c.refSeq[row]!;
  if (c.countGrade[row] !== UNKNOWN && !s.blind) {
    c.count[row]! += change;
    const told = a[o + result]!;
    if (!Number.isNaN(told)) {
      if (told === c.count[row]) s.refcount.agree();
      else s.refcount.disagree(e.seq, c.count[row]!, told);
      c.count[row] = told;
    } else if (!Number.isNaN(printed)) compareCount(s, e.seq, row, printed, reached);
    if ((reached === 1) !== (c.count[row] === 0) && !Number.isNaN(reached)) c.uncertain[row] = 1;
    else if (c.countOff[row] === 0) c.uncertain[row] = 0;
  } else if (!Number.isNaN(printed)) {
    s.refcount.unknown++;
    c.count[row] = printed;
    c.countGrade[row] = SAMPLED;
  }
  c.refPid[row] = actor;
  c.refSeq[row] = e.seq;
  noteOffList(s, e.seq, row, change, a[o + flags]!, task);
  noteSize(s, row, a[o + flags]!);
  noteFlags(s, e.seq, row, a[o + flags]!, a[o + mapping]!, actor);
  compareMap(s, e.seq, row, a[o + mapcount]!, actor);
  if (task.forkPtes !== null) {
    task.forkPtes.pfns.push(page);
    task.forkPtes.deltas.push(change);
  }
  if (task.collapse !== null) sampleCollapse(s, e, task.collapse, page, row, change, before);
  if (c.watched[row] !== 0) {
    watchCount(s, e, page, row, change, {
      seq: e.seq,
      ofHead: false,
      count: printed,
      mapcount: a[o + mapcount]!,
      flags: a[o + flags]!,
    });
  }
  if (change >= PIN_BIAS && change % PIN_BIAS === 0 && task.grabPfn !== page) {
    // Nothing but a pin adds multiples of the bias; the probe that would tell through which mm is missing.
    s.holds.take(row, {
      pfn: page,
      mm: Number.NaN,
      va: Number.NaN,
      pid: e.pid,
      seq: e.seq,
      ns: e.ns,
      cpu: e.cpu,
      flags: FOLL_PIN,
      refs: change / PIN_BIAS,
    });
    c.pins[row]! += change / PIN_BIAS;
  } else if (change <= -PIN_BIAS && -change % PIN_BIAS === 0) {
    s.holds.put(row, true, -change / PIN_BIAS, task.mm);
    c.pins[row] = Math.max(0, c.pins[row]! + change / PIN_BIAS);
  }
  // A put of a large folio may be an unpin where no probe tells those: nothing is known of its pins any more.
  if (change < 0 && c.hold[row] !== 0 && c.large[row] === 1 && s.sources.seen[gupPut.code] === 0)
    s.holds.dropAll(row, true);
  if (task.grabPfn === page) {
    task.grabPfn = Number.NaN;
    const kind = change >= PIN_BIAS ? FOLL_PIN : FOLL_GET;
    // The slow walk's hold is there already, the fast one's is made when its grab returns.
    if (c.hold[row] !== 0) s.holds.tellKind(c.hold[row]! - 1, kind);
    if (Number.isNaN(task.grabHold)) task.grabHold = kind;
  }
  if (reached === 1) endGeneration(s, e, row);
  else if (c.hold[row] !== 0 && change < 0) resolveGets(s, row);
}

function onRefused(s: MmState, e: Cursor): void {
  const row = s.pages.find(e.args[e.at + refRefused.at.pfn]!);
  if (row >= 0 && s.pages.col.life[row] !== LIFE_FREE) {
    noteFlags(
      s,
      e.seq,
      row,
      e.args[e.at + refRefused.at.flags]!,
      e.args[e.at + refRefused.at.mapping]!,
      Tasks.actor(e),
    );
  }
}

function onSet(s: MmState, e: Cursor, task: Task): void {
  const page = e.args[e.at + refSet.at.pfn]!;
  const value = e.args[e.at + refSet.at.value]!;
  s.sources.refSet = true;
  const row = s.pages.ensure(page, e.seq);
  const c = s.pages.col;
  if (c.life[row] !== LIFE_ALLOCATED || value === 1) {
    if (c.slot[row] !== 0) s.ptes.forgetPage(row, e.seq);
    if (c.hold[row] !== 0) s.holds.dropAll(row, true);
    s.pages.begin(row, e.seq, value === 0 ? LIFE_UNKNOWN : LIFE_ALLOCATED);
  }
  c.count[row] = value;
  c.countGrade[row] = EXACT;
  c.map[row] = 0;
  c.mapGrade[row] = EXACT;
  c.uncertain[row] = 0;
  c.refPid[row] = task.pid;
  c.refSeq[row] = e.seq;
  noteFlags(
    s,
    e.seq,
    row,
    e.args[e.at + refSet.at.flags]!,
    e.args[e.at + refSet.at.mapping]!,
    Tasks.actor(e),
  );
}

function onFreeze(s: MmState, e: Cursor, task: Task): void {
  const page = e.args[e.at + refFreeze.at.pfn]!;
  const row = usedRow(s, e.seq, page);
  const c = s.pages.col;
  noteSize(s, row, e.args[e.at + refFreeze.at.flags]!);
  noteFlags(
    s,
    e.seq,
    row,
    e.args[e.at + refFreeze.at.flags]!,
    e.args[e.at + refFreeze.at.mapping]!,
    Tasks.actor(e),
  );
  compareMap(s, e.seq, row, e.args[e.at + refFreeze.at.mapcount]!, task.pid);
  if (e.args[e.at + refFreeze.at.ok] !== 1) return;
  const expect = e.args[e.at + refFreeze.at.expect]!;
  // A put that is recorded late leaves the integral above `expect`; it is still to come, so the rest stays.
  if (c.countGrade[row] === UNKNOWN) {
    c.count[row] = 0;
    c.countGrade[row] = SAMPLED;
  } else {
    c.count[row]! -= expect;
    compareCount(s, e.seq, row, e.args[e.at + refFreeze.at.count]!, Number.NaN);
  }
  c.life[row] = LIFE_FROZEN;
  c.refPid[row] = task.pid;
  c.refSeq[row] = e.seq;
  // No holder but the freezer: whoever had a reference through GUP has put it.
  if (c.hold[row] !== 0) s.holds.dropAll(row, true);
  c.pins[row] = 0;
}

function onUnfreeze(s: MmState, e: Cursor, task: Task): void {
  const row = s.pages.ensure(e.args[e.at + refUnfreeze.at.pfn]!, e.seq);
  const c = s.pages.col;
  c.life[row] = LIFE_ALLOCATED;
  if (c.countGrade[row] === UNKNOWN) {
    c.count[row] = e.args[e.at + refUnfreeze.at.value]!;
    c.countGrade[row] = SAMPLED;
  } else {
    c.count[row]! += e.args[e.at + refUnfreeze.at.value]!;
    compareCount(s, e.seq, row, e.args[e.at + refUnfreeze.at.count]!, Number.NaN);
  }
  c.refPid[row] = task.pid;
  c.refSeq[row] = e.seq;
  noteSize(s, row, e.args[e.at + refUnfreeze.at.flags]!);
  noteFlags(
    s,
    e.seq,
    row,
    e.args[e.at + refUnfreeze.at.flags]!,
    e.args[e.at + refUnfreeze.at.mapping]!,
    Tasks.actor(e),
  );
}

function onAlloc(s: MmState, e: Cursor, task: Task): void {
  const first = e.args[e.at + pageAlloc.at.pfn]!;
  const order = e.args[e.at + pageAlloc.at.order]!;
  if (Number.isNaN(first)) return;
  s.sources.alloc = true;
  const size = Number.isNaN(order) ? 1 : 2 ** order;
  for (let pfn = first; pfn < first + size; pfn++) {
    let row = s.pages.find(pfn);
    if (row < 0) {
      if (pfn > first) continue;
      row = s.pages.ensure(pfn, e.seq);
    }
    const c = s.pages.col;
    // page_ref_set comes just before, from the same task; then the generation has begun already.
    const announced =
      c.life[row] === LIFE_ALLOCATED &&
      c.countGrade[row] === EXACT &&
      c.refPid[row] === task.pid &&
      c.count[row] === 1;
    if (!announced) {
      if (pfn === first) s.sources.filtered = true;
      if (c.slot[row] !== 0) s.ptes.forgetPage(row, e.seq);
      if (c.hold[row] !== 0) s.holds.dropAll(row, true);
      s.pages.begin(row, e.seq, LIFE_ALLOCATED);
      c.map[row] = 0;
      c.mapGrade[row] = SAMPLED;
      // The count is 1, but page_ref is filtered or not recorded: what follows may not be told, so it is not integrated.
    }
    c.order[row] = pfn === first ? order : 0;
    c.large[row] = order > 0 ? 1 : 0;
  }
}

function freePages(s: MmState, e: Cursor, first: number, size: number, bit: number): void {
  for (let pfn = first; pfn < first + size; pfn++) {
    const row = pfn === first ? s.pages.ensure(pfn, e.seq) : s.pages.find(pfn);
    if (row < 0) continue;
    if (s.pages.col.life[row] !== LIFE_FREE) endGeneration(s, e, row);
    s.pages.col.freed[row]! |= bit;
  }
}

/** Bits of `freed`: which of the two tracepoints told the free. */
export const FREED_ONCE = 1;
export const FREED_BATCHED = 2;

function onFree(s: MmState, e: Cursor): void {
  const order = e.args[e.at + pageFree.at.order]!;
  s.sources.free = true;
  freePages(s, e, e.args[e.at + pageFree.at.pfn]!, Number.isNaN(order) ? 1 : 2 ** order, FREED_ONCE);
}

function onFreeBatched(s: MmState, e: Cursor): void {
  freePages(s, e, e.args[e.at + pageFreeBatched.at.pfn]!, 1, FREED_BATCHED);
}

/** Whether a page exists for an argument: known, and not "none". */
export function isPage(pfn: number): boolean {
  return pfn >= 0;
}

/** Actor key of an event, for handlers that compare tasks. */
export const actorOf = Tasks.actor;

export const refFolds: readonly Fold[] = [
  fold(refAdd, onAdd),
  fold(refRefused, onRefused),
  fold(refSet, onSet),
  fold(refFreeze, onFreeze),
  fold(refUnfreeze, onUnfreeze),
  fold(pageAlloc, onAlloc),
  fold(pageFree, onFree),
  fold(pageFreeBatched, onFreeBatched),
];
