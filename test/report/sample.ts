import type { Divergence, Place } from '../../src/checks/finding.ts';
import type { Analysis, FidelityCounts, TraceFacts } from '../../src/replay/analysis.ts';

/** A place of the story that these tests tell: app/4711 wrote a page that xpmem/4720 has pinned. */
export const PLACE: Place = {
  seq: 48214,
  ns: 12_345_000,
  cpu: 2,
  pid: 4711,
  mm: -131_941_393_248_256,
  address: 0x7f2a_1c03_e000,
  pfn: 0x17ac9,
  newPfn: 0x1b240,
  entry: 8813,
};

/** The divergence of that story; `over` replaces what a test is about. */
export function divergence(over: Partial<Divergence> = {}): Divergence {
  const place = over.place ?? PLACE;
  return {
    id: 'd1',
    check: 'unexpected-cow-under-reclaim',
    severity: 'critical',
    verdict: 'proven',
    cause: 'page-lock',
    count: 1,
    firstSeq: place.seq,
    lastSeq: place.seq,
    members: [place],
    place,
    values: {
      generation: 3,
      anon: true,
      swapcache: true,
      exclusive: true,
      refcount: 1026,
      mapcount: 1,
      swapcount: 0,
      pins: 1,
      pinned: true,
      pinner: 4720,
      holder: 61,
    },
    evidence: [
      { seq: 48102, role: 'context', text: 'GUP pin of page 0x17ac9: ref 2 -> 1026' },
      { seq: 48207, role: 'cause', text: 'page lock seen held' },
      { seq: 48214, role: 'decision', text: 'copies although AnonExclusive' },
      { seq: 48219, role: 'decision', text: 'PTE pfn 0x17ac9 -> 0x1b240' },
      { seq: 48390, role: 'harm', text: 'pin of page 0x17ac9 dropped: nothing maps it' },
    ],
    missing: null,
    consequences: [],
    fingerprint: '7c41-e09a',
    ...over,
  };
}

const NOTHING: FidelityCounts = { compared: 0, agreed: 0, raced: 0, unknown: 0 };

/** Facts of a trace that has everything; `over` replaces what a test is about. */
export function facts(over: Partial<TraceFacts> = {}): TraceFacts {
  return {
    path: 'traces/story.txt',
    format: 'tracefs text',
    kernel: { release: '6.12', how: 'declared' },
    arch: 'x86-64',
    clock: 'mono',
    ticks: false,
    originNs: 79_000_000_000n,
    records: 61_002,
    events: 61_120,
    firstNs: 0,
    lastNs: 559_553_000,
    cpus: [0, 1, 2, 3, 5],
    tasks: [
      { pid: 61, comm: 'kswapd0', tgid: null },
      { pid: 4711, comm: 'app', tgid: 4711 },
      { pid: 4720, comm: 'xpmem', tgid: 4720 },
    ],
    lost: [],
    segments: 1,
    histogram: new Map([
      ['pte_set', 40_000],
      ['do_wp_page', 6109],
    ]),
    unknownEvents: new Map(),
    parseErrors: [],
    parseErrorCount: 0,
    counters: [],
    truncated: null,
    ...over,
  };
}

/** An analysis without any divergence; `over` replaces what a test is about. */
export function analysis(over: Partial<Analysis> = {}): Analysis {
  return {
    trace: facts(),
    variant: '6.12',
    auto: null,
    fit: null,
    coverage: [
      { check: 'unexpected-cow', judged: 6100, cannotJudge: 0, missing: [] },
      { check: 'missed-cow', judged: 5000, cannotJudge: 9, missing: ['pte.set'] },
      { check: 'refcount-underflow', judged: 0, cannotJudge: 0, missing: ['page.alloc', 'ref.set'] },
      { check: 'double-free-page', judged: 0, cannotJudge: 0, missing: [] },
    ],
    divergences: [],
    decisions: {
      reuse: 5000,
      copy: 1100,
      wait: 0,
      unknown: 9,
      byReason: {
        reuse: { exclusive: 4800, 'sole-reference': 150, 'swap-freed': 50 },
        copy: { shared: 900, references: 150, 'zero-page': 50 },
      },
      byTask: [
        { pid: 4711, reuse: 4000, copy: 900, other: 9 },
        { pid: 4720, reuse: 1000, copy: 200, other: 0 },
      ],
      notJudged: { 'huge-page write faults': 3 },
    },
    givers: { 'pte.set': 'probe' },
    fidelity: {
      refcount: { compared: 4100, agreed: 4100, raced: 12, unknown: 30 },
      mapcount: { compared: 2000, agreed: 2000, raced: 0, unknown: 5 },
      large_mapcount: NOTHING,
      decision: { compared: 6100, agreed: 6100, raced: 0, unknown: 9 },
      swapcount: NOTHING,
      swapcache: NOTHING,
      exclusive: NOTHING,
    },
    interrupted: false,
    ...over,
  };
}
