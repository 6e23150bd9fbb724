import type { CheckRun } from '../../checks/check.ts';
import { entryType } from '../../core/pte.ts';
import { CTX_KNOWN, CTX_PREEMPT_SHIFT } from '../../core/records.ts';
import { siFreed, siGet, siGot, swapFreeCache, swapFreeCacheEnd } from '../../events/index.ts';
import type { Cursor } from '../../state/cursor.ts';
import type { MmState } from '../../state/state.ts';
import { type Task, Tasks } from '../../state/tasks.ts';
import { type Occasion, told } from '../occasion.ts';
import { swapoffRuleOf } from './rules.ts';

/** A free of swap entries under way. */
interface Open {
  readonly seq: number;
  readonly ns: number;
  readonly cpu: number;
  readonly entry: number;
  /** The caller holds a page-table lock, or another spinlock. */
  readonly ptlHeld: boolean | undefined;
  device: boolean;
  /** The device was freed meanwhile: by this event, 0 if not. */
  spans: number;
}

/**
 * A tracer itself counts for one level of preempt depth at most: a second one is a spinlock, held from before the
 * call to its end. Without one there may be a lock all the same, in a kernel that does not count them.
 */
function holdsLock(e: Cursor, task: Task | undefined): boolean | undefined {
  if (e.ctx & CTX_KNOWN && e.ctx >> CTX_PREEMPT_SHIFT >= 2) return true;
  return task !== undefined && (task.zap !== null || !Number.isNaN(task.exitMm)) ? true : undefined;
}

function occasionOf(pid: number, mm: number, open: Open, probed: boolean): Occasion {
  const taken = open.device ? 'device taken' : probed ? 'device not taken' : 'unknown';
  const observed = open.spans > 0 ? 'device freed meanwhile' : taken;
  return {
    kind: 'swap-free',
    axis: 'swapoff',
    seq: open.seq,
    ns: open.ns,
    cpu: open.cpu,
    pid,
    mm,
    va: Number.NaN,
    pfn: Number.NaN,
    entry: open.entry,
    inputs: { ptl_held: told(open.ptlHeld), device_freed_seq: open.spans || null },
    observed,
    vote(value) {
      const rule = swapoffRuleOf(value);
      const { outcome, reason, missing } = rule.decide({ ptlHeld: open.ptlHeld });
      const expected = rule.takesDevice ? 'device taken' : 'device not taken';
      // Whoever is protected cannot see the device go; who is exposed may or may not.
      const wrong =
        (open.spans > 0 && outcome === 'protected') || (taken !== 'unknown' && taken !== expected);
      const agreement = wrong ? 'differs' : taken === 'unknown' ? 'unknown' : 'agrees';
      return { outcome, reason, missing, agreement };
    },
    fires: (outcome) =>
      outcome !== 'exposed'
        ? []
        : open.spans > 0
          ? ['swapoff-unprotected-si-use', 'swapoff-uaf-si']
          : ['swapoff-unprotected-si-use'],
  };
}

/** Watches free_swap_and_cache: what keeps the device from going away meanwhile? */
export function watchSwapFrees(s: MmState, raise: (occasion: Occasion) => void): CheckRun {
  const opened = new Map<number, Open>();
  const got = (e: Cursor): void => {
    const open = opened.get(Tasks.actor(e));
    if (open !== undefined) open.device = true;
  };
  return {
    after: [
      [
        swapFreeCache,
        (e) => {
          const pid = Tasks.actor(e);
          opened.set(pid, {
            seq: e.seq,
            ns: e.ns,
            cpu: e.cpu,
            entry: e.args[e.at + swapFreeCache.at.entry]!,
            ptlHeld: holdsLock(e, s.tasks.peek(pid)),
            device: false,
            spans: 0,
          });
        },
      ],
      [siGet, got],
      [siGot, got],
      [
        siFreed,
        (e) => {
          const type = e.args[e.at + siFreed.at.type]!;
          for (const open of opened.values())
            if (Number.isNaN(type) || entryType(open.entry) === type) open.spans = e.seq;
        },
      ],
      [
        swapFreeCacheEnd,
        (e) => {
          const pid = Tasks.actor(e);
          const open = opened.get(pid);
          opened.delete(pid);
          if (open === undefined) return;
          // That get_swap_device was not called is told only where its probe is live.
          const probed = s.sources.seen[siGot.code] === 1 || s.sources.seen[siGet.code] === 1;
          raise(occasionOf(pid, s.tasks.peek(pid)?.mm ?? Number.NaN, open, probed));
        },
      ],
    ],
  };
}
