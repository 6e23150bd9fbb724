import type { Decision, Inputs } from '../state/decision.ts';
import type { CowRule, Ruling } from './variant.ts';

/** How a rule's ruling compares with what was observed. */
export type Agreement = 'agrees' | 'differs' | 'unknown';

export interface Judgement {
  readonly agreement: Agreement;
  readonly ruling: Ruling;
}

/** Whether a decision is one that the `cow` axis speaks of: a finished reuse or copy of an anon page. */
export function isJudgeable(d: Decision): boolean {
  return (
    (d.outcome === 'reuse' || d.outcome === 'copy') &&
    (d.page === 'anon' || d.page === 'ksm') &&
    d.inputs.unshare !== true
  );
}

/**
 * Compares a rule with a decision. Inputs were sampled within the bracket, not at the deciding instant, and what
 * the state says of the page may be out of date if records are missing that nothing announced: a difference counts
 * only if no value that the inputs may have had gives what was observed.
 */
export function judge(rule: CowRule, d: Decision): Judgement {
  const ruling = rule.decide(d.inputs);
  if (ruling.outcome === d.outcome) return { agreement: 'agrees', ruling };
  const certain = refuted(rule, d);
  if (certain !== null) return { agreement: 'differs', ruling: certain };
  if (ruling.outcome === 'unknown' && d.outcomeBy !== 'absence') {
    // Known up to the lock: the one step that no probe shows. What was observed is one of the two ways.
    const consistent = consistentLock(rule, d);
    if (consistent !== null) return { agreement: 'agrees', ruling: consistent };
  }
  return {
    agreement: 'unknown',
    ruling:
      ruling.outcome === 'unknown'
        ? ruling
        : { outcome: 'unknown', reason: 'raced', missing: ['refcount at the test'] },
  };
}

/** The ruling that contradicts what was observed whatever the inputs were, or null. */
function refuted(rule: CowRule, d: Decision): Ruling | null {
  const told = toldInputs(d.inputs);
  let certain: Ruling | null = null;
  for (const count of counts(d.inputs)) {
    // A lock that was held at a sample may have been free at the trylock; one that the task took itself was free.
    for (const locked of d.inputs.locked === false ? [false] : [true, false]) {
      for (const ksm of either(told.ksm)) {
        for (const large of either(told.large)) {
          const other = rule.decide({ ...told, count, locked, ksm, large });
          if (other.outcome === d.outcome || other.outcome === 'unknown') return null;
          certain ??= other;
        }
      }
    }
  }
  return certain;
}

/** Inputs as records of the faulting task within the bracket tell them: the state's word alone convicts nobody. */
function toldInputs(inputs: Inputs): Inputs {
  return {
    ...inputs,
    exclusive: inputs.exclusiveSeq > 0 ? inputs.exclusive : undefined,
    mappings: inputs.mappingsTold ? inputs.mappings : Number.NaN,
    ksm: inputs.ksm === true ? undefined : inputs.ksm,
    // Where one flag was sampled all were; writeback may end between the sample and the test.
    swapcache: inputs.onLru === undefined ? undefined : inputs.swapcache,
    writeback: inputs.writeback === true ? undefined : inputs.writeback,
    swapcount: Number.NaN,
  };
}

/** What the refcount may have been at the test. */
function counts({ countTold, countLow, countHigh }: Inputs): number[] {
  if (!countTold) return [Number.NaN];
  const values: number[] = [];
  for (let count = countLow; count <= Math.min(countHigh, countLow + 8); count++) values.push(count);
  if (countHigh > countLow + 8) values.push(countHigh);
  return values;
}

function either(value: boolean | undefined): readonly boolean[] {
  return value === undefined ? [true, false] : [value];
}

/** A reuse proves that the lock was free: with that, does the rule give the reuse? */
function consistentLock(rule: CowRule, d: Decision): Ruling | null {
  if (d.outcome !== 'reuse' || d.inputs.locked !== undefined) return null;
  const free = rule.decide({ ...d.inputs, locked: false });
  return free.outcome === 'reuse' ? free : null;
}
