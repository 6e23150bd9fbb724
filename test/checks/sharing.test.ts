import { expect, test } from 'vitest';
import { judge } from '../notation.ts';
import { describeCase, saidBy } from './cases.ts';
import { ALLOCATED, PINNED, PROBES_LIVE } from './stories.ts';

const FLAGS = 'lru|swapbacked|uptodate';
const sample = (mapcount: number, flags = FLAGS, count = mapcount + 2): string =>
  `  1 13 ref.add pfn=P delta=1 count=${count} mapcount=${mapcount} flags=${flags} mapping=anon\n`;
const A = '  0 10 pte.write mm=A va=a old=none value=P:w\n';
const B = '  1 11 pte.write mm=B va=b old=none value=P:r\n';
const ANON = sample(0, `ae|${FLAGS}`);
const BOTH = 'a mapcount of the page while both PTEs map it';

describeCase({
  check: 'writable-pte-shared-anon',
  trigger: A + ANON + B + sample(1),
  severity: 'critical',
  cause: 'writable-and-shared',
  silent: [
    [
      'the child has a swap PTE of another page',
      A + ANON + B.replace('P:r', 'swap:7') + sample(0) + A.replace('none', 'P:w'),
    ],
    ['write-protected first', `${A}${ANON}  0 10 pte.write mm=A va=a old=P:w value=P:r\n${B}${sample(1)}`],
    ['the page says that one PTE maps it: the other was cleared unseen', A + ANON + B + sample(0)],
    [
      'put right before the lock is dropped',
      `${A}${ANON}  1 11 ptl.lock mm=B va=b\n${B}  0 10 pte.write mm=A va=a old=P:w value=P:r\n  1 11 ptl.unlock mm=B va=b\n${sample(1)}`,
    ],
    [
      'page cache is shared by nature',
      `${ALLOCATED}${A.replace('P:w', 'R:w')}${B.replace('P:r', 'R:r')}  0 10 pte.write mm=A va=a old=R:w value=P:w\n`,
    ],
  ],
  without: [
    [
      'what fork took: the write bit may be gone',
      `${ALLOCATED}  0 10 fork.begin child=C parent=A start=a end=a+8
  1 11 pte.set mm=B ptep=U old=none value=P:r nr=1
${sample(1)}`,
      'pte.write: write bits that fork may have taken unseen',
    ],
  ],
  suspect: [['no mapcount is read', A + ANON + B, BOTH]],
});

describeCase({
  check: 'two-writable-ptes',
  trigger: A + ANON + B.replace('P:r', 'P:w') + sample(1),
  severity: 'critical',
  cause: 'two-mms',
  silent: [
    ['read-only duplicates', A.replace('P:w', 'P:r') + ANON + B + sample(1)],
    [
      'mremap: both are there until it drops its lock',
      `${A}${ANON}  0 10 ptl.lock mm=A va=b
  0 10 pte.write mm=A va=b old=none value=P:w
  0 10 pte.write mm=A va=a old=P:w value=none
  0 10 ptl.unlock mm=A va=b
${sample(0)}`,
    ],
  ],
  without: [
    [
      'what fork took',
      `${ALLOCATED}  0 10 fork.begin child=C parent=A start=a end=a+8
  1 11 pte.set mm=B ptep=U old=none value=P:w nr=1
${sample(1)}`,
      'pte.write: write bits that fork may have taken unseen',
    ],
  ],
  suspect: [['no mapcount is read', A + ANON + B.replace('P:r', 'P:w'), BOTH]],
});

const FORK = '  0 10 fork.begin child=C parent=A start=a end=a+8\n';
const PROTECT = '  0 10 pte.write mm=A va=a old=P:w value=P:r\n';
const CHILD = '  0 10 pte.write mm=C va=a old=none value=P:r\n';
const FORKED = '  0 10 fork.end ret=0\n  0 10 mm.dup mm=C\n';
const STORE = '  1 12 access agent=cpu mm=A va=a pfn=P write=yes version=2\n';
const FLUSH = '  0 10 tlb.flush mm=A\n';
const RUNS = '  0 10 fault.begin mm=A va=a flags=write|user\n  0 10 fault.end ret=0\n';
describeCase({
  check: 'fork-left-pte-writable',
  trigger: RUNS + A + ANON + FORK + CHILD + FORKED + PROTECT,
  severity: 'critical',
  cause: 'not-write-protected',
  silent: [
    ['write-protected and flushed', RUNS + A + ANON + FORK + PROTECT + CHILD + FLUSH + FORKED],
    [
      'the child got its own copy',
      RUNS +
        A +
        ANON +
        A.replaceAll('va=a', 'va=a+1').replace('P:w', 'R:r') +
        sample(0).replace('pfn=P', 'pfn=R') +
        FORK +
        CHILD.replace('P:r', 'Q:r') +
        CHILD.replace('va=a', 'va=a+1').replace('P:r', 'R:r') +
        FLUSH +
        FORKED,
    ],
  ],
  without: [['the PTEs', ALLOCATED + FORK + FORKED, 'pte.write']],
  suspect: [
    [
      'nothing shows the parent’s PTE again',
      RUNS + A + ANON + FORK + CHILD + FORKED,
      'rests on the absence of pte.write: nothing later shows the PTE of the parent',
    ],
    [
      'the TLB is not seen to be flushed',
      FLUSH + RUNS + A + ANON + FORK + PROTECT + CHILD + FORKED,
      'rests on the absence of tlb.flush',
    ],
  ],
});
describeCase({
  check: 'fork-left-pte-writable',
  trigger: RUNS + A + ANON + FORK + CHILD + FORKED + STORE,
  severity: 'critical',
  cause: 'not-write-protected',
  silent: [],
  without: [],
});

