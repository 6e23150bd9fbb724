import { PTE_EXCLUSIVE, PTE_KIND, PTE_MIGRATION, PTE_PRESENT, PTE_SWAP, PTE_WRITE } from '../../core/pte.ts';
import { MAPPING_ANON } from '../../events/flags.ts';
import {
  forkPmd,
  forkPtes,
  forkPtesEnd,
  forkRange,
  forkRangeEnd,
  forkSwap,
  pteWrite,
} from '../../events/index.ts';
import type { Cursor } from '../cursor.ts';
import { TRI_FALSE } from '../pages.ts';
import { doubtSharing, doubtWrites } from '../pte-ranges.ts';
import { SLOT_KNOWN, SLOT_UNKNOWN, SLOT_WRITE_UNKNOWN } from '../ptes.ts';
import { type Fold, fold, type MmState } from '../state.ts';
import type { Task } from '../tasks.ts';
import { countPart } from './large.ts';
import { changeMap } from './mapcounts.ts';
import { tellsPtes } from './rmap.ts';

/**
 * fork wrote a present PTE for the child: the page has one more mapping. In a COW mapping the parent's PTE becomes
 * read-only and the page is no longer exclusive; no event carries either (domain.md P6 a, AE6, AE8).
 */
export function mapInChild(
  s: MmState,
  e: Cursor,
  task: Task,
  frame: number,
  count: number,
  bits: number,
): void {
  const copying = task.forkPtes;
  for (let k = 0; k < count; k++) {
    const pfn = frame + k;
    if (copying !== null && copying.copied === pfn) continue;
    const row = s.pages.find(pfn);
    if (row < 0) continue;
    if (s.pages.col.mapSeq[row]! > (copying?.seq ?? e.seq) && s.pages.col.mapPid[row] === task.pid) continue;
    changeMap(s, e.seq, row, 1, task.pid);
    countPart(s, pfn);
    if (bits & PTE_WRITE) continue;
    s.pages.col.exclusive[row] = TRI_FALSE;
    const from = copying?.mm ?? Number.NaN;
    const parent = s.ptes.mm(Number.isNaN(from) ? task.mm : from, e.seq);
    if (parent < 0) continue;
    // copy_present_ptes copies from its address on, one batch a call (mm/memory.c).
    const there = copying === null ? -1 : s.ptes.slotAt(parent, copying.va + k * 4096);
    const slot = there >= 0 && holds(s, there, pfn) ? there : s.ptes.onlySlotOf(parent, pfn);
    if (slot >= 0) {
      s.ptes.bits[slot]! &= ~PTE_WRITE;
      s.ptes.know[slot] = SLOT_KNOWN;
    } else if (slot === -2) doubtWriteIn(s, row, parent);
  }
}

/** Whether a slot is known to hold a present PTE of a page. */
function holds(s: MmState, slot: number, pfn: number): boolean {
  return (
    s.ptes.know[slot] !== SLOT_UNKNOWN &&
    (s.ptes.bits[slot]! & PTE_KIND) === PTE_PRESENT &&
    s.ptes.frame[slot] === pfn
  );
}

/** The parent maps the page at several addresses: nobody says which of them fork write-protected. */
function doubtWriteIn(s: MmState, pageRow: number, owner: number): void {
  for (let at = s.pages.col.slot[pageRow]!; at !== 0; at = s.ptes.next[at - 1]!)
    if (s.ptes.owner(at - 1) === owner && s.ptes.bits[at - 1]! & PTE_WRITE)
      s.ptes.know[at - 1] = SLOT_WRITE_UNKNOWN;
}

/** Whether fork takes the exclusive and the write bit of an entry: every swap entry, migration entries of COW mappings. */
function losesRights(s: MmState, bits: number, frame: number): boolean {
  if ((bits & PTE_KIND) === PTE_SWAP) return true;
  if ((bits & PTE_KIND) !== PTE_MIGRATION) return false;
  const row = s.pages.find(frame);
  return row >= 0 && s.pages.col.mapping[row] === MAPPING_ANON + 1;
}

/**
 * fork copies an entry that is not present. Neither mm's is exclusive or writable afterwards (AE4;
 * mm/memory.c:copy_nonpresent_pte); where PTE writes are told that of the parent is told too.
 */
function onForkSwap(s: MmState, e: Cursor): void {
  const { child, parent, va } = forkSwap.at;
  const address = e.args[e.at + va]!;
  const from = s.ptes.slotAt(s.ptes.mm(e.args[e.at + parent]!, e.seq), address);
  const heir = s.ptes.mm(e.args[e.at + child]!, e.seq);
  if (heir < 0 || from < 0 || s.ptes.know[from] === SLOT_UNKNOWN) return;
  const frame = s.ptes.frame[from]!;
  if (!losesRights(s, s.ptes.bits[from]!, frame)) return;
  const bits = s.ptes.bits[from]! & ~(PTE_EXCLUSIVE | PTE_WRITE);
  s.ptes.write(s.ptes.ensureAt(heir, address), bits, frame, e.seq, SLOT_KNOWN);
  if (!tellsPtes(s)) s.ptes.bits[from] = bits;
}

