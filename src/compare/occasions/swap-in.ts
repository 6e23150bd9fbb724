import type { CheckRun } from '../../checks/check.ts';
import { PG_HEAD, PG_WRITEBACK } from '../../core/pageflags.ts';
import { PTE_EXCLUSIVE, PTE_KIND, PTE_PRESENT, PTE_SWAP, PTE_WRITE } from '../../core/pte.ts';
import { FAULT_WRITE } from '../../events/flags.ts';
import {
  pteSet,
  rmapAdd,
  rmapNew,
  swapFreeFolioEnd,
  swapinBegin,
  swapinEnd,
  wpBegin,
} from '../../events/index.ts';
import type { Cursor } from '../../state/cursor.ts';
import { TRI_FALSE, TRI_TRUE } from '../../state/pages.ts';
import type { MmState } from '../../state/state.ts';
import { Tasks } from '../../state/tasks.ts';
import type { Known } from '../../variants/facts.ts';
import type { SwapinPage } from '../../variants/swapin-reuse.ts';
import { type Occasion, told, voteFor } from '../occasion.ts';
import { swapinRuleOf } from './rules.ts';

/** A write fault on a swap PTE under way. */
interface Open {
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  readonly mm: number;
  readonly va: number;
  readonly entry: number;
  readonly exclusive: boolean | undefined;
  /** Swap PTEs of the slot when the fault began, the faulting one among them. */
  readonly swapcount: number;
  freed: boolean | undefined;
  page: Omit<SwapinPage, 'write' | 'exclusive' | 'swapcount'> | null;
  pfn: number;
  /** rmap was told that the page is exclusive: the test was passed (5.19 on). */
  passed: boolean;
  writable: boolean | undefined;
}

function tri(value: number): boolean | undefined {
  return value === TRI_TRUE ? true : value === TRI_FALSE ? false : undefined;
}

function occasionOf(pid: number, open: Open, known: Known<SwapinPage>): Occasion {
  const observed = open.writable === undefined ? 'unknown' : open.writable ? 'writable' : 'read-only';
  return {
    kind: 'swap-in',
    axis: 'swapin-reuse',
    seq: open.seq,
    ns: open.ns,
    cpu: open.cpu,
    pid,
    mm: open.mm,
    va: open.va,
    pfn: open.pfn,
    entry: open.entry,
    inputs: {
      exclusive: told(known.exclusive),
      ksm: told(known.ksm),
      swapcache: told(known.swapcache),
      refcount: told(known.count),
      mapcount: told(known.mappings),
      swapcount: told(known.swapcount),
      writeback: told(known.writeback),
      swap_freed: told(open.freed),
    },
    observed,
    vote: (value) => voteFor(swapinRuleOf(value).decide(known), observed),
    // A page that is mapped read-only goes on to do_wp_page, whose decision is one of its own.
    fires: () => [],
  };
}

/** Watches do_swap_page on write faults: is the page writable at once? */
export function watchSwapins(s: MmState, raise: (occasion: Occasion) => void): CheckRun {
  const opened = new Map<number, Open>();

  function begin(e: Cursor): void {
    const { mm, va, flags, pte } = swapinBegin.at;
    const bits = e.args[e.at + pte]!;
    const pid = Tasks.actor(e);
    opened.delete(pid);
    if (!(e.args[e.at + flags]! & FAULT_WRITE) || Number.isNaN(bits) || (bits & PTE_KIND) !== PTE_SWAP)
      return;
    const entry = e.args[e.at + pte + 1]!;
    opened.set(pid, {
      seq: e.seq,
      ns: e.ns,
      cpu: e.cpu,
      mm: e.args[e.at + mm]!,
      va: Math.floor(e.args[e.at + va]! / 4096) * 4096,
      entry,
      exclusive: (bits & PTE_EXCLUSIVE) !== 0,
      swapcount: Number.isNaN(entry) ? Number.NaN : s.swap.users(entry),
      freed: undefined,
      page: null,
      pfn: Number.NaN,
      passed: false,
      writable: undefined,
    });
  }

  /** The page is about to gain its mapping: the test is behind it. */
  function mapped(e: Cursor, pfn: number, exclusive: number, fresh: boolean): void {
    const open = opened.get(Tasks.actor(e));
    if (open === undefined || open.page !== null || !(pfn >= 0)) return;
    const row = s.pages.find(pfn);
    const c = s.pages.col;
    const seen = row >= 0 && c.flagsSeq[row]! > open.seq;
    const large = row >= 0 && (c.large[row] === 1 || (seen && (c.flags[row]! & PG_HEAD) !== 0));
    const cached = row < 0 ? undefined : tri(c.swapcache[row]!);
    const count = row < 0 || large ? Number.NaN : s.pages.count(row);
    open.pfn = pfn;
    open.passed = exclusive === 1;
    open.page = {
      ksm: false,
      swapcache: open.freed !== undefined || cached !== false || !fresh,
      // folio_free_swap dropped the reference of the cache before the count was looked at.
      count: count + (open.freed === true ? 1 : 0),
      mappings: row < 0 || !s.tellsMappings ? Number.NaN : fresh ? 0 : s.pages.mappings(row),
      writeback: seen && (c.flags[row]! & PG_WRITEBACK) !== 0,
      stableWrites: false,
    };
  }

  function end(e: Cursor): void {
    const pid = Tasks.actor(e);
    const open = opened.get(pid);
    opened.delete(pid);
    // A fault that mapped nothing has decided nothing: it waits, or starts anew.
    if (open === undefined || open.page === null || open.writable === undefined) return;
    // Passed, and read-only all the same: for userfaultfd or soft-dirty, which no rule of this axis is about.
    if (open.passed && !open.writable) return;
    raise(
      occasionOf(pid, open, {
        ...open.page,
        exclusive: open.exclusive,
        swapcount: open.freed === true ? 1 : open.swapcount,
        stableWrites: undefined,
        // A slot that could not be freed has another user, or is being written.
        writeback: open.freed === true ? false : open.page.writeback ? true : undefined,
        write: true,
      }),
    );
  }

  return {
    before: [
      [rmapNew, (e) => mapped(e, e.args[e.at + rmapNew.at.pfn]!, e.args[e.at + rmapNew.at.exclusive]!, true)],
      [
        rmapAdd,
        (e) => mapped(e, e.args[e.at + rmapAdd.at.pfn]!, e.args[e.at + rmapAdd.at.exclusive]!, false),
      ],
    ],
    after: [
      [swapinBegin, begin],
      [
        swapFreeFolioEnd,
        (e) => {
          const open = opened.get(Tasks.actor(e));
          if (open !== undefined && open.page === null)
            open.freed = e.args[e.at + swapFreeFolioEnd.at.ok] === 1;
        },
      ],
      [
        pteSet,
        (e) => {
          const open = opened.get(Tasks.actor(e));
          const bits = e.args[e.at + pteSet.at.value]!;
          if (open === undefined || open.page === null || open.writable !== undefined) return;
          if (!Number.isNaN(bits) && (bits & PTE_KIND) === PTE_PRESENT)
            open.writable = (bits & PTE_WRITE) !== 0;
        },
      ],
      [
        wpBegin,
        (e) => {
          const open = opened.get(Tasks.actor(e));
          if (open !== undefined) open.writable = false;
        },
      ],
      [swapinEnd, end],
    ],
  };
}
