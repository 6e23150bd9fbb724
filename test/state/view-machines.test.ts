import { expect, test } from 'vitest';
import { machinesJson, machinesText } from '../../src/report/state-machines.ts';
import { FOLDS } from '../../src/state/folds/index.ts';
import { MmState } from '../../src/state/state.ts';
import type { StateScope } from '../../src/state/view.ts';
import { events, WORLD } from '../notation.ts';

const EVERYTHING: StateScope = { pfn: null, mm: null, pid: null, address: null, entry: null };
const { mm: A, va: VA } = WORLD;
const P = 0x2000;
const H = 0x8000;

/** Each machine is caught in the middle of something. */
const STORY = `
  0 10 page.alloc pfn=${H} order=9
  0 10 rmap.new pfn=${H} mm=A va=a exclusive=yes
  0 11 thp.split.begin pfn=${H} order=0
  0 10 swap.alloc entry=swap:7 nr=1
  0 12 swap.free-cache.begin entry=swap:7 nr=1
  0 30 ksm.node pfn=${P + 1}
  1 40 mig.unmap.begin pfn=${P + 2} mm=A va=a+1
  1 40 mig.entry va=a+1 pte=${P + 2}:m
  0 13 thp.collapse.begin mm=A va=b
  0 13 pmd.clear mm=A value=none
  0 13 thp.isolate.begin mm=A va=b
  0 14 mn.start mm=A start=a end=a+8
  0 15 spte.set dev=1 mm=A va=a+2 pfn=${P + 3} write=yes
  2 16 lru.add pfn=${P + 4}
  0 17 ref.add pfn=${P + 5} delta=1 count=2 mapcount=-1 flags=swapbacked mapping=anon
  0 17 wb.start pfn=${P + 5}
  0 18 tlb.defer mm=A va=a+3
  0 19 protect.begin mm=A start=a+4 end=a+5 uffdwp=yes
  0 20 fork.begin parent=A child=C start=a end=a+8
  0 21 lock.try pfn=${P + 6} ok=yes
  0 22 ptl.lock mm=A va=a
`;

function at(scope: Partial<StateScope> = {}): Record<string, unknown> {
  const s = new MmState(FOLDS);
  s.applyAll(events(STORY));
  return machinesJson(s, { ...EVERYTHING, ...scope }) as Record<string, unknown>;
}

test('every machine in the middle of something is shown', () => {
  const mm = expect.stringMatching(/^0xffff/);
  expect(at()).toMatchObject({
    folios: [
      { pfn: '0x8000', order: 9, entire_mapcount: 1, ptes: 0, large_mapcount: 1, splitting: { pid: 11 } },
    ],
    devices: [{ type: 0, phase: 'on', users: [{ pid: 12, what: 'free_swap_and_cache_nr', entry: '0x7' }] }],
    ksm: [{ pfn: '0x2001', merged: 0, stale: null, got: null }],
    migrations: [{ pfn: '0x2002', new_pfn: null, pid: 40, step: 'unmapping', entries: [{ mm }] }],
    collapses: [{ pid: 13, mm, step: 'isolating', pages: [] }],
    secondary: {
      mappings: [{ dev: 1, mm, pfn: '0x2003', write: true }],
      invalidations: [{ mm, pid: 14, callbacks_returned: null }],
    },
    lru: [{ pfn: '0x2004', place: 'batch', cpu: 2 }],
    writeback: [{ pfn: '0x2005' }],
    stale_tlb: [{ mm, pfn: null, deferred: expect.any(Number) }],
    uffd_wp: [{ mm, flushed: false }],
    forks: [{ mm, pid: 20 }],
    locks: [
      { of: 'page', pfn: '0x2006', pid: 21 },
      { of: 'page table', mm, pid: 22 },
    ],
  });
});

/** Members that show anything. */
function shown(scope: Partial<StateScope>): string[] {
  return Object.entries(at(scope))
    .filter(
      ([, value]) => JSON.stringify(value) !== '[]' && !/^{("\w+":\[\],?)+}$/.test(JSON.stringify(value)),
    )
    .map(([name]) => name);
}

test('a scope leaves out what is not about it', () => {
  // A page behind the head is its folio's.
  expect(shown({ pfn: H + 511 })).toEqual(['folios']);
  expect(shown({ pfn: H + 512 })).toEqual([]);
  expect(shown({ pfn: P + 5 })).toEqual(['writeback']);
  expect(shown({ entry: 7 })).toEqual(['devices']);
  const ofMm = ['migrations', 'collapses', 'secondary', 'stale_tlb', 'uffd_wp', 'forks', 'locks'];
  expect(shown({ mm: A })).toEqual(ofMm);
  expect(shown({ mm: A, address: VA + 4 * 4096 })).toEqual(['secondary', 'uffd_wp', 'forks', 'locks']);
  expect(shown({ mm: A + 1 })).toEqual([]);
});

test('the text has a row for each', () => {
  const s = new MmState(FOLDS);
  s.applyAll(events(STORY));
  const sections = machinesText(s, EVERYTHING, (pid) => `pid ${pid}`).filter(({ rows }) => rows.length > 0);
  expect(
    sections.map(({ title, rows }) => `${title}: ${rows.map((row) => row.join(' ')).join('; ')}`),
  ).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^large folios: 0x8000 order 9 PMDs 1 PTEs 0 split by pid 11 since \d+$/),
      expect.stringMatching(/^swap devices: type 0 on since \d+ .*pid 12 in free_swap_and_cache_nr of 0:7$/),
      expect.stringMatching(/^on the way to or from the LRU lists: 0x2004 batch of CPU 2 since \d+$/),
      expect.stringMatching(/^locks held: page 0x2006 pid 21 since \d+; page table of 0x[\da-f]+ pid 22 /),
    ]),
  );
  expect(sections).toHaveLength(13);
});
