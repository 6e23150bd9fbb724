import { hex } from '../core/pointer.ts';
import type { MmState } from '../state/state.ts';
import type { StateScope } from '../state/view.ts';
import {
  viewArmed,
  viewCollapses,
  viewDevices,
  viewFolios,
  viewForks,
  viewInvalidations,
  viewKsm,
  viewLocks,
  viewLru,
  viewMigrations,
  viewSptes,
  viewStale,
  viewWriteback,
} from '../state/view-machines.ts';
import { entryOrNull, hexOrNull, plural, slot } from './format.ts';
import type { Json } from './json.ts';

/** The machines that run beside pages and page tables, as members of `faultline.state/1`. What is not known is null. */
export function machinesJson(s: MmState, scope: StateScope): { readonly [key: string]: Json } {
  const range = (at: {
    readonly mm: number;
    readonly start: number | null;
    readonly end: number | null;
  }) => ({
    mm: hexOrNull(at.mm),
    start: hexOrNull(at.start),
    end: at.end !== null && at.end < 0 ? null : hexOrNull(at.end),
  });
  return {
    folios: viewFolios(s, scope).map(({ head, order, entire, ptes, total, splitting }) => ({
      pfn: hexOrNull(head),
      order,
      entire_mapcount: entire,
      ptes,
      large_mapcount: total,
      splitting,
    })),
    devices: viewDevices(s, scope).map(({ users, ...device }) => ({
      ...device,
      users: users.map(({ entry, ...user }) => ({ ...user, entry: entryOrNull(entry) })),
    })),
    ksm: viewKsm(s, scope).map(({ pfn, ...node }) => ({ pfn: hexOrNull(pfn), ...node })),
    migrations: viewMigrations(s, scope).map(({ src, dst, entries, ...migration }) => ({
      pfn: hexOrNull(src),
      new_pfn: hexOrNull(dst),
      ...migration,
      entries: entries.map(({ mm, va }) => ({ mm: hexOrNull(mm), address: hexOrNull(va) })),
    })),
    collapses: viewCollapses(s, scope).map(({ mm, address, pages, ...collapse }) => ({
      mm: hexOrNull(mm),
      address: hexOrNull(address),
      ...collapse,
      pages: pages.map((pfn) => hexOrNull(pfn)),
    })),
    secondary: {
      mappings: viewSptes(s, scope).map(({ mm, address, pfn, ...spte }) => ({
        mm: hexOrNull(mm),
        address: hexOrNull(address),
        pfn: hexOrNull(pfn),
        ...spte,
      })),
      invalidations: viewInvalidations(s, scope).map((open) => ({
        ...range(open),
        pid: open.pid,
        since: open.since,
        callbacks_returned: open.started,
      })),
    },
    lru: viewLru(s, scope).map(({ pfn, ...place }) => ({ pfn: hexOrNull(pfn), ...place })),
    writeback: viewWriteback(s, scope).map(({ pfn, since }) => ({ pfn: hexOrNull(pfn), since })),
    stale_tlb: viewStale(s, scope).map(({ mm, address, pfn, ...stale }) => ({
      mm: hexOrNull(mm),
      address: hexOrNull(address),
      pfn: hexOrNull(pfn),
      ...stale,
    })),
    uffd_wp: viewArmed(s, scope).map((armed) => ({
      ...range(armed),
      since: armed.since,
      flushed: armed.flushed,
    })),
    forks: viewForks(s, scope).map((run) => ({
      ...range({ ...run, mm: run.parent }),
      child: hexOrNull(run.child),
      pid: run.pid,
      since: run.seq,
    })),
    locks: viewLocks(s, scope).map(({ pfn, mm, address, ...lock }) => ({
      ...lock,
      pfn: hexOrNull(pfn),
      mm: hexOrNull(mm),
      address: hexOrNull(address),
    })),
  };
}

/** A section of the text: its title, and the cells of its rows. */
export interface Section {
  readonly title: string;
  readonly rows: ReadonlyArray<readonly string[]>;
}

