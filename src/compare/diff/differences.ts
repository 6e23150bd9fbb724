import { type Divergence, SEVERITIES, type Severity, type Verdict } from '../../checks/finding.ts';
import { policyMismatch } from '../../checks/policy-mismatch.ts';
import { DECIDING_AXES } from '../ballot.ts';
import type { AxisFit } from '../fit.ts';
import type { DecidingAxis, InputValues } from '../occasion.ts';
import { classWords } from '../replayed.ts';
import { type Likeness, likest, type Outcomes, outcomesOf } from './behaviour.ts';
import { type Decision, judges } from './decision-log.ts';
import { type Departure, departures } from './departures.ts';
import type { Matching, Pair } from './match.ts';
import { ruleOf, type Side } from './side.ts';

/** A divergence that one of two traces has. */
export interface OneSided {
  readonly divergence: Divergence;
  /** Whether the check could judge the other trace: where not, that it found nothing there says nothing. */
  readonly judgedElsewhere: boolean;
}

/** A decision of one trace, beside that of the other one. */
export interface Example {
  readonly side: 'a' | 'b';
  readonly decision: Decision;
  /** The decision of the other trace that is most like it, and how far: the same one, one of the same task and page, one with like inputs. */
  readonly counterpart: { readonly decision: Decision; readonly how: 'same' | 'page' | 'inputs' } | null;
  /** Outcomes on its class of inputs in its own trace, and on the likest one in the other. */
  readonly own: Outcomes;
  readonly other: Outcomes;
  readonly words: Likeness['words'];
  readonly lacking: Likeness['lacking'];
}

/** How two traces differ, in one respect. */
export interface Difference {
  /** `rule`: one decides as the other's rules never do. `pair`: the same decision came out otherwise. `divergence`: a finding without one of these. */
  readonly about: 'rule' | 'pair' | 'divergence';
  readonly axis: DecidingAxis | null;
  readonly severity: Severity;
  readonly verdict: Verdict;
  /** The rules that explain either trace on the axis. */
  readonly rules: { readonly a: AxisFit | null; readonly b: AxisFit | null };
  /** How many decisions of each trace the other's rule contradicts, or pairs of them that differ. */
  readonly count: { readonly a: number; readonly b: number };
  /** First such decision of each trace, 0 none. */
  readonly firstSeq: { readonly a: number; readonly b: number };
  /** The first causally relevant one: of those that a finding rests on, else of all. Null for a mere finding. */
  readonly example: Example | null;
  readonly gained: readonly OneSided[];
  readonly lost: readonly OneSided[];
}

function oneSided(of: Side, other: Side): OneSided[] {
  const known = new Set(other.divergences.map(({ fingerprint }) => fingerprint));
  return of.divergences
    .filter(({ fingerprint }) => !known.has(fingerprint))
    .map((divergence) => ({
      divergence,
      judgedElsewhere: other.coverage.some(({ check, judged }) => check === divergence.check && judged > 0),
    }));
}

/** Divergences that only the second trace has, and only the first one. */
export function gainedAndLost(a: Side, b: Side): { readonly gained: OneSided[]; readonly lost: OneSided[] } {
  return { gained: oneSided(b, a), lost: oneSided(a, b) };
}

function seqsOf({ divergence }: OneSided): ReadonlySet<number> {
  return new Set(divergence.members.map(({ seq }) => seq));
}

/** Findings that rest on one of these decisions. */
function restingOn(found: readonly OneSided[], decisions: readonly Departure[]): OneSided[] {
  return found.filter((one) => {
    const seqs = seqsOf(one);
    return decisions.some(({ decision }) => seqs.has(decision.seq));
  });
}

function worst(severities: readonly Severity[]): Severity {
  return SEVERITIES.find((severity) => severities.includes(severity)) ?? 'info';
}

