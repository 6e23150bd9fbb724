import { PIN_BIAS } from '../events/flags.ts';
import { isJudgeable, judge } from '../variants/judge.ts';
import type { Variant } from '../variants/variant.ts';
import type { Check, CheckContext, CheckRun } from './check.ts';
import type { Severity } from './finding.ts';
import { evidenceOf, type WriteFault } from './write-fault.ts';

/** A pin, or a reference that is certainly there, through the faulting mapping: the count that the task read holds it. */
export function livePin(fault: WriteFault): boolean {
  const { count, countTold, large } = fault.d.inputs;
  return (
    countTold &&
    fault.holds.some(
      (held) =>
        held.own === true &&
        !held.doubtful &&
        (held.pin ? count >= PIN_BIAS && large !== true : fault.gupReferences > 0 && held.write),
    )
  );
}

/** Severity of a copied exclusive page: by the declared variant, not by the event (domain.md 3A). */
export function copySeverity(fault: WriteFault, declared: Variant | null): Severity {
  if (fault.cause === 'mmu-gather' || fault.cause === 'sibling-cow') return 'info';
  const pin = livePin(fault);
  if (declared !== null) {
    const { ruling } = judge(declared.cow, fault.d);
    if (ruling.outcome === 'reuse') return pin ? 'critical' : 'high';
    return 'info';
  }
  const exclusive = fault.d.inputs.exclusive === true;
  if (exclusive && pin) return 'critical';
  return exclusive || pin ? 'warning' : 'info';
}

/** Runs unexpected-cow; `under` asks for those that a reclaimer's lock or isolation caused, or for all others. */
export function watchCopies(check: string, context: CheckContext, underReclaim: boolean): CheckRun {
  return {
    decided(fault) {
      const { d } = fault;
      if (!d.committed || !isJudgeable(d)) return;
      // A stable-writes device under writeback needs the copy (2.2, P4).
      if (fault.exclusive === undefined) {
        context.cannot(
          d.inputs.exclusive === undefined && Number.isNaN(d.inputs.mappings)
            ? 'wp.copy'
            : 'history of the page',
        );
        return;
      }
      context.judged();
      if (!fault.exclusive) return;
      const holder = fault.lockHolder;
      const reclaimer =
        (fault.cause === 'page-lock' && holder !== null && holder.reclaim) || fault.cause === 'lru-isolated';
      if (underReclaim && !reclaimer) return;
      // Nothing tells when an isolated page is put back into a batch: off the list, it may be there already.
      const since = underReclaim && fault.cause === 'lru-isolated';
      context.report({
        check,
        severity: copySeverity(fault, context.declared),
        verdict: since ? 'suspect' : 'proven',
        cause: fault.cause,
        moment: d.seq,
        place: fault.place,
        values: { ...fault.values, pinned: livePin(fault) },
        evidence: evidenceOf(fault),
        missing: since ? 'that the page was still isolated: where it is put back, no record says so' : null,
      });
    },
  };
}

export const unexpectedCow: Check = {
  id: 'unexpected-cow',
  statement: 'An exclusively owned anonymous page was copied on a write fault.',
  origin: 'Hugh Dickins to Robin Holt, 2008-06-23; regression class of 5.9 (09854ba94c6a)',
  severity:
    'by the declared variant: info if it computes the copy itself, else critical with a live pin, high without; no variant declared: critical if the page was AnonExclusive and pinned, warning if one of the two, else info',
  needs: ['wp.begin', 'wp.copy', 'ref.add', 'rmap.new'],
  printed: true,
  specificity: 1,
  example: `Fires (2.6.26):
  wp fault va, PTL, orig R/O P      | kswapd: isolate P, lock P
  trylock(P) fails -> copy, pte=Q   |
                                    | (referenced) unlock P, putback
Silent (2.6.29): waits for the lock, pte_same, reuse
Silent: a sibling maps P (sum 2): the copy is required`,
  start: (context) => watchCopies('unexpected-cow', context, false),
};