const UNPIN = `  0 10 ref.add pfn=P delta=-1024 zero=no count=1 mapcount=0 flags=${FLAGS} mapping=anon\n`;
describeCase({
  check: 'anon-exclusive-violation',
  trigger: ALLOCATED + PINNED + sample(0, FLAGS, 1026),
  severity: 'critical',
  cause: 'pinned-not-exclusive',
  silent: [
    [
      'exclusive as long as it is pinned',
      ALLOCATED + PINNED + UNPIN.replace(FLAGS, `ae|${FLAGS}`) + sample(0),
    ],
    [
      'the fast walk takes first and looks then',
      `${ALLOCATED}
  0 10 gup.begin how=pin-fast mm=A start=a nr=1 flags=pin|write
  0 10 gup.grab-fast.begin pfn=P refs=1 flags=pin|write
  0 10 ref.add pfn=P delta=1024 count=1025 mapcount=0 flags=${FLAGS} mapping=anon
  0 10 gup.grab-fast.end pfn=P refs=1 flags=pin|write
${UNPIN}  0 10 gup.end how=pin-fast ret=0`,
    ],
    [
      'an exclusive swap PTE of one user, its page not exclusive',
      `${ALLOCATED}  0 10 swap.alloc entry=swap:7 nr=1\n  0 10 swap.dup entry=swap:7 usage=1 nr=1\n  0 10 pte.set mm=A ptep=T old=P:w value=swap:7:x nr=1\n${sample(-1)}`,
    ],
  ],
  without: [
    [
      'the flags',
      ALLOCATED + PINNED.replaceAll(/ flags=lru\S*/g, '') + sample(0, FLAGS, 1026).replace(/ flags=\S+/, ''),
      'wp.reuse',
    ],
  ],
  suspect: [
    [
      'only the unpin shows it',
      ALLOCATED + PINNED + UNPIN,
      'a reading of the page before the unpin: the bit may have gone right behind it',
    ],
    [
      'shared by one reading',
      sample(1, `ae|${FLAGS}`),
      'a second reading of flags and mapcount: they are not read at one moment',
    ],
  ],
});
describeCase({
  check: 'anon-exclusive-violation',
  trigger: sample(1, `ae|${FLAGS}`) + sample(1, `ae|${FLAGS}`, 4),
  severity: 'critical',
  cause: 'exclusive-and-shared',
  silent: [['one reading, then another: chance', sample(1, `ae|${FLAGS}`) + sample(1)]],
  without: [],
});
describeCase({
  check: 'anon-exclusive-violation',
  trigger: sample(0, `ae|${FLAGS}`) + sample(1) + sample(1).replace('delta=1', 'delta=-1') + A + sample(0),
  severity: 'critical',
  cause: 'writable-not-exclusive',
  silent: [['exclusive by then', `${sample(0)}${A}${sample(0, `ae|${FLAGS}`)}`]],
  without: [],
  suspect: [['no flags behind the PTE', sample(0) + A, "a reading of the page's flags behind the PTE"]],
});
describeCase({
  check: 'anon-exclusive-violation',
  trigger: `${PROBES_LIVE}${ALLOCATED}${sample(0)}
  0 10 wp.begin mm=A va=a flags=write|user pte=P:r
  0 10 wp.reuse mm=A va=a pfn=P count=2 mapcount=0 flags=${FLAGS}
  0 10 wp.end ret=0`,
  severity: 'critical',
  cause: 'writable-not-exclusive',
  silent: [],
  without: [],
});
describeCase({
  check: 'anon-exclusive-violation',
  trigger: `  0 10 swap.alloc entry=swap:7 nr=1
  0 10 swap.dup entry=swap:7 usage=1 nr=1
  0 11 swap.dup entry=swap:7 usage=1 nr=1
  0 10 pte.write mm=A va=a old=P:w value=swap:7:x`,
  severity: 'critical',
  cause: 'exclusive-swap-shared',
  verdict: 'suspect',
  silent: [],
  without: [['the slot', '  0 10 pte.write mm=A va=a old=P:w value=swap:7:x', 'users of the swap slot']],
});
test('anon-exclusive-violation: before 5.19 there is no such bit', () => {
  const found = judge(ALLOCATED + PINNED + sample(0, FLAGS, 1026), { kernel: 518 });
  expect(saidBy('anon-exclusive-violation', found)).toBeNull();
  expect(found.coverage.get('anon-exclusive-violation')!.missing).toContain(
    'a kernel with PageAnonExclusive (5.19 on)',
  );
});
