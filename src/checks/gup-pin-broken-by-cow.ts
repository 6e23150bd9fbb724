import { judge } from '../variants/judge.ts';
import type { Check, CheckContext } from './check.ts';
import type { Evidence, Severity, Verdict } from './finding.ts';
import { evidenceOf, type HeldReference, type WriteFault } from './write-fault.ts';

const ID = 'gup-pin-broken-by-cow';

/** Kernels from here on take a folio off the LRU before they put it in a batch (mm/swap.c:folio_batch_add_and_move at 6.12). */
const BATCH_LEAVES_LRU = 612;

interface Told {
  readonly severity: Severity;
  readonly verdict: Verdict;
  readonly missing: string | null;
}

/** A FOLL_PIN through the faulting mapping. The count after the copy must still hold it. */
function judgePin(held: HeldReference, fault: WriteFault): Told {
  const after = fault.d.wp.countAfter;
  // Of file memory in a private mapping the process gets a copy whoever holds it.
  const anon = fault.d.page === 'anon';
  // A large folio counts its pins apart, and has a thousand references without.
  const small = fault.d.inputs.large !== true;
  const certain = !held.doubtful && held.own === true && anon && small && after >= 1024;
  return {
    severity: 'critical',
    verdict: certain ? 'proven' : 'suspect',
    missing: certain
      ? null
      : !anon
        ? 'whether the page is anonymous'
        : held.own === true
          ? 'a count of the page after the copy'
          : 'the mm through which the pin was taken',
  };
}

/** A FOLL_GET reference through the faulting mapping: nobody labels its end, the count must leave no other holder. */
function judgeGet(fault: WriteFault, context: CheckContext): Told | null {
  const { d } = fault;
  if (fault.exclusive === false) return { severity: 'info', verdict: 'proven', missing: null };
  const room = fault.gupReferences;
  if (Number.isNaN(room) || room < 0) return null;
  if (room === 0) return null;
  // Where the page was not exclusive to the rules, the copy is the documented limit of FOLL_GET.
  const designed =
    d.inputs.exclusive !== true &&
    (context.declared === null || judge(context.declared.cow, d).ruling.outcome !== 'reuse');
  const kernel = context.kernel();
  const place = context.state.lru.of(d.pfn)?.place;
  const batchKnown =
    (kernel !== null && kernel >= BATCH_LEAVES_LRU) ||
    d.inputs.onLru === false ||
    (place !== undefined && place !== 'batch');
  const certain =
    d.inputs.countTold &&
    room >= 1 &&
    batchKnown &&
    fault.exclusive === true &&
    !context.state.lossy &&
    !context.state.blind;
  return {
    severity: designed ? 'info' : 'critical',
    verdict: certain ? 'proven' : 'suspect',
    missing: certain
      ? null
      : fault.exclusive === undefined
        ? 'whether others share the page'
        : 'whether an LRU batch held the extra reference',
  };
}

export const gupPinBrokenByCow: Check = {
  id: ID,
  statement:
    'A page with a live pin through the faulting mapping was replaced by COW: what the pin reads or writes is no longer what the process sees.',
  origin:
    'Hugh Dickins to Robin Holt, 2008-06-23; Andrea Arcangeli to Robin Holt, 2010-02-03; the pages that 70e806e4e645 protects',
  severity:
    'critical for FOLL_PIN, and for FOLL_GET on an exclusive page; info for FOLL_GET on a shared page (documented limit)',
  needs: ['wp.begin', 'rmap.new', 'gup.grab', 'ref.add'],
  printed: true,
  specificity: 4,
  example: `Fires (5.9):
  gup(WRITE) P: ref 2               | device DMA armed on P
  swapin/mprotect leaves pte R/O    |
  write fault: ref!=1 -> copy, pte=Q|
                                    | DMA writes P: never seen via va
Silent: a reference of ptrace, dropped before the copy
Silent (5.19): AnonExclusive: reuse`,
  start(context) {
    return {
      decided(fault) {
        const { d } = fault;
        if (!d.committed || (d.page !== 'anon' && d.page !== 'unknown') || d.inputs.unshare === true) return;
        const pins = fault.holds.filter((held) => held.pin && held.own !== false);
        // Any page of a large folio may be the one that is pinned.
        if (d.inputs.large === true && pins[0] !== undefined && Number.isNaN(pins[0].va)) {
          context.cannot('the address of the pin');
          return;
        }
        const gets = fault.holds.filter((held) => !held.pin && held.own === true);
        const found = pins[0] ?? gets[0];
        if (found === undefined) {
          context.judged();
          return;
        }
        const told = found.pin ? judgePin(found, fault) : judgeGet(fault, context);
        if (told === null) {
          if (Number.isNaN(fault.gupReferences)) context.cannot('ref.add');
          else context.judged();
          return;
        }
        context.judged();
        const harm: Evidence[] =
          d.outcomeSeq > 0
            ? [
                {
                  seq: d.endSeq,
                  role: 'harm',
                  text: found.pin ? 'pin still on the old page' : 'reference still on the old page',
                },
              ]
            : [];
        context.report({
          check: ID,
          severity: told.severity,
          verdict: told.verdict,
          cause: found.pin ? 'pin' : 'get',
          moment: d.seq,
          place: fault.place,
          values: { ...fault.values, pinned: found.pin, pinner: found.pid },
          evidence: [...evidenceOf(fault), ...harm],
          missing: told.missing,
        });
      },
    };
  },
};
