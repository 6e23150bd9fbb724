import { expect, test } from 'vitest';
import { judge, told, without } from '../notation.ts';
import { describeCase, saidBy } from './cases.ts';

const BORN = '  0 10 swap.alloc entry=swap:7\n  0 10 swapcache.add pfn=P entry=swap:7 ok=yes\n';
const DUP = '  0 10 swap.dup entry=swap:7 usage=1 nr=1\n  0 10 swap.dup.end ret=0\n';
const FREE = '  1 11 swap.free entry=swap:7 nr=1\n';
const UNCACHED = '  0 10 swapcache.del pfn=P entry=swap:7\n';
const POOL = '  0 10 swap.slotfree entry=swap:7 nr=1\n';
/** A free whose map byte afterwards is told. */
const freeLeaving = (left: number): string => `  1 11 swap.free-cache.begin entry=swap:7 nr=1
  1 11 swap.entry-free entry=swap:7 nr=1 usage=1
  1 11 swap.entry-free.end left=${left}
  1 11 swap.free-cache.end\n`;
const MAP_BYTE = 'the map byte after the free (return of __swap_entry_free)';

describeCase({
  check: 'swap-count-underflow',
  trigger: `${BORN}${DUP}${FREE}${freeLeaving(255)}`,
  severity: 'critical',
  cause: 'freed-at-zero',
  silent: [
    ['as many users went as came', `${BORN}${DUP}${freeLeaving(64)}`],
    ['a slot with the cache bit alone goes back', `${BORN}${DUP}${FREE}${UNCACHED}${POOL}`],
    ['the kernel’s own byte is sound: a duplication was not seen', `${BORN}${DUP}${FREE}${freeLeaving(64)}`],
    [
      'a duplication that was refused is none',
      `${BORN}${DUP}${DUP.replace('ret=0', 'ret=-2')}${freeLeaving(64)}`,
    ],
    ['tmpfs: one user, another byte', `${BORN}${DUP.replace('usage=1', 'usage=191')}${freeLeaving(64)}`],
  ],
  without: [
    [
      'the allocation',
      without(`${BORN}${DUP}${FREE}${FREE}`, /swap\.alloc/),
      'swap.alloc: the history of the slot',
    ],
  ],
  suspect: [
    ['no map byte is told', `${BORN}${DUP}${FREE}${FREE}`, MAP_BYTE],
    [
      'the kernel refuses the slot',
      `${BORN}${DUP}${FREE}  1 11 swap.free-cache.begin entry=swap:7 nr=1\n  1 11 swap.free-cache.end\n`,
      MAP_BYTE,
    ],
  ],
});

test('a duplication told within the clocks’ skew behind a free may have come before it', () => {
  const late = `${BORN}${DUP}${FREE}${FREE}  0 10 swap.dup entry=swap:7 usage=1 nr=1\n`;
  expect(told(judge(late, { skewNs: 1_000_000 }))).toEqual([]);
});

const FULL = `${BORN}${DUP.repeat(62)}`;

describeCase({
  check: 'swap-count-overflow',
  trigger: `${FULL}${DUP}${freeLeaving(62)}`,
  severity: 'critical',
  cause: 'past-the-range',
  silent: [
    ['62 users are in range', FULL],
    ['the count goes on elsewhere', `${FULL}${DUP}${freeLeaving(0x80)}`],
    ['refused until a continuation is there', `${FULL}${DUP.replace('ret=0', 'ret=-12')}`],
    [
      'the slot is free, and the kernel says so',
      `${BORN}${UNCACHED}${POOL}${DUP.replace('ret=0', 'ret=-2')}`,
    ],
  ],
  without: [
    ['the allocation', without(`${FULL}${DUP}`, /swap\.alloc/), 'swap.alloc: the history of the slot'],
  ],
  suspect: [
    ['no map byte is told', `${FULL}${DUP}`, 'the map byte of the slot afterwards: its continuation bit'],
    [
      'a slot of the pool gets a user',
      `${BORN}${UNCACHED}${POOL}${DUP}`,
      'that the slot was not allocated again meanwhile: this rests on the absence of swap.alloc',
    ],
  ],
});

const PLACED = '  0 10 pte.set mm=A ptep=T:1 old=none value=swap:7 nr=1\n';
const PLACED_TOO = '  0 10 pte.set mm=B ptep=U:1 old=none value=swap:7 nr=1\n';
const REMOVED = '  1 11 pte.set mm=A ptep=T:1 old=swap:7 value=none nr=1\n';
const LEAK = `${BORN}${DUP}${DUP}${DUP}${PLACED}${PLACED_TOO}  0 10 pte.set mm=C ptep=V:1 old=none value=swap:7 nr=1
${REMOVED}  2 12 pte.set mm=B ptep=U:1 old=swap:7 value=none nr=1
${freeLeaving(2)}`;

describeCase({
  check: 'swap-entry-leak',
  trigger: LEAK,
  severity: 'warning',
  cause: 'count-without-pte',
  silent: [
    ['every PTE is still there', `${BORN}${DUP}${PLACED}`],
    [
      'one PTE of two went, with its count',
      `${BORN}${DUP}${DUP}${PLACED}${PLACED_TOO}${REMOVED}${freeLeaving(65)}`,
    ],
  ],
  without: [['a PTE that got the entry', without(LEAK, /mm=C/), 'pte.set: every PTE that holds the entry']],
  suspect: [
    [
      'no map byte since the PTE went',
      `${BORN}${DUP}${PLACED}${REMOVED}`,
      'a map byte read after the last PTE lost the entry',
    ],
  ],
});