/** The first departure that a proven finding rests on, else any finding, else the first one. */
function relevant(departed: readonly Departure[], found: readonly OneSided[]): Decision | undefined {
  const graded = [
    found.filter(({ divergence }) => divergence.severity !== 'info' && divergence.verdict === 'proven'),
    found.filter(({ divergence }) => divergence.severity !== 'info'),
  ];
  for (const ones of graded) {
    const seqs = ones.map(seqsOf);
    const hit = departed.find(({ decision }) => seqs.some((set) => set.has(decision.seq)));
    if (hit !== undefined) return hit.decision;
  }
  return departed[0]?.decision;
}

function counterpart(
  side: 'a' | 'b',
  decision: Decision,
  matching: Matching,
  like: Likeness,
): Example['counterpart'] {
  const pair = matching.pairs.find((both) => both[side] === decision);
  if (pair !== undefined) return { decision: side === 'a' ? pair.b : pair.a, how: 'same' };
  const samePage = matching.alike(side, decision);
  const shared = samePage.find((other) => like.decisions.includes(other)) ?? samePage[0];
  if (shared !== undefined) return { decision: shared, how: 'page' };
  const [first] = like.decisions;
  return first === undefined ? null : { decision: first, how: 'inputs' };
}

function exampleOf(
  sides: { readonly a: Side; readonly b: Side },
  side: 'a' | 'b',
  decision: Decision,
  matching: Matching,
): Example {
  const other = sides[side === 'a' ? 'b' : 'a'];
  const like = likest(other, decision.kind, decision.words);
  const { decisions: own } = likest(sides[side], decision.kind, decision.words);
  return {
    side,
    decision,
    counterpart: counterpart(side, decision, matching, like),
    own: outcomesOf(own),
    other: outcomesOf(like.decisions),
    words: like.words,
    lacking: like.lacking,
  };
}

/** What kind of decision an axis decides in one of two traces as the other's rule never would. */
function ruleDifference(
  sides: { readonly a: Side; readonly b: Side },
  axis: DecidingAxis,
  matching: Matching,
  found: { readonly gained: readonly OneSided[]; readonly lost: readonly OneSided[] },
): Difference | null {
  const { a, b } = sides;
  const inA = departures(a, b, axis);
  const inB = departures(b, a, axis);
  if (inA.length === 0 && inB.length === 0) return null;
  const gained = restingOn(found.gained, inB);
  const lost = restingOn(found.lost, inA);
  const grave = [...gained, ...lost].filter(
    ({ divergence, judgedElsewhere }) => divergence.verdict === 'proven' && judgedElsewhere,
  );
  const proven =
    [...inA, ...inB].some((departure) => departure.proven) ||
    grave.some(({ divergence }) => divergence.severity !== 'info');
  const example = relevant(inB, gained);
  return {
    about: 'rule',
    axis,
    // That a kernel decides otherwise is worth a warning by itself; a finding that rests on it may be worse.
    severity: worst(['warning', ...grave.map(({ divergence }) => divergence.severity)]),
    verdict: proven ? 'proven' : 'suspect',
    rules: { a: ruleOf(a, axis) ?? null, b: ruleOf(b, axis) ?? null },
    count: { a: inA.length, b: inB.length },
    firstSeq: { a: inA[0]?.decision.seq ?? 0, b: inB[0]?.decision.seq ?? 0 },
    example:
      example !== undefined
        ? exampleOf(sides, 'b', example, matching)
        : exampleOf(sides, 'a', relevant(inA, lost)!, matching),
    gained,
    lost,
  };
}

/** Whether at least half of the inputs are known: of a decision without inputs nothing can be said to be alike. */
function tellsInputs({ inputs }: Decision): boolean {
  const values = Object.values(inputs);
  return 2 * values.filter((value) => value !== null).length >= values.length;
}

/** Inputs of a decision that another one tells too. */
function toldByBoth({ inputs }: Decision, other: Decision): InputValues {
  return Object.fromEntries(
    Object.entries(inputs).filter(([name, value]) => value !== null && (other.inputs[name] ?? null) !== null),
  );
}

