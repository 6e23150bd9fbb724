import { expect, test } from 'vitest';
import { judge, told, without } from '../notation.ts';
import { describeCase } from './cases.ts';
import { ALLOCATED, PINNED } from './stories.ts';

const MOVED = `
  0 40 mig.copy src=P dst=Q
  0 40 mig.copied ret=0
`;
const REFUSED = MOVED.replace('ret=0', 'ret=-11');
const UNPINNED = `
  0 10 gup.put pfn=P refs=1 flags=pin count=1025
  0 10 ref.add pfn=P delta=-1024 count=1 mapcount=0 flags=lru|swapbacked|uptodate|ae mapping=anon
`;

describeCase({
  check: 'migrate-pinned-page',
  trigger: ALLOCATED + PINNED + MOVED + UNPINNED,
  severity: 'critical',
  cause: 'pin',
  silent: [
    ['the count was tested, the migration refused', ALLOCATED + PINNED + REFUSED],
    ['unpinned before', ALLOCATED + PINNED + UNPINNED + MOVED],
    [
      'migrated before it was pinned',
      ALLOCATED + PINNED.replaceAll('pfn=P', 'pfn=R') + MOVED + PINNED.replaceAll('pfn=P', 'pfn=Q'),
    ],
  ],
  without: [
    ['what pins pages', without(without(ALLOCATED + MOVED, /ref\./), /anon/), 'gup.grab'],
    ['the outcome', without(ALLOCATED + PINNED + MOVED, /mig\.copied/), 'mig.copied'],
  ],
  suspect: [
    ['the put is not seen', ALLOCATED + PINNED + MOVED, 'a count of the page that still has the pin'],
  ],
});

/** Restorations are told, and the PTE of P is replaced by a migration entry. */
const ENTRY = `
${ALLOCATED}
  0 40 mig.restore.begin pfn=X mm=Z va=z
  0 40 mig.unmap.begin pfn=P mm=A va=a
  0 40 pte.clear mm=A value=P:w
  0 40 mig.entry va=a pte=P:m
  0 40 pte.set mm=A ptep=T old=none value=P:m nr=1
  0 40 mig.unmap.end ok=yes
`;
const RESTORED = `
  0 40 mig.restore.begin pfn=Q mm=A va=a
  0 40 pte.set mm=A ptep=T old=P:m value=Q:w nr=1
`;
const FAULTED = '  0 10 swapin.begin mm=A va=a flags=user pte=P:m\n';
const UNLOCKED = '  0 40 lock.release pfn=P count=1 flags=locked|swapbacked|uptodate\n';

describeCase({
  check: 'migration-entry-leaked',
  trigger: ENTRY + UNLOCKED + FAULTED,
  severity: 'critical',
  cause: 'unlocked',
  silent: [
    ['restored to the new page', `${ENTRY}${RESTORED}  0 40 mig.undo pfn=R\n${UNLOCKED}`],
    ['unmapped meanwhile', `${ENTRY}  1 10 zap.begin mm=A start=a end=a+8\n${UNLOCKED}`],
    ['the mm is gone', `${ENTRY}  1 10 mm.exit mm=A\n${UNLOCKED}`],
  ],
  without: [
    ['the entry', without(ENTRY, /mig\.entry/), 'mig.entry'],
    ['the end of the lock', ENTRY, 'lock.release'],
  ],
  suspect: [
    [
      'the entry is not seen again',
      ENTRY + UNLOCKED,
      'whether the entry is still there: it is not seen again',
    ],
  ],
});

test('an entry is told once, and not at all where the PTE has changed', () => {
  expect(told(judge(`${ENTRY}${UNLOCKED}  0 40 page.free pfn=P order=0\n${FAULTED}`))).toEqual([
    'critical proven migration-entry-leaked (unlocked) x1',
  ]);
  expect(told(judge(ENTRY + UNLOCKED + FAULTED.replace('P:m', 'swap:3')))).toEqual([]);
});

const STORE = '  1 10 access agent=0 mm=A va=a pfn=P write=yes\n';
describeCase({
  check: 'migration-lost-write',
  trigger: ALLOCATED + MOVED + STORE,
  severity: 'critical',
  cause: 'stale-tlb',
  silent: [
    ['written before the copy', ALLOCATED + STORE + MOVED],
    ['only read', ALLOCATED + MOVED + STORE.replace('yes', 'no') + MOVED],
    ['undone: the page is used again', `${ALLOCATED}${STORE}${MOVED}  0 40 mig.undo pfn=P\n${STORE}`],
  ],
  without: [['accesses', ALLOCATED + MOVED, 'access']],
});

