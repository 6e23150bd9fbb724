import { PG_HEAD, PG_LOCKED, PG_OWNER_PRIV_1, PG_SWAPBACKED } from '../../core/pageflags.ts';
import { PTE_KIND, PTE_NONE, PTE_PRESENT, PTE_SWAP, PTE_WRITE } from '../../core/pte.ts';
import { FAULT_REMOTE, FAULT_UNSHARE, FAULT_WRITE, MAPPING_ANON } from '../../events/flags.ts';
import {
  anonBegin,
  anonEnd,
  faultBegin,
  faultEnd,
  hugeWpBegin,
  hugeWpEnd,
  lockRelease,
  lockWait,
  lruDrain,
  swapinBegin,
  swapinEnd,
  uffdHandle,
  wpBegin,
  wpCopied,
  wpCopy,
  wpEnd,
  wpReuse,
  wpTest,
  wpTested,
} from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import type { Sample, WpBracket } from '../decision.ts';
import { TRI_TRUE } from '../pages.ts';
import { SLOT_UNKNOWN } from '../ptes.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import type { FaultBracket, Task } from '../tasks.ts';
import { abandon, closeWatch, leave, wpFor, wpOf } from './brackets.ts';
import { concludeWp } from './conclude.ts';
import { isSwap, samplePte } from './ptes.ts';
import { noteFlags } from './refs.ts';
import { decide, lookAround, readCount, readFlags } from './watch.ts';

/** A fault tells which mm its task runs on, unless it acts for another process. */
function runsOn(s: MmState, e: Cursor, task: Task, mm: number, flags: number): void {
  if (Number.isNaN(mm) || Number.isNaN(flags) || flags & FAULT_REMOTE || e.pid <= 0) return;
  const row = s.ptes.mm(mm, e.seq);
  // No fault happens on an mm that is being torn down: the pointer has a new owner.
  if (s.ptes.mms.col.dying[row] === 1) s.ptes.renew(mm, e.seq);
  task.mm = mm;
}

function enter(task: Task, kind: FaultBracket['kind'], mm: number, va: number, seq: number): void {
  task.fault = { kind, mm, va: Math.floor(va / 4096) * 4096, seq, outer: task.fault };
}

function sampleOf(
  e: Cursor,
  at: { readonly count: number; readonly mapcount: number; readonly flags: number },
  ofHead: boolean,
): Sample {
  return {
    ofHead,
    seq: e.seq,
    count: e.args[e.at + at.count]!,
    mapcount: e.args[e.at + at.mapcount]!,
    flags: e.args[e.at + at.flags]!,
  };
}

function onWpBegin(s: MmState, e: Cursor, task: Task): void {
  const { mm, va, flags, pte } = wpBegin.at;
  const a = e.args;
  const o = e.at;
  const bits = a[o + pte]!;
  const frame = a[o + pte + 1]!;
  const present = !Number.isNaN(bits) && (bits & PTE_KIND) === PTE_PRESENT;
  leave(s, task, 'wp');
  runsOn(s, e, task, a[o + mm]!, a[o + flags]!);
  samplePte(s, e.seq, a[o + mm]!, a[o + va]!, bits, frame);
  const pfn = present ? frame : Number.NaN;
  const row = Number.isNaN(pfn) ? -1 : s.pages.ensure(pfn, e.seq);
  const c = s.pages.col;
  const count = row < 0 ? Number.NaN : s.pages.count(row);
  const wp: WpBracket = {
    kind: 'wp',
    mm: a[o + mm]!,
    va: Math.floor(a[o + va]! / 4096) * 4096,
    seq: e.seq,
    outer: task.fault,
    ns: e.ns,
    cpu: e.cpu,
    pid: task.pid,
    pfn,
    pteBits: bits,
    unshare: Number.isNaN(a[o + flags]!) ? undefined : (a[o + flags]! & FAULT_UNSHARE) !== 0,
    gen: row < 0 ? 0 : c.gen[row]!,
    exclusiveBefore: row < 0 ? 0 : c.exclusive[row]!,
    swapcacheBefore: row < 0 ? 0 : c.swapcache[row]!,
    mappingBefore: row < 0 ? 0 : c.mapping[row]!,
    mapBefore: row < 0 || !s.tellsMappings ? Number.NaN : s.pages.mappings(row),
    largeBefore: row >= 0 && c.large[row] === 1,
    lockPid: -1,
    lockSeq: 0,
    isolatorPid: -1,
    isolatorSeq: 0,
    lockReclaim: false,
    isolatorReclaim: false,
    unmappedSharers: [],
    gatherSeq:
      row >= 0 && c.mapDelta[row]! < 0 && c.mapPid[row] !== task.pid && c.refSeq[row]! < c.mapSeq[row]!
        ? c.mapSeq[row]!
        : 0,
    countMin: count,
    countMax: count,
    first: null,
    test: null,
    tested: undefined,
    moved: false,
    copy: null,
    noPage: false,
    copied: false,
    reuse: null,
    accessSeq: 0,
    clearSeq: 0,
    newPfn: Number.NaN,
    newSeq: 0,
    swapFreed: undefined,
    ownLock: null,
    waited: false,
    drained: false,
    uffd: false,
    decided: false,
    decidedSeq: 0,
    lastCount: Number.NaN,
    lastCountSeq: 0,
    leastCount: Number.NaN,
    countAfter: Number.NaN,
    lockedSample: undefined,
    lockedSeq: 0,
  };
  task.fault = wp;
  if (row >= 0) {
    lookAround(s, wp);
    c.watched[row] = Math.min(255, c.watched[row]! + 1);
    s.open.push(wp);
  }
}

