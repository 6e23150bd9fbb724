import { PTE_KIND, PTE_PRESENT, PTE_WRITE } from '../core/pte.ts';
import {
  forkCheck,
  forkPtes,
  forkRange,
  forkRangeEnd,
  gupBegin,
  gupEnd,
  gupGrabFastEnd,
  gupPut,
  mmDup,
  pteSet,
  pteWrite,
  refAdd,
} from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { actorOf, heldOn, isWhole, placeOn } from './evidence.ts';
import { surelyBefore } from './integrity.ts';

const ID = 'gup-fast-fork-race';

/** A page that a fork under way has shared with the child, or has found unpinned. */
interface Shared {
  readonly parent: number;
  readonly va: number;
  readonly pfn: number;
  /** When its PTE was begun to be copied, or its pin test was made. */
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  /** When the child got it, 0 not yet. */
  sharedSeq: number;
  sharedNs: number;
  sharedCpu: number;
}

/** A pin of the fast walk, taken while the mm was being forked. */
interface FastPin {
  readonly pfn: number;
  readonly seq: number;
  readonly mm: number;
  readonly pid: number;
  /** The walk returned: it keeps the pin. */
  kept: boolean;
  /** The slow walk took over: the fast one may have given all its pins back. */
  slow: boolean;
}

