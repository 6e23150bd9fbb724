import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { Divergence } from '../../src/checks/finding.ts';
import { PLAIN, REPORT_COLUMNS } from '../../src/report/style.ts';
import { analysisText } from '../../src/report/text.ts';
import { expectGolden } from '../golden.ts';
import { analysis, divergence, facts, PLACE } from './sample.ts';

const at = (seq: number): typeof PLACE => ({ ...PLACE, seq, ns: seq * 1000, pfn: PLACE.pfn! + (seq % 7) });

/** Stories that reports tell: one of each check, and what may go wrong with a trace. */
const STORIES: Readonly<Record<string, Parameters<typeof analysis>[0]>> = {
  clean: {},
  'nothing-known': {
    variant: null,
    trace: facts({
      kernel: null,
      arch: null,
      clock: null,
      originNs: 0n,
      firstNs: null,
      lastNs: null,
      records: 0,
      events: 0,
      cpus: [],
      tasks: [],
      histogram: new Map(),
    }),
    coverage: [],
    decisions: {
      reuse: 0,
      copy: 0,
      wait: 0,
      unknown: 0,
      byReason: { reuse: {}, copy: {} },
      byTask: [],
      notJudged: {},
    },
    fidelity: analysis().fidelity,
  },
  'one-lane': { divergences: [divergence()] },
  'two-lanes': { divergences: [inLanes([null, 61, 4711, 4711, 61])] },
  'three-tasks': { divergences: [inLanes([4720, 61, 4711, 4711, 4720])] },
  group: {
    auto: { best: '6.12', also: ['5.19', '6.1'], agreed: 6109, judged: 6109 },
    divergences: [
      divergence({
        count: 1346,
        lastSeq: 60417,
        members: [PLACE, ...[51002, 52003, 53004, 54005, 60417].map(at)],
        consequences: [
          {
            check: 'gup-pin-broken-by-cow',
            severity: 'critical',
            verdict: 'proven',
            evidence: [{ seq: 48219, role: 'harm', text: 'PTE 0x17ac9 -> 0x1b240 while pinned' }],
          },
        ],
      }),
    ],
  },
  suspect: {
    divergences: [
      divergence({
        verdict: 'suspect',
        severity: 'high',
        missing:
          'the page was unknown when it was pinned: add the probe gup_put_folio, or trace from before the pin',
      }),
    ],
  },
  notes: {
    divergences: ['lru-batch', 'own-gup', 'mmu-gather', 'made-up'].map((cause, i) =>
      divergence({
        id: `d${i + 1}`,
        check: 'unexpected-cow',
        severity: 'info',
        cause,
        count: i + 1,
        lastSeq: 48300 + i,
      }),
    ),
  },
  many: {
    divergences: Array.from({ length: 13 }, (_, i) =>
      divergence({ id: `d${i + 1}`, firstSeq: 100 + i, lastSeq: 100 + i, evidence: [], values: {} }),
    ),
  },
  trouble: {
    interrupted: true,
    trace: facts({
      clock: 'counter',
      ticks: true,
      originNs: 123n,
      segments: 2,
      lost: [
        { cpu: 0, count: 24_734, afterSeq: 0 },
        { cpu: 1, count: null, afterSeq: 913 },
      ],
      unknownEvents: new Map([
        ['xfs_buf_lock', 12],
        ['net_dev_xmit', 40],
      ]),
      parseErrors: [{ line: 9, text: '\u0007junk', reason: 'no time stamp' }],
      parseErrorCount: 3,
      counters: [
        {
          name: 'lost-records',
          count: 24_734,
          severity: 'data-loss',
          advice: 'Records were overwritten: use a larger buffer.',
        },
        { name: 'markers', count: 2, severity: 'info', advice: 'Markers are skipped.' },
      ],
      truncated: 'gzip stream cut at byte 4,096',
    }),
  },
};

