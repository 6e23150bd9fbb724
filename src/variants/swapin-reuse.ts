import { type Known, type Ranges, weighFacts } from './facts.ts';
import { type AxisValue, type Ruling, rule } from './variant.ts';

/** A page that do_swap_page is about to map for a write fault: locked by the task, PTL held. */
export type SwapinPage = {
  readonly ksm: boolean;
  /** It came from the swap cache, or was put there: others may have seen it. */
  readonly swapcache: boolean;
  /** The swap PTE carries the exclusive bit (5.19 on). */
  readonly exclusive: boolean;
  /** References when the test is made; the swap cache's is one. */
  readonly count: number;
  /** PTEs that map it already. */
  readonly mappings: number;
  /** Swap PTEs of its slot, the faulting one among them. */
  readonly swapcount: number;
  readonly writeback: boolean;
  readonly stableWrites: boolean;
  /** The fault is a write. */
  readonly write: boolean;
};

/** Mapped writable at once, or read-only: then do_wp_page decides in the same fault. */
export type SwapinOutcome = 'writable' | 'read-only';

/** One value of the axis: whether do_swap_page maps the page writable at once. */
export interface SwapinRule extends AxisValue {
  readonly procedure: (page: SwapinPage) => Ruling<SwapinOutcome>;
  decide(known: Known<SwapinPage>): Ruling<SwapinOutcome>;
}

export const SWAPIN_RANGES: Ranges<SwapinPage> = {
  ksm: [false, true],
  swapcache: [true, false],
  exclusive: [true, false],
  count: [1, 2, 3],
  mappings: [0, 1],
  swapcount: [1, 2],
  writeback: [false, true],
  stableWrites: [false, true],
  write: [true, false],
};

const writable = (reason: string): Ruling<SwapinOutcome> => rule('writable', reason);
const readOnly = (reason: string): Ruling<SwapinOutcome> => rule('read-only', reason);

/** page_mapcount() is still 0 and the own swap PTE still counts: 0 + 1 == 1 (domain of can_share_swap_page). */
function soleByCounts(page: SwapinPage): Ruling<SwapinOutcome> {
  if (!page.write) return readOnly('read fault');
  const users = page.mappings + page.swapcount;
  return users === 1 ? writable('sole mapping') : readOnly('shared');
}

function reuseSwapPage(page: SwapinPage): Ruling<SwapinOutcome> {
  if (!page.write) return readOnly('read fault');
  if (page.ksm) return readOnly('ksm');
  if (page.mappings + page.swapcount !== 1) return readOnly('shared');
  if (page.swapcache && page.writeback && page.stableWrites) return readOnly('stable writes');
  return writable('sole mapping');
}

/** swap_free came first: the slot's other users are what is left of the count. */
function soleByReferences(page: SwapinPage): Ruling<SwapinOutcome> {
  if (page.ksm) return readOnly('ksm');
  if (!page.swapcache) return writable('never in the swap cache');
  const freed = page.write && page.count === 2 && page.swapcount === 1 && !page.writeback;
  if (page.count - (freed ? 1 : 0) !== 1)
    return readOnly(page.swapcount > 1 ? 'shared' : page.count > 2 ? 'references' : 'swap in use');
  return writable(freed ? 'swap freed' : 'sole reference');
}

function exclusiveEntry(page: SwapinPage): Ruling<SwapinOutcome> {
  const kept = page.exclusive && !(page.swapcache && page.writeback && page.stableWrites);
  return kept && !page.ksm ? writable('exclusive swap entry') : soleByReferences(page);
}

function swapinRule(spec: Omit<SwapinRule, 'decide'>): SwapinRule {
  return { ...spec, decide: (known) => weighFacts(known, SWAPIN_RANGES, spec.procedure) };
}

/** Values of the axis, in the order of the rules of do_wp_page that they came with. */
export const SWAPIN_RULES: readonly SwapinRule[] = [
  swapinRule({
    id: 'can-share',
    era: '2.6.7 to 2.6.28',
    source: 'history.git c475a8ab625d; mm/swapfile.c:can_share_swap_page',
    table: [
      { when: 'a write fault, mapcount + swapcount is 1', does: 'map writable; the swap cache stays' },
      { when: 'otherwise', does: 'map read-only' },
    ],
    procedure: soleByCounts,
  }),
  swapinRule({
    id: 'hugh',
    era: 'never merged (patch on 2.6.26-rc7)',
    source: 'Hugh Dickins to Robin Holt, 2008-06-23',
    table: [
      {
        when: 'a write fault, mapcount + swapcount is 1',
        does: 'take it out of the swap cache unless under writeback, map writable',
      },
      { when: 'otherwise', does: 'map read-only' },
    ],
    procedure: soleByCounts,
  }),
  swapinRule({
    id: 'reuse-swap-page',
    era: '2.6.29 to 5.17',
    source: '7b1fe59793e6; mm/swapfile.c:reuse_swap_page',
    table: [
      { when: 'a read fault', does: 'map read-only' },
      { when: 'KSM page', does: 'map read-only' },
      { when: 'mapcount + swapcount is not 1', does: 'map read-only' },
      { when: 'under writeback to a device that needs stable pages (4.10 on)', does: 'map read-only' },
      { when: 'otherwise', does: 'take it out of the swap cache unless under writeback, map writable' },
    ],
    procedure: reuseSwapPage,
  }),
  swapinRule({
    id: 'refcount',
    era: '5.18',
    source: 'c145e0b47c77',
    table: [
      { when: 'KSM page', does: 'map read-only' },
      { when: 'never in the swap cache', does: 'map writable if the fault is a write' },
      { when: 'a write fault, refcount is 2, no other user of the slot', does: 'free the slot' },
      { when: 'refcount is 1', does: 'map writable if the fault is a write' },
      { when: 'otherwise', does: 'map read-only' },
    ],
    procedure: (page) => (page.write ? soleByReferences(page) : readOnly('read fault')),
  }),
  swapinRule({
    id: 'exclusive',
    era: '5.19 to 6.4',
    source: '1493a1917e34, 6c287605fd56',
    table: [
      {
        when: 'exclusive swap entry, not under writeback to a device that needs stable pages',
        does: 'AnonExclusive; map writable if the fault is a write',
      },
      { when: 'otherwise', does: 'as refcount; where it maps writable, AnonExclusive' },
    ],
    procedure: (page) => (page.write ? exclusiveEntry(page) : readOnly('read fault')),
  }),
  swapinRule({
    id: 'exclusive-read',
    era: '6.5 on (read at 6.12)',
    source: 'mm/memory.c:do_swap_page at 6.12',
    table: [
      { when: 'as exclusive', does: 'as exclusive' },
      {
        when: 'a read fault on a page that is exclusive, in a writable mapping without userfaultfd or soft-dirty',
        does: 'map writable',
      },
    ],
    procedure: exclusiveEntry,
  }),
];
