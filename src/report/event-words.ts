import { PG_LOCKED, pageFlagText } from '../core/pageflags.ts';
import { hex } from '../core/pointer.ts';
import {
  PTE_DIRTY,
  PTE_EXCLUSIVE,
  PTE_KIND,
  PTE_MIGRATION,
  PTE_NONE,
  PTE_PRESENT,
  PTE_SWAP,
  PTE_WRITE,
} from '../core/pte.ts';
import type { ArgType, EventKind } from '../events/declare.ts';
import { FAULT_UNSHARE, FAULT_WRITE, FOLL_GET, FOLL_PIN, FOLL_WRITE } from '../events/flags.ts';
import { SYSCALLS } from '../events/task.ts';
import { slot } from './format.ts';

/** A PTE in words: its kind, its frame, the bits that decide. */
export function pteText(bits: number, frame: number): string {
  if (Number.isNaN(bits)) return 'unknown';
  const kind = bits & PTE_KIND;
  if (kind === PTE_NONE) return 'none';
  const exclusive = bits & PTE_EXCLUSIVE ? ' exclusive' : '';
  if (kind === PTE_SWAP) return `slot ${slot(frame)}${exclusive}`;
  if (kind === PTE_MIGRATION) return `migration of ${hex(frame)}${exclusive}`;
  if (kind !== PTE_PRESENT) return 'other';
  return `${hex(frame)}${bits & PTE_WRITE ? ' W' : ' R/O'}${bits & PTE_DIRTY ? ' D' : ''}`;
}

const FLAG_NAMES: Partial<Record<ArgType, ReadonlyArray<readonly [bit: number, name: string]>>> = {
  gupflags: [
    [FOLL_WRITE, 'WRITE'],
    [FOLL_GET, 'GET'],
    [FOLL_PIN, 'PIN'],
  ],
  faultflags: [
    [FAULT_WRITE, 'WRITE'],
    [FAULT_UNSHARE, 'UNSHARE'],
  ],
};

/** One argument as people write it. */
export function argumentText(type: ArgType, value: number, frame: number): string {
  if (Number.isNaN(value)) return '?';
  switch (type) {
    case 'pfn':
      return value === -1 ? 'none' : hex(value)!;
    case 'mm':
    case 'ptr':
    case 'va':
      return hex(value)!;
    case 'pte':
      return pteText(value, frame);
    case 'entry':
      return slot(value);
    case 'pageflags':
      return pageFlagText(value).replaceAll('|', ',');
    case 'bool':
      return value === 1 ? 'yes' : 'no';
    case 'gupflags':
    case 'faultflags': {
      const names = FLAG_NAMES[type]!.filter(([bit]) => value & bit).map(([, name]) => name);
      return names.length > 0 ? names.join('|') : '0';
    }
    default:
      return String(value);
  }
}

type Values = (name: string) => number;

/** A change of a refcount as people write it. */
function refText(v: Values, w: (name: string) => string): string {
  const delta = v('delta');
  const to = Number.isNaN(v('count')) ? '' : ` -> ${w('count')}`;
  const what = delta === 0 ? 'refcount looked at' : `refcount ${delta > 0 ? '+' : ''}${delta}`;
  return `${what}${to} of ${w('pfn')}${v('flags') & PG_LOCKED ? ', page locked' : ''}`;
}

