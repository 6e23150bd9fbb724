import { PTE_KIND, PTE_PRESENT, PTE_WRITE } from '../core/pte.ts';
import { ACCESS_CPU } from '../events/access.ts';
import { access, forkRange, forkRangeEnd, mmDup, pteWrite, tlbFlush } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { SLOT_KNOWN } from '../state/ptes.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { actorOf, hexText, placeOn } from './evidence.ts';
import { Pending } from './pending.ts';
import { isSmallAnon } from './sharing.ts';
import { staleKey } from './stale-tlb.ts';

/** A fork under way: both mms, and the PTEs that the child got so far. */
interface Fork {
  readonly parent: number;
  readonly child: number;
  readonly seq: number;
  readonly given: Array<{ readonly va: number; readonly pfn: number; readonly seq: number }>;
}

export const forkLeftPteWritable: Check = {
  id: 'fork-left-pte-writable',
  statement: 'After a fork the parent can still write to a private page that the child maps too.',
  origin: 'mm/memory.c:copy_present_ptes write-protects both; kernel/fork.c:dup_mmap flushes the parent',
  severity: 'critical',
  needs: ['fork.begin', 'fork.end', 'mm.dup', 'pte.write'],
  specificity: 5,
  example: `Fires:
  fork: child pte = P R/O           |
  parent pte stays P writable       | parent writes: the child sees it
Silent:
  fork: child gets a copy of its own, parent pte stays writable |`,
  start(context) {
    const s = context.state;
    const pending = new Pending(context, forkLeftPteWritable);
    const forks = new Map<number, Fork>();
    const parentSlot = (mm: number, va: number): number => {
      const owner = s.ptes.mms.find(mm);
      return owner < 0 ? -1 : s.ptes.slotAt(owner, va);
    };
    const judgePtes = (e: Cursor, { parent, child, seq, given }: Fork): void => {
      for (const { va, pfn, seq: givenSeq } of given) {
        const row = s.pages.find(pfn);
        const slot = parentSlot(parent, va);
        const heir = parentSlot(child, va);
        if (row < 0 || slot < 0 || heir < 0 || !isSmallAnon(s, row)) continue;
        if (s.ptes.know[slot] !== SLOT_KNOWN || s.ptes.frame[heir] !== pfn) continue;
        const bits = s.ptes.bits[slot]!;
        context.judged();
        if ((bits & PTE_KIND) !== PTE_PRESENT || s.ptes.frame[slot] !== pfn || !(bits & PTE_WRITE)) continue;
        pending.claim(staleKey(parent, va), {
          severity: 'critical',
          cause: 'not-write-protected',
          moment: e.seq,
          place: placeOn(e, { mm: parent, va, pfn }),
          evidence: [
            { seq, role: 'context', text: 'fork copies the range' },
            { seq: givenSeq, role: 'cause', text: `child maps ${hexText(pfn)}` },
            { seq: e.seq, role: 'decision', text: 'fork is done, PTE of the parent still writable' },
          ],
          missing: 'rests on the absence of pte.write: nothing later shows the PTE of the parent',
        });
      }
    };
    const ends = (e: Cursor): void => {
      const self = Tasks.actor(e);
      const fork = forks.get(self);
      forks.delete(self);
      if (s.sources.seen[pteWrite.code] === 0) context.cannot('pte.write');
      else if (fork !== undefined) judgePtes(e, fork);
    };
    return {
      before: [
        [
          pteWrite,
          (e) => {
            if (!pending.any) return;
            const { mm, va, old } = pteWrite.at;
            const key = staleKey(e.args[e.at + mm]!, e.args[e.at + va]!);
            const claim = pending.get(key);
            if (claim === undefined) return;
            // The value that is replaced only now was there until now.
            const bits = e.args[e.at + old]!;
            const same = e.args[e.at + old + 1] === claim.place.pfn && (bits & PTE_WRITE) !== 0;
            if (same && claim.cause === 'not-write-protected')
              pending.confirm(key, { seq: e.seq, role: 'harm', text: 'was writable until now' });
            else pending.settle(key);
          },
        ],
        [
          access,
          (e) => {
            const { agent, mm, va, pfn, write } = access.at;
            if (!pending.any || e.args[e.at + agent] !== ACCESS_CPU || e.args[e.at + write] !== 1) return;
            const key = staleKey(e.args[e.at + mm]!, e.args[e.at + va]!);
            if (pending.get(key)?.place.pfn === e.args[e.at + pfn])
              pending.confirm(key, { seq: e.seq, role: 'harm', text: 'parent writes the shared page' });
          },
        ],
      ],
      after: [
        [
          forkRange,
          (e) => {
            const { child, parent } = forkRange.at;
            const self = Tasks.actor(e);
            const through = e.args[e.at + parent]!;
            const earlier = forks.get(self);
            if (earlier?.child === e.args[e.at + child] && earlier?.parent === through) return;
            forks.set(self, { parent: through, child: e.args[e.at + child]!, seq: e.seq, given: [] });
          },
        ],
        [
          pteWrite,
          (e) => {
            const fork = forks.get(Tasks.actor(e));
            const { mm, va, value } = pteWrite.at;
            if (fork === undefined || fork.child !== e.args[e.at + mm]) return;
            if ((e.args[e.at + value]! & PTE_KIND) !== PTE_PRESENT) return;
            fork.given.push({ va: e.args[e.at + va]!, pfn: e.args[e.at + value + 1]!, seq: e.seq });
          },
        ],
        [forkRangeEnd, ends],
        [
          mmDup,
          (e) => {
            const self = Tasks.actor(e);
            if (forks.has(self)) ends(e);
            // dup_mmap flushes the parent before it drops mmap_lock: what it write-protected must be flushed by now.
            const parent = actorOf(s, e)?.mm ?? Number.NaN;
            if (s.tlb.clean || Number.isNaN(parent)) return;
            if (s.sources.seen[tlbFlush.code] === 0) {
              context.cannot('tlb.flush');
              return;
            }
            for (const stale of [...s.tlb.all(parent)]) {
              if (stale.gone || !stale.write || stale.pid !== self) continue;
              pending.claim(staleKey(stale.mm, stale.va), {
                severity: 'critical',
                cause: 'not-flushed',
                moment: e.seq,
                place: placeOn(e, { mm: stale.mm, va: stale.va, pfn: stale.pfn }),
                evidence: [
                  { seq: stale.seq, role: 'cause', text: 'PTE of the parent write-protected' },
                  { seq: e.seq, role: 'decision', text: 'fork is done, TLB of the parent not flushed' },
                ],
                missing: 'rests on the absence of tlb.flush',
              });
            }
          },
        ],
      ],
      finish: () => pending.finish(),
    };
  },
};