function inLanes(pids: readonly (number | null)[]): Divergence {
  const plain = divergence();
  const cpus = new Map([
    [61, 5],
    [4711, 2],
    [4720, 1],
  ]);
  return {
    ...plain,
    evidence: plain.evidence.map((event, i) => {
      const pid = pids[i] ?? null;
      return { ...event, pid, cpu: pid === null ? null : (cpus.get(pid) ?? null) };
    }),
  };
}

describe('the report of', () => {
  for (const [name, story] of Object.entries(STORIES)) {
    test(name, () => {
      const text = analysisText(analysis(story), PLAIN);
      expectGolden(`report/${name}.txt`, text);
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(REPORT_COLUMNS);
      expect(text).not.toMatch(/[ \t]$/m);
      expect(analysisText(analysis(story), PLAIN)).toBe(text);
    });
  }
});

const CHECKS: ReadonlyArray<readonly [check: string, over: Partial<Divergence>]> = [
  ['unexpected-cow', { cause: 'lru-batch' }],
  ['unexpected-cow-under-reclaim', {}],
  ['gup-pin-broken-by-cow', {}],
  ['missed-cow', { cause: '', values: { sharer: 61, sharers: 2 } }],
  ['cow-leak-through-gup-ref', { cause: '', values: { reader: 4720 } }],
  [
    'policy-mismatch',
    { values: { observed: 'copy', expected: 'reuse', variant: '6.12', reason: 'exclusive' } },
  ],
  [
    'policy-mismatch',
    {
      cause: 'another-variant',
      values: { variant: '6.12', best: '5.9', bestAgreed: 1223, judged: 1223, differing: 346 },
    },
  ],
  ['refcount-underflow', { cause: '', values: {} }],
  ['use-after-free-page', { cause: '', values: { use: 'get_page' } }],
  ['double-free-page', { cause: '', values: { freer: 61 } }],
  ['mapcount-negative', { cause: '', values: {} }],
  ['a-check-without-prose', { cause: 'no-reason', values: { odd: true, level: 3, unknown: null } }],
];

test('every check has its report', () => {
  const divergences = CHECKS.slice(0, -1).map(([check, over], i) =>
    divergence({ id: `d${i + 1}`, check, evidence: [], ...over }),
  );
  expectGolden('report/checks.txt', analysisText(analysis({ divergences }), PLAIN));
  const [check, over] = CHECKS.at(-1)!;
  expectGolden(
    'report/generic.txt',
    analysisText(analysis({ divergences: [divergence({ check, ...over })] }), PLAIN),
  );
});

test('nothing that is not known becomes a number', () => {
  const place = {
    ...PLACE,
    cpu: null,
    pid: null,
    mm: null,
    address: null,
    pfn: null,
    newPfn: null,
    entry: null,
  };
  const found = divergence({
    place,
    members: [place],
    values: { refcount: null, mapcount: null, swapcache: null },
    evidence: [],
  });
  const text = analysisText(analysis({ divergences: [found] }), PLAIN);
  expectGolden('report/unknowns.txt', text);
  expect(text).not.toMatch(/null|undefined|NaN/);
});

test('a task name cannot command the terminal', () => {
  const trace = facts({
    path: 'traces/\u001b[2Jx',
    tasks: [{ pid: 4711, comm: 'a\u001b[31m\u202eb\u009b\u007f', tgid: null }],
    unknownEvents: new Map([['\u2066evil', 1]]),
  });
  const text = analysisText(analysis({ trace, divergences: [divergence()] }), PLAIN);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  expect(text).toContain('a\\x1b[31m\\u202eb\\x9b\\x7f/4711');
});

test('colour changes nothing but colour', () => {
  for (const story of Object.values(STORIES)) {
    const painted = analysisText(analysis(story), picocolors.createColors(true));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what colour consists of
    expect(painted.replace(/\u001b\[\d+m/g, '')).toBe(analysisText(analysis(story), PLAIN));
  }
});
