import { describeCase } from './cases.ts';
import { ALLOCATED, copyFault, PROBES_LIVE } from './stories.ts';

/** A maps P at a, and so does device 1. */
const MAPPED = `
  0 10 pte.write mm=A va=a old=none value=P:w
  1 20 spte.set dev=1 mm=A va=a pfn=P write=yes
`;
const START = '  0 10 mn.start mm=A start=a end=a+1 event=1\n  0 10 mn.started ret=0\n';
const END = '  0 10 mn.end mm=A start=a end=a+1 event=1\n';
const DROP = '  1 20 spte.clear dev=1 mm=A va=a\n';
const MOVE = `
  0 10 pte.write mm=A va=a old=P:w value=none
  0 10 tlb.flush mm=A start=a end=a+1
  0 10 pte.write mm=A va=a old=none value=Q:w
`;
const READS = '  1 20 access agent=device mm=A va=a pfn=P write=no version=1\n';
const WRITES = READS.replace('write=no', 'write=yes');

describeCase({
  check: 'secondary-mmu-stale-mapping',
  trigger: MAPPED + MOVE + READS,
  severity: 'critical',
  cause: 'not-invalidated',
  silent: [
    [
      'invalidated in time; what stays read-only may wait for the end of the range',
      `${MAPPED}${START}${DROP}${MOVE}${END}
  0 10 pte.write mm=A va=b old=none value=R:r
  1 20 spte.set dev=1 mm=A va=b pfn=R write=no
  0 10 mn.start mm=A start=b end=b+1 event=1
  0 10 pte.write mm=A va=b old=R:r value=S:r
  1 20 spte.clear dev=1 mm=A va=b
  0 10 mn.end mm=A start=b end=b+1 event=1`,
    ],
    [
      'the same page again: swapped out and in',
      `${MAPPED}  0 10 pte.write mm=A va=a old=P:w value=swap:7\n  0 10 pte.write mm=A va=a old=swap:7 value=P:w\n${READS}`,
    ],
  ],
  without: [['the device', START + MOVE + END, 'spte.set']],
  suspect: [
    [
      'the device is not seen to use it',
      MAPPED + MOVE,
      'rests on the absence of spte.clear: no use of the old page was told',
    ],
  ],
});

describeCase({
  check: 'secondary-mmu-lost-write',
  trigger: MAPPED + MOVE + WRITES,
  severity: 'critical',
  cause: 'not-invalidated',
  silent: [
    ['a read loses nothing', MAPPED + MOVE + READS + WRITES.replace('pfn=P', 'pfn=Q')],
    [
      'the device maps the new page',
      `${MAPPED}${START}${DROP}${MOVE}${END}${WRITES.replace('pfn=P', 'pfn=Q')}`,
    ],
  ],
  without: [
    ['the accesses', MAPPED + START + MOVE + END, 'access'],
    ['the PTE', `  1 20 spte.set dev=1 mm=A va=a pfn=P write=yes\n${WRITES}`, 'the PTE of the address'],
  ],
});

const FAULTED = '  1 20 spte.set dev=1 mm=A va=a pfn=P write=yes\n';
const PTE = '  0 10 pte.write mm=A va=a old=none value=P:w\n';
describeCase({
  check: 'secondary-mmu-fault-in-invalidate',
  trigger: PTE + START + FAULTED + MOVE + END + READS,
  severity: 'critical',
  cause: 'no-retry',
  silent: [
    ['dropped before use: the driver retries', PTE + START + FAULTED + MOVE + END + DROP],
    [
      'mapped after the end',
      PTE + START + MOVE + END + FAULTED.replace('pfn=P', 'pfn=Q') + READS.replace('pfn=P', 'pfn=Q'),
    ],
    [
      'another range',
      `${PTE}  0 10 mn.start mm=A start=b end=b+1 event=1\n${FAULTED}  0 10 mn.end mm=A start=b end=b+1 event=1\n${READS}`,
    ],
  ],
  without: [['what the device maps', PTE + START + MOVE + END, 'spte.set']],
  suspect: [
    [
      'no use is seen',
      PTE + START + FAULTED + MOVE + END,
      'rests on the absence of spte.clear: no use of the mapping was told',
    ],
  ],
});
describeCase({
  check: 'secondary-mmu-fault-in-invalidate',
  trigger: PTE + START + FAULTED + END + READS,
  severity: 'high',
  cause: 'no-retry',
  silent: [],
  without: [],
});

