import { GRADE_NAMES, UNKNOWN } from '../core/knowledge.ts';
import { PG_LOCKED, PG_LRU } from '../core/pageflags.ts';
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
import { type Translation, translate } from './lookup.ts';
import { LIFE_ALLOCATED, LIFE_FREE, LIFE_FROZEN, TRI_FALSE, TRI_TRUE } from './pages.ts';
import { SLOT_UNKNOWN, SLOT_WRITE_UNKNOWN, TABLE_SPAN } from './ptes.ts';
import type { MmState } from './state.ts';

/** What of a state is wanted; null: everything. */
export interface StateScope {
  readonly pfn: number | null;
  readonly mm: number | null;
  readonly pid: number | null;
  /** User address; with `mm` or `pid`. */
  readonly address: number | null;
  readonly entry: number | null;
}

/** One page-table entry. Null is not known. */
export interface MappingView {
  readonly mm: number | null;
  /** A task that runs on the mm. */
  readonly pid: number | null;
  readonly address: number | null;
  readonly kind: Translation['kind'];
  readonly pfn: number | null;
  readonly entry: number | null;
  readonly write: boolean | null;
  readonly dirty: boolean | null;
  readonly exclusive: boolean | null;
  readonly huge: boolean;
  readonly since: number | null;
  /** Why it is not known. */
  readonly reason: string | null;
}

/** Somebody who keeps a page from being freed. */
export interface HolderView {
  readonly kind: 'mapping' | 'swap cache' | 'pin' | 'get' | 'LRU batch or isolation' | 'unattributed';
  readonly count: number;
  readonly by: number | null;
  readonly since: number | null;
  /** A put may have ended it already. */
  readonly doubtful: boolean;
}

export interface PageView {
  readonly pfn: number;
  readonly generation: number;
  readonly since: number;
  readonly life: 'allocated' | 'free' | 'frozen' | 'unknown';
  readonly refcount: number | null;
  readonly mapcount: number | null;
  /** Page flags as last printed, null if never. */
  readonly flags: number | null;
  readonly swapcache: boolean | null;
  readonly entry: number | null;
  readonly exclusive: boolean | null;
  readonly locked: boolean | null;
  readonly pins: number;
  readonly holders: readonly HolderView[];
  readonly knowledge: Readonly<Record<string, string>>;
}

export interface SwapView {
  readonly entry: number;
  /** Users of the slot, null if its history is not known. */
  readonly count: number | null;
  readonly cached: boolean;
  readonly pfn: number | null;
  readonly mappings: number;
  readonly knowledge: string;
}