export const gupFastForkRace: Check = {
  id: ID,
  statement:
    'GUP-fast pinned a page between the pin test of fork and the write protection of its PTE, and kept the pin: fork shared a pinned page.',
  origin: '57efa1fe5957 (write_protect_seq)',
  severity: 'critical',
  needs: ['fork.ptes.begin', 'pte.set', 'gup.grab-fast.end', 'gup.end'],
  specificity: 5,
  example: `Fires:
  fork: P is not pinned             | gup_fast: PTE W read, ref+=1024, PTE same -> ok
  dup map, wrprotect both           |
Silent: gup_fast reads write_protect_seq again: changed, it unpins and takes the slow path`,
  start(context) {
    const s = context.state;
    const shared = new Map<number, Shared>();
    const pins = new Map<number, FastPin>();

    /** When a task of fork began to copy PTEs, by pid. */
    const begun = new Map<number, { readonly seq: number; readonly ns: number; readonly cpu: number }>();

    function note(
      parent: number,
      va: number,
      pfn: number,
      from: { readonly seq: number; readonly ns: number; readonly cpu: number },
    ): Shared {
      const known = shared.get(pfn);
      if (known !== undefined && known.parent === parent && known.sharedSeq === 0) return known;
      const { seq, ns, cpu } = from;
      const fresh = { parent, va, pfn, seq, ns, cpu, sharedSeq: 0, sharedNs: 0, sharedCpu: 0 };
      shared.set(pfn, fresh);
      return fresh;
    }

    function childHas(
      e: Cursor,
      parent: number,
      va: number,
      pfn: number,
      from: Parameters<typeof note>[3],
    ): void {
      const known = shared.get(pfn);
      // pte.set and pte.write tell one change twice.
      if (known?.parent === parent && known.sharedSeq > 0) return;
      const page = note(parent, va, pfn, from);
      page.sharedSeq = e.seq;
      page.sharedNs = e.ns;
      page.sharedCpu = e.cpu;
    }

    /** Both are there: the pin is kept, and the child maps the page. */
    function look(e: Cursor, pin: FastPin, page: Shared): void {
      if (!pin.kept || page.sharedSeq === 0 || pin.mm !== page.parent || pin.seq < page.seq) return;
      const held = heldOn(s, pin.pfn).find((other) => other.seq === pin.seq);
      pins.delete(pin.pfn);
      context.judged();
      if (held === undefined) return;
      const { sharedNs: ns, sharedCpu: cpu } = page;
      // That the PTE was still writable, or the page exclusive, when the walk looked is what its success says.
      const ordered = surelyBefore(page, held, context.skewNs());
      // Puts are told by page_ref, or by the function that drops GUP references; else they go unseen.
      const { seen } = s.sources;
      const told = !pin.slow || seen[refAdd.code] === 1 || seen[gupPut.code] === 1;
      const certain = ordered && told && held.write && !held.doubtful && isWhole(s);
      context.report({
        check: ID,
        severity: 'critical',
        verdict: certain ? 'proven' : 'suspect',
        cause: 'pin-in-window',
        moment: pin.seq,
        place: {
          ...placeOn(e, { mm: page.parent, va: page.va, pfn: pin.pfn }),
          seq: page.sharedSeq,
          ns,
          cpu: cpu < 0 ? null : cpu,
        },
        values: { pinner: pin.pid, pinned: true, write: held.write },
        evidence: [
          {
            seq: page.seq,
            role: 'context' as const,
            text: 'fork found the page unpinned, or began to copy its PTE',
          },
          { seq: pin.seq, role: 'cause' as const, text: 'GUP-fast pinned it' },
          { seq: page.sharedSeq, role: 'decision' as const, text: 'the child maps the same page' },
        ].sort((a, b) => a.seq - b.seq),
        missing: certain
          ? null
          : !ordered
            ? 'the order of two CPUs'
            : !told
              ? 'gup.put: the fast walk gives its pins back before the slow one begins'
              : held.write
                ? 'which pin the put ended'
                : 'whether the pin was for writing',
      });
    }

    function lookAll(e: Cursor): void {
      for (const pin of [...pins.values()]) {
        const page = shared.get(pin.pfn);
        if (page !== undefined) look(e, pin, page);
      }
    }

    /** The range is over: what comes later comes after the write protection. */
    function over(e: Cursor, parent: number): void {
      lookAll(e);
      for (const page of [...shared.values()])
        if (page.parent === parent || Number.isNaN(parent))
          if (![...pins.values()].some((pin) => pin.pfn === page.pfn)) shared.delete(page.pfn);
    }

    return {
      before: [
        [forkRange, (e) => over(e, e.args[e.at + forkRange.at.parent]!)],
        [
          pteSet,
          (e) => {
            const bits = e.args[e.at + pteSet.at.value]!;
            if ((bits & (PTE_KIND | PTE_WRITE)) !== PTE_PRESENT) return;
            const task = actorOf(s, e);
            const fork = task?.forkPtes ?? null;
            if (task === undefined || fork === null || task.forkMm !== e.args[e.at + pteSet.at.mm]) return;
            const pfn = e.args[e.at + pteSet.at.value + 1]!;
            // Only what was pinned meanwhile matters; the others are not kept.
            const pin = pins.get(pfn);
            if (fork.copied === pfn || pin === undefined || pin.mm !== fork.mm) return;
            childHas(e, fork.mm, fork.va, pfn, begun.get(e.pid) ?? e);
          },
        ],
        [
          pteWrite,
          (e) => {
            const bits = e.args[e.at + pteWrite.at.value]!;
            if ((bits & (PTE_KIND | PTE_WRITE)) !== PTE_PRESENT) return;
            const va = e.args[e.at + pteWrite.at.va]!;
            const pfn = e.args[e.at + pteWrite.at.value + 1]!;
            const pin = pins.get(pfn);
            for (const run of s.machines.forks.values())
              if (pin?.mm === run.parent && run.child === e.args[e.at + pteWrite.at.mm] && run.endSeq === 0)
                childHas(e, run.parent, va, pfn, run);
          },
        ],
      ],
      after: [
        [forkPtes, (e) => void begun.set(e.pid, { seq: e.seq, ns: e.ns, cpu: e.cpu })],
        [
          forkCheck,
          (e) => {
            const { parent, va, pfn, pinned } = forkCheck.at;
            if (e.args[e.at + pinned] === 0)
              note(e.args[e.at + parent]!, e.args[e.at + va]!, e.args[e.at + pfn]!, e);
          },
        ],
        [
          gupGrabFastEnd,
          (e) => {
            const pfn = e.args[e.at + gupGrabFastEnd.at.pfn]!;
            const held = heldOn(s, pfn)[0];
            if (held === undefined || held.seq !== e.seq || !held.pin) return;
            const run = s.machines.forks.get(held.mm);
            if (run === undefined || run.endSeq > 0) return;
            pins.set(pfn, { pfn, seq: e.seq, mm: held.mm, pid: Tasks.actor(e), kept: false, slow: false });
          },
        ],
        [
          gupEnd,
          (e) => {
            for (const [pfn, pin] of pins) {
              if (pin.pid !== Tasks.actor(e)) continue;
              if (e.args[e.at + gupEnd.at.ret]! <= 0) pins.delete(pfn);
              else pin.kept = true;
            }
            lookAll(e);
          },
        ],
        [
          gupBegin,
          (e) => {
            for (const pin of pins.values()) if (pin.pid === Tasks.actor(e)) pin.slow = true;
          },
        ],
        [forkRangeEnd, (e) => over(e, Number.NaN)],
        [mmDup, (e) => over(e, Number.NaN)],
      ],
      finish() {
        if (s.sources.seen[gupGrabFastEnd.code] === 0) context.cannot('gup.grab-fast.end');
        // The absence of a race is a judgement on forks only.
        else if (s.sources.seen[forkRange.code] === 1) context.judged();
      },
    };
  },
};
