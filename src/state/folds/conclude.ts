import { PG_HEAD, PG_LRU, PG_OWNER_PRIV_1, PG_SWAPBACKED, PG_WRITEBACK } from '../../core/pageflags.ts';
import { MAPPING_ANON, MAPPING_FILE, MAPPING_KSM } from '../../events/flags.ts';
import { pteAccess, pteClearFlush, rmapMove, rmapNew, wpCopy, wpReuse, wpTest } from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import type { Decision, Inputs, Outcome, OutcomeBy, Sample, WpBracket } from '../decision.ts';
import { TRI_FALSE, TRI_TRUE, TRI_UNKNOWN } from '../pages.ts';
import type { MmState } from '../state.ts';
import { tellsPtes } from './rmap.ts';
import { exclusiveIn } from './watch.ts';

function tri(value: number): boolean | undefined {
  return value === TRI_TRUE ? true : value === TRI_FALSE ? false : undefined;
}

function seen(s: MmState, kind: { readonly code: number }): boolean {
  return s.sources.seen[kind.code] === 1;
}

/** What became of the fault, and by which event that is known. */
function outcomeOf(s: MmState, e: Cursor, wp: WpBracket): { outcome: Outcome; by: OutcomeBy; seq: number } {
  if (wp.reuse !== null) return { outcome: 'reuse', by: 'probe', seq: wp.reuse.seq };
  // A copy is committed only once the PTE was cleared and the new page entered; a copy that found the PTE changed is none.
  if (!Number.isNaN(wp.newPfn) && (wp.clearSeq > 0 || !seen(s, pteClearFlush)))
    return { outcome: 'copy', by: wp.copy === null ? 'inferred' : 'probe', seq: wp.newSeq };
  if (wp.clearSeq > 0 && !seen(s, rmapNew)) return { outcome: 'copy', by: 'inferred', seq: wp.clearSeq };
  if (wp.uffd) return { outcome: 'wait', by: 'inferred', seq: e.seq };
  if (wp.copy !== null) return { outcome: 'copy', by: 'probe', seq: wp.copy.seq };
  if (wp.accessSeq > 0) return { outcome: 'reuse', by: 'inferred', seq: wp.accessSeq };
  if (wp.waited) return { outcome: 'wait', by: 'inferred', seq: e.seq };
  if (wp.moved) return { outcome: wp.unshare ? 'noop' : 'reuse', by: 'inferred', seq: wp.decidedSeq };
  if (wp.unshare) return { outcome: 'noop', by: 'inferred', seq: e.seq };
  // Neither step was seen. That tells a reuse only where the probes of a copy are live and no probe would show the reuse.
  if (seen(s, pteClearFlush) && seen(s, rmapNew) && !seen(s, wpReuse) && !seen(s, pteAccess))
    return { outcome: 'reuse', by: 'absence', seq: e.seq };
  return { outcome: 'unknown', by: 'none', seq: e.seq };
}

/** What kind of page the decision was about. */
function pageOf(s: MmState, wp: WpBracket, sample: Sample | null): Decision['page'] {
  if (wp.noPage) return 'zero';
  const mapping = wp.mappingBefore - 1;
  if (mapping === MAPPING_KSM) return 'ksm';
  // Anonymous memory that is not swap backed is lazily freed; a page that was freed unseen may be file memory by now.
  const backed = flag(sample, PG_SWAPBACKED) !== false;
  if (wp.test !== null || (mapping === MAPPING_ANON && backed)) return 'anon';
  if (mapping === MAPPING_FILE) return wp.copy !== null || wp.clearSeq > 0 ? 'private-file' : 'shared';
  if (sample !== null && !Number.isNaN(sample.flags)) {
    // Page cache that is not shmem is never swapbacked; shmem under a private mapping is told by `mapping=` alone.
    if (!(sample.flags & PG_SWAPBACKED))
      return wp.copy !== null || wp.clearSeq > 0 ? 'private-file' : 'shared';
    if (seen(s, wpTest) && wp.exclusiveBefore === TRI_TRUE) return 'anon';
  }
  return wp.exclusiveBefore === TRI_TRUE || wp.moved ? 'anon' : 'unknown';
}

/** AnonExclusive as the decision found it. */
function exclusiveAt(
  s: MmState,
  wp: WpBracket,
  outcome: Outcome,
): { value: boolean | undefined; seq: number } {
  const first = exclusiveIn(wp.first);
  if (
    first !== undefined &&
    wp.first !== null &&
    (wp.decidedSeq === 0 || wp.first.seq <= wp.decidedSeq || outcome === 'copy')
  ) {
    return { value: first, seq: wp.first.seq };
  }
  // folio_move_anon_rmap is called only for a page that was not exclusive and passed the test (memory.c, 5.19 on).
  if (wp.moved) return { value: false, seq: wp.decidedSeq };
  if (wp.test !== null && !wp.test.ofHead) return { value: exclusiveIn(wp.test) ?? false, seq: wp.test.seq };
  const reuse = exclusiveIn(wp.reuse);
  if (reuse !== undefined && wp.reuse !== null) return { value: reuse, seq: wp.reuse.seq };
  // A reuse that did not go through the test: it was exclusive. Rests on the absence of rmap.move, so it proves nothing.
  if (outcome === 'reuse' && wp.accessSeq > 0 && seen(s, rmapMove)) return { value: true, seq: 0 };
  return { value: tri(wp.exclusiveBefore), seq: 0 };
}

