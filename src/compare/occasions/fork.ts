import type { CheckRun } from '../../checks/check.ts';
import { PTE_KIND, PTE_PRESENT } from '../../core/pte.ts';
import { forkCheck, forkPtesEnd } from '../../events/index.ts';
import type { Cursor } from '../../state/cursor.ts';
import type { MmState } from '../../state/state.ts';
import { type ForkBracket, Tasks } from '../../state/tasks.ts';
import { type Occasion, told, voteFor } from '../occasion.ts';
import { forkRuleOf } from './rules.ts';

function occasionOf(
  place: Pick<Occasion, 'seq' | 'ns' | 'cpu' | 'pid' | 'mm' | 'va' | 'pfn'>,
  pinned: boolean | undefined,
  observed: 'share' | 'copy' | 'unknown',
): Occasion {
  return {
    kind: 'fork',
    axis: 'fork',
    ...place,
    entry: Number.NaN,
    inputs: { pinned: told(pinned) },
    observed,
    vote: (value) => voteFor(forkRuleOf(value).decide({ pinned }), observed),
    fires: (outcome) => (outcome === 'share' && pinned === true ? ['gup-pin-broken-by-fork'] : []),
  };
}

/** Watches fork on pages that are pinned through the parent: copied at once, or shared? */
export function watchForks(s: MmState, raise: (occasion: Occasion) => void): CheckRun {
  /** Whether a pin of this page is held for certain, through this mm. */
  const pinned = (pfn: number, mm: number): boolean => {
    const row = s.pages.find(pfn);
    if (row < 0) return false;
    const c = s.holds.col;
    for (const hold of s.holds.of(row))
      if (s.holds.isPin(hold) && c.doubtful[hold] === 0 && c.mm[hold] === mm) return true;
    return false;
  };

  function mapped(mm: number, va: number): number {
    const owner = s.ptes.mms.find(mm);
    const slot = owner < 0 ? -1 : s.ptes.slotAt(owner, va);
    return slot >= 0 && (s.ptes.bits[slot]! & PTE_KIND) === PTE_PRESENT ? s.ptes.frame[slot]! : Number.NaN;
  }

  function bracket(e: Cursor, pid: number, fork: ForkBracket): void {
    const at = { seq: fork.seq, ns: e.ns, cpu: e.cpu, pid, mm: fork.mm };
    if (fork.copied >= 0) {
      const pfn = mapped(fork.mm, fork.va);
      const held = pfn >= 0 && pinned(pfn, fork.mm);
      // The count alone may look pinned where it is not: then a copy tells nothing of the rule.
      raise(occasionOf({ ...at, va: fork.va, pfn }, held ? true : undefined, 'copy'));
      return;
    }
    // Nothing was dealt with: fork drops the lock to allocate the copy, and comes again.
    if (!(e.args[e.at + forkPtesEnd.at.nr]! > 0)) return;
    for (const [i, pfn] of fork.pfns.entries())
      if (fork.deltas[i]! > 0 && pinned(pfn, fork.mm))
        raise(occasionOf({ ...at, va: Number.NaN, pfn }, true, 'share'));
  }

  return {
    before: [
      [
        forkPtesEnd,
        (e) => {
          const pid = Tasks.actor(e);
          const fork = s.tasks.peek(pid)?.forkPtes ?? null;
          if (fork !== null) bracket(e, pid, fork);
        },
      ],
    ],
    after: [
      [
        forkCheck,
        (e) => {
          const { parent, va, pfn, pinned: told } = forkCheck.at;
          if (e.args[e.at + told] !== 1) return;
          raise(
            occasionOf(
              {
                seq: e.seq,
                ns: e.ns,
                cpu: e.cpu,
                pid: Tasks.actor(e),
                mm: e.args[e.at + parent]!,
                va: e.args[e.at + va]!,
                pfn: e.args[e.at + pfn]!,
              },
              true,
              'unknown',
            ),
          );
        },
      ],
    ],
  };
}
