import { describeCase } from './cases.ts';

/** Flushes are told in this trace. */
const TOLD = '  0 5 tlb.flush mm=Z start=z end=z+1\n';
const MAP = '  0 10 pte.write mm=A va=a old=none value=P:w\n';
const CLEAR = '  0 10 pte.write mm=A va=a old=P:w value=none\n';
const FLUSH = '  0 10 tlb.flush mm=A start=a end=a+1\n';
const FREE = '  0 10 page.free pfn=P order=0\n';
const STORE = '  1 11 access agent=cpu mm=A va=a pfn=P write=yes version=2\n';
const NO_FLUSH = 'rests on the absence of tlb.flush';

describeCase({
  check: 'tlb-flush-missing-before-free',
  trigger: TOLD + MAP + CLEAR + FREE + STORE,
  severity: 'critical',
  cause: 'forgotten',
  silent: [
    ['flushed first', TOLD + MAP + CLEAR + FLUSH + FREE],
    ['all of the mm flushed', `${TOLD}${MAP}${CLEAR}  0 10 tlb.flush mm=A\n${FREE}`],
    ['cleared and flushed at once', `${TOLD}${MAP}  0 10 pte.clear-flush mm=A va=a ptep=T\n${CLEAR}${FREE}`],
    ['another page', `${TOLD}${MAP}${CLEAR}${FREE.replace('pfn=P', 'pfn=R')}`],
    [
      'the table is in no tree any more: a collapse flushed as it took it out',
      `${TOLD}${MAP}  0 10 thp.collapse.begin mm=A va=a\n  0 10 pmd.clear mm=A value=none\n${FLUSH}${CLEAR}${FREE}${FLUSH}`,
    ],
  ],
  without: [
    ['the PTE', TOLD + FREE, 'pte.write'],
    ['the flushes', MAP + CLEAR + FREE, 'tlb.flush'],
  ],
  suspect: [['nobody is seen to use it', TOLD + MAP + CLEAR + FREE, NO_FLUSH]],
});
describeCase({
  check: 'tlb-flush-missing-before-free',
  trigger: `${TOLD}${MAP}${CLEAR}  0 10 tlb.defer mm=A va=a\n${FREE}${FLUSH}`,
  severity: 'critical',
  cause: 'deferred',
  silent: [],
  without: [],
});

const NEW = '  0 10 pte.write mm=A va=a old=none value=Q:w\n';
describeCase({
  check: 'tlb-cow-order',
  trigger: TOLD + MAP + CLEAR + NEW + FLUSH,
  severity: 'critical',
  cause: 'new-before-flush',
  silent: [
    ['flushed in between', TOLD + MAP + CLEAR + FLUSH + NEW],
    ['the same page again', TOLD + MAP + CLEAR + MAP],
    [
      'a deferred flush is the unmapper’s affair',
      `${TOLD}${MAP}${CLEAR}  0 10 tlb.defer mm=A va=a\n${NEW}${MAP.replaceAll('va=a', 'va=b')}`,
    ],
  ],
  without: [
    ['the flushes', MAP + CLEAR + NEW, 'tlb.flush'],
    ['the PTEs', '  0 10 wp.begin mm=A va=a flags=write pte=P:r', 'pte.write'],
  ],
  suspect: [['no flush is ever seen', TOLD + MAP + CLEAR + NEW, NO_FLUSH]],
});
describeCase({
  check: 'tlb-cow-order',
  trigger: `${TOLD}${MAP}  0 10 wp.begin mm=A va=a flags=write pte=P:r
${CLEAR}  0 10 rmap.del pfn=P folio=P nr=1 mm=A mapcount=0
${FLUSH}`,
  severity: 'critical',
  cause: 'rmap-before-flush',
  silent: [],
  without: [],
});

const MOVED = '  0 10 pte.write mm=A va=b old=none value=P:w\n';
const LOCKS = '  0 5 ptl.lock mm=Z va=z\n  0 5 ptl.unlock mm=Z va=z\n';
const LOCK = '  0 10 ptl.lock mm=A va=b\n';
const UNLOCK = '  0 10 ptl.unlock mm=A va=b\n';
const MREMAP = '  0 10 pte.move-range mm=A from=a to=b length=4096\n';
describeCase({
  check: 'tlb-mremap-move',
  trigger: TOLD + MAP + LOCK + CLEAR + MOVED + UNLOCK + FLUSH,
  severity: 'critical',
  cause: 'unlocked-before-flush',
  silent: [
    ['flushed under the lock', TOLD + MAP + LOCK + CLEAR + MOVED + FLUSH + UNLOCK],
    [
      'moved and flushed at once',
      `${TOLD}${MAP}${LOCK}  0 10 pte.clear-flush mm=A va=a ptep=T\n${CLEAR}${MOVED}${UNLOCK}`,
    ],
  ],
  without: [
    ['the locks', TOLD + MAP + MREMAP + CLEAR + MOVED + FLUSH, 'ptl.unlock'],
    ['the PTEs', TOLD + LOCKS + MREMAP, 'pte.write'],
  ],
  suspect: [['no flush is ever seen', TOLD + MAP + LOCK + CLEAR + MOVED + UNLOCK, NO_FLUSH]],
});