describeCase({
  check: 'mmu-notifier-async-invalidate',
  trigger: MAPPED + START + READS + DROP + END,
  severity: 'high',
  cause: 'queued',
  silent: [
    [
      'dropped before it returns',
      `${MAPPED}${START.split('\n')[0]}\n${DROP}  0 10 mn.started ret=0\n${MOVE}${END}`,
    ],
    [
      'refused: it could not sleep',
      `${MAPPED}${START.replace('ret=0', 'ret=-11')}${START.split('\n')[0]}\n${DROP}  0 10 mn.started ret=0\n${END}`,
    ],
    [
      'protection only',
      `${MAPPED}${START.replace('event=1', 'event=2')}${END}${DROP}${MAPPED}${START.split('\n')[0]}\n${DROP}${END}`,
    ],
  ],
  without: [['what the device maps', START + MOVE + END, 'spte.set']],
  suspect: [
    [
      'the mapping is not seen again',
      MAPPED + START + MOVE + END,
      'rests on the absence of spte.clear: no use of the mapping was told',
    ],
  ],
});
describeCase({
  check: 'mmu-notifier-async-invalidate',
  trigger: `${MAPPED}  0 10 mn.invalidate mm=A start=a end=a+1\n  0 10 ptl.unlock mm=A va=a\n${DROP}`,
  severity: 'high',
  cause: 'queued',
  silent: [],
  without: [],
});

const PLAIN = { flags: 'lru|swapbacked|uptodate', count: 2 };
const NOTIFIER = '  0 10 mn.start mm=A start=b end=b+1 event=1\n  0 10 mn.end mm=A start=b end=b+1 event=1\n';
const COPY = copyFault(PLAIN);
const NOTIFIED = COPY.replace('  0 10 pte.clear-flush', `${START}  0 10 pte.clear-flush`);
describeCase({
  check: 'mmu-notifier-missing',
  trigger: PROBES_LIVE + ALLOCATED + NOTIFIER + COPY,
  severity: 'high',
  cause: 'unknown-ref',
  verdict: 'suspect',
  silent: [
    ['a range around the change', PROBES_LIVE + ALLOCATED + NOTIFIER + NOTIFIED + END],
    [
      'none before: nothing to invalidate',
      `${NOTIFIER}  0 10 pte.write mm=A va=a old=none value=P:w\n${START}${MOVE}${END}`,
    ],
    [
      'told under the lock',
      `${NOTIFIER}  0 10 ptl.lock mm=A va=a
  0 10 pte.write mm=A va=a old=P:w value=none
  0 10 mn.invalidate mm=A start=a end=a+1
  0 10 pte.write mm=A va=a old=none value=Q:w
  0 10 ptl.unlock mm=A va=a`,
    ],
  ],
  without: [['a notifier', PROBES_LIVE + ALLOCATED + COPY, 'mn.start']],
});
describeCase({
  check: 'mmu-notifier-missing',
  trigger: MAPPED + MOVE + DROP,
  severity: 'high',
  cause: 'not-invalidated',
  verdict: 'suspect',
  silent: [],
  without: [],
});

const CALL = '  0 10 sys.enter call=munmap a0=@a a1=4096\n';
describeCase({
  check: 'mmu-notifier-unbalanced',
  trigger: `${CALL}${START}  0 10 sys.exit call=munmap ret=0`,
  severity: 'warning',
  cause: 'start-without-end',
  verdict: 'suspect',
  silent: [
    ['in pairs', `${CALL}${START}${END}  0 10 sys.exit call=munmap ret=0`],
    ['the trace ends in between', `${CALL}${START}${END}${START}`],
    [
      'a fault inside the call is not its end',
      `${CALL}${START}  0 10 fault.begin mm=A va=b flags=write\n  0 10 fault.end ret=0\n${END}  0 10 sys.exit call=munmap ret=0`,
    ],
  ],
  without: [['what the task entered', END, 'mn.start']],
  suspect: [['an end alone', CALL + END, 'rests on the absence of mn.start']],
});
