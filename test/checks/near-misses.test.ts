import { describe, expect, test } from 'vitest';
import { FAULTS_WITHOUT_PROGRESS } from '../../src/checks/thresholds.ts';
import { type Judging, judge, told } from '../notation.ts';
import { ALLOCATED, PINNED, PROBES_LIVE, PROTECTED, SHARED } from './stories.ts';

/** What kernels do that obey 6.12: which of it is said, without the suspicions of other checks. */
const ORDINARY = 'lru|swapbacked|uptodate';

/** Findings that a healthy kernel must not get: all that are proven, but for information. */
function proven(text: string, how: Judging = {}): string[] {
  return told(judge(text, { variant: '6.12', ...how })).filter((line) =>
    /^(critical|high|warning) proven/.test(line),
  );
}

/** What a check says, with its verdict. */
function said(check: string, text: string, how: Judging = {}): string[] {
  return told(judge(text, { variant: '6.12', ...how })).filter((line) => line.includes(` ${check} `));
}

function times(n: number, text: string): string {
  return text.repeat(n);
}

describe('write faults', () => {
  /** A fault on page 4101 of the folio 4096, whose head is exclusive: fork shared a part of the folio. */
  const TAIL = `${PROBES_LIVE}
  0 10 wp.begin mm=A va=a+5 flags=write|user pte=4101:r
  0 10 wp.test pfn=4096 count=513 mapcount=0 flags=head|ae|${ORDINARY}
  0 10 wp.tested ok=no
  0 10 wp.copy mm=A va=a+5 pfn=4101 pte=4101:r count=0 mapcount=1 flags=swapbacked
  0 10 pte.clear-flush mm=A va=a+5 ptep=T:5
  0 10 rmap.new pfn=Q mm=A va=a+5 exclusive=yes
  0 10 pte.set mm=A ptep=T:5 old=none value=Q:w nr=1
  0 10 wp.end ret=0
`;
  test('the head of a large folio does not tell whether one of its pages is exclusive', () => {
    expect(proven(TAIL)).toEqual([]);
    // What is read of the page itself does.
    const exclusive = TAIL.replace('flags=swapbacked\n', 'flags=swapbacked|ae\n');
    expect(proven(exclusive)).toEqual(['high proven unexpected-cow (unknown-ref) x1 with policy-mismatch']);
  });

  test('a copy takes the lock of the page that it left, to free its swap: that says nothing of the decision', () => {
    const [decision] = judge(`${PROBES_LIVE}${ALLOCATED}${PROTECTED}
  0 10 wp.begin mm=A va=a flags=write|user pte=P:r
  0 10 wp.test pfn=P count=2 mapcount=0 flags=locked|swapcache|${ORDINARY}
  0 10 wp.tested ok=no
  0 10 wp.copy mm=A va=a pfn=P pte=P:r count=3 mapcount=0 flags=locked|swapcache|${ORDINARY}
  0 10 pte.clear-flush mm=A va=a ptep=T
  0 10 rmap.new pfn=Q mm=A va=a exclusive=yes
  0 10 pte.set mm=A ptep=T old=none value=Q:w nr=1
  0 10 lock.release pfn=P count=2 flags=locked|dirty|${ORDINARY}
  0 10 wp.end ret=0
`).decisions.slice(-1);
    expect(decision!.d.inputs.locked).toBe(true);
  });

  test('a page that was anonymous and is file memory now is no anonymous page', () => {
    const reused = (flags: string): string => `
  0 10 ref.add pfn=P delta=1 count=2 mapcount=0 flags=${ORDINARY} mapping=anon
  0 10 rmap.add pfn=P folio=P nr=1 mm=A anon=no
  0 10 wp.begin mm=A va=a flags=write|user pte=P:r
  0 10 wp.reuse mm=A va=a pfn=P count=2 mapcount=0 flags=${flags}
  0 10 wp.end ret=0
`;
    expect(proven(reused('lru|uptodate|dirty'))).toEqual([]);
    expect(proven(reused(ORDINARY))).toEqual([]);
    // Even where no probe tells that a file maps it.
    expect(proven(reused('lru|uptodate|dirty').replace(/.*rmap\.add.*\n/, ''))).toEqual([]);
  });
});