/** Whether all that both tell of the inputs is the same, and neither tells too little. */
function sameInputs({ a, b }: Pair): boolean {
  const words = (of: Decision, other: Decision): string => classWords(toldByBoth(of, other)).join();
  return tellsInputs(a) && tellsInputs(b) && words(a, b) === words(b, a);
}

/**
 * The same decision on like inputs came out otherwise, and no rule can say whether it had to. Where a rule explains
 * both outcomes, inputs that have no word explain them.
 */
function pairDifference(
  sides: { readonly a: Side; readonly b: Side },
  axis: DecidingAxis,
  matching: Matching,
  rules: Difference['rules'],
): Difference | null {
  const value = rules.a?.value ?? rules.b?.value;
  const changed = matching.pairs.filter(
    (pair) =>
      pair.a.axis === axis &&
      pair.a.observed !== pair.b.observed &&
      pair.a.observed !== 'unknown' &&
      pair.b.observed !== 'unknown' &&
      sameInputs(pair) &&
      (value === undefined || !judges(pair.a, value) || !judges(pair.b, value)),
  );
  const [first] = changed;
  if (first === undefined) return null;
  return {
    about: 'pair',
    axis,
    severity: 'warning',
    verdict: 'suspect',
    rules,
    count: { a: changed.length, b: changed.length },
    firstSeq: { a: first.a.seq, b: first.b.seq },
    example: exampleOf(sides, 'b', first.b, matching),
    gained: [],
    lost: [],
  };
}

function findingDifference(gained: readonly OneSided[], lost: readonly OneSided[]): Difference {
  const [one] = [...gained, ...lost];
  const { divergence, judgedElsewhere } = one!;
  return {
    about: 'divergence',
    axis: null,
    severity: divergence.severity,
    verdict: judgedElsewhere ? divergence.verdict : 'suspect',
    rules: { a: null, b: null },
    count: { a: lost.length > 0 ? divergence.count : 0, b: gained.length > 0 ? divergence.count : 0 },
    firstSeq: {
      a: lost.length > 0 ? divergence.firstSeq : 0,
      b: gained.length > 0 ? divergence.firstSeq : 0,
    },
    example: null,
    gained,
    lost,
  };
}

/** Rank of a difference: proven before suspect, then by severity. */
function rank({ verdict, severity }: Difference): number {
  return (verdict === 'proven' ? 0 : SEVERITIES.length) + SEVERITIES.indexOf(severity);
}

/** A trace's own order: where the second one departs, else the first. */
function moment({ firstSeq }: Difference): number {
  return firstSeq.b || firstSeq.a;
}

/** All differences in behaviour, what is surest and worst first, then in the order of events. */
export function differences(a: Side, b: Side, matching: Matching): Difference[] {
  const sides = { a, b };
  const found = gainedAndLost(a, b);
  const all: Difference[] = [];
  for (const axis of DECIDING_AXES) {
    const rule = ruleDifference(sides, axis, matching, found);
    if (rule !== null) all.push(rule);
    const pair = pairDifference(sides, axis, matching, {
      a: ruleOf(a, axis) ?? null,
      b: ruleOf(b, axis) ?? null,
    });
    if (pair !== null && rule === null) all.push(pair);
  }
  const told = new Set(all.flatMap(({ gained, lost }) => [...gained, ...lost]));
  // Moments of severity info call for no action, and come and go with the interleaving. What a trace does against a
  // variant that the user named was looked at above: against the rules of the other trace.
  const open = (one: OneSided): boolean =>
    !told.has(one) && one.divergence.severity !== 'info' && one.divergence.check !== policyMismatch.id;
  for (const one of found.gained.filter(open)) all.push(findingDifference([one], []));
  for (const one of found.lost.filter(open)) all.push(findingDifference([], [one]));
  return all.sort((x, y) => rank(x) - rank(y) || moment(x) - moment(y));
}
