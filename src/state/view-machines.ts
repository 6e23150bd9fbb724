import { entryType } from '../core/pte.ts';
import type { ForkRun, Migration } from './machines.ts';
import { covers } from './secondary.ts';
import type { MmState } from './state.ts';
import type { StateScope } from './view.ts';

/** What an item is about, to be asked whether it is in scope. An item that has no page is in no scope of a page. */
interface About {
  readonly pfns?: readonly number[];
  readonly mms?: readonly number[];
  readonly pid?: number;
  /** User addresses, end exclusive, -1 or NaN: to the end. */
  readonly start?: number;
  readonly end?: number;
  readonly entry?: number;
}

/** Whether everything that the scope asks for is met. */
function inScope(s: MmState, scope: StateScope, about: About): boolean {
  const { pfn, pid, address, entry } = scope;
  if (pfn !== null && !about.pfns?.includes(pfn)) return false;
  if (entry !== null && about.entry !== entry) return false;
  const mm = scope.mm ?? (pid === null ? null : (s.tasks.peek(pid)?.mm ?? Number.NaN));
  if (mm !== null && !about.mms?.includes(mm) && (pid === null || about.pid !== pid)) return false;
  if (address === null) return true;
  return about.start !== undefined && covers({ start: about.start, end: about.end ?? Number.NaN }, address);
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** A seq at which something happened, null if it did not. */
function seqOrNull(seq: number): number | null {
  return seq > 0 ? seq : null;
}

/** A large folio. Null is not known. */
export interface FolioView {
  readonly head: number;
  readonly order: number | null;
  /** PMDs that map it. */
  readonly entire: number | null;
  /** PTEs of all its pages together. */
  readonly ptes: number | null;
  /** Sum of both, as the steps of the kernel told it last, if they did. */
  readonly total: number | null;
  /** Who splits it, and since when. */
  readonly splitting: { readonly pid: number; readonly since: number } | null;
}

/** The large folios that were seen to be mapped, or are being split. */
export function viewFolios(s: MmState, scope: StateScope): FolioView[] {
  const { folios, splits } = s.machines;
  const found = new Map<number, FolioView>();
  for (const { head, order, entire, ptes, total } of folios.values())
    found.set(head, {
      head,
      order: orNull(order),
      entire: orNull(entire),
      ptes: orNull(ptes),
      total: orNull(entire + ptes) ?? orNull(total),
      splitting: null,
    });
  for (const { pfn, pid, seq } of splits.values()) {
    const head = s.machines.folioWith(pfn)?.head ?? pfn;
    const known = found.get(head) ?? { head, order: null, entire: null, ptes: null, total: null };
    found.set(head, { ...known, splitting: { pid, since: seq } });
  }
  const { pfn } = scope;
  return [...found.values()]
    .filter(({ head, order }) => {
      const holds = pfn !== null && pfn >= head && pfn < head + 2 ** (order ?? 0);
      return inScope(s, scope, { pfns: holds ? [pfn] : [] });
    })
    .sort((a, b) => a.head - b.head);
}

/** A swap device, and who is inside a function that uses it. */
export interface DeviceView {
  readonly type: number;
  readonly phase: string;
  readonly since: number | null;
  /** Slots in use as last printed. */
  readonly inuse: number | null;
  readonly users: ReadonlyArray<{
    readonly pid: number;
    readonly what: string;
    readonly entry: number;
    readonly since: number;
    /** It holds a reference of the device (get_swap_device); null: not told. */
    readonly referenced: boolean | null;
  }>;
}

const USES = {
  'free-cache': 'free_swap_and_cache_nr',
  swapin: 'do_swap_page',
  'read-async': '__read_swap_cache_async',
} as const;

/** The swap devices, and what tasks do with them. */
export function viewDevices(s: MmState, scope: StateScope): DeviceView[] {
  const { devices, sections } = s.swap;
  const users = [...sections.open].map(({ of, pid, type, entry, seq, gotSeq, putSeq }) => ({
    type,
    pid,
    what: USES[of],
    entry,
    since: seq,
    referenced: Number.isNaN(gotSeq) ? false : gotSeq > 0 ? putSeq === 0 : null,
  }));
  return [...devices.all()]
    .map(({ type, phase, since, inuse }) => ({
      type,
      phase,
      since: seqOrNull(since),
      inuse: orNull(inuse),
      users: users.filter((user) => user.type === type).map(({ type: _, ...user }) => user),
    }))
    .filter(({ type, users: inside }) => {
      const entry = scope.entry !== null && entryType(scope.entry) === type ? scope.entry : undefined;
      const about = entry === undefined ? {} : { entry };
      return inScope(s, scope, about) || inside.some(({ pid }) => inScope(s, scope, { ...about, pid }));
    })
    .sort((a, b) => a.type - b.type);
}

/** A page of KSM's stable tree. The node holds no reference. */
export interface KsmView {
  readonly pfn: number;
  readonly since: number;
  readonly merged: number;
  /** The page was freed, or made somebody's own: a lookup finds the node stale. */
  readonly stale: number | null;
  /** The last lookup that took a reference through the node. */
  readonly got: { readonly pid: number; readonly seq: number } | null;
}

/** The nodes of KSM's stable tree. */
export function viewKsm(s: MmState, scope: StateScope): KsmView[] {
  return [...s.machines.ksm.values()]
    .filter(({ pfn }) => inScope(s, scope, { pfns: [pfn] }))
    .map(({ pfn, seq, merged, leftSeq, getSeq, getPid }) => ({
      pfn,
      since: seq,
      merged,
      stale: seqOrNull(leftSeq),
      got: getSeq > 0 ? { pid: getPid, seq: getSeq } : null,
    }))
    .sort((a, b) => a.pfn - b.pfn);
}

/** A page on its way to another, by its step. */
export interface MigrationView {
  readonly src: number;
  readonly dst: number | null;
  readonly pid: number;
  readonly since: number;
  readonly step: 'unmapping' | 'unmapped' | 'moved' | 'undone';
  readonly entries: ReadonlyArray<{ readonly mm: number; readonly va: number }>;
}

function stepOf({ movedSeq, undoneSeq, dst }: Migration): MigrationView['step'] {
  if (movedSeq > 0) return 'moved';
  if (undoneSeq > 0) return 'undone';
  return Number.isNaN(dst) ? 'unmapping' : 'unmapped';
}

/** Migrations under way, and those whose entries still stand in page tables. */
export function viewMigrations(s: MmState, scope: StateScope): MigrationView[] {
  return [...s.machines.migrations.values()]
    .filter(({ src, dst, pid, entries }) =>
      inScope(s, scope, { pfns: [src, dst], pid, mms: entries.map(({ mm }) => mm) }),
    )
    .map((migration) => ({
      src: migration.src,
      dst: orNull(migration.dst),
      pid: migration.pid,
      since: migration.seq,
      step: stepOf(migration),
      entries: migration.entries.map(({ mm, va }) => ({ mm, va })),
    }))
    .sort((a, b) => a.src - b.src);
}

/** A collapse under way, by its step, with the small pages that it took. */
export interface CollapseView {
  readonly pid: number;
  readonly mm: number | null;
  readonly address: number | null;
  readonly since: number;
  readonly step: 'begun' | 'PMD cleared' | 'isolating' | 'isolated' | 'copied' | 'PMD set';
  readonly pages: readonly number[];
}

/** What khugepaged and MADV_COLLAPSE are doing. */
export function viewCollapses(s: MmState, scope: StateScope): CollapseView[] {
  const found: CollapseView[] = [];
  for (const { pid, collapse } of s.tasks.all()) {
    if (collapse === null) continue;
    const { mm, va } = collapse;
    const pages = [...collapse.pages.keys()];
    if (!inScope(s, scope, { pfns: pages, mms: [mm], pid, start: va, end: va + 0x200000 })) continue;
    const steps = [
      ['PMD set', collapse.pmdSetSeq],
      ['copied', collapse.commitSeq],
      ['isolated', collapse.isolatedSeq],
      ['isolating', collapse.isolateSeq],
      ['PMD cleared', collapse.pmdClearSeq],
    ] as const;
    found.push({
      pid,
      mm: orNull(mm),
      address: orNull(va),
      since: collapse.seq,
      step: steps.find(([, seq]) => seq > 0)?.[0] ?? 'begun',
      pages,
    });
  }
  return found.sort((a, b) => a.pid - b.pid);
}

/** What a device's secondary MMU maps. */
export interface SpteView {
  readonly dev: number;
  readonly mm: number;
  readonly address: number;
  readonly pfn: number;
  readonly write: boolean;
  readonly since: number;
}

/** What devices map. */
export function viewSptes(s: MmState, scope: StateScope): SpteView[] {
  return [...s.secondary.all()]
    .filter(({ mm, va, pfn }) => inScope(s, scope, { mms: [mm], pfns: [pfn], start: va, end: va + 4096 }))
    .map(({ dev, mm, va, pfn, write, seq }) => ({ dev, mm, address: va, pfn, write, since: seq }))
    .sort((a, b) => a.mm - b.mm || a.address - b.address || a.dev - b.dev);
}

/** A range of an mm that something is under way for, or that is armed. */
export interface RangeView {
  readonly mm: number;
  readonly start: number | null;
  /** Exclusive; -1: to the end of the address space. */
  readonly end: number | null;
  readonly pid: number | null;
  readonly since: number;
}

/** Invalidations of secondary MMUs that have started and not ended. `started`: every callback has returned. */
export function viewInvalidations(
  s: MmState,
  scope: StateScope,
): Array<RangeView & { readonly started: boolean | null }> {
  return s.secondary.open
    .filter(({ mm, pid, start, end }) => inScope(s, scope, { mms: [mm], pid, start, end }))
    .map(({ mm, start, end, pid, seq, startedSeq }) => ({
      mm,
      start: orNull(start),
      end: orNull(end),
      pid,
      since: seq,
      started: startedSeq > 0 ? true : null,
    }));
}

/** Ranges that userfaultfd write-protects. `flushed`: TLBs know of it. */
export function viewArmed(s: MmState, scope: StateScope): Array<RangeView & { readonly flushed: boolean }> {
  return [...s.machines.armed].flatMap(([mm, ranges]) =>
    ranges
      .filter(({ start, end }) => inScope(s, scope, { mms: [mm], start, end }))
      .map(({ start, end, seq, flushedSeq }) => ({
        mm,
        start: orNull(start),
        end: orNull(end),
        pid: null,
        since: seq,
        flushed: flushedSeq > 0,
      })),
  );
}

/** Forks that copy page tables just now. */
export function viewForks(s: MmState, scope: StateScope): ForkRun[] {
  return [...s.machines.forks.values()].filter(
    ({ endSeq, parent, child, pid, start, end }) =>
      endSeq === 0 && inScope(s, scope, { mms: [parent, child], pid, start, end }),
  );
}

/** A page in a per-CPU LRU batch, or taken off its list by a task. */
export interface LruView {
  readonly pfn: number;
  readonly place: 'batch' | 'isolated';
  readonly cpu: number;
  readonly pid: number;
  readonly since: number;
}

/** Pages on their way to or from the LRU lists, where that is told. */
export function viewLru(s: MmState, scope: StateScope): LruView[] {
  const found: LruView[] = [];
  for (const { pfn, place, cpu, pid, seq } of s.lru.image())
    if (place !== 'list' && inScope(s, scope, { pfns: [pfn], pid }))
      found.push({ pfn, place, cpu, pid, since: seq });
  return found.sort((a, b) => a.pfn - b.pfn);
}

/** A folio under writeback. */
export interface WritebackView {
  readonly pfn: number;
  readonly since: number;
}

/** Folios under writeback, as far as it is told. */
export function viewWriteback(s: MmState, scope: StateScope): WritebackView[] {
  const { table, col } = s.swap.folios;
  const found: WritebackView[] = [];
  for (let row = 0; row < table.bound; row++) {
    if (!table.alive(row) || col.wbSeq[row] === 0) continue;
    const pfn = table.key(row);
    if (s.swap.folios.find(s.pages, pfn) === row && inScope(s, scope, { pfns: [pfn] }))
      found.push({ pfn, since: col.wbSeq[row]! });
  }
  return found.sort((a, b) => a.pfn - b.pfn);
}

/** A translation that TLBs may still hold although its PTE was changed. */
export interface StaleView {
  readonly mm: number;
  readonly address: number;
  readonly pfn: number | null;
  readonly write: boolean;
  readonly since: number;
  /** Seq from which the flush is put off; null: it is not. */
  readonly deferred: number | null;
}

/** Translations that wait for a flush, where PTEs are told in full. */
export function viewStale(s: MmState, scope: StateScope): StaleView[] {
  return [...s.tlb.all()]
    .filter(({ mm, va, pfn, pid }) =>
      inScope(s, scope, { mms: [mm], pfns: [pfn], pid, start: va, end: va + 4096 }),
    )
    .map(({ mm, va, pfn, write, seq, deferredSeq }) => ({
      mm,
      address: va,
      pfn: orNull(pfn),
      write,
      since: seq,
      deferred: seqOrNull(deferredSeq),
    }))
    .sort((a, b) => a.mm - b.mm || a.address - b.address);
}

/** A lock that is held, where that is told: of a page, or of the page table of a region of 2 MiB. */
export interface LockView {
  readonly of: 'page' | 'page table';
  readonly pfn: number | null;
  readonly mm: number | null;
  readonly address: number | null;
  readonly pid: number;
  readonly since: number;
}

/** Page locks and page-table locks that are held. */
export function viewLocks(s: MmState, scope: StateScope): LockView[] {
  const found: LockView[] = [];
  for (const { pfn, pid, seq } of s.locks.held())
    if (inScope(s, scope, { pfns: [pfn], pid }))
      found.push({ of: 'page', pfn, mm: null, address: null, pid, since: seq });
  for (const { mm, region, pid, seq } of s.tlb.sections) {
    const start = region * 0x200000;
    if (inScope(s, scope, { mms: [mm], pid, start, end: start + 0x200000 }))
      found.push({ of: 'page table', pfn: null, mm, address: start, pid, since: seq });
  }
  return found.sort((a, b) => a.since - b.since);
}
