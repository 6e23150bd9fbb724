import { expect, test } from 'vitest';
import { judge, told, without } from '../notation.ts';
import { describeCase, saidBy } from './cases.ts';

const CACHED = '  0 10 swap.alloc entry=swap:7\n  0 10 swapcache.add pfn=P entry=swap:7 ok=yes\n';
const UNCACHED = '  0 10 swapcache.del pfn=P entry=swap:7\n';

const PEEK = `${CACHED}  1 11 swapcache.peek pfn=P entry=swap:3\n`;

describeCase({
  check: 'stale-swap-private',
  trigger: `${PEEK}${UNCACHED}`,
  severity: 'high',
  cause: 'entry-of-another-membership',
  silent: [
    ['the entry of its membership', `${CACHED}  1 11 swapcache.peek pfn=P entry=swap:7\n${UNCACHED}`],
    [
      'private stays behind after the deletion, the flag is clear',
      `${CACHED}  1 11 swapcache.peek pfn=P entry=swap:7\n${UNCACHED}  1 11 swapcache.peek pfn=P entry=swap:7\n`,
    ],
  ],
  without: [['the addition', without(PEEK, /swapcache\.add/), 'swapcache.add of the page']],
  suspect: [
    ['its deletion is not told', PEEK, 'the deletion of the page from the cache, which names its entry'],
  ],
});

test('no probe tells an unlocked look at the entry: never judged without', () => {
  const { coverage } = judge(CACHED);
  expect(coverage.get('stale-swap-private')).toMatchObject({ judged: 0 });
  expect(coverage.get('stale-swap-private')!.missing).toContain('swapcache.peek');
});

const FLAGS = 'swapbacked|swapcache|lru';
const SWAPPED = `  0 10 swap.add.begin pfn=P\n${CACHED}  0 10 swap.dup entry=swap:7 usage=1 nr=1\n  0 10 swap.dup.end ret=0\n`;
/** Another page is written: the probe is live. */
const LIVE = '  0 10 swap.write pfn=X entry=swap:1\n';
const DISCARD = `  0 10 remove-mapping.begin pfn=P
  0 10 ref.freeze pfn=P expect=2 ok=yes count=0 mapcount=-1 flags=dirty|${FLAGS} mapping=anon
${UNCACHED}  0 10 remove-mapping.end ok=yes\n`;
const LOST_PAGE = `${LIVE}${SWAPPED}${DISCARD}`;

describeCase({
  check: 'anon-page-discarded-unsaved',
  trigger: LOST_PAGE,
  severity: 'critical',
  cause: 'never-written',
  silent: [
    ['written before', `${LIVE}${SWAPPED}  0 10 swap.write pfn=P entry=swap:7\n${DISCARD}`],
    [
      'read from the slot and not changed since',
      `${LIVE}${CACHED}  0 10 swap.dup entry=swap:7 usage=1 nr=1\n  0 10 swap.read pfn=P entry=swap:7\n${DISCARD}`,
    ],
    ['nobody refers to the slot', `${LIVE}${SWAPPED}  1 11 swap.free entry=swap:7 nr=1\n${DISCARD}`],
  ],
  without: [
    ['any write to swap', `${SWAPPED}${DISCARD}`, 'swap.write'],
    ['the allocation of the slot', without(LOST_PAGE, /swap\.alloc/), 'swap.alloc: the history of the slot'],
    [
      'what the page is to its slot',
      without(LOST_PAGE, /swap\.add\.begin/),
      'dirty.set or swap.write of the page',
    ],
  ],
  suspect: [
    [
      'no flags as it was frozen',
      without(LOST_PAGE, /ref\.freeze/),
      'the dirty flag as the page was frozen: this rests on the absence of swap.write',
    ],
  ],
});

const FREED = `${CACHED}${UNCACHED}  0 10 swap.slotfree entry=swap:7 nr=1\n`;
const CLEAN = '  0 10 lock.release pfn=P flags=locked|swapbacked|lru|uptodate\n';

/** A swap-in fault, which has no business with madvise. */
const INSIDE = '  0 10 swapin.begin mm=A va=a pte=swap:7\n';

