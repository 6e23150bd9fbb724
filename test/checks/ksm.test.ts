import { expect, test } from 'vitest';
import { judge, told, without } from '../notation.ts';
import { describeCase, saidBy } from './cases.ts';
import { ALLOCATED, PROBES_LIVE } from './stories.ts';

/** P is the page of a stable node; A maps it read-only. */
const NODE = `
${ALLOCATED}
  0 10 pte.clear mm=A value=P:w
  0 10 pte.set mm=A ptep=T old=none value=P:r nr=1
  0 30 ksm.node pfn=P
  0 30 ref.add pfn=P delta=1 count=2 mapcount=0 flags=lru|swapbacked|uptodate mapping=ksm
  0 30 ref.add pfn=P delta=-1 count=1 mapcount=0 flags=lru|swapbacked|uptodate mapping=ksm
`;
const WRITABLE = '  0 10 pte.access mm=A va=a ptep=T old=P:r value=P:w\n';
const STILL_KSM =
  '  0 30 ref.add pfn=P delta=1 count=2 mapcount=0 flags=lru|swapbacked|uptodate mapping=ksm\n';
const FROZEN = `
  0 10 ref.freeze pfn=P expect=1 ok=yes count=0 mapcount=0 flags=locked|swapbacked|uptodate mapping=ksm
  0 10 ref.unfreeze pfn=P value=1 count=1 mapcount=0 flags=locked|swapbacked|uptodate mapping=anon
`;

describeCase({
  check: 'ksm-in-place-reuse',
  trigger: NODE + WRITABLE + STILL_KSM,
  severity: 'critical',
  cause: 'writable',
  silent: [
    ['the page is anon when it is seen again', NODE + WRITABLE + STILL_KSM.replace('ksm\n', 'anon\n')],
    [
      'frozen and taken out of the stable tree before',
      NODE + FROZEN.replace('mapping=anon', 'mapping=ksm') + WRITABLE,
    ],
    [
      'copied',
      `${NODE}
  0 10 wp.begin mm=A va=a flags=write|user pte=P:r
  0 10 wp.copy mm=A va=a pfn=P pte=P:r count=2 mapcount=0 flags=lru|swapbacked|uptodate
  0 10 pte.clear-flush mm=A va=a ptep=T
  0 10 rmap.new pfn=Q mm=A va=a exclusive=yes
  0 10 wp.copied ret=0
  0 10 wp.end ret=0`,
    ],
  ],
  without: [['what makes it a KSM page', ALLOCATED + WRITABLE, 'ksm.node']],
  suspect: [['the page is not seen again', NODE + WRITABLE, 'a later sample of the mapping of the page']],
});

/** Task 10 reuses P after the sole-user test; what happens in between is to be given. */
function reuse(between: string, before = ''): string {
  return `${PROBES_LIVE}${NODE}
  0 10 wp.begin mm=A va=a flags=write|user pte=P:r
${before}
  0 10 wp.test pfn=P count=1 mapcount=0 flags=locked|swapbacked|uptodate
${between}
  0 10 rmap.move pfn=P mm=A
  0 10 wp.tested ok=yes
  0 10 wp.reuse mm=A va=a pfn=P count=1 mapcount=0 flags=locked|swapbacked|uptodate|ae
  0 10 wp.end ret=0
`;
}
const LOOKUP = '  1 30 ksm.get node=N pfn=P\n';

describeCase({
  check: 'ksm-unlocked-ref-race',
  trigger: reuse(LOOKUP),
  severity: 'critical',
  cause: 'lookup-in-between',
  silent: [
    ['the count is frozen', reuse(LOOKUP + FROZEN)],
    ['the lookup came before the fault', LOOKUP.replace('pfn=P', 'pfn=Q') + reuse('', '')],
    ['the lookup came before the test', reuse('', LOOKUP)],
  ],
  without: [
    ['lookups', reuse(''), 'ksm.get'],
    ['the node', without(reuse(LOOKUP), /ksm\.node/), 'ksm.node'],
  ],
});

test('a lookup in between is a suspect where the clocks of two CPUs may differ by more', () => {
  const found = judge(reuse(LOOKUP), { skewNs: 1_000_000 });
  expect(saidBy('ksm-unlocked-ref-race', found)).toMatchObject({
    verdict: 'suspect',
    missing: 'the order of two CPUs',
  });
});

const MERGE = `
  0 30 ksm.merge.begin mm=B page=Q kpage=P
  0 30 ksm.replace.begin mm=B page=Q kpage=P pte=Q:r
  0 30 ksm.replace.end ret=0
  0 30 ksm.merge.end ret=0
`;
const FREED = '  1 10 page.free pfn=P order=0\n';

describeCase({
  check: 'ksm-stale-stable-node',
  trigger: NODE + FREED + MERGE,
  severity: 'critical',
  cause: 'freed',
  silent: [
    ['the page is still there', NODE + MERGE],
    ['the node was removed', `${NODE}${FREED}  0 30 ksm.remove pfn=P\n${MERGE}`],
    ['the merge was given up', NODE + FREED + MERGE.replaceAll('ret=0', 'ret=14')],
    ['the first merge of two pages has no node yet', ALLOCATED + MERGE],
    ['nor has it on a page of an earlier node', `${NODE}${FREED}  0 10 page.alloc pfn=P order=0\n${MERGE}`],
  ].map(([why, text]) => [why!, `${text!}${MERGE.replaceAll('kpage=P', 'kpage=K2')}`] as const),
  without: [['merges', NODE + FREED, 'ksm.replace.begin']],
  suspect: [
    [
      'the page is said to be something else',
      `${NODE}  0 10 ref.add pfn=P delta=1 count=2 mapcount=0 flags=lru|uptodate mapping=file\n${MERGE}`,
      'page.free and ksm.remove',
    ],
  ],
});

const ZERO = '  0 1 page.zero pfn=Z\n';
const ZERO_WRITABLE = '  0 10 pte.set mm=A ptep=T old=none value=Z:w nr=1\n';
describeCase({
  check: 'zero-page-violation',
  trigger: ZERO + ZERO_WRITABLE,
  severity: 'critical',
  cause: 'writable-pte',
  silent: [['mapped read-only', ZERO + ZERO_WRITABLE.replace('Z:w', 'Z:r')]],
  without: [['which page it is', ZERO_WRITABLE, 'page.zero']],
});

test('what else must not happen to the zero page', () => {
  const line = '  0 10 ref.add pfn=Z delta=1024 count=1025 mapcount=0 flags=reserved mapping=none\n';
  expect(told(judge(ZERO + line))).toEqual(['high proven zero-page-violation (pinned) x1']);
  // Up to 6.4 pins of the zero page are counted like any other.
  expect(told(judge(ZERO + line, { kernel: 601 }))).toEqual([]);
  expect(told(judge(ZERO + line, { kernel: null }))).toEqual([
    'high suspect zero-page-violation (pinned) x1',
  ]);
  expect(told(judge(`${ZERO}  0 10 rmap.add pfn=Z folio=Z nr=1 mm=A va=a anon=yes\n`))).toEqual([
    'high proven zero-page-violation (reverse-mapping) x1',
  ]);
  expect(told(judge(`${ZERO}  0 10 dirty.set pfn=Z\n`))).toEqual([
    'critical proven zero-page-violation (dirty) x1',
  ]);
});
