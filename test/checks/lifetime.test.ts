import { describeCase } from './cases.ts';
import { ALLOCATED, PROBES_LIVE } from './stories.ts';

const FLAGS = 'swapbacked|uptodate';
const put = (how: string): string => `  0 10 ref.add pfn=P delta=-1 zero=yes count=0 ${how}\n`;
const FREE = '  0 10 page.free pfn=P order=0';

describeCase({
  check: 'free-while-mapped',
  trigger: put(`mapcount=0 flags=${FLAGS} mapping=anon`) + FREE,
  severity: 'critical',
  cause: 'mapcount',
  silent: [
    ['unmapped: raw -1', put(`mapcount=-1 flags=${FLAGS} mapping=anon`) + FREE],
    [
      'the PTE is cleared, its flush pending',
      `
  0 10 pte.write mm=A va=a old=none value=P:w
  0 10 pte.write mm=A va=a old=P:w value=none
${FREE}`,
    ],
  ],
  without: [
    ['the mapcount', put(`flags=${FLAGS} mapping=anon`) + FREE, 'mapcount at the last put'],
    [
      'a small page: a large folio counts elsewhere',
      put(`mapcount=0 flags=head|${FLAGS} mapping=anon`) + FREE,
      'mapcount of the whole folio',
    ],
    [
      'a count that agrees: it was read too late',
      `  0 10 ref.add pfn=P delta=-1 zero=yes count=1 mapcount=0 flags=${FLAGS} mapping=anon\n${FREE}`,
      'mapcount at the last put',
    ],
    [
      'a page that can be mapped',
      put('mapcount=0 flags=none mapping=none') + FREE,
      'mapcount at the last put',
    ],
  ],
  suspect: [
    [
      'a PTE is told to map it, and no mapcount',
      `  0 10 pte.write mm=A va=a old=none value=P:w\n${FREE}`,
      'rests on the absence of pte.write: no mapcount was read at the free',
    ],
  ],
});

/** Every change of the count of P is told, and P is pinned: 1 + 1024. */
const PINNED = `${ALLOCATED}
  0 10 ref.add pfn=X delta=-1 zero=yes count=0 mapcount=-1 flags=none mapping=none
  0 10 page.free pfn=X order=0
  0 10 gup.begin how=pin mm=A start=a nr=1 flags=pin|write
  0 10 gup.grab pfn=P refs=1 flags=pin|write count=1
  0 10 ref.add pfn=P delta=1024 count=1025 mapcount=0 flags=ae|${FLAGS} mapping=anon
  0 10 gup.end how=pin ret=1
  0 10 rmap.del pfn=P folio=P nr=1 mm=A mapcount=0
`;
const UNPIN = `  0 10 ref.add pfn=P delta=-1024 zero=no count=1 mapcount=-1 flags=ae|${FLAGS} mapping=anon\n`;
const PUTS = `
  0 10 ref.add pfn=P delta=-1023 zero=no count=2 mapcount=-1 flags=ae|${FLAGS} mapping=anon
  0 10 ref.add pfn=P delta=-1 zero=no count=1 mapcount=-1 flags=ae|${FLAGS} mapping=anon
`;
const LAST = put(`mapcount=-1 flags=ae|${FLAGS} mapping=anon`);
describeCase({
  check: 'free-while-pinned',
  trigger: PINNED + PUTS + LAST + FREE,
  severity: 'critical',
  cause: 'put-without-unpin',
  silent: [
    ['unpinned first', PINNED + UNPIN + LAST + FREE],
    [
      'the unpin is the last put',
      `${PINNED}  0 10 ref.add pfn=P delta=-1 zero=no count=1024 mapcount=-1 flags=ae|${FLAGS} mapping=anon
  0 10 ref.add pfn=P delta=-1024 zero=yes count=0 mapcount=-1 flags=ae|${FLAGS} mapping=anon
${FREE}`,
    ],
    ['plain references, as many as they may be', ALLOCATED + LAST + FREE],
  ],
  without: [
    ['puts that account for all of it: the unpin may be missing', PINNED + LAST + FREE, 'the put of the pin'],
  ],
  suspect: [
    [
      'the count is not told since the allocation',
      `
  0 10 gup.grab pfn=P refs=1 flags=pin|write count=1
${FREE}`,
      'rests on the absence of gup.put',
    ],
  ],
});