describeCase({
  check: 'swap-slot-freed-without-dirty',
  trigger: `${INSIDE}${FREED}${CLEAN}`,
  severity: 'warning',
  cause: 'clean-without-slot',
  silent: [
    ['dirty as it is unlocked', `${FREED}  0 10 lock.release pfn=P flags=locked|dirty|swapbacked\n`],
    ['the slot is kept', `${CACHED}${UNCACHED}${CLEAN}`],
    ['never read in', `${INSIDE}${FREED}${CLEAN.replace('|uptodate', '')}`],
  ],
  without: [['the flags', `${FREED}  0 10 lock.release pfn=P\n`, 'page flags at lock.release']],
  suspect: [
    [
      'madvise(MADV_FREE) cleans what it frees',
      `${FREED}${CLEAN}`,
      'whether madvise made the page free to discard',
    ],
  ],
});

test('a page that reclaim frees needs no dirty flag, and an unlock of another time says nothing', () => {
  expect(
    told(
      judge(
        `${CACHED}  0 10 remove-mapping.begin pfn=P\n${UNCACHED}  0 10 swap.slotfree entry=swap:7 nr=1\n${CLEAN}`,
      ),
    ),
  ).toEqual([]);
  expect(told(judge(`${FREED}  0 10 sys.exit call=1\n${CLEAN}`))).toEqual([]);
});

const READ = '  0 10 swapin.begin mm=A va=a+1 pte=swap:7\n  0 10 swap.read pfn=X entry=swap:7\n';
const AGAIN = `  1 11 swap.slotfree entry=swap:7 nr=1
  1 11 swap.alloc entry=swap:7
  1 11 swap.write pfn=Y entry=swap:7\n`;
const INSTALL = '  0 10 pte.set mm=A ptep=T:1 old=swap:7 value=X:r nr=1\n';

describeCase({
  check: 'swapin-stale-install',
  trigger: `${READ}${AGAIN}${INSTALL}`,
  severity: 'critical',
  cause: 'slot-reused',
  silent: [
    ['nobody used the slot meanwhile', `  1 11 swap.write pfn=Y entry=swap:7\n${READ}${INSTALL}`],
    [
      'the slot was reserved: it is written only afterwards',
      `  1 11 swap.write pfn=Y entry=swap:8\n${READ}${INSTALL}${AGAIN}`,
    ],
    [
      'read through the swap cache',
      `${READ}  0 10 swapcache.add pfn=X entry=swap:7 ok=yes\n${AGAIN}${INSTALL}`,
    ],
  ],
  without: [
    ['the read', without(`${READ}${AGAIN}${INSTALL}`, /swap\.read/), 'swap.read'],
    ['the fault', without(`${READ}${AGAIN}${INSTALL}`, /swapin\.begin/), 'swapin.begin'],
    ['anything of the slot', `${READ}${INSTALL}`, 'swap.write'],
  ],
  suspect: [
    [
      'how the slot came to be written again is not told',
      without(`${READ}${AGAIN}${INSTALL}`, /slotfree/),
      'swap.slotfree: how the slot came to be written again',
    ],
  ],
});

const ELSEWHERE = '  1 11 swapcache.add pfn=P entry=swap:900 ok=yes\n';
const WRONG = `${CACHED}${UNCACHED}${ELSEWHERE}  0 10 pte.set mm=A ptep=T:1 old=swap:7 value=P:r nr=1\n`;

describeCase({
  check: 'swapin-wrong-cache-page',
  trigger: `${WRONG}  1 11 swapcache.del pfn=P entry=swap:900\n`,
  severity: 'critical',
  cause: 'cached-elsewhere',
  silent: [
    ['cached under this entry', `${CACHED}  0 10 pte.set mm=A ptep=T:1 old=swap:7 value=P:r nr=1\n`],
    [
      'out of the cache by now',
      `${CACHED}${UNCACHED}  0 10 pte.set mm=A ptep=T:1 old=swap:7 value=P:r nr=1\n`,
    ],
  ],
  without: [['the addition', without(WRONG, /swapcache\.add/), 'swapcache.add']],
  suspect: [
    [
      'the page is not heard of again',
      WRONG,
      'that the page stayed under the other entry: its deletion from there',
    ],
  ],
});

const WB = `${CACHED}  0 10 wb.start pfn=P\n`;
const SHOWN = '  0 10 lock.release pfn=P flags=locked|writeback|swapbacked\n';
const END = '  1 11 wb.end pfn=P\n';

