import type { WriteFault } from '../../checks/write-fault.ts';
import { refcount } from '../../variants/cow/refcount.ts';
import { isJudgeable, judge } from '../../variants/judge.ts';
import { weigh } from '../../variants/page.ts';
import type { AxisValue, CowRule } from '../../variants/variant.ts';
import type { Counterfactual } from '../counterfactual.ts';
import { type InputValues, type Occasion, told, type Vote } from '../occasion.ts';
import { cowRuleOf, ksmRuleOf } from './rules.ts';

/** Inputs of a write fault, by the names that reports use. */
function inputsOf({ d }: WriteFault): InputValues {
  const {
    exclusive,
    ksm,
    large,
    swapcache,
    count,
    mappings,
    swapcount,
    locked,
    writeback,
    swapFreed,
    onLru,
  } = d.inputs;
  return {
    exclusive: told(exclusive),
    ksm: told(ksm),
    large: told(large),
    swapcache: told(swapcache),
    refcount: told(count),
    mapcount: told(mappings),
    swapcount: swapcache === false ? 0 : told(swapcount),
    locked: told(locked),
    writeback: told(writeback),
    swap_freed: told(swapFreed),
    lru: told(onLru),
  };
}

const asCow = new Map<AxisValue, CowRule>();

/** A KSM rule as one of do_wp_page, each made once. Only the mutant without the KSM test asks the rule for other pages: that of 5.9. */
function ksmAsCow(value: AxisValue): CowRule {
  const before = asCow.get(value);
  if (before !== undefined) return before;
  const rule = ksmRuleOf(value);
  const ksm: CowRule['ksm'] = (page) => rule.procedure(page, refcount.procedure);
  const made: CowRule = { ...refcount, ksm, waits: true, decide: (inputs) => weigh(inputs, ksm) };
  asCow.set(value, made);
  return made;
}

/** The occasion that a do_wp_page on an anon or a KSM page is; null for other pages and for UNSHARE faults. */
export function writeFaultOccasion(fault: WriteFault, asked: Counterfactual): Occasion | null {
  const { d } = fault;
  const { page, inputs } = d;
  if ((page !== 'anon' && page !== 'ksm') || inputs.unshare === true) return null;
  const settled = isJudgeable(d);
  const kind = page === 'ksm' ? 'ksm-reuse' : 'write-fault';
  return {
    kind,
    axis: page === 'ksm' ? 'ksm' : 'cow',
    seq: d.seq,
    ns: d.ns,
    cpu: d.cpu,
    pid: d.pid,
    mm: d.mm,
    va: d.va,
    pfn: d.pfn,
    entry: Number.NaN,
    inputs: inputsOf(fault),
    observed: settled ? d.outcome : d.outcome === 'wait' ? 'wait' : 'unknown',
    vote(value): Vote {
      const rule = page === 'ksm' ? ksmAsCow(value) : cowRuleOf(value);
      const { agreement, ruling } = judge(rule, d);
      // An outcome that rests on what was not seen is nothing to judge a rule by.
      const open = !settled || d.outcomeBy === 'absence' || d.outcomeBy === 'none';
      return {
        outcome: ruling.outcome,
        reason: ruling.reason,
        missing: ruling.missing,
        agreement: open ? 'unknown' : agreement,
        waits: rule.waits && inputs.locked === true,
      };
    },
    fires: (outcome) => asked.fires(fault, outcome),
  };
}
