import { pteSet, swapFree, swapWrite } from '../events/index.ts';
import { TRI_TRUE } from '../state/pages.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { surelyBefore } from './integrity.ts';
import { installOf } from './swap-install.ts';
import { doubt, slotPlace } from './swap-slots.ts';

const ID = 'swapin-stale-install';

export const swapinStaleInstall: Check = {
  id: ID,
  statement:
    'A swap-in installed a page that it had read from its slot before the slot was freed and written anew: the process sees older content than it stored.',
  origin: '13ddaf26be32 (CVE-2024-26759)',
  severity: 'critical: stores of the process are lost',
  needs: ['swapin.begin', 'swap.read', 'swap.slotfree', 'swap.write', 'pte.set'],
  specificity: 5,
  example: `Fires (4.15 to 6.7, synchronous swap device):
  T0 reads slot e -> X (old)        | T1 same fault: installs Y, slot e free ;
                                    | store ; swapped out to e again
  PTE is e again: installs X        |
Silent: T0 reserved e first (swapcache_prepare): T1 backs off
Silent: X was read through the swap cache: T1 finds X there
Silent: T0 drops its count of e before it installs X: who writes to e then, writes behind the check`,
  start(context) {
    const s = context.state;
    /** Last slots whose count a task dropped: a swap-in frees its slot before it installs the page (5.18 on). */
    const dropped = new Map<number, { readonly first: number; readonly nr: number; readonly seq: number }>();
    return {
      before: [
        [
          swapFree,
          (e) => {
            const { entry, nr } = swapFree.at;
            const slots = e.args[e.at + nr]!;
            dropped.set(Tasks.actor(e), {
              first: e.args[e.at + entry]!,
              nr: slots > 1 ? slots : 1,
              seq: e.seq,
            });
          },
        ],
        [
          pteSet,
          (e) => {
            const install = installOf(e);
            if (install === null) return;
            const { entry, pfn } = install;
            const fault = s.tasks.peek(Tasks.actor(e))?.fault ?? null;
            const row = s.swap.folios.find(s.pages, pfn);
            const page = s.pages.find(pfn);
            // Through the swap cache, or not read at all but found there: then it cannot be older than the slot.
            if (page >= 0 && s.pages.col.swapcache[page] === TRI_TRUE) {
              context.judged();
              return;
            }
            const c = s.swap.folios.col;
            if (row < 0 || c.readSeq[row] === 0 || c.readEntry[row] !== entry) {
              context.cannot('swap.read');
              return;
            }
            if (fault?.kind !== 'swapin' || c.readSeq[row]! < fault.seq) {
              context.cannot('swapin.begin');
              return;
            }
            const slot = s.swap.table.find(entry);
            if (slot < 0 || s.sources.seen[swapWrite.code] === 0) {
              context.cannot('swap.write');
              return;
            }
            context.judged();
            const t = s.swap.table.col;
            const readSeq = c.readSeq[row]!;
            const wrote = { seq: t.writeSeq[slot]!, ns: t.writeNs[slot]!, cpu: t.writeCpu[slot]! };
            if (wrote.seq <= readSeq || t.writePage[slot] === pfn) return;
            // Its own count kept the slot until then, and the page under its locks is the one that was in it.
            const own = dropped.get(Tasks.actor(e));
            if (
              own !== undefined &&
              own.seq > readSeq &&
              own.seq < wrote.seq &&
              own.first <= entry &&
              entry < own.first + own.nr
            )
              return;
            const read = { ns: c.readNs[row]!, cpu: c.readCpu[row]! };
            const freed = t.freeSeq[slot]! > readSeq && t.freeSeq[slot]! < wrote.seq;
            const skew = context.skewNs();
            const ordered = surelyBefore(read, wrote, skew) && surelyBefore(wrote, e, skew);
            const missing =
              doubt(s) ??
              (ordered ? null : 'the order of two CPUs: declare the clock') ??
              (freed ? null : 'swap.slotfree: how the slot came to be written again');
            context.report({
              check: ID,
              severity: 'critical',
              verdict: missing === null ? 'proven' : 'suspect',
              cause: 'slot-reused',
              moment: e.seq,
              place: {
                ...slotPlace(e, entry, pfn),
                mm: Number.isNaN(install.mm) ? null : install.mm,
                address: Number.isNaN(fault.va) ? null : fault.va,
              },
              values: {},
              evidence: [
                { seq: fault.seq, role: 'context', text: 'swap-in fault on the entry' },
                { seq: readSeq, role: 'context', text: 'page read from the slot' },
                ...(freed ? [{ seq: t.freeSeq[slot]!, role: 'cause' as const, text: 'slot freed' }] : []),
                { seq: wrote.seq, role: 'cause', text: 'another page written to the slot' },
                { seq: e.seq, role: 'decision', text: 'the page read before is installed' },
              ],
              missing,
            });
          },
        ],
      ],
    };
  },
};