/** do_wp_page marks the page once its test succeeded, before it makes the PTE writable (memory.c, 5.19 on). */
function becomesExclusive(s: MmState, wp: WpBracket): void {
  const row = s.pages.find(wp.pfn);
  if (row >= 0 && s.pages.col.mapping[row] === MAPPING_ANON + 1) s.pages.col.exclusive[row] = TRI_TRUE;
}

function onUnlock(s: MmState, e: Cursor, task: Task): void {
  const { pfn, count, flags } = lockRelease.at;
  const page = e.args[e.at + pfn]!;
  if (!(page >= 0)) return;
  const row = s.pages.ensure(page, e.seq);
  noteFlags(s, e.seq, row, e.args[e.at + flags]!, Number.NaN, task.pid);
  s.locks.drop(page);
  s.pages.col.unlockSeq[row] = e.seq;
  s.pages.col.unlockPid[row] = task.pid;
  task.unlocking = page;
  const wp = wpOf(task);
  if (wp !== null && wp.pfn === page) {
    const sample = {
      seq: e.seq,
      ofHead: false,
      count: e.args[e.at + count]!,
      mapcount: Number.NaN,
      flags: e.args[e.at + flags]!,
    };
    if (!wp.decided) {
      if (wp.first === null && !wp.moved && !Number.isNaN(sample.flags)) wp.first = sample;
      readCount(wp, sample.count, e.seq);
    }
    // A copy frees the swap of the page that it left, under a lock of its own (mm/swap_state.c:free_swap_cache).
    if (!wp.decided || wp.moved) wp.ownLock = sample;
  }
}

