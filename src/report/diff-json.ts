import type { Behaviour, Outcomes } from '../compare/diff/behaviour.ts';
import type { Comparison } from '../compare/diff/compare.ts';
import type { Decision } from '../compare/diff/decision-log.ts';
import type { Difference, Example, OneSided } from '../compare/diff/differences.ts';
import type { Naming } from '../compare/diff/naming.ts';
import type { Side } from '../compare/diff/side.ts';
import type { LifeEvent } from '../state/life.ts';
import { headline } from './diff.ts';
import type { DiffAnswer } from './diff-answer.ts';
import { limitText } from './diff-limits.ts';
import { absoluteNs, entryOrNull, hexOrNull } from './format.ts';
import type { Json } from './json.ts';
import { lifeWords } from './page.ts';

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function outcomes(of: Outcomes): Json {
  return Object.fromEntries(of);
}

function decisionJson(side: Side, names: Naming, decision: Decision): Json {
  return {
    seq: decision.seq,
    ns: absoluteNs(side.trace.originNs, decision.ns),
    cpu: decision.cpu,
    task: {
      pid: decision.pid,
      comm: side.trace.tasks.find(({ pid }) => pid === decision.pid)?.comm ?? null,
      path: names.task(decision),
    },
    where: names.place(decision) || null,
    mm: hexOrNull(known(decision.mm)),
    address: hexOrNull(known(decision.va)),
    pfn: hexOrNull(known(decision.pfn)),
    entry: entryOrNull(known(decision.entry)),
    inputs: { ...decision.inputs },
    outcome: decision.observed,
  };
}

function findingJson({ divergence, judgedElsewhere }: OneSided): Json {
  const { check, cause, severity, verdict, count, firstSeq, lastSeq, fingerprint } = divergence;
  return {
    fingerprint,
    check,
    cause,
    severity,
    verdict,
    count,
    first_seq: firstSeq,
    last_seq: lastSeq,
    judged_in_the_other: judgedElsewhere,
  };
}

function exampleJson({ a, b, matching }: Comparison, example: Example): Json {
  const { side, decision, counterpart, own, other, words, lacking } = example;
  const ofA = side === 'a' ? decision : counterpart?.decision;
  const ofB = side === 'b' ? decision : counterpart?.decision;
  return {
    kind: decision.kind,
    class: [...decision.words],
    a: ofA === undefined ? null : decisionJson(a, matching.names.a, ofA),
    b: ofB === undefined ? null : decisionJson(b, matching.names.b, ofB),
    matched_by: counterpart?.how ?? null,
    outcomes: { a: outcomes(side === 'a' ? own : other), b: outcomes(side === 'a' ? other : own) },
    compared_class: [...words],
    lacking: [...lacking],
  };
}

function ruleJson(rule: Difference['rules']['a']): Json {
  return rule === null ? null : { value: rule.value, agreed: rule.agreed, judged: rule.judged };
}

function differenceJson(comparison: Comparison, difference: Difference): Json {
  const { about, axis, severity, verdict, rules, count, firstSeq, example, gained, lost } = difference;
  return {
    summary: headline(difference),
    about,
    axis,
    severity,
    verdict,
    rules: { a: ruleJson(rules.a), b: ruleJson(rules.b) },
    count: { a: count.a, b: count.b },
    first_seq: { a: firstSeq.a || null, b: firstSeq.b || null },
    example: example === null ? null : exampleJson(comparison, example),
    gained: gained.map(findingJson),
    lost: lost.map(findingJson),
  };
}

function behaviourJson({ kind, words, a, b }: Behaviour): Json {
  return { kind, class: [...words], a: outcomes(a), b: outcomes(b) };
}

function sideJson(side: Side): Json {
  return {
    path: side.trace.path,
    kernel: side.trace.kernel?.release ?? null,
    records: side.trace.records,
    rules: side.fit?.search.id ?? null,
    decisions: side.decisions.length,
  };
}

function laneJson(event: LifeEvent | null): Json {
  if (event === null) return null;
  const { seq, pid, kind, change, count } = event;
  return { seq, pid, kind: kind.name, text: lifeWords(event), change, refcount: count };
}

/** Two traces compared, for programs (schema faultline.diff/1). */
export function diffJson({ comparison, pages }: DiffAnswer): Json {
  const { a, b, comparability, matching, differences, gained, lost, behaviours, same } = comparison;
  const all = differences.map((difference) => differenceJson(comparison, difference));
  return {
    schema: 'faultline.diff/1',
    a: sideJson(a),
    b: sideJson(b),
    comparable: {
      score: comparability.score,
      possible: comparability.possible,
      kinds: [...comparability.kinds],
      warnings: comparability.limits.map((limit) => ({ about: limit.about, text: limitText(limit) })),
    },
    same,
    first: all[0] ?? null,
    pages: pages === null ? null : pages.rows.map((row) => ({ a: laneJson(row.a), b: laneJson(row.b) })),
    differences: all,
    gained: gained.map(findingJson),
    lost: lost.map(findingJson),
    behaviour: behaviours.map(behaviourJson),
    activity: a.activity.map(({ name, count }, i) => ({ name, a: count, b: b.activity[i]!.count })),
    matched: {
      pairs: matching.pairs.length,
      unmatched: { ...matching.unmatched },
      drifted: { ...matching.drifted },
      tasks: { both: [...matching.tasks.both], a: [...matching.tasks.a], b: [...matching.tasks.b] },
    },
  };
}
