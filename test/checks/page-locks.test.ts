import { describeCase } from './cases.ts';

const FLAGS = 'lru|swapbacked|uptodate';
/** Tries of page locks are told in this trace. */
const TOLD = '  0 5 lock.try pfn=X ok=yes\n  0 5 lock.release pfn=X\n';
const LOCKED = '  0 10 lock.try pfn=P ok=yes\n';

describeCase({
  check: 'page-unlock-not-locked',
  trigger: `
  0 10 lock.release pfn=P flags=locked|${FLAGS}
  0 10 lock.release pfn=P flags=${FLAGS}`,
  severity: 'critical',
  cause: 'unlocked-twice',
  silent: [
    ['the page is locked', `  0 10 lock.release pfn=P flags=locked|${FLAGS}`],
    ['locked again in between', `${LOCKED}  0 10 lock.release pfn=P\n${LOCKED}  0 10 lock.release pfn=P`],
  ],
  without: [['the flags', '  0 10 lock.release pfn=P\n  0 10 lock.release pfn=P', 'lock.try']],
  suspect: [
    [
      'no flags were read',
      `${LOCKED}  0 10 lock.release pfn=P\n  0 10 lock.release pfn=P`,
      'rests on the absence of lock.try: no flags were read at the release',
    ],
  ],
});

describeCase({
  check: 'page-unlock-by-non-owner',
  trigger: `${LOCKED}  1 11 lock.release pfn=P`,
  severity: 'warning',
  cause: 'helper',
  silent: [
    ['its owner unlocks', `${LOCKED}  0 10 lock.release pfn=P`],
    [
      'a read is done',
      `${LOCKED}  0 10 swap.read pfn=P entry=swap:7\n  1 11 lock.release pfn=P flags=locked|uptodate`,
    ],
    ['an interrupt has no task', `${LOCKED}  1 11/irq lock.release pfn=P`],
    [
      'it changed hands',
      `${LOCKED}  0 10 lock.release pfn=P\n  1 11 lock.try pfn=P ok=yes\n  1 11 lock.release pfn=P`,
    ],
  ],
  without: [
    ['the try', '  1 11 lock.release pfn=P', 'lock.try'],
    ['the try of this page', `${TOLD}  1 11 lock.release pfn=P`, 'the holder of the page lock'],
  ],
});

describeCase({
  check: 'page-lock-recursion',
  trigger: `${LOCKED}  0 10 lock.wait pfn=P`,
  severity: 'critical',
  cause: 'self-deadlock',
  silent: [
    ['a try that fails does not wait', `${LOCKED}  0 10 lock.try pfn=P ok=no\n  0 10 lock.wait pfn=Q`],
    ['another task waits', `${LOCKED}  1 11 lock.wait pfn=P`],
    ['unlocked before', `${LOCKED}  0 10 lock.release pfn=P\n  0 10 lock.wait pfn=P`],
  ],
  without: [['the try', '  0 10 lock.wait pfn=P', 'lock.try']],
});

const HOLDS = '  0 10 lock.try pfn=P ok=yes\n  1 11 lock.try pfn=Q ok=yes\n';
describeCase({
  check: 'page-lock-order-inversion',
  trigger: `${HOLDS}  0 10 lock.wait pfn=Q\n  1 11 lock.wait pfn=P`,
  severity: 'high',
  cause: 'two-locks',
  silent: [
    ['the second is only tried', `${HOLDS}  0 10 lock.try pfn=Q ok=no\n  1 11 lock.wait pfn=P`],
    [
      'the first wait is over',
      `${HOLDS}  0 10 lock.wait pfn=Q\n  0 10 lock.acquired pfn=Q ok=no\n  1 11 lock.wait pfn=P`,
    ],
    [
      'one of them is free',
      `${HOLDS}  0 10 lock.release pfn=P\n  0 10 lock.wait pfn=Q\n  1 11 lock.wait pfn=P`,
    ],
  ],
  without: [['the tries', '  0 10 lock.wait pfn=Q\n  1 11 lock.wait pfn=P', 'lock.try']],
});

const FAULT = '  0 10 fault.begin mm=A va=a flags=write|user\n';
const LEFT = `${FAULT}${LOCKED}  0 10 fault.end ret=1\n`;
describeCase({
  check: 'page-lock-held-at-end',
  trigger: `${LEFT}  1 11 lock.try pfn=P ok=no`,
  severity: 'warning',
  cause: 'never-unlocked',
  silent: [
    ['unlocked', `${FAULT}${LOCKED}  0 10 lock.release pfn=P\n  0 10 fault.end ret=0`],
    ['a read is under way', `${FAULT}${LOCKED}  0 10 swap.read pfn=P entry=swap:7\n  0 10 fault.end ret=0`],
    ['unlocked by another', `${LEFT}  1 11 lock.release pfn=P`],
    ['the trace ends inside', `${TOLD}${FAULT}  0 10 fault.end ret=0\n${FAULT}${LOCKED}`],
  ],
  without: [['the try', `${FAULT}  0 10 fault.end ret=1\n  1 11 lock.wait pfn=P`, 'lock.try']],
  suspect: [['nobody is seen to wait for it', LEFT, 'rests on the absence of lock.release']],
});

/** Page P is in the swap cache with a count that is known, and releases of locks are told. */
const CACHED = `
  0 12 lock.release pfn=X flags=locked|uptodate
  0 10 swapcache.add pfn=P entry=swap:7 ok=yes
  0 10 ref.add pfn=P delta=1 count=2 mapcount=-1 flags=locked|swapcache|swapbacked|uptodate mapping=anon
`;
const DELETED = '  0 10 swapcache.del pfn=P entry=swap:7\n';
const PUT = '  0 10 ref.add pfn=P delta=-1 count=1 mapcount=-1 mapping=anon';
describeCase({
  check: 'lockless-swapcache-change',
  trigger: `${CACHED}${DELETED}${PUT} flags=swapbacked|uptodate`,
  severity: 'critical',
  cause: 'left',
  silent: [
    ['the page is locked', `${CACHED}${DELETED}${PUT} flags=locked|swapbacked|uptodate`],
    [
      'the same task unlocks it',
      `${CACHED}${DELETED}  0 10 lock.release pfn=P flags=locked|swapbacked|uptodate`,
    ],
    ['told to be locked', `${LOCKED}${DELETED}  0 10 lock.release pfn=P`],
  ],
  without: [
    [
      'the flags',
      `${CACHED.replaceAll(/ flags=\S+/g, '')}${DELETED}${PUT}\n${DELETED}`,
      'page flags beside the change',
    ],
    [
      'the put of the cache: what is read later may be behind an unlock',
      `${CACHED}${DELETED}  0 10 ref.add pfn=P delta=1 count=3 mapcount=-1 flags=swapbacked|uptodate mapping=anon`,
      'page flags beside the change',
    ],
  ],
  suspect: [['only tries tell', `${TOLD}${DELETED}`, 'rests on the absence of lock.try']],
});
