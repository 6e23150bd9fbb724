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
 * Compares a rule with a decision. Inputs were sampled within the bracket, not at the deciding instant: a
 * difference counts only if no value that the refcount may have had, and no state that the lock may have been
 * in, gives what was observed.
 */
export function judge(rule: CowRule, d: Decision): Judgement {
  const ruling = rule.decide(d.inputs);
  if (ruling.outcome === d.outcome) return { agreement: 'agrees', ruling };
  const { countLow, countHigh, locked } = d.inputs;
  const counts =
    Number.isNaN(countLow) || Number.isNaN(countHigh) ? [d.inputs.count] : range(countLow, countHigh);
  // A trylock may have failed on a lock that was free again at the next sample; a lock that the task took was free.
  const locks = locked === undefined ? [true, false] : [locked];
  let possible = false;
  let certain: Ruling | null = null;
  for (const count of counts) {
    for (const held of locks) {
      const inputs: Inputs = { ...d.inputs, count, locked: held };
      const other = rule.decide(inputs);
      if (other.outcome === d.outcome || other.outcome === 'unknown') possible = true;
      else certain ??= other;
    }
  }
  // AnonExclusive must have been read within the bracket, or been decided by it: the state's word alone convicts nobody.
  const read = d.inputs.exclusive === undefined || d.inputs.exclusiveSeq > 0;
  if (!possible && certain !== null && read) return { agreement: 'differs', ruling: certain };
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

function range(low: number, high: number): number[] {
  const values: number[] = [];
  for (let count = low; count <= Math.min(high, low + 8); count++) values.push(count);
  return values;
}

/** A reuse proves that the lock was free: with that, does the rule give the reuse? */
function consistentLock(rule: CowRule, d: Decision): Ruling | null {
  if (d.outcome !== 'reuse' || d.inputs.locked !== undefined) return null;
  const free = rule.decide({ ...d.inputs, locked: false });
  return free.outcome === 'reuse' ? free : null;
}