for (const [check, flag, cause] of [
  ['free-while-locked', 'locked', 'locked'],
  ['free-while-writeback', 'writeback', 'under writeback'],
] as const)
  describeCase({
    check,
    trigger: put(`mapcount=-1 flags=${flag}|${FLAGS} mapping=anon`) + FREE,
    severity: 'critical',
    cause,
    silent: [
      ['the flag is gone', put(`mapcount=-1 flags=${FLAGS} mapping=anon`) + FREE],
      ['a slab page uses the bit as it pleases', put(`mapcount=-1 flags=${flag}|slab mapping=none`) + FREE],
    ],
    without: [['the flags', put('mapcount=-1 mapping=anon') + FREE, 'page flags at the free']],
  });

describeCase({
  check: 'free-while-on-lru',
  trigger: `  0 10 page.free pfn=P order=0 flags=lru|${FLAGS}`,
  severity: 'critical',
  cause: 'on an LRU list',
  silent: [
    [
      'the last put finds it on its list, the allocator does not',
      `${put(`mapcount=-1 flags=lru|${FLAGS} mapping=anon`)}  0 10 page.free pfn=P order=0 flags=${FLAGS}`,
    ],
  ],
  without: [['the flags', FREE, 'page flags at the free']],
});

const sample = (count: number, mapcount: number, more = 'mapping=anon'): string =>
  `  0 10 ref.add pfn=P delta=1 count=${count} mapcount=${mapcount} flags=${FLAGS} ${more}\n`;
describeCase({
  check: 'refcount-mapcount-inconsistent',
  trigger: sample(1, 1) + sample(2, 2),
  severity: 'critical',
  cause: 'mapping-without-reference',
  silent: [
    ['as many references as mappings', sample(2, 1) + sample(3, 1)],
    ['one reading between two steps of another', sample(1, 1) + sample(3, 1)],
    [
      'page cache counts mappings first',
      sample(2, 1) + sample(1, 1, 'mapping=file') + sample(1, 1, 'mapping=file'),
    ],
  ],
  without: [
    [
      'the mapcount',
      `  0 10 ref.add pfn=P delta=1 count=1 flags=${FLAGS} mapping=anon`,
      'count and mapcount beside the flags',
    ],
  ],
  suspect: [
    [
      'one reading is chance',
      sample(1, 1),
      'a second reading of the two counts: they are not read at one moment',
    ],
  ],
});

/** Allocation, puts and frees are told; task 10 mapped P and unmapped it. */
const UNMAPPED = `${PROBES_LIVE}${ALLOCATED}
  0 10 page.free pfn=X order=0
  0 10 ref.add pfn=P delta=1 count=2 mapcount=0 flags=lru|ae|${FLAGS} mapping=anon
  0 10 pte.clear mm=A value=P:w
  0 10 rmap.del pfn=P folio=P nr=1 mm=A mapcount=0
  0 10 ref.add pfn=P delta=-1 zero=no count=1 mapcount=-1 flags=lru|ae|${FLAGS} mapping=anon
`;
const EXIT = '  0 10 task.exit pid=10\n';
describeCase({
  check: 'ref-leak',
  trigger: UNMAPPED + EXIT,
  severity: 'critical',
  cause: 'never-put',
  verdict: 'suspect',
  silent: [
    [
      'put in time, and another page still mapped',
      `${UNMAPPED}${LAST}${FREE}
${ALLOCATED.replaceAll('=P', '=Q').replaceAll('va=a', 'va=b')}
  0 10 ref.add pfn=Q delta=1 count=2 mapcount=0 flags=lru|ae|${FLAGS} mapping=anon\n${EXIT}`,
    ],
    ['who dealt with it last is still there', UNMAPPED],
    ['it waits in a batch', `${UNMAPPED}  0 10 lru.add pfn=P\n${EXIT}`],
  ],
  without: [
    ['the allocation', `  0 10 page.free pfn=X order=0\n${EXIT}`, 'unfiltered page_ref'],
    ['the frees', UNMAPPED.replace('page.free pfn=X order=0', 'sys.enter call=-1') + EXIT, 'page.free'],
  ],
});
