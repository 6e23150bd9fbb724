import type { EventKind } from '../events/declare.ts';
import { faultBegin, faultEnd, protectBegin, sysEnter, zapRangeBegin } from '../events/index.ts';
import { SLOT_UNKNOWN } from '../state/ptes.ts';
import type { Check, KindHook } from './check.ts';
import { isWhole, placeOn } from './evidence.ts';
import { FAULTS_WITHOUT_PROGRESS } from './thresholds.ts';

const ID = 'fault-without-progress';

/** OOM, SIGBUS, HWPOISON, HWPOISON_LARGE and SIGSEGV of vm_fault_t (include/linux/mm_types.h). */
const VM_FAULT_ERROR = 0x73;

interface Repeated {
  readonly mm: number;
  readonly va: number;
  readonly flags: number;
  /** When the PTE was written last. */
  readonly pteSeq: number;
  readonly since: number;
  times: number;
}

export const faultWithoutProgress: Check = {
  id: ID,
  statement: 'A task faults on the same address again and again, and its PTE does not change.',
  origin:
    'livelocks of decision procedures that wait (2.2, WAIT); 13ddaf26be32 (swapcache_prepare backs off)',
  severity: 'warning',
  needs: ['fault.begin', 'pte.set'],
  specificity: 1,
  example: `Fires:
  fault va: lock not free, retry    | holds the lock for good
  fault va: lock not free, retry    |
  ... ${FAULTS_WITHOUT_PROGRESS} times, PTE unchanged
Silent: swapcache_prepare fails, the task sleeps a tick, the PTE has changed
Silent: the range is zapped or protected anew between the faults`,
  start(context) {
    const s = context.state;
    const last = new Map<number, Repeated>();
    /** Something else than faults happens to a range: what faults on it next has another reason. */
    const changed = (
      kind: EventKind,
      at: { readonly mm: number; readonly start: number; readonly end: number },
    ): KindHook => [
      kind,
      (e) => {
        const mm = e.args[e.at + at.mm]!;
        const start = Math.floor(e.args[e.at + at.start]! / 4096) * 4096;
        for (const [pid, before] of last)
          if (before.mm === mm && !(before.va < start) && !(before.va >= e.args[e.at + at.end]!))
            last.delete(pid);
      },
    ];
    return {
      before: [
        // The task came out of its faults, and into the kernel by itself.
        [sysEnter, (e) => void last.delete(e.pid)],
        // Refused: the task waits for memory, or handles the signal, and tries again as it likes.
        [faultEnd, (e) => void (e.args[e.at + faultEnd.at.ret]! & VM_FAULT_ERROR && last.delete(e.pid))],
        changed(zapRangeBegin, zapRangeBegin.at),
        changed(protectBegin, protectBegin.at),
        [
          faultBegin,
          (e) => {
            const mm = e.args[e.at + faultBegin.at.mm]!;
            const va = e.args[e.at + faultBegin.at.va]!;
            const flags = e.args[e.at + faultBegin.at.flags]!;
            const before = last.get(e.pid);
            const slot = s.ptes.slotAt(s.ptes.mms.find(mm), va);
            const pteSeq = slot < 0 || s.ptes.know[slot] === SLOT_UNKNOWN ? Number.NaN : s.ptes.seq[slot]!;
            if (
              before === undefined ||
              before.mm !== mm ||
              before.va !== va ||
              !Object.is(before.flags, flags) ||
              !Object.is(before.pteSeq, pteSeq)
            ) {
              context.judged();
              last.set(e.pid, { mm, va, flags, pteSeq, since: e.seq, times: 1 });
              return;
            }
            before.times++;
            if (before.times !== FAULTS_WITHOUT_PROGRESS) return;
            const certain = !Number.isNaN(pteSeq) && isWhole(s);
            context.report({
              check: ID,
              severity: 'warning',
              verdict: certain ? 'proven' : 'suspect',
              cause: 'same-fault',
              moment: e.seq,
              place: placeOn(e, { mm, va }),
              values: { faults: before.times },
              evidence: [
                { seq: before.since, role: 'cause', text: 'first of these faults' },
                { seq: e.seq, role: 'decision', text: `fault number ${before.times} on the same PTE` },
              ],
              missing: certain ? null : 'pte.set',
            });
          },
        ],
      ],
    };
  },
};