/** Sentences for the events that readers meet most; the others are told by name and arguments. */
const SENTENCES: Readonly<Record<string, (value: Values, words: (name: string) => string) => string>> = {
  'page.alloc': (v, w) => `allocated${v('order') > 0 ? `, order ${w('order')}` : ''}`,
  'page.free': (v, w) => `freed${v('order') > 0 ? `, order ${w('order')}` : ''}`,
  'page.free-batched': () => 'freed through a batch',
  'page.release': () => 'last reference dropped, being freed',
  'lru.insert': () => 'put on an LRU list as a batch drained',
  'lru.isolate': (v) => (v('ok') === 0 ? 'not isolated: on no LRU list' : 'taken off its LRU list'),
  'lock.release': () => 'page lock about to be released',
  'lock.wait': () => 'waits for the page lock',
  'anon.begin': (_, w) => `do_anonymous_page at ${w('va')} of mm ${w('mm')}`,
  'anon.end': () => 'do_anonymous_page returned',
  'fault.begin': (_, w) => `fault at ${w('va')} of mm ${w('mm')}`,
  'fault.end': () => 'fault handled',
  'wp.end': () => 'do_wp_page returned',
  'ref.add': refText,
  'pte.clear-flush': (_, w) => `PTE at ${w('va')} of mm ${w('mm')} cleared and flushed`,
  'fork.ptes.begin': (_, w) => `fork copies PTEs from ${w('va')} on, mm ${w('parent')} to ${w('child')}`,
  'task.new': (_, w) => `starts task ${w('pid')}`,
  'gup.grab-fast.begin': (_, w) => `GUP-fast tries to take a reference: ${w('flags')}`,
  'gup.grab-fast.end': (v, w) => `GUP-fast ${Number.isNaN(v('pfn')) ? 'took none' : `has ${w('pfn')}`}`,
  'reclaim.begin': () => 'enters reclaim',
  'reclaim.end': () => 'leaves reclaim',
  'reclaim.pages': () => 'reclaim of given pages starts',
  'thp.collapse.begin': (_, w) => `collapse of the range around ${w('va')} starts`,
  'thp.isolate.begin': () => 'collapse: PMD cleared, small pages are checked',
  'thp.collapse.commit': () => 'collapse: copied, small pages are released',
  'thp.collapse.end': () => 'collapse returned',
  'swap.free-cache.begin': (_, w) => `free_swap_and_cache of slot ${w('entry')} starts`,
  'swap.free-cache.end': () => 'free_swap_and_cache returned',
  'si.off.begin': () => 'swapoff starts',
  'si.unuse.begin': () => 'try_to_unuse starts',
  'si.unuse.end': () => 'try_to_unuse returned',
  'si.freed': (_, w) => `swap device ${w('type')} is torn down`,
  'wp.begin': (_, w) => `write fault at ${w('va')}, PTE ${w('pte')}`,
  'wp.test': () => 'sole-user test starts',
  'wp.copy': (_, w) => `COPY decided, fault at ${w('va')}`,
  'wp.reuse': (_, w) => `REUSE decided, fault at ${w('va')}`,
  'rmap.new': (_, w) => `first mapping, at ${w('va')} of mm ${w('mm')}`,
  'rmap.add': (v, w) => `mapped${Number.isNaN(v('va')) ? '' : ` at ${w('va')}`} in mm ${w('mm')}`,
  'rmap.del': (_, w) => `loses a mapping of mm ${w('mm')}`,
  'rmap.move': (_, w) => `becomes exclusive to mm ${w('mm')}`,
  'pte.set': (v, w) =>
    `PTE of mm ${w('mm')} set to ${w('value')}${v('nr') > 1 ? ` and ${v('nr') - 1} more` : ''}`,
  'pte.clear': (_, w) => `PTE of mm ${w('mm')} cleared, was ${w('value')}`,
  'swapcache.add': (_, w) => `enters the swap cache as slot ${w('entry')}`,
  'swapcache.del': (_, w) => `leaves the swap cache, slot ${w('entry')}`,
  'unmap.begin': (_, w) => `try_to_unmap at ${w('va')} of mm ${w('mm')}`,
  'zap.ptes.begin': (_, w) => `range of mm ${w('mm')} unmapped from ${w('va')} on`,
  'gup.grab': (_, w) => `GUP takes a reference: ${w('flags')}`,
  'gup.put': (_, w) => `GUP gives up a reference: ${w('flags')}`,
  'wb.start': () => 'writeback starts',
  'wb.end': () => 'writeback ended',
  'dirty.set': () => 'marked dirty',
};

/** An event in words. */
export function eventWords(kind: EventKind, args: readonly number[]): string {
  const at = kind.at as Readonly<Record<string, number>>;
  const value: Values = (name) => (at[name] === undefined ? Number.NaN : args[at[name]]!);
  const words = (name: string): string =>
    argumentText(kind.args[name]!, value(name), args[at[name]! + 1] ?? Number.NaN);
  const sentence = SENTENCES[kind.name];
  if (sentence) return sentence(value, words);
  const parts = Object.keys(kind.args)
    .filter((name) => !Number.isNaN(value(name)))
    .map((name) => (name === 'call' ? (SYSCALLS[value(name)] ?? 'another call') : `${name} ${words(name)}`));
  return [kind.name, ...parts].join(' ');
}