describe('pins', () => {
  const LATE = `  1 12 ref.add pfn=P delta=-1024 count=2 mapcount=1 flags=${ORDINARY} mapping=anon\n`;
  const SEEN = '  1 12 gup.put pfn=P refs=1 flags=pin count=1026\n';
  const MOVED = '  1 30 mig.copy src=P dst=Q\n  1 30 mig.copied ret=0\n';

  test('a put that is told behind the fork may have been made before it', () => {
    const shared = PROBES_LIVE + ALLOCATED + PINNED + SHARED.replace('count=2 ', 'count=1026 ');
    expect(said('gup-pin-broken-by-fork', shared + LATE)).toEqual([
      'critical suspect gup-pin-broken-by-fork (pin) x1',
    ]);
    // Its task was heard of in between: the put is its next step.
    expect(said('gup-pin-broken-by-fork', shared + SEEN + LATE)).toHaveLength(1);
    expect(proven(shared + SEEN + LATE).join()).toContain('gup-pin-broken-by-fork');
    // Unless the clocks of the CPUs allow another order.
    expect(proven(shared + SEEN + LATE, { skewNs: 1_000_000 })).toEqual([]);
  });

  test('a put that is told behind a migration may have been made before it, or by a walk that gives back', () => {
    const moved = PROBES_LIVE + ALLOCATED + PINNED + MOVED;
    expect(proven(moved + LATE)).toEqual([]);
    const fast = `  1 12 gup.begin how=pin-fast mm=A start=a nr=1 flags=pin|write
  1 12 ref.add pfn=P delta=1024 count=1025 mapcount=0 flags=ae|${ORDINARY} mapping=anon\n`;
    expect(proven(PROBES_LIVE + ALLOCATED + fast + MOVED + SEEN + LATE)).toEqual([]);
  });

  test('GUP-fast takes, sees that the PTE has gone, and gives back; reclaim took the mark in between', () => {
    const taken = `  0 10 ref.add pfn=P delta=1024 count=1026 mapcount=-1 flags=locked|ae|swapbacked mapping=anon\n`;
    const read = `  1 30 ref.add pfn=P delta=-1 count=1025 mapcount=-1 flags=locked|swapbacked mapping=anon\n`;
    expect(proven(taken + read)).toEqual([]);
    // Its task went on: it has kept the pin.
    expect(proven(`${taken}  0 10 sys.exit call=1 ret=0\n${read}`)).toEqual([
      'critical proven anon-exclusive-violation (pinned-not-exclusive) x1',
    ]);
  });

  test('the fast walk failed and the slow one took over: without probes on puts its pins may be gone', () => {
    const raced = `
  0 10 rmap.new pfn=P mm=A va=a exclusive=yes
  0 10 pte.write mm=A va=a old=none value=P:w
  0 10 fork.begin child=B parent=A start=a end=a+8
  1 12 gup.begin how=pin-fast mm=A start=a nr=1 flags=pin|write
  1 12 gup.grab-fast.end pfn=P refs=1 flags=pin|write
  0 10 pte.write mm=B va=a old=none value=P:r
  0 10 fork.end ret=0
  1 12 gup.begin how=locked mm=A start=a nr=1 flags=pin|write
  1 12 gup.grab pfn=Q refs=1 flags=pin|write
  1 12 gup.end how=locked ret=1
`;
    expect(said('gup-fast-fork-race', raced)).toEqual([
      'critical suspect gup-fast-fork-race (pin-in-window) x1',
    ]);
    const kept = raced.replace(/.*how=locked mm=A.*\n/, '').replace(/.*gup\.grab pfn=Q.*\n/, '');
    expect(said('gup-fast-fork-race', kept)).toEqual([
      'critical proven gup-fast-fork-race (pin-in-window) x1',
    ]);
  });

  test('a page that was pinned as file memory, its put filtered, is mapped by a thousand processes', () => {
    const pinned = `
  0 10 gup.begin how=pin mm=A start=a nr=1 flags=pin
  0 10 gup.grab pfn=P refs=1 flags=pin count=2
  0 10 gup.end how=pin ret=1
`;
    const storm = `  0 11 ref.add pfn=P delta=1 count=1500 mapcount=1400 flags=${ORDINARY} mapping=anon\n`;
    expect(proven(`${pinned}  0 11 rmap.new pfn=P mm=B va=b exclusive=yes\n${storm}`)).toEqual([]);
    expect(proven(pinned + storm)).toHaveLength(1);
  });

  test('pins of the zero page are not counted', () => {
    const unpinned = (mapping: string): string => `
  0 10 ref.add pfn=P delta=1 count=2 mapcount=-1 flags=uptodate mapping=${mapping}
  0 10 gup.put pfn=P refs=1 flags=pin count=2
`;
    expect(proven(unpinned('none'))).toEqual([]);
    expect(proven(unpinned('anon'))).toHaveLength(1);
  });

  test('a shared file page is written back, and protected, while a forced write holds it', () => {
    const forced = (behind: string): string => `
  0 10 ref.add pfn=P delta=1 count=2 mapcount=0 flags=uptodate|lru mapping=file
  0 10 pte.access mm=A va=a ptep=T value=P:w
  0 20 gup.begin how=locked mm=A start=a nr=1 flags=write|force|remote
  0 20 gup.grab pfn=P refs=1 flags=write|force|remote|get count=2
${behind}
  0 20 gup.end how=locked ret=1
`;
    expect(
      proven(
        forced(`  1 30 pte.clear-flush mm=A va=a ptep=T
  1 30 pte.clear mm=A value=P:w
  1 30 pte.set mm=A ptep=T old=none value=P:r nr=1`),
      ),
    ).toEqual([]);
  });
});