const FORK = `
  0 10 fork.begin child=B parent=A start=a end=a+8
  0 10 fork.swap child=B parent=A va=a
`;
const SWAPPED = `
${ALLOCATED}
  0 10 pte.clear mm=A value=P:w
  0 10 pte.set mm=A ptep=T old=none value=swap:7:x nr=1
`;
const CLEARED = '  0 10 pte.set mm=A ptep=T old=swap:7:x value=swap:7 nr=1\n';
const CHILD = '  0 10 pte.set mm=B ptep=TB old=none value=swap:7 nr=1\n';

describeCase({
  check: 'fork-swap-exclusive',
  trigger: SWAPPED + FORK + CLEARED + CHILD.replace('swap:7', 'swap:7:x'),
  severity: 'critical',
  cause: 'child',
  silent: [['cleared in both', SWAPPED + FORK + CLEARED + CHILD]],
  without: [
    ['the copy of the entry', without(SWAPPED + FORK + CHILD, /fork\.swap/), 'fork.swap'],
    [
      "the parent's entry and the exclusive bit of the child's",
      `${FORK}  0 10 pte.set mm=B ptep=TB old=none value=swap:7 nr=1\n`,
      'pte.set',
    ],
  ],
});

test('the bit that stays in the parent is proven once the entry is seen again', () => {
  const swapin = '  0 10 swapin.begin mm=A va=a flags=user pte=swap:7:x\n';
  expect(told(judge(SWAPPED + FORK + CHILD))).toEqual(['critical suspect fork-swap-exclusive (parent) x1']);
  expect(told(judge(SWAPPED + FORK + CHILD + swapin))).toEqual([
    'critical proven fork-swap-exclusive (parent) x1',
  ]);
  expect(told(judge(SWAPPED + FORK + CHILD + swapin.replace(':x', '')))).toEqual([]);
});

const FREEZE = (flags: string): string => `
  0 20 remove-mapping.begin pfn=P count=2
  0 20 ref.freeze pfn=P expect=2 ok=yes count=0 mapcount=-1 flags=${flags} mapping=anon
`;
const GONE = '  0 20 remove-mapping.end ok=yes\n';
describeCase({
  check: 'remove-mapping-dirty-order',
  trigger: FREEZE('locked|dirty|swapbacked|swapcache') + GONE,
  severity: 'critical',
  cause: 'dirty-at-freeze',
  silent: [
    ['clean', FREEZE('locked|swapbacked|swapcache') + GONE],
    [
      'dirty: thawed and kept',
      FREEZE('locked|dirty|swapbacked|swapcache') +
        GONE.replace('yes', 'no') +
        FREEZE('locked|swapbacked').replaceAll('pfn=P', 'pfn=Q') +
        GONE,
    ],
  ],
  without: [['the freeze', without(FREEZE('dirty') + GONE, /ref\.freeze/), 'ref.freeze']],
});

/** P is lazily freed: anon, and not swap backed any more. */
const LAZY = `
  0 10 ref.add pfn=P delta=1 count=1026 mapcount=0 flags=uptodate|ae mapping=anon
  0 20 unmap.begin pfn=P mm=A va=a count=1026 mapcount=0
  0 20 unmap.end ok=yes
`;
const LAST_PUT = '  0 20 ref.add pfn=P delta=-1 count=1025 mapcount=-1 flags=uptodate|ae mapping=anon\n';
describeCase({
  check: 'madvfree-discards-dma-write',
  trigger: ALLOCATED + PINNED + LAZY + LAST_PUT,
  severity: 'critical',
  cause: 'pin',
  silent: [
    ['unpinned before', ALLOCATED + PINNED + UNPINNED + LAZY.replaceAll('1026', '2')],
    ['kept because of the count', ALLOCATED + PINNED + LAZY.replace('ok=yes', 'ok=no')],
    [
      'in the swap: nothing is lost',
      ALLOCATED + PINNED + LAZY.replace('uptodate|ae', 'uptodate|ae|swapbacked'),
    ],
  ].map(
    ([why, text]) =>
      [
        why!,
        `${text!}${(ALLOCATED + LAZY).replaceAll('pfn=P', 'pfn=P2').replaceAll('value=P:', 'value=P2:').replaceAll('1026', '2').replaceAll('va=a', 'va=b').replaceAll('ptep=T', 'ptep=T2')}`,
      ] as const,
  ),
  without: [['the end of the unmap', without(ALLOCATED + PINNED + LAZY, /unmap\.end/), 'unmap.end']],
  suspect: [
    [
      'it became dirty meanwhile',
      (ALLOCATED + LAZY.replaceAll('1026', '2')).replace(
        '  0 20 unmap.end',
        '  1 12 dirty.set pfn=P\n  0 20 unmap.end',
      ),
      'the order of two CPUs',
    ],
  ],
});
