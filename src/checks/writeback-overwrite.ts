import { PG_WRITEBACK } from '../core/pageflags.ts';
import { entryType } from '../core/pte.ts';
import { access, siStable, swapcacheDel, writebackEnd, writebackStart } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import type { Check } from './check.ts';
import type { Severity } from './finding.ts';
import { surelyBefore } from './integrity.ts';
import { Suspicions, slotPlace } from './swap-slots.ts';

const ID = 'writeback-overwrite';

export const writebackOverwrite: Check = {
  id: ID,
  statement:
    'A page was changed, made writable or taken out of the swap cache while it was being written to its slot.',
  origin: 'mm/swap_state.c:__delete_from_swap_cache (asserts no writeback); 1493a1917e34 (SWP_STABLE_WRITES)',
  severity:
    'critical for a deletion from the swap cache; high for a change on a device that needs stable pages; other devices allow changes',
  needs: ['wb.start', 'wb.end', 'swapcache.del', 'si.stable'],
  specificity: 3,
  example: `Fires:
  writeback of P to slot e runs     | P is deleted from the swap cache
  writeback ends                    | (slot e given to another page meanwhile)
Fires:  device needs stable pages ; wb.start P ; do_wp_page reuses P ; wb.end P
Silent: another device: reuse during writeback is allowed, the page stays cached`,
  start(context) {
    const s = context.state;
    const stable = new Set<number>();
    // By page: the end of the writeback confirms it.
    const suspicions = new Suspicions(context);

    /** Seq since when a page is under writeback as seen at a moment, 0 if it is not. */
    function writtenSince(pfn: number, now: { readonly ns: number; readonly cpu: number }): number {
      const row = s.swap.folios.find(s.pages, pfn);
      if (row < 0 || s.swap.folios.col.wbSeq[row] === 0) return 0;
      const c = s.swap.folios.col;
      const page = s.pages.find(pfn);
      // Flags that were printed since without it: its end is missing.
      if (s.pages.col.flagsSeq[page]! > c.wbSeq[row]! && !(s.pages.col.flags[page]! & PG_WRITEBACK)) return 0;
      return surelyBefore({ ns: c.wbNs[row]!, cpu: c.wbCpu[row]! }, now, context.skewNs())
        ? c.wbSeq[row]!
        : 0;
    }

    function raise(
      e: Cursor,
      seq: number,
      pfn: number,
      entry: number,
      since: number,
      how: keyof typeof WHAT,
      severity: Severity,
    ): void {
      suspicions.raise(pfn, {
        finding: {
          check: ID,
          severity,
          cause: how,
          moment: seq,
          place: { ...slotPlace(e, entry, pfn), seq },
          values: {},
          evidence: [
            { seq: since, role: 'context', text: 'writeback of the page starts' },
            { seq, role: 'decision', text: WHAT[how] },
          ],
        },
        missing: 'page flags with writeback after it, and wb.end',
        ns: e.ns,
        cpu: e.cpu,
        pfn,
      });
    }

    /** The device of a page's slot, if it is known to need stable pages. */
    function stableEntry(pfn: number): number {
      const row = s.pages.find(pfn);
      const entry = row < 0 ? Number.NaN : s.pages.col.entry[row]!;
      if (Number.isNaN(entry) || !stable.has(entryType(entry))) {
        context.cannot(siStable.name);
        return Number.NaN;
      }
      context.judged();
      return entry;
    }

    return {
      before: [
        [siStable, (e) => void stable.add(e.args[e.at + siStable.at.type]!)],
        [
          swapcacheDel,
          (e) => {
            const pfn = e.args[e.at + swapcacheDel.at.pfn]!;
            if (s.sources.seen[writebackStart.code] === 0) {
              context.cannot(writebackStart.name);
              return;
            }
            if (!(pfn >= 0)) {
              context.cannot('the pfn of the folio');
              return;
            }
            context.judged();
            const since = writtenSince(pfn, e);
            const entry = e.args[e.at + swapcacheDel.at.entry]!;
            if (since > 0) raise(e, e.seq, pfn, entry, since, 'uncached', 'critical');
          },
        ],
        [
          access,
          (e) => {
            const pfn = e.args[e.at + access.at.pfn]!;
            if (e.args[e.at + access.at.write] !== 1) return;
            const since = writtenSince(pfn, e);
            if (since === 0) return;
            const entry = stableEntry(pfn);
            if (!Number.isNaN(entry)) raise(e, e.seq, pfn, entry, since, 'written', 'high');
          },
        ],
        [
          writebackEnd,
          (e) => {
            const pfn = e.args[e.at + writebackEnd.at.pfn]!;
            const held = suspicions.peek(pfn);
            if (held === undefined) return;
            // Both ends of the writeback may belong to two of them: the page itself must have shown it in between.
            const row = s.pages.find(pfn);
            const c = s.pages.col;
            const folio = s.swap.folios.find(s.pages, pfn);
            const same = folio >= 0 && s.swap.folios.col.wbSeq[folio] === held.finding.evidence[0]!.seq;
            if (same && c.flagsSeq[row]! >= held.finding.moment && c.flags[row]! & PG_WRITEBACK)
              suspicions.confirm(pfn, e, 'writeback ends only now');
            else suspicions.settle(pfn);
          },
        ],
        [writebackStart, (e) => suspicions.settle(e.args[e.at + writebackStart.at.pfn]!)],
      ],
      decided(fault) {
        const { d } = fault;
        if (d.outcome !== 'reuse' || d.page !== 'anon' || d.inputs.swapcache !== true) return;
        const since = writtenSince(d.pfn, d);
        if (since === 0 || since > d.seq) return;
        const entry = stableEntry(d.pfn);
        if (Number.isNaN(entry)) return;
        suspicions.raise(d.pfn, {
          finding: {
            check: ID,
            severity: 'high',
            cause: 'reused',
            moment: d.seq,
            place: fault.place,
            values: fault.values,
            evidence: [
              { seq: since, role: 'context', text: 'writeback of the page starts' },
              { seq: d.outcomeSeq, role: 'decision', text: WHAT.reused },
            ],
          },
          missing: 'page flags with writeback after it, and wb.end',
          ns: s.ns,
          cpu: d.cpu,
          pfn: d.pfn,
        });
      },
      finish: () => suspicions.settleAll(),
    };
  },
};

const WHAT = {
  uncached: 'page deleted from the swap cache',
  written: 'page written to',
  reused: 'REUSE: page made writable',
} as const;