function flag(sample: Sample | null, bit: number): boolean | undefined {
  return sample === null || Number.isNaN(sample.flags) ? undefined : (sample.flags & bit) !== 0;
}

function isKnown(value: number): boolean {
  return !Number.isNaN(value);
}

function readAfter(sample: Sample | null): boolean {
  return sample !== null && !Number.isNaN(sample.count);
}

/** Turns a do_wp_page bracket that returned into a decision. */
export function concludeWp(s: MmState, e: Cursor, wp: WpBracket): Decision {
  const { outcome, by, seq } = outcomeOf(s, e, wp);
  const sample = wp.test ?? wp.first ?? wp.copy ?? wp.reuse;
  const page = pageOf(s, wp, sample);
  const exclusive =
    page === 'anon' ? exclusiveAt(s, wp, outcome) : { value: page === 'unknown' ? undefined : false, seq: 0 };
  // What was read after the decision bounds what was there at it: references may have come and gone in between.
  const told = [
    wp.leastCount,
    wp.lastCount,
    wp.ownLock?.count ?? Number.NaN,
    wp.reuse?.count ?? Number.NaN,
    (wp.copy?.count ?? Number.NaN) - 1,
  ].filter(isKnown);
  const readings = [...told, ...[wp.countMin, wp.countMax].filter(isKnown)];
  // Draining this CPU's LRU batches takes a batch's reference away before the test that counts; a later reading shows it.
  const later =
    wp.lastCountSeq > (sample?.seq ?? 0) ||
    readAfter(wp.ownLock) ||
    readAfter(wp.reuse) ||
    readAfter(wp.copy);
  const drainable = flag(sample, PG_LRU) === false && !later ? 1 : 0;
  const mapSample = wp.test ?? wp.copy ?? wp.reuse ?? wp.first;
  // What was folded counts only where every way to gain a mapping is told: rmap, and the PTEs of forks.
  const folded = s.tellsMappings && tellsPtes(s) ? wp.mapBefore : Number.NaN;
  const mappings = mapSample !== null && mapSample.mapcount >= -1 ? mapSample.mapcount + 1 : folded;
  const swapcache = flag(sample, PG_OWNER_PRIV_1) ?? tri(wp.swapcacheBefore);
  const row = s.pages.find(wp.pfn);
  const inputs: Inputs = {
    exclusive: exclusive.value,
    exclusiveSeq: exclusive.seq,
    anon: page === 'anon' || page === 'ksm' ? true : page === 'unknown' ? undefined : false,
    ksm: page === 'ksm' ? true : page === 'unknown' || wp.mappingBefore === TRI_UNKNOWN ? undefined : false,
    large: flag(sample, PG_HEAD) ?? (wp.largeBefore ? true : undefined),
    swapcache: page === 'anon' || page === 'ksm' ? swapcache : undefined,
    count: Number.isNaN(wp.lastCount)
      ? wp.countMin === wp.countMax
        ? wp.countMin
        : Number.NaN
      : wp.lastCount,
    countTold: told.length > 0,
    countLow: readings.length === 0 ? Number.NaN : Math.max(1, Math.min(...readings) - drainable),
    countHigh: readings.length === 0 ? Number.NaN : Math.max(...readings),
    mappings,
    mappingsTold: mapSample !== null && mapSample.mapcount >= -1,
    swapcount:
      row >= 0 && !Number.isNaN(s.pages.col.entry[row]!) ? s.swap.users(s.pages.col.entry[row]!) : Number.NaN,
    onLru: flag(sample, PG_LRU),
    locked: wp.ownLock !== null ? false : wp.lockedSample === true ? true : undefined,
    writeback: flag(sample, PG_WRITEBACK),
    swapFreed: wp.swapFreed,
    unshare: wp.unshare,
  };
  return {
    seq: wp.seq,
    endSeq: e.seq,
    outcomeSeq: seq,
    ns: wp.ns,
    cpu: wp.cpu,
    pid: wp.pid,
    mm: wp.mm,
    va: wp.va,
    pfn: wp.pfn,
    newPfn: outcome === 'copy' ? wp.newPfn : Number.NaN,
    outcome,
    committed: outcome === 'copy' && (!Number.isNaN(wp.newPfn) || wp.clearSeq > 0),
    outcomeBy: by,
    page,
    inputs,
    wp,
  };
}

/** Names of the probes whose absence or presence the outcome rests on, for reports. */
export const OUTCOME_PROBES: readonly string[] = [
  wpCopy.name,
  wpReuse.name,
  pteClearFlush.name,
  rmapNew.name,
  pteAccess.name,
];