const OFF = '  2 20 si.unuse.begin type=0\n  2 20 si.unuse.end ret=0\n';

test('swapoff ends with a slot still counted: high, proven by the user that comes later', () => {
  expect(told(judge(`${BORN}${DUP}${OFF}${FREE}`))).toEqual([
    'high proven swap-entry-leak (counted-after-swapoff) x1',
  ]);
  expect(told(judge(`${BORN}${DUP}${OFF}`))).toEqual([
    'high suspect swap-entry-leak (counted-after-swapoff) x1',
  ]);
  expect(told(judge(`${BORN}${DUP}${FREE}${OFF}`))).toEqual([]);
  expect(told(judge(`${BORN}${DUP}${OFF.replace('ret=0', 'ret=-4')}`))).toEqual([]);
});

describeCase({
  check: 'swap-slot-freed-in-use',
  trigger: `${BORN}${DUP}${UNCACHED}${POOL}${FREE}`,
  severity: 'critical',
  cause: 'counted',
  silent: [
    ['nobody counts on it', `${BORN}${DUP}${FREE}${UNCACHED}${POOL}`],
    ['a clean folio leaves the cache, the slot stays', `${BORN}${DUP}${UNCACHED}${FREE}${POOL}`],
    [
      'some kernels cache the folio inside the allocation',
      `${BORN}${UNCACHED}${POOL}  0 10 swapcache.add pfn=Q entry=swap:7 ok=yes\n  0 10 swap.alloc entry=swap:7\n`,
    ],
  ],
  without: [
    [
      'the allocation',
      without(`${BORN}${DUP}${UNCACHED}${POOL}${FREE}`, /swap\.alloc/),
      'swap.alloc: the history of the slot',
    ],
  ],
  suspect: [
    [
      'the user is not heard of again',
      `${BORN}${DUP}${UNCACHED}${POOL}`,
      'that someone still counts on the slot: none of its users was heard of afterwards',
    ],
    [
      'a new user came in between',
      `${BORN}${DUP}${UNCACHED}${POOL}  2 12 swap.alloc entry=swap:7\n${DUP}${FREE}`,
      'that someone still counts on the slot: none of its users was heard of afterwards',
    ],
  ],
});

test('a slot freed, or handed out again, while a folio is cached under it', () => {
  const seen = '  0 10 swapcache.add pfn=R entry=swap:9 ok=yes\n  0 10 swapcache.del pfn=R entry=swap:9\n';
  expect(told(judge(`${seen}${BORN}${POOL}${UNCACHED}`))).toEqual([
    'critical proven swap-slot-freed-in-use (cached) x1',
  ]);
  expect(told(judge(`${seen}${BORN}  2 12 swap.alloc entry=swap:7\n${UNCACHED}`))).toEqual([
    'critical proven swap-slot-freed-in-use (cached) x1',
  ]);
  expect(told(judge(`${seen}${BORN}${POOL}`))).toEqual([
    'critical suspect swap-slot-freed-in-use (cached) x1',
  ]);
});

const LOOKED = `${BORN}  1 11 swap.reclaim.begin entry=swap:7 inuse=3\n`;
const MOVED = `${UNCACHED}  0 10 swap.alloc entry=swap:9\n  0 10 swapcache.add pfn=P entry=swap:9 ok=yes\n  0 10 swap.dup entry=swap:9 usage=1 nr=1\n`;
const WRONG = `${LOOKED}${MOVED}  1 11 swapcache.del pfn=P entry=swap:9\n`.replaceAll('swap:9', 'swap:900');

describeCase({
  check: 'swapcache-delete-wrong-entry',
  trigger: WRONG,
  severity: 'critical',
  cause: 'moved-since-lookup',
  silent: [
    ['deleted under the entry looked up', `${LOOKED}  1 11 swapcache.del pfn=P entry=swap:7\n`],
    ['an entry of the same large folio', `${LOOKED}  1 11 swapcache.del pfn=P entry=swap:4\n`],
    ['nobody uses the slot', without(WRONG, /swap\.dup/)],
    [
      'looked at again: left alone, then another page',
      `${LOOKED}  1 11 swap.reclaim.end ret=0\n${BORN}  1 11 swap.reclaim.begin entry=swap:7 inuse=3\n  1 11 swapcache.del pfn=P entry=swap:7\n`,
    ],
  ],
  without: [['the pages', WRONG.replaceAll('pfn=P ', ''), 'the pfn of the folio']],
  suspect: [
    [
      'how it came to be under the new entry is not told',
      without(WRONG, /swapcache\.add pfn=P entry=swap:900/),
      'swapcache.add of the folio under its new entry',
    ],
  ],
});

test('a page found by a fault and deleted under another entry', () => {
  const found = `${BORN}  1 11 swapcache.found pfn=P\n${MOVED}  1 11 swapcache.del pfn=P entry=swap:9\n`;
  expect(saidBy('swapcache-delete-wrong-entry', judge(found.replaceAll('swap:9', 'swap:900')))).toMatchObject(
    {
      verdict: 'proven',
    },
  );
  expect(
    saidBy(
      'swapcache-delete-wrong-entry',
      judge(found.replace('  1 11 swapcache.del', '  1 11 swapin.end ret=0\n  1 11 swapcache.del')),
    ),
  ).toBeNull();
});
