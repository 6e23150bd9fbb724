import { PTE_EXCLUSIVE, PTE_KIND, PTE_MIGRATION, PTE_SWAP } from '../core/pte.ts';
import { forkSwap, pteSet, swapinBegin } from '../events/index.ts';
import { SLOT_KNOWN } from '../state/ptes.ts';
import type { Check } from './check.ts';
import { actorOf, placeOn } from './evidence.ts';
import { Pending, tell } from './pending.ts';
import { Waiting } from './waiting.ts';

const ID = 'fork-swap-exclusive';

export const forkSwapExclusive: Check = {
  id: ID,
  statement:
    'fork duplicated a swap or migration entry and left it marked as exclusive in the parent or in the child.',
  origin: 'mm/memory.c:copy_nonpresent_pte; 1493a1913e34 (exclusive swap entries)',
  severity: 'critical',
  needs: ['fork.swap', 'pte.set'],
  specificity: 4,
  example: `Fires:
  fork: child gets entry e, the bit | swap-in by the parent: exclusive, maps the page writable
  stays in one of both              | the child's entry names the same page
Silent: the bit is cleared in both`,
  start(context) {
    const s = context.state;
    const pending = new Pending(context, { id: ID });
    const keyOf = (mm: number, va: number): string => `${mm} ${va}`;
    /** The entry that a task of fork copies, by pid. */
    const copying = new Waiting<{ readonly parent: number; readonly va: number; readonly seq: number }>();
    return {
      after: [
        [
          forkSwap,
          (e) => {
            const { parent, va } = forkSwap.at;
            copying.set(e.pid, {
              parent: e.args[e.at + parent]!,
              va: Math.floor(e.args[e.at + va]! / 4096) * 4096,
              seq: e.seq,
            });
          },
        ],
      ],
      before: [
        [
          pteSet,
          (e) => {
            const bits = e.args[e.at + pteSet.at.value]!;
            const kind = bits & PTE_KIND;
            if (Number.isNaN(bits) || (kind !== PTE_SWAP && kind !== PTE_MIGRATION)) return;
            const mm = e.args[e.at + pteSet.at.mm]!;
            const task = actorOf(s, e);
            const source = copying.get(e.pid);
            if (task === undefined || source === undefined || task.forkMm !== mm) return;
            copying.delete(e.pid);
            const frame = e.args[e.at + pteSet.at.value + 1]!;
            // The parent's entry is written, without the bit, before the child's.
            const slot = s.ptes.slotAt(s.ptes.mms.find(source.parent), source.va);
            const known = slot >= 0 && s.ptes.know[slot] === SLOT_KNOWN && s.ptes.frame[slot] === frame;
            const inParent = known && (s.ptes.bits[slot]! & PTE_EXCLUSIVE) !== 0;
            const inChild = (bits & PTE_EXCLUSIVE) !== 0;
            if (!known && !inChild) {
              context.cannot('pte.set');
              return;
            }
            context.judged();
            if (!inParent && !inChild) return;
            const claim = {
              severity: 'critical' as const,
              cause: inChild ? 'child' : 'parent',
              moment: e.seq,
              place: placeOn(e, {
                mm: inChild ? mm : source.parent,
                va: source.va,
                ...(kind === PTE_SWAP ? { entry: frame } : { pfn: frame }),
              }),
              values: { child: inChild, migration: kind === PTE_MIGRATION },
              evidence: [
                { seq: source.seq, role: 'context' as const, text: 'fork copies the entry' },
                {
                  seq: e.seq,
                  role: 'decision' as const,
                  text: inChild ? "child's entry is exclusive" : "parent's entry was not written",
                },
              ],
            };
            if (inChild) tell(context, ID, claim, null);
            else
              pending.claim(keyOf(source.parent, source.va), {
                ...claim,
                missing: 'rests on the absence of a pte.set of the parent',
              });
          },
          copying.wake,
        ],
        [
          swapinBegin,
          (e) => {
            const { mm, va, pte } = swapinBegin.at;
            const key = keyOf(e.args[e.at + mm]!, Math.floor(e.args[e.at + va]! / 4096) * 4096);
            const bits = e.args[e.at + pte]!;
            const claim = pending.get(key);
            if (claim === undefined || Number.isNaN(bits)) return;
            if (claim.place.entry === e.args[e.at + pte + 1] && bits & PTE_EXCLUSIVE)
              pending.confirm(key, { seq: e.seq, role: 'harm', text: 'swapped in as exclusive' });
            else pending.drop(key);
          },
          pending.wake,
        ],
      ],
      finish: () => pending.finish(),
    };
  },
};