function triOrNull(value: number): boolean | null {
  return value === TRI_TRUE ? true : value === TRI_FALSE ? false : null;
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** A task of each mm: the one with the least pid. */
export function tasksByMm(s: MmState): ReadonlyMap<number, number> {
  const pids = new Map<number, number>();
  for (const task of s.tasks.all()) {
    if (Number.isNaN(task.mm) || task.pid <= 0) continue;
    pids.set(task.mm, Math.min(task.pid, pids.get(task.mm) ?? task.pid));
  }
  return pids;
}

const KINDS = ['none', 'present', 'swap', 'migration', 'other'] as const;

/** Every PTE that is known, but for empty ones. */
function* everyMapping(s: MmState, pids: ReadonlyMap<number, number>): Generator<MappingView> {
  const { tables, mms, regions } = s.ptes;
  for (let row = 0; row < tables.bound; row++) {
    if (!tables.alive(row)) continue;
    const mm = mms.key(tables.col.mm[row]!);
    for (let slot = row * 512; slot < (row + 1) * 512; slot++) {
      const bits = s.ptes.bits[slot]!;
      if (s.ptes.know[slot] === SLOT_UNKNOWN || (bits & PTE_KIND) === PTE_NONE) continue;
      const kind = KINDS[bits & PTE_KIND] ?? 'other';
      const frame = s.ptes.frame[slot]!;
      yield {
        mm: orNull(mm),
        pid: pids.get(mm) ?? null,
        address: orNull(s.ptes.address(slot)),
        kind,
        pfn: kind === 'present' || kind === 'migration' ? frame : null,
        entry: kind === 'swap' ? frame : null,
        huge: false,
        since: s.ptes.seq[slot]!,
        reason: null,
        ...bitsView(s, bits, frame, s.ptes.know[slot] === SLOT_WRITE_UNKNOWN),
      };
    }
  }
  for (let row = 0; row < regions.bound; row++) {
    if (!regions.alive(row) || regions.col.huge[row] === 0) continue;
    const owner = Math.floor(regions.key(row) / 2 ** 35);
    const mm = mms.key(owner);
    yield {
      mm: orNull(mm),
      pid: pids.get(mm) ?? null,
      address: (regions.key(row) - owner * 2 ** 35) * TABLE_SPAN,
      kind: 'present',
      pfn: regions.col.frame[row]!,
      entry: null,
      huge: true,
      since: regions.col.seq[row]!,
      reason: null,
      ...bitsView(s, regions.col.bits[row]!, regions.col.frame[row]!, false),
    };
  }
}

function bitsView(
  s: MmState,
  bits: number,
  frame: number,
  writeUnknown: boolean,
): Pick<MappingView, 'write' | 'dirty' | 'exclusive'> {
  const kind = bits & PTE_KIND;
  const page = kind === PTE_PRESENT ? s.pages.find(frame) : -1;
  return {
    write: kind !== PTE_PRESENT || writeUnknown ? null : (bits & PTE_WRITE) !== 0,
    dirty: kind === PTE_PRESENT ? (bits & PTE_DIRTY) !== 0 : null,
    exclusive:
      kind === PTE_SWAP || kind === PTE_MIGRATION
        ? writeUnknown
          ? null
          : (bits & PTE_EXCLUSIVE) !== 0
        : page < 0
          ? null
          : triOrNull(s.pages.col.exclusive[page]!),
  };
}

/** What one address of an mm translates to. */
function mappingAt(s: MmState, mm: number, address: number, pids: ReadonlyMap<number, number>): MappingView {
  const page = Math.floor(address / 4096) * 4096;
  const found = translate(s, mm, page);
  const known = Number.isNaN(found.bits)
    ? { write: null, dirty: null, exclusive: null }
    : bitsView(s, found.bits, Number.isNaN(found.pfn) ? found.entry : found.pfn, found.writeUnknown);
  return {
    mm: orNull(mm),
    pid: pids.get(mm) ?? null,
    address: page,
    kind: found.kind,
    pfn: orNull(found.pfn),
    entry: orNull(found.entry),
    huge: found.huge,
    since: found.since === 0 ? null : found.since,
    reason: found.reason,
    ...known,
  };
}

/** The PTEs in scope. */
export function viewMappings(s: MmState, scope: StateScope): MappingView[] {
  const pids = tasksByMm(s);
  const task = scope.pid === null ? undefined : s.tasks.peek(scope.pid);
  const mm = scope.mm ?? (scope.pid === null ? null : (task?.mm ?? Number.NaN));
  if (scope.address !== null && mm !== null) {
    const found = mappingAt(s, mm, scope.address, pids);
    return [scope.pid === null ? found : { ...found, pid: scope.pid }];
  }
  const found: MappingView[] = [];
  for (const mapping of everyMapping(s, pids)) {
    if (mm !== null && mapping.mm !== mm) continue;
    if (scope.pfn !== null && mapping.pfn !== scope.pfn) continue;
    if (scope.entry !== null && mapping.entry !== scope.entry) continue;
    found.push(mapping);
  }
  return found.sort((a, b) => (a.mm ?? 0) - (b.mm ?? 0) || (a.address ?? -1) - (b.address ?? -1));
}

/** How often a page is mapped: by PTEs of its own, and as a part of a large folio by PMDs. NaN: not known. */
function mappingsOf(s: MmState, row: number): number {
  // Below zero: mappings of before the trace went, so the number is of no use.
  const own = s.pages.mappings(row) >= 0 ? s.pages.mappings(row) : Number.NaN;
  if (s.pages.col.large[row] === 0) return own;
  return own + (s.machines.folioWith(s.pages.table.key(row))?.entire ?? Number.NaN);
}

/** References that mappings hold of a page: those of a large folio are all its head's. NaN: not known. */
function mappingReferences(s: MmState, row: number): number {
  if (s.pages.col.large[row] === 0) return mappingsOf(s, row);
  const folio = s.machines.folios.get(s.pages.table.key(row));
  return folio === undefined ? Number.NaN : folio.entire + folio.ptes;
}

/** Who holds a page, as far as the count can be told apart. */
function holdersOf(s: MmState, row: number): HolderView[] {
  const c = s.pages.col;
  const held: HolderView[] = [];
  const add = (
    kind: HolderView['kind'],
    count: number,
    by: number | null,
    since: number | null,
    doubtful = false,
  ): void => {
    if (count !== 0) held.push({ kind, count, by, since, doubtful });
  };
  const mappings = mappingReferences(s, row);
  let references = 0;
  if (!Number.isNaN(mappings)) {
    add('mapping', mappings, null, c.mapSeq[row] === 0 ? null : c.mapSeq[row]!);
    references += mappings;
  }
  if (c.swapcache[row] === TRI_TRUE) {
    add('swap cache', 1, null, null);
    references += 1;
  }
  for (const hold of s.holds.of(row)) {
    const pin = s.holds.isPin(hold);
    const refs = s.holds.col.refs[hold]!;
    add(
      pin ? 'pin' : 'get',
      refs,
      s.holds.col.pid[hold]!,
      s.holds.col.seq[hold]!,
      s.holds.col.doubtful[hold] === 1,
    );
    // A pin of a large folio is counted beside its reference (include/linux/mm.h: folio_maybe_dma_pinned).
    references += pin && c.large[row] === 0 ? refs * 1024 : refs;
  }
  const count = s.pages.count(row);
  if (Number.isNaN(count) || Number.isNaN(mappings)) return held;
  // A page off its LRU list is on somebody's way: in a batch, or isolated.
  if (count > references && c.flagsSeq[row] !== 0 && !(c.flags[row]! & PG_LRU)) {
    add('LRU batch or isolation', 1, null, null);
    references += 1;
  }
  add('unattributed', count - references, null, null);
  return held;
}

const LIVES = { [LIFE_ALLOCATED]: 'allocated', [LIFE_FREE]: 'free', [LIFE_FROZEN]: 'frozen' } as const;

function viewPage(s: MmState, row: number): PageView {
  const c = s.pages.col;
  const printed = c.flagsSeq[row] !== 0;
  const mappings = mappingsOf(s, row);
  const tri = (value: number): string => (value === 0 ? 'unknown' : 'sampled');
  return {
    pfn: s.pages.table.key(row),
    generation: c.gen[row]!,
    since: c.since[row]!,
    life: LIVES[c.life[row] as keyof typeof LIVES] ?? 'unknown',
    refcount: orNull(s.pages.count(row)),
    mapcount: mappings >= 0 ? mappings : null,
    flags: printed ? c.flags[row]! : null,
    swapcache: triOrNull(c.swapcache[row]!),
    entry: orNull(c.entry[row]!),
    // A free takes the bit (AE6).
    exclusive: c.life[row] === LIFE_FREE ? false : triOrNull(c.exclusive[row]!),
    locked: printed ? (c.flags[row]! & PG_LOCKED) !== 0 && c.unlockSeq[row]! < c.flagsSeq[row]! : null,
    pins: c.pins[row]!,
    holders: holdersOf(s, row),
    knowledge: {
      refcount: GRADE_NAMES[c.countGrade[row]!] ?? 'unknown',
      mapcount: mappings >= 0 ? (GRADE_NAMES[c.mapGrade[row]!] ?? 'unknown') : 'unknown',
      flags: printed ? 'sampled' : 'unknown',
      swapcache: tri(c.swapcache[row]!),
      exclusive: tri(c.exclusive[row]!),
    },
  };
}

/** The pages in scope: those of the mappings and slots in scope, or all that are not free. */
export function viewPages(s: MmState, scope: StateScope, mappings: readonly MappingView[]): PageView[] {
  const narrowed = Object.values(scope).some((value) => value !== null);
  const wanted = new Set<number>();
  if (scope.pfn !== null) wanted.add(scope.pfn);
  if (scope.entry !== null) {
    const row = s.swap.table.find(scope.entry);
    if (row >= 0) wanted.add(s.swap.table.col.page[row]!);
  }
  for (const { pfn } of mappings)
    if (pfn !== null && (scope.pfn === null || scope.pfn === pfn)) wanted.add(pfn);
  const rows: number[] = [];
  for (let row = 0; row < s.pages.table.bound; row++) {
    if (!s.pages.table.alive(row)) continue;
    if (narrowed ? wanted.has(s.pages.table.key(row)) : s.pages.col.life[row] !== LIFE_FREE) rows.push(row);
  }
  return rows.map((row) => viewPage(s, row)).sort((a, b) => a.pfn - b.pfn);
}

/** The swap slots in scope. */
export function viewSwap(s: MmState, scope: StateScope, mappings: readonly MappingView[]): SwapView[] {
  const narrowed = Object.values(scope).some((value) => value !== null);
  const c = s.swap.table.col;
  const mapped = new Set(mappings.map(({ entry }) => entry));
  const found: SwapView[] = [];
  for (let row = 0; row < s.swap.table.bound; row++) {
    if (!s.swap.table.alive(row)) continue;
    const entry = s.swap.table.key(row);
    if (narrowed && entry !== scope.entry && !mapped.has(entry) && c.page[row] !== scope.pfn) continue;
    let users = 0;
    for (let at = c.slot[row]!; at !== 0; at = s.ptes.next[at - 1]!) users++;
    found.push({
      entry,
      count: c.grade[row] === UNKNOWN ? null : c.count[row]!,
      cached: c.cached[row] === 1,
      pfn: orNull(c.page[row]!),
      mappings: users,
      knowledge: GRADE_NAMES[c.grade[row]!] ?? 'unknown',
    });
  }
  return found.sort((a, b) => a.entry - b.entry);
}