const ENTRY = '  0 10 pte.write mm=A va=a old=P:w value=P:m\n';
const LOCK_A = LOCK.replace('va=b', 'va=a');
const UNLOCK_A = UNLOCK.replace('va=b', 'va=a');
describeCase({
  check: 'tlb-migrate-vma',
  trigger: TOLD + MAP + LOCK_A + ENTRY + UNLOCK_A + FLUSH,
  severity: 'high',
  cause: 'unlocked-before-flush',
  silent: [
    ['flushed under the lock', TOLD + MAP + LOCK_A + ENTRY + FLUSH + UNLOCK_A],
    ['deferred and told so', `${TOLD}${MAP}${LOCK_A}${ENTRY}  0 10 tlb.defer mm=A va=a\n${UNLOCK_A}${FLUSH}`],
  ],
  without: [
    ['the locks', TOLD + MAP + ENTRY + FLUSH, 'ptl.unlock'],
    ['the PTEs', `${TOLD}  0 10 mig.unmap.begin pfn=P mm=A va=a`, 'pte.write'],
  ],
  suspect: [['no flush is ever seen', TOLD + MAP + LOCK_A + ENTRY + UNLOCK_A, NO_FLUSH]],
});

/** Task 12 runs on A; reclaim takes its page and puts the flush off. */
const RUNS = '  1 12 fault.begin mm=A va=b flags=write|user\n  1 12 fault.end ret=0\n';
const RECLAIM = '  0 10 pte.write mm=A va=a old=P:w value=swap:7\n  0 10 tlb.defer mm=A va=a\n';
const PROTECT = '  1 12 sys.enter call=mprotect a0=@a a1=4096 a2=1\n';
const PROTECTED = '  1 12 sys.exit call=mprotect ret=0\n';
describeCase({
  check: 'tlb-batched-reclaim-race',
  trigger: TOLD + RUNS + MAP + RECLAIM + PROTECT + PROTECTED + STORE,
  severity: 'high',
  cause: 'mprotect',
  silent: [
    ['the call flushes first', TOLD + RUNS + MAP + RECLAIM + PROTECT + FLUSH + PROTECTED],
    ['another range', TOLD + RUNS + MAP + RECLAIM + PROTECT.replace('@a', '@b') + PROTECTED],
    ['deferred while the call ran', TOLD + RUNS + MAP + PROTECT + RECLAIM + PROTECTED],
    [
      'another call',
      `${TOLD}${RUNS}${MAP}${RECLAIM}${PROTECT.replace('mprotect', 'mincore')}${PROTECTED}${FLUSH}${PROTECT}${PROTECTED}`,
    ],
  ],
  without: [
    ['the deferral', TOLD + RUNS + MAP + PROTECT + PROTECTED, 'tlb.defer'],
    ['the flushes', RUNS + MAP + RECLAIM + PROTECT + PROTECTED, 'tlb.flush'],
  ],
  suspect: [['nobody is seen to use it', TOLD + RUNS + MAP + RECLAIM + PROTECT + PROTECTED, NO_FLUSH]],
});

const READ_ONLY = '  0 10 pte.write mm=A va=a old=P:w value=P:r\n';
const RETURN = '  0 10 sys.exit call=mprotect ret=0\n';
describeCase({
  check: 'tlb-write-after-protect',
  trigger: MAP + READ_ONLY + RETURN + STORE,
  severity: 'critical',
  cause: 'write-protected',
  silent: [
    ['the store comes first', MAP + READ_ONLY + STORE + RETURN],
    ['flushed: the store would fault', MAP + READ_ONLY + FLUSH + RETURN + STORE.replace('pfn=P', 'pfn=Q')],
    [
      'writable again',
      MAP + READ_ONLY + READ_ONLY.replace('P:w value=P:r', 'P:r value=P:w') + RETURN + STORE,
    ],
    [
      'a read',
      `${MAP}${READ_ONLY}${RETURN}${STORE.replace('write=yes', 'write=no')}${STORE.replace('va=a', 'va=b')}`,
    ],
  ],
  without: [
    ['the accesses', `${MAP}  0 10 protect.begin mm=A start=a end=a+1\n${READ_ONLY}${RETURN}`, 'access'],
    ['the PTE', RETURN + STORE, 'pte.write'],
  ],
});