test('a collapse goes on with a page that another process is just unmapping', () => {
  const collapsed = `${PROBES_LIVE}${ALLOCATED}${SHARED}
  1 40 thp.collapse.begin mm=A va=a
  1 40 thp.isolate.begin mm=A va=a
  0 11 rmap.del pfn=P folio=P nr=1 mm=B mapcount=1 count=2
  1 40 ref.add pfn=P delta=1 count=3 mapcount=0 flags=locked|${ORDINARY} mapping=anon
  1 40 thp.isolate.end ok=yes
  1 40 thp.collapse.commit mm=A va=a
  1 40 thp.collapse.end ret=1
`;
  expect(said('collapse-extra-refs', collapsed)).toEqual([
    'high suspect collapse-extra-refs (extra-reference) x1',
  ]);
});

test('a reclaimer deletes what it finds on its list, whatever it has looked up before', () => {
  const moved = `
  0 10 swapcache.add pfn=P entry=swap:7 ok=yes
  0 10 swapcache.found pfn=P
  1 20 swapcache.del pfn=P entry=swap:7
  1 20 swap.alloc entry=swap:900 nr=1
  1 20 swapcache.add pfn=P entry=swap:900 ok=yes
  1 20 swap.dup entry=swap:900 usage=1 nr=1
`;
  const deleted = '  0 10 swapcache.del pfn=P entry=swap:900\n';
  expect(proven(moved + deleted)).toHaveLength(1);
  for (const next of ['remove-mapping.begin pfn=P count=2', 'wp.begin mm=A va=a flags=write|user pte=R:r'])
    expect(proven(`${moved}  0 10 ${next}\n${deleted}`)).toEqual([]);
});

describe('faults on one address again and again', () => {
  const FAULT = `
  0 10 fault.begin mm=A va=a flags=user
  0 10 anon.begin mm=A va=a flags=user
  0 10 anon.end ret=0
  0 10 fault.end ret=0
`;
  test.each([
    ['madvise(MADV_DONTNEED) drops the zero page each time', '  0 10 zap.begin mm=A start=a end=a+1\n'],
    ['userfaultfd arms the range anew', '  1 20 protect.begin mm=A start=a end=a+1 uffdwp=yes\n'],
    ['the task calls the kernel', '  0 10 sys.enter call=1\n'],
  ])('%s', (_why, between) => {
    expect(proven(times(FAULTS_WITHOUT_PROGRESS + 2, FAULT))).toHaveLength(1);
    expect(told(judge(times(FAULTS_WITHOUT_PROGRESS + 2, FAULT + between)))).toEqual([]);
    // Elsewhere: it says nothing.
    expect(
      proven(
        times(
          FAULTS_WITHOUT_PROGRESS + 2,
          FAULT + between.replaceAll('=a', '=b').replace('sys.enter call=1', 'sys.exit call=1'),
        ),
      ),
    ).toHaveLength(1);
  });
});

describe('tasks and their mms', () => {
  /** The page says that it is exclusive: a reference through another mm may have been put. */
  const LEAK = 'critical suspect cow-leak-through-gup-ref (foreign-reference) x1';
  const REUSED = `
  0 11 ref.add pfn=P delta=1 count=2 mapcount=0 flags=ae|${ORDINARY} mapping=anon
  0 11 wp.begin mm=B va=b flags=write|user pte=P:r
  0 11 wp.reuse mm=B va=b pfn=P count=2 mapcount=0 flags=ae|${ORDINARY}
  0 11 wp.end ret=0
`;
  test('a child that borrowed an mm has another one once it executes a program', () => {
    const spawned = (exec: string): string => `${PROBES_LIVE}${ALLOCATED}
  0 10 task.new pid=11 vm=yes
  0 10 task.fork parent=10 child=11
${exec}
  0 11 gup.begin how=get-fast start=b nr=1 flags=get|write
  0 11 gup.grab pfn=P refs=1 flags=get|write
${REUSED}`;
    expect(told(judge(spawned('  0 11 task.exec pid=11 oldpid=11')))).toEqual([]);
    expect(said('cow-leak-through-gup-ref', spawned(''))).toEqual([LEAK]);
  });

  test('a walk of another mm ends with its system call', () => {
    const walked = (end: string): string => `${PROBES_LIVE}
  0 11 gup.begin how=locked mm=A start=a nr=1 flags=get|remote
${end}
  0 11 gup.grab pfn=P refs=1 flags=get count=1
${REUSED}`;
    expect(told(judge(walked('  0 11 sys.exit call=1 ret=0')))).toEqual([]);
    expect(said('cow-leak-through-gup-ref', walked(''))).toEqual([LEAK]);
  });
});

