import type { Decision, Inputs } from '../state/decision.ts';
import { rulings } from './page.ts';
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
  const before = judgementsOf(d);
  let judgement = before.get(rule);
  if (judgement === undefined) {
    judgement = weighed(rule, d);
    before.set(rule, judgement);
  }
  return judgement;
}

/** Kinds of decision whose judgements are kept. */
const KINDS_KEPT = 4096;
/** Judgements of decisions that no rule can tell apart, by what rules look at: traces hold few kinds of decision. */
const judgements = new Map<string, Map<CowRule, Judgement>>();
let latest: { readonly d: Decision; readonly its: Map<CowRule, Judgement> } | null = null;

/** The judgements given so far of decisions like this one. */
function judgementsOf(d: Decision): Map<CowRule, Judgement> {
  if (latest?.d === d) return latest.its;
  const kind = kindOf(d);
  let its = judgements.get(kind);
  if (its === undefined) {
    if (judgements.size === KINDS_KEPT) judgements.clear();
    its = new Map();
    judgements.set(kind, its);
  }
  latest = { d, its };
  return its;
}

/** Everything that a judgement depends on, as one word. */
function kindOf({ outcome, outcomeBy, inputs }: Decision): string {
  let kind: string = `${outcome} ${outcomeBy} ${inputs.exclusiveSeq > 0}`;
  for (const name of FACTS) kind += ` ${inputs[name]}`;
  return kind;
}

/** The inputs but for the seq that tells AnonExclusive, of which only its being there counts. */
const FACTS = Object.keys({
  exclusive: 0,
  anon: 0,
  ksm: 0,
  large: 0,
  swapcache: 0,
  count: 0,
  countTold: 0,
  countLow: 0,
  countHigh: 0,
  mappings: 0,
  mappingsTold: 0,
  swapcount: 0,
  onLru: 0,
  locked: 0,
  writeback: 0,
  swapFreed: 0,
  unshare: 0,
  batched: 0,
  stableWrites: 0,
  largeMappings: 0,
  mappedShared: 0,
} satisfies Record<Exclude<keyof Inputs, 'exclusiveSeq'>, 0>) as ReadonlyArray<keyof Inputs>;

function weighed(rule: CowRule, d: Decision): Judgement {
  const ruling = rule.decide(settled(rule, d.inputs));
  if (ruling.outcome === d.outcome) return { agreement: 'agrees', ruling };
  const certain = refuted(rule, d);
  if (certain !== null) return { agreement: 'differs', ruling: certain };
  if (ruling.outcome === 'unknown' && d.outcomeBy !== 'absence') {
    // Known up to what no probe shows, the lock above all. What was observed is one of the ways.
    const consistent = consistentReuse(rule, d);
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
  // A lock that was held at a sample may have been free at the trylock; one that the task took itself was free.
  const locked = told.locked === false ? false : undefined;
  const { found } = rulings(settled(rule, { ...told, locked }), (page) =>
    page.ksm ? rule.ksm(page) : rule.procedure(page),
  );
  if (found.some(({ outcome }) => outcome === d.outcome || outcome === 'unknown')) return null;
  return found[0] ?? null;
}

/** Inputs as records of the faulting task within the bracket tell them: the state's word alone convicts nobody. */
function toldInputs(inputs: Inputs): Inputs {
  return {
    ...inputs,
    // What it may have been at the test, as far as this task read it.
    count: Number.NaN,
    countLow: inputs.countTold ? inputs.countLow : Number.NaN,
    countHigh: inputs.countTold ? inputs.countHigh : Number.NaN,
    exclusive: inputs.exclusiveSeq > 0 ? inputs.exclusive : undefined,
    mappings: inputs.mappingsTold ? inputs.mappings : Number.NaN,
    ksm: inputs.ksm === true ? undefined : inputs.ksm,
    // Where one flag was sampled all were; writeback may end between the sample and the test.
    swapcache: inputs.onLru === undefined ? undefined : inputs.swapcache,
    writeback: inputs.writeback === true ? undefined : inputs.writeback,
    swapcount: Number.NaN,
  };
}

/** Inputs for a rule that waits for the lock: it decides when the lock is free. */
function settled(rule: CowRule, inputs: Inputs): Inputs {
  return rule.waits ? { ...inputs, locked: false } : inputs;
}

/**
 * A reuse proves that the lock was free, and in all kernels but those of 5.1 to 5.8 that the page was no KSM page:
 * with what no probe shows filled in so, does the rule give the reuse?
 */
function consistentReuse(rule: CowRule, d: Decision): Ruling | null {
  const { ksm, large, locked } = d.inputs;
  if (d.outcome !== 'reuse' || locked === true) return null;
  const free = rule.decide({ ...d.inputs, locked: false, ksm: ksm ?? false, large: large ?? false });
  return free.outcome === 'reuse' ? free : null;
}