/** fork copies a huge PMD: both become read-only, the folio is not exclusive (AE6, AE8; mm/huge_memory.c:copy_huge_pmd). */
function onForkPmd(s: MmState, e: Cursor, task: Task): void {
  const { child, parent, va } = forkPmd.at;
  const address = e.args[e.at + va]!;
  const mm = e.args[e.at + parent]!;
  const at = s.ptes.hugeAt(s.ptes.mm(mm, e.seq), address);
  const heir = s.ptes.mm(e.args[e.at + child]!, e.seq);
  task.forkPmd = null;
  if (at < 0 || heir < 0) return;
  const c = s.ptes.regions.col;
  const row = s.pages.find(c.frame[at]!);
  task.forkPmd = {
    mm,
    va: address,
    seq: e.seq,
    child: e.args[e.at + child]!,
    pfn: c.frame[at]!,
    exclusive: row < 0 ? TRI_FALSE : s.pages.col.exclusive[row]!,
  };
  if (row >= 0) s.pages.col.exclusive[row] = TRI_FALSE;
  const folio = s.machines.folios.get(c.frame[at]!);
  if (folio !== undefined) folio.entire++;
  c.bits[at]! &= ~PTE_WRITE;
  s.ptes.setHuge(heir, address, c.bits[at]!, c.frame[at]!, e.seq);
}

/**
 * A PMD that fork was about to copy is split instead: its folio may be pinned, so it stays exclusive, and its PTEs are
 * copied one by one (mm/huge_memory.c:copy_huge_pmd, folio_try_dup_anon_rmap_pmd).
 */
export function undoForkPmd(s: MmState, seq: number, task: Task): void {
  const copied = task.forkPmd;
  task.forkPmd = null;
  if (copied === null) return;
  const row = s.pages.find(copied.pfn);
  if (row >= 0) s.pages.col.exclusive[row] = copied.exclusive;
  const folio = s.machines.folios.get(copied.pfn);
  if (folio !== undefined) folio.entire--;
  const heir = s.ptes.mm(copied.child, seq);
  if (heir >= 0) s.ptes.setHuge(heir, copied.va, 0, 0, seq);
}

/** What a fork copies, and what it takes away of the parent's rights by the way. */
export const forkFolds: readonly Fold[] = [
  fold(forkRange, (s, e, task) => {
    const child = e.args[e.at + forkRange.at.child]!;
    const parent = e.args[e.at + forkRange.at.parent]!;
    if (!Object.is(task.forkMm, child)) s.ptes.renew(child, e.seq);
    task.forkMm = child;
    if (Number.isNaN(task.mm)) task.mm = parent;
    if (!Number.isNaN(parent))
      s.machines.forks.set(parent, {
        parent,
        child,
        start: e.args[e.at + forkRange.at.start]!,
        end: e.args[e.at + forkRange.at.end]!,
        pid: task.pid,
        seq: e.seq,
        ns: e.ns,
        cpu: e.cpu,
        endSeq: 0,
      });
    const owner = s.ptes.mm(parent, e.seq);
    if (owner < 0) return;
    // Where no probe shows which PTEs are copied, any write bit of the parent may be gone.
    const { seen } = s.sources;
    if (seen[forkPtes.code] === 0 && seen[pteWrite.code] === 0) doubtWrites(s.ptes, owner);
    // Without PTE writes of the child nothing tells which pages gained a mapping, or lost their exclusivity.
    if (!tellsPtes(s))
      doubtSharing(
        s.ptes,
        s.pages,
        owner,
        e.args[e.at + forkRange.at.start]!,
        e.args[e.at + forkRange.at.end]!,
      );
  }),
  fold(forkRangeEnd, (s, e, task) => s.machines.forked(task.pid, e.seq)),
  fold(forkPtes, (s, e, task) => {
    const { child, parent, va, dst, src } = forkPtes.at;
    const mm = e.args[e.at + parent]!;
    const childMm = e.args[e.at + child]!;
    const address = e.args[e.at + va]!;
    const owner = s.ptes.mm(mm, e.seq);
    const heir = s.ptes.mm(childMm, e.seq);
    if (owner >= 0 && !Number.isNaN(e.args[e.at + src]!)) s.ptes.bind(e.args[e.at + src]!, owner, address);
    if (heir >= 0 && !Number.isNaN(e.args[e.at + dst]!)) s.ptes.bind(e.args[e.at + dst]!, heir, address);
    task.forkMm = childMm;
    task.forkPtes = {
      mm,
      va: address,
      seq: e.seq,
      child: childMm,
      dst: e.args[e.at + dst]!,
      src: e.args[e.at + src]!,
      pfns: [],
      deltas: [],
      copied: -1,
      childWrite: false,
    };
  }),
  fold(forkPtesEnd, (_s, _e, task) => {
    task.forkPtes = null;
  }),
  fold(forkSwap, onForkSwap),
  fold(forkPmd, onForkPmd),
];