describeCase({
  check: 'writeback-overwrite',
  trigger: `${WB}${UNCACHED}${SHOWN}${END}`,
  severity: 'critical',
  cause: 'uncached',
  silent: [
    ['the writeback is over', `${WB}${END}${UNCACHED}`],
    [
      'its end is missing, but the flags show it',
      `${WB}  0 10 lock.release pfn=P flags=locked|swapbacked\n${UNCACHED}${SHOWN}${END}`,
    ],
  ],
  without: [
    ['the writeback', without(`${WB}${UNCACHED}`, /wb\.start/), 'wb.start'],
    ['what the device needs', `${WB}  2 12 access agent=cpu mm=A va=a pfn=P write=yes\n${END}`, 'si.stable'],
  ],
  suspect: [
    ['its end is not told', `${WB}${UNCACHED}`, 'page flags with writeback after it, and wb.end'],
    ['no flags show it', `${WB}${UNCACHED}${END}`, 'page flags with writeback after it, and wb.end'],
  ],
});

test('a store during writeback to a device that needs stable pages', () => {
  const stored = `  0 1 si.stable type=0\n${WB}  2 12 access agent=cpu mm=A va=a pfn=P write=yes\n${SHOWN}${END}`;
  expect(told(judge(stored))).toEqual(['high proven writeback-overwrite (written) x1']);
  expect(told(judge(stored.replace('write=yes', 'write=no')))).toEqual([]);
});

const ANON = `  0 10 ref.add pfn=P delta=1 count=3 mapcount=1 flags=${FLAGS} mapping=anon\n`;
/** The page is mapped by A (read-only) and by B, and is in the swap cache. */
const SHARED = `  0 3 swap.dup entry=swap:1 usage=1 nr=1
${CACHED}${ANON}  0 10 unmap.begin pfn=P mm=B va=b
`;
const GAP =
  '  0 10 rmap.del pfn=P folio=P nr=1 mm=B mapcount=1\n  0 10 ref.add pfn=P delta=-1 count=2 mapcount=0\n';
const DUP = '  0 10 swap.dup entry=swap:7 usage=1 nr=1\n';
const REUSED = `  1 11 wp.begin mm=A va=a+1 flags=write pte=P:r
  1 11 wp.reuse mm=A va=a+1 pfn=P count=2 mapcount=0 flags=${FLAGS}
  1 11 wp.end ret=0\n`;

/** A kernel that reads the sum without the page lock. */
const HUGH = { variant: 'hugh-2008', kernel: 206 } as const;

describeCase({
  check: 'swapcount-seen-too-low',
  how: HUGH,
  trigger: `${SHARED}${GAP}${REUSED}${DUP}`,
  severity: 'critical',
  cause: 'unmap',
  silent: [
    ['the slot is counted first', `${SHARED}${DUP}${GAP}${REUSED}`],
    ['counted before the decision', `${SHARED}${GAP}${DUP}${REUSED}`],
    ['another page', `${SHARED}${GAP}${ANON.replace('=P', '=Q')}${REUSED.replace(/=P\b/g, '=Q')}${DUP}`],
  ],
  without: [['the write fault', `${SHARED}${GAP}${DUP}`, 'wp.begin']],
  suspect: [['it is never counted', `${SHARED}${GAP}${REUSED}`, 'the event that counts the reference again']],
});

test('others read the sum under the page lock, or not at all: info', () => {
  const said = saidBy('swapcount-seen-too-low', judge(`${SHARED}${GAP}${REUSED}${DUP}`));
  expect(said).toMatchObject({ severity: 'info', verdict: 'proven' });
});

test('a swap-in that frees the slot before it counts the mapping', () => {
  const swapin = `${CACHED}${ANON}  0 10 swap.dup entry=swap:7 usage=1 nr=1
  0 10 swapin.begin mm=B va=b pte=swap:7
  0 10 swap.free entry=swap:7 nr=1
  0 10 ref.add pfn=P delta=1 count=3 mapcount=0
${REUSED}  0 10 rmap.add pfn=P folio=P nr=1 mm=B va=b anon=yes exclusive=no\n`;
  expect(saidBy('swapcount-seen-too-low', judge(swapin, HUGH))).toMatchObject({
    severity: 'critical',
    verdict: 'proven',
  });
});