/** The same as text: sections in a fixed order, of which the empty ones are left out by whoever prints them. */
export function machinesText(s: MmState, scope: StateScope, name: (pid: number) => string): Section[] {
  const known = (value: number | null): string => (value === null ? '?' : String(value));
  const since = (seq: number | null): string => (seq === null ? '' : `since ${seq}`);
  const rangeText = (start: number | null, end: number | null): string =>
    `${start === null ? '?' : hex(start)} to ${end === null || end < 0 ? 'the end' : hex(end)}`;
  return [
    {
      title: 'large folios',
      rows: viewFolios(s, scope).map((folio) => [
        hex(folio.head)!,
        `order ${known(folio.order)}`,
        `PMDs ${known(folio.entire)}`,
        `PTEs ${known(folio.ptes)}`,
        folio.splitting === null
          ? ''
          : `split by ${name(folio.splitting.pid)} since ${folio.splitting.since}`,
      ]),
    },
    {
      title: 'swap devices',
      rows: viewDevices(s, scope).map((device) => [
        `type ${device.type}`,
        device.phase,
        since(device.since),
        device.inuse === null ? '' : `${plural(device.inuse, 'slot')} in use`,
        device.users.map(({ pid, what, entry }) => `${name(pid)} in ${what} of ${slot(entry)}`).join(', '),
      ]),
    },
    {
      title: 'stable tree of KSM',
      rows: viewKsm(s, scope).map((node) => [
        hex(node.pfn)!,
        `merged ${node.merged}`,
        since(node.since),
        node.stale === null ? '' : `stale since ${node.stale}`,
        node.got === null ? '' : `last got by ${name(node.got.pid)} at ${node.got.seq}`,
      ]),
    },
    {
      title: 'migrations',
      rows: viewMigrations(s, scope).map((migration) => [
        `${hex(migration.src)} to ${migration.dst === null ? '?' : hex(migration.dst)}`,
        migration.step,
        plural(migration.entries.length, 'entry', 'entries'),
        name(migration.pid),
        since(migration.since),
      ]),
    },
    {
      title: 'collapses',
      rows: viewCollapses(s, scope).map((collapse) => [
        collapse.address === null ? 'address unknown' : hex(collapse.address)!,
        collapse.step,
        plural(collapse.pages.length, 'page'),
        name(collapse.pid),
        since(collapse.since),
      ]),
    },
    {
      title: 'mapped by devices',
      rows: viewSptes(s, scope).map((spte) => [
        hex(spte.address)!,
        `page ${hex(spte.pfn)}`,
        spte.write ? 'writable' : 'read-only',
        `device ${spte.dev}`,
        since(spte.since),
      ]),
    },
    {
      title: 'invalidations under way',
      rows: viewInvalidations(s, scope).map((open) => [
        rangeText(open.start, open.end),
        `mm ${hex(open.mm)}`,
        open.pid === null ? '' : name(open.pid),
        since(open.since),
      ]),
    },
    {
      title: 'on the way to or from the LRU lists',
      rows: viewLru(s, scope).map((note) => [
        hex(note.pfn)!,
        note.place === 'batch' ? `batch of CPU ${note.cpu}` : `isolated by ${name(note.pid)}`,
        since(note.since),
      ]),
    },
    {
      title: 'under writeback',
      rows: viewWriteback(s, scope).map((folio) => [hex(folio.pfn)!, since(folio.since)]),
    },
    {
      title: 'waiting for a TLB flush',
      rows: viewStale(s, scope).map((stale) => [
        hex(stale.address)!,
        stale.pfn === null ? 'page unknown' : `page ${hex(stale.pfn)}`,
        stale.write ? 'writable' : 'read-only',
        since(stale.since),
        stale.deferred === null ? '' : `put off at ${stale.deferred}`,
      ]),
    },
    {
      title: 'write-protected by userfaultfd',
      rows: viewArmed(s, scope).map((armed) => [
        rangeText(armed.start, armed.end),
        `mm ${hex(armed.mm)}`,
        armed.flushed ? 'flushed' : 'not flushed yet',
        since(armed.since),
      ]),
    },
    {
      title: 'forks under way',
      rows: viewForks(s, scope).map((run) => [
        rangeText(run.start, run.end),
        `mm ${hex(run.parent)} to ${hex(run.child)}`,
        name(run.pid),
        since(run.seq),
      ]),
    },
    {
      title: 'locks held',
      rows: viewLocks(s, scope).map((lock) => [
        lock.pfn === null ? `page table of ${hex(lock.address!)}` : `page ${hex(lock.pfn)}`,
        name(lock.pid),
        since(lock.since),
      ]),
    },
  ];
}