test('a migration entry that mremap moves is removed at its new place', () => {
  const migrated = (moved: string): string => `
  1 30 mig.unmap.begin pfn=P mm=A va=a
  1 30 mig.entry va=a pte=P:m
  1 30 mig.unmap.end ok=yes
${moved}
  1 30 mig.restore.begin pfn=P mm=A va=b
  1 30 lock.release pfn=P flags=locked|${ORDINARY}
`;
  const AGAIN = `
  1 30 mig.unmap.begin pfn=P mm=A va=a
  1 30 mig.entry va=a pte=P:m
  1 30 mig.unmap.end ok=yes
`;
  const FAULT = '  0 10 swapin.begin mm=A va=a flags=user pte=P:m\n';
  expect(
    told(judge(`${migrated('  0 10 pte.move-range mm=A from=a to=b length=4096')}${AGAIN}${FAULT}`)),
  ).toEqual([]);
  expect(proven(migrated('') + FAULT)).toHaveLength(1);
  // It stands there anew: what the fault finds is another migration's.
  expect(proven(migrated('') + AGAIN + FAULT)).toEqual([]);
});

test('a PTE was cleared unseen, and its page is shared again by a fork', () => {
  const forked = `${PROBES_LIVE}${ALLOCATED}${SHARED}
  0 10 wp.begin mm=A va=a flags=write|user pte=P:r
  0 10 wp.reuse mm=A va=a pfn=P count=1 mapcount=0 flags=ae|${ORDINARY}
  0 10 pte.access mm=A va=a ptep=T value=P:w
  0 10 wp.end ret=0
`;
  const AGAIN = `
  0 10 fork.begin child=C parent=A start=a end=a+8
  0 10 fork.ptes.begin child=C parent=A va=a max=1 dst=TC src=T
  0 10 pte.set mm=C ptep=TC old=none value=P:r nr=1
  0 10 fork.ptes.end nr=1
  0 10 mm.dup mm=C
`;
  const COUNTED = `  1 20 ref.add pfn=P delta=1 count=3 mapcount=1 flags=${ORDINARY} mapping=anon\n`;
  expect(proven(forked + AGAIN + COUNTED)).toEqual([]);
  expect(proven(forked + COUNTED)).toEqual([
    'critical proven writable-pte-shared-anon (writable-and-shared) x1',
  ]);
});

test('a swap-in gives up its slot, another page goes there, and only then the PTE is told', () => {
  const swapin = (freed: string): string => `
  0 10 swapin.begin mm=A va=a+1 pte=swap:7
  0 10 swap.read pfn=X entry=swap:7
${freed}
  1 11 swap.slotfree entry=swap:7 nr=1
  1 11 swap.alloc entry=swap:7
  1 11 swap.write pfn=Y entry=swap:7
  0 10 pte.set mm=A ptep=T:1 old=swap:7 value=X:r nr=1
`;
  expect(proven(swapin('  0 10 swap.free entry=swap:7 nr=1'))).toEqual([]);
  expect(proven(swapin('  1 11 swap.free entry=swap:7 nr=1'))).toEqual([
    'critical proven swapin-stale-install (slot-reused) x1',
  ]);
});

test('a page of file memory is copied for who writes to a private mapping, whoever pins it', () => {
  const pinned = (mapping: string): string => `${PROBES_LIVE}
  0 10 fault.begin mm=A va=a flags=user
  0 10 gup.begin how=pin mm=A start=a nr=1 flags=pin
  0 10 gup.grab pfn=P refs=1 flags=pin count=2
  0 10 ref.add pfn=P delta=1024 count=1026 mapcount=0 flags=${ORDINARY} ${mapping}
  0 10 gup.end how=pin ret=1
  0 10 wp.begin mm=A va=a flags=write|user pte=P:r
  0 10 wp.copy mm=A va=a pfn=P pte=P:r count=1027 mapcount=0 flags=${ORDINARY}
  0 10 pte.clear-flush mm=A va=a ptep=T
  0 10 rmap.new pfn=Q mm=A va=a exclusive=yes
  0 10 pte.set mm=A ptep=T old=none value=Q:w nr=1
  0 10 ref.add pfn=P delta=-1 count=1026 mapcount=-1 flags=${ORDINARY} ${mapping}
  0 10 wp.end ret=0
`;
  expect(said('gup-pin-broken-by-cow', pinned(''))).toEqual([
    'critical suspect gup-pin-broken-by-cow (pin) x1',
  ]);
  expect(told(judge(pinned('mapping=file')))).toEqual([]);
  expect(proven(pinned('mapping=anon')).join()).toContain('gup-pin-broken-by-cow');
});
