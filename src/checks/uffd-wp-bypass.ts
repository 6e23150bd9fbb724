import { PTE_KIND, PTE_PRESENT, PTE_UFFD_WP, PTE_WRITE } from '../core/pte.ts';
import { ACCESS_CPU } from '../events/access.ts';
import { access } from '../events/index.ts';
import { SLOT_KNOWN } from '../state/ptes.ts';
import type { MmState } from '../state/state.ts';
import type { Check } from './check.ts';
import { hexText, isWhole, placeOn } from './evidence.ts';
import { onWrittenPte } from './written-ptes.ts';

const ID = 'uffd-wp-bypass';

/** Whether a write fault copies the page of an address just now. */
function isBeingCopied(s: MmState, mm: number, va: number): boolean {
  const page = Math.floor(va / 4096) * 4096;
  return s.open.some((wp) => wp.mm === mm && Math.floor(wp.va / 4096) * 4096 === page && wp.copy !== null);
}

export const uffdWpBypass: Check = {
  id: ID,
  statement:
    'A page write-protected by userfaultfd can be written, or was, without a fault: the monitor does not hear of it.',
  origin: '6ce64428d620; mm/memory.c:do_wp_page flushes the TLB where a flush is pending',
  severity: 'critical',
  needs: ['pte.set', 'access', 'protect.begin', 'tlb.flush'],
  specificity: 4,
  example: `Fires:
  c0: write-protects, defers flush  | c1: write fault copies the page
                                    | c2: stores to the old page by its stale TLB entry
Silent: the pending flush is seen: flushed before the copy
Fires:  a PTE is both writable and uffd-wp`,
  start(context) {
    const s = context.state;
    const written = onWrittenPte(s, PTE_UFFD_WP, ({ mm, va, bits, pfn }, e) => {
      context.judged();
      if (!(bits & PTE_WRITE)) return;
      context.report({
        check: ID,
        severity: 'critical',
        verdict: isWhole(s) ? 'proven' : 'suspect',
        cause: 'writable',
        moment: e.seq,
        place: placeOn(e, { mm, va, pfn }),
        values: {},
        evidence: [{ seq: e.seq, role: 'decision', text: 'PTE is writable and uffd-wp' }],
        missing: isWhole(s) ? null : 'the lost records',
      });
    });
    return {
      after: [
        ...written,
        [
          access,
          (e) => {
            const { agent, mm, va, pfn, write } = access.at;
            if (e.args[e.at + write] !== 1 || e.args[e.at + agent] !== ACCESS_CPU) return;
            const pointer = e.args[e.at + mm]!;
            const address = e.args[e.at + va]!;
            const armed = s.machines.armedAt(pointer, address);
            const slot = s.ptes.slotAt(s.ptes.mms.find(pointer), address);
            const known = slot >= 0 && s.ptes.know[slot] === SLOT_KNOWN;
            if (armed === undefined && !(known && s.ptes.bits[slot]! & PTE_UFFD_WP)) return;
            if (!known) {
              context.cannot('pte.set');
              return;
            }
            const bits = s.ptes.bits[slot]!;
            // Written where the PTE does not allow it: by what a TLB still held, of this page or of the one before.
            const stale = (bits & PTE_KIND) !== PTE_PRESENT || s.ptes.frame[slot] !== e.args[e.at + pfn];
            if (bits & PTE_WRITE && !stale) {
              context.judged();
              return;
            }
            // Whether the old right has been flushed is known of protections whose beginning is.
            if (armed === undefined) {
              context.cannot('protect.begin');
              return;
            }
            // No PTE of this address is known to have named that page: one was written unseen.
            if (stale && s.tlb.at(pointer, address)?.pfn !== e.args[e.at + pfn]) {
              context.cannot('pte.set');
              return;
            }
            context.judged();
            // Until the flush of the write-protection the old right holds on the same page, unless it is being copied.
            const early = !stale && armed.flushedSeq === 0;
            if (early && !isBeingCopied(s, pointer, address)) return;
            const certain = isWhole(s) && !early;
            context.report({
              check: ID,
              severity: 'critical',
              verdict: certain ? 'proven' : 'suspect',
              cause: 'stale-tlb',
              moment: e.seq,
              place: placeOn(e, { mm: pointer, va: address, pfn: e.args[e.at + pfn]! }),
              values: { flushed: armed.flushedSeq > 0 },
              evidence: [
                { seq: armed.seq, role: 'context' as const, text: 'range write-protected by userfaultfd' },
                { seq: s.ptes.seq[slot]!, role: 'context' as const, text: 'PTE as it is since' },
                {
                  seq: e.seq,
                  role: 'harm' as const,
                  text: `${hexText(e.args[e.at + pfn]!)} written without a fault`,
                },
              ].sort((a, b) => a.seq - b.seq),
              missing: certain
                ? null
                : early
                  ? 'when the page was copied: a store before that is in the copy'
                  : 'the lost records',
            });
          },
        ],
      ],
    };
  },
};
