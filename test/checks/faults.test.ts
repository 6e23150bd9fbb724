import { expect, test } from 'vitest';
import { FAULTS_WITHOUT_PROGRESS } from '../../src/checks/thresholds.ts';
import { judge, told, without } from '../notation.ts';
import { describeCase } from './cases.ts';
import { ALLOCATED } from './stories.ts';

/** P is write-protected by userfaultfd at a. */
const PROTECTED = `
${ALLOCATED}
  0 10 protect.begin mm=A start=a end=a+8 uffdwp=yes
  0 10 pte.clear mm=A value=P:w
  0 10 pte.set mm=A ptep=T old=none value=P:ru nr=1
`;
const FLUSHED = '  0 10 tlb.flush mm=A start=a end=a+8 pages=8\n';
const STORE = '  1 12 access agent=0 mm=A va=a pfn=P write=yes\n';
/** Another task's write fault copies the page although the flush is still due. */
const COPYING = `
  1 11 wp.begin mm=A va=a flags=write pte=P:r
  1 11 wp.copy mm=A va=a pfn=P pte=P:r count=2 mapcount=0
`;

describeCase({
  check: 'uffd-wp-bypass',
  trigger: PROTECTED + FLUSHED + STORE,
  severity: 'critical',
  cause: 'stale-tlb',
  silent: [
    [
      'written after the protection was lifted',
      `${PROTECTED}${FLUSHED}  0 10 pte.set mm=A ptep=T old=P:ru value=P:w nr=1\n${STORE}`,
    ],
    ['the flush of the write-protection is still to come', PROTECTED + STORE],
    ['only read', PROTECTED + FLUSHED + STORE.replace('yes', 'no')],
    [
      'a device writes: it has no TLB entry of the CPU',
      PROTECTED + FLUSHED + STORE.replace('agent=0', 'agent=1'),
    ],
  ],
  suspect: [
    [
      'the page is being copied while the flush is due',
      PROTECTED + COPYING + STORE,
      'when the page was copied: a store before that is in the copy',
    ],
  ],
  without: [
    ['accesses and the write bit', without(PROTECTED, /pte\.set mm=A ptep=T old=none value=P:ru/), 'access'],
  ],
});

test('a PTE that is writable and uffd-wp', () => {
  const line = '  0 10 pte.set mm=A ptep=T old=P:r value=P:wu nr=1\n';
  expect(told(judge(ALLOCATED + line))).toEqual(['critical proven uffd-wp-bypass (writable) x1']);
  expect(judge(ALLOCATED + line).divergences[0]!.place.address).not.toBeNull();
  expect(told(judge(ALLOCATED + line.replace('wu', 'ru')))).toEqual([]);
});

const CACHED = `
  0 20 lock.try pfn=X ok=yes
  0 20 swapcache.add pfn=P entry=swap:7 ok=yes
`;
const MOVE = '  1 10 uffd.move mm=A from=a to=b entry=swap:7\n';
describeCase({
  check: 'uffd-move-swap-race',
  trigger: CACHED + MOVE,
  severity: 'critical',
  cause: 'cached-and-unlocked',
  silent: [
    ['the folio is locked by the mover', `${CACHED}  1 10 lock.try pfn=P ok=yes\n${MOVE}`],
    ['nothing caches the entry', `${CACHED}  0 20 swapcache.del pfn=P entry=swap:7\n${MOVE}`],
    ['another entry', CACHED + MOVE.replace('swap:7', 'swap:8')],
  ],
  without: [['the move', CACHED, 'uffd.move']],
  suspect: [['tries of the lock are not told', without(CACHED, /lock\.try/) + MOVE, 'lock.try']],
});

/** Task 10 faults on a, so many times. */
const again = (times: number, between = ''): string =>
  `  0 10 fault.begin mm=A va=a flags=write|user\n  0 10 fault.end ret=1024\n${between}`.repeat(times);
describeCase({
  check: 'fault-without-progress',
  trigger: ALLOCATED + again(FAULTS_WITHOUT_PROGRESS),
  severity: 'warning',
  cause: 'same-fault',
  silent: [
    ['once less', ALLOCATED + again(FAULTS_WITHOUT_PROGRESS - 1)],
    [
      'the PTE changes in between',
      ALLOCATED + again(FAULTS_WITHOUT_PROGRESS, '  1 12 pte.set mm=A ptep=T old=P:w value=P:r nr=1\n'),
    ],
  ],
  without: [['faults', ALLOCATED, 'fault.begin']],
  suspect: [['the PTE is not known', again(FAULTS_WITHOUT_PROGRESS), 'pte.set']],
});

test('no trace can show the use of a freed VMA', () => {
  expect(judge(ALLOCATED).coverage.get('vma-use-after-free')).toMatchObject({
    judged: 0,
    cannotJudge: 1,
    missing: ['VMA lifetime, which no event tells'],
  });
});