export const faultFolds: readonly Fold[] = [
  fold(faultBegin, (s, e, task) => {
    const { mm, va, flags } = faultBegin.at;
    runsOn(s, e, task, e.args[e.at + mm]!, e.args[e.at + flags]!);
    // Faults do not nest: what is still open was left unseen.
    if (task.fault !== null && s.sources.seen[faultEnd.code] === 1) s.unended++;
    abandon(s, task, null);
    enter(task, 'fault', e.args[e.at + mm]!, e.args[e.at + va]!, e.seq);
  }),
  fold(faultEnd, (s, _e, task) => leave(s, task, 'fault')),
  fold(anonBegin, (s, e, task) => {
    const { mm, va, flags } = anonBegin.at;
    runsOn(s, e, task, e.args[e.at + mm]!, e.args[e.at + flags]!);
    enter(task, 'anon', e.args[e.at + mm]!, e.args[e.at + va]!, e.seq);
    samplePte(s, e.seq, e.args[e.at + mm]!, e.args[e.at + va]!, PTE_NONE, 0);
  }),
  fold(anonEnd, (s, _e, task) => leave(s, task, 'anon')),
  fold(swapinBegin, (s, e, task) => {
    const { mm, va, flags, pte } = swapinBegin.at;
    const bits = e.args[e.at + pte]!;
    runsOn(s, e, task, e.args[e.at + mm]!, e.args[e.at + flags]!);
    enter(task, 'swapin', e.args[e.at + mm]!, e.args[e.at + va]!, e.seq);
    if (isSwap(bits))
      samplePte(s, e.seq, e.args[e.at + mm]!, e.args[e.at + va]!, bits, e.args[e.at + pte + 1]!);
    if (e.args[e.at + flags]! & FAULT_WRITE && !Number.isNaN(bits) && (bits & PTE_KIND) === PTE_SWAP)
      s.countNotJudged('swap-in write fault');
  }),
  fold(swapinEnd, (s, _e, task) => leave(s, task, 'swapin')),
  fold(hugeWpBegin, (s, e, task) => {
    enter(task, 'huge-wp', e.args[e.at + hugeWpBegin.at.mm]!, e.args[e.at + hugeWpBegin.at.va]!, e.seq);
    s.countNotJudged('huge-page write fault');
  }),
  fold(hugeWpEnd, (s, _e, task) => leave(s, task, 'huge-wp')),

  fold(wpBegin, onWpBegin),
  fold(wpTest, (s, e, task) => {
    const folio = e.args[e.at + wpTest.at.pfn]!;
    const sample = sampleOf(e, wpTest.at, folio !== (wpOf(task)?.pfn ?? folio));
    const wp = wpFor(s, task, folio, Number.NaN, (sample.flags & PG_HEAD) !== 0);
    if (wp === null) return;
    lookAround(s, wp);
    readFlags(wp, sample);
    wp.test = sample;
    readCount(wp, sample.count, e.seq);
  }),
  fold(wpTested, (_s, e, task) => {
    const wp = wpOf(task);
    if (wp === null) return;
    wp.tested = e.args[e.at + wpTested.at.ok] === 1;
    // Not the sole user: what changes from here on is no input any more.
    if (!wp.tested) decide(wp, e.seq);
  }),
  fold(wpCopy, (s, e, task) => {
    const page = e.args[e.at + wpCopy.at.pfn]!;
    const sample = sampleOf(e, wpCopy.at, false);
    const wp = wpFor(s, task, page, e.args[e.at + wpCopy.at.va]!, (sample.flags & PG_HEAD) !== 0);
    if (wp === null) return;
    if (page === -1) wp.noPage = true;
    if (!wp.decided) {
      readFlags(wp, sample);
      readCount(wp, sample.count - 1, e.seq);
    } else if (wp.ownLock === null && wp.lockedSample === undefined && !Number.isNaN(sample.flags)) {
      wp.lockedSample = (sample.flags & PG_LOCKED) !== 0;
      wp.lockedSeq = e.seq;
    }
    if (wp.first === null && !Number.isNaN(sample.flags)) wp.first = sample;
    wp.copy = sample;
    decide(wp, e.seq);
    if (page >= 0) noteFlags(s, e.seq, s.pages.ensure(page, e.seq), sample.flags, Number.NaN, task.pid);
  }),
  fold(wpCopied, (_s, _e, task) => {
    const wp = wpOf(task);
    if (wp !== null) wp.copied = true;
  }),
  fold(wpReuse, (s, e, task) => {
    // The page is told, the flags are read of its folio.
    const flags = e.args[e.at + wpReuse.at.flags]!;
    const sample = sampleOf(e, wpReuse.at, (flags & PG_HEAD) !== 0);
    const page = e.args[e.at + wpReuse.at.pfn]!;
    const wp = wpFor(s, task, page, e.args[e.at + wpReuse.at.va]!, (sample.flags & PG_HEAD) !== 0);
    if (wp === null) return;
    if (!wp.decided) {
      readFlags(wp, sample);
      readCount(wp, sample.count, e.seq);
    }
    wp.reuse = sample;
    decide(wp, e.seq);
    becomesExclusive(s, wp);
    if (page >= 0 && !sample.ofHead)
      noteFlags(s, e.seq, s.pages.ensure(page, e.seq), sample.flags, Number.NaN, task.pid);
    // x86 sets the write bit without a pte.set (P6 b); ptep_set_access_flags tells the word where it is probed.
    const owner = s.ptes.mm(wp.mm, e.seq);
    const slot = s.ptes.slotAt(owner, wp.va);
    if (slot >= 0 && s.ptes.know[slot] !== SLOT_UNKNOWN) s.ptes.bits[slot]! |= PTE_WRITE;
  }),
  fold(wpEnd, (s, e, task) => {
    for (let at = task.fault; at !== null; at = at.outer) {
      if (at.kind !== 'wp') continue;
      const wp = at as WpBracket;
      task.fault = wp.outer;
      if (wp.moved) becomesExclusive(s, wp);
      closeWatch(s, wp);
      s.decision = concludeWp(s, e, wp);
      return;
    }
  }),
  fold(uffdHandle, (_s, _e, task) => {
    const wp = wpOf(task);
    if (wp !== null) wp.uffd = true;
  }),
  fold(lockWait, (s, e, task) => {
    s.locks.wait({ pfn: e.args[e.at + lockWait.at.pfn]!, pid: task.pid, seq: e.seq, ns: e.ns, cpu: e.cpu });
    const wp = wpOf(task);
    if (wp !== null) wp.waited = true;
  }),
  fold(lruDrain, (s, e, task) => {
    s.lru.drain(e.cpu, e.seq);
    const wp = wpOf(task);
    if (wp !== null) wp.drained = true;
  }),
  fold(lockRelease, onUnlock),
];

/** Swap cache membership in a sample of flags of an anon page; undefined if there is none. */
export function swapcacheIn(sample: Sample | null): boolean | undefined {
  if (sample === null || Number.isNaN(sample.flags) || !(sample.flags & PG_SWAPBACKED)) return undefined;
  return (sample.flags & PG_OWNER_PRIV_1) !== 0;
}
