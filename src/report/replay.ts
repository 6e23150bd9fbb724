import type { Bisection } from '../compare/bisect.ts';
import type { DecisionKind } from '../compare/occasion.ts';
import {
  type Disagreement,
  disagreements,
  firesIn,
  type KindSummary,
  type ReplayedDecision,
  voteIn,
} from '../compare/replayed.ts';
import type { Replay } from '../replay/replay.ts';
import type { Variant } from '../variants/variant.ts';
import { fitJson, fitSection } from './fit.ts';
import { count, entryOrNull, hexOrNull, plural } from './format.ts';
import { factLines } from './header.ts';
import type { Json } from './json.ts';
import { KIND_WORDS } from './kind-words.ts';
import { labelled, table } from './layout.ts';
import type { Style } from './style.ts';

/** Groups of disagreement that are told. */
const MAX_GROUPS = 12;

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** Outcomes of one kind: observed and by variant, in the order in which they first occur. */
function outcomesOf(replay: Replay, kind: DecisionKind, variants: readonly Variant[]): string[] {
  const found = new Set<string>();
  for (const decision of replay.replayed.decisions) {
    if (decision.kind !== kind) continue;
    if (decision.observed !== 'unknown') found.add(decision.observed);
    for (const variant of variants) found.add(voteIn(decision, variant).outcome);
  }
  found.delete('unknown');
  return [...found].sort();
}

/** Names longer than this stand in a legend, with a number in the tables. */
const LONG_NAME = 20;

/** What a variant is called in a table. */
function shortName(replay: Replay, variant: Variant): string {
  return variant.id.length <= LONG_NAME ? variant.id : `#${replay.variants.indexOf(variant) + 1}`;
}

function legend(replay: Replay): string[] {
  const long = replay.variants.filter(({ id }) => id.length > LONG_NAME);
  return long.map((variant) => labelled(shortName(replay, variant), variant.id, 2, 6));
}

function firesText(summary: KindSummary): string {
  return [...summary.fires].map(([check, times]) => `${check} ${count(times)}`).join(', ');
}

/** The matrix of one kind: a line for what was observed, and one for each variant. */
function matrix(replay: Replay, kind: DecisionKind, style: Style): string {
  const { variants, replayed } = replay;
  const own = replayed.decisions.filter((decision) => decision.kind === kind);
  const outcomes = outcomesOf(replay, kind, variants);
  const seen = (outcome: string): number => own.filter(({ observed }) => observed === outcome).length;
  const [one, many] = KIND_WORDS[kind];
  const head = ['', ...outcomes, 'unknown', 'agreed'];
  const rows = [
    head,
    ['observed', ...outcomes.map((outcome) => count(seen(outcome))), count(seen('unknown')), ''],
    ...variants.map((variant) => {
      const summary = replayed.summary(variant, kind);
      return [
        shortName(replay, variant),
        ...outcomes.map((outcome) => count(summary.outcomes.get(outcome) ?? 0)),
        count(summary.unknown),
        `${count(summary.agreed)} of ${count(summary.compared)}`,
      ];
    }),
  ];
  const lines = [
    style.bold(plural(own.length, one, many)),
    table([{}, ...head.slice(1).map(() => ({ align: 'right' }) as const)], rows, 2),
  ];
  const column =
    2 + Math.max(...variants.map((variant) => shortName(replay, variant).length), 'observed'.length);
  for (const variant of variants) {
    const summary = replayed.summary(variant, kind);
    const text = firesText(summary);
    const waits = summary.waits > 0 ? [`waits for the lock ${count(summary.waits)} times first`] : [];
    const parts = [...waits, ...(text === '' ? [] : [`would fire ${text}`])];
    if (parts.length > 0) lines.push(labelled(shortName(replay, variant), parts.join('; '), 2, column));
  }
  return lines.join('\n');
}

function groupText(group: Disagreement, nameOf: (id: string) => string): string {
  const [one, many] = KIND_WORDS[group.kind];
  const seqs = group.count === 1 ? `seq ${group.firstSeq}` : `seq ${group.firstSeq}..${group.lastSeq}`;
  const what = group.inputs === '' ? '' : ` (${group.inputs})`;
  const lines = [
    labelled(
      `  ${count(group.count)}`,
      `${group.count === 1 ? one : many}${what}, observed: ${group.observed}; ${seqs}`,
      0,
      8,
    ),
  ];
  for (const side of group.sides) {
    const fires = side.fires.length === 0 ? '' : `; fires ${side.fires.join(', ')}`;
    const reason = side.outcome === 'unknown' ? '' : ` (${side.reason})`;
    lines.push(labelled(side.outcome, `${side.variants.map(nameOf).join(', ')}${reason}${fires}`, 8, 12));
  }
  return lines.join('\n');
}

/** What flips between two variants, step by step. */
function bisectionText(bisection: Bisection, style: Style): string {
  const { a, b, axes, idle } = bisection;
  if (axes.length === 0)
    return `${style.bold('bisect')}     ${a} and ${b} decide nothing in this trace differently`;
  const set = axes.map(({ axis, to }) => `${axis}=${to}`).join(', ');
  const lines = [
    labelled('bisect', `${a} decides as ${b} does with ${set}, and with nothing less`).replace(
      'bisect',
      style.bold('bisect'),
    ),
  ];
  for (const { axis, from, to, decisions, flips } of axes) {
    lines.push(labelled(axis, `${from} -> ${to}: ${plural(decisions, 'decision')} flipped`, 2, 14));
    for (const flip of flips)
      lines.push(
        labelled(
          count(flip.count),
          `at ${flip.from.id} -> ${flip.to.id} (${flip.to.source}): ${flip.before.outcome} (${flip.before.reason}) becomes ${flip.after.outcome} (${flip.after.reason}), first at seq ${flip.firstSeq}`,
          6,
          8,
        ),
      );
  }
  if (idle.length > 0)
    lines.push(labelled('idle', `${idle.join(', ')}: differ, and flip nothing here`, 2, 14));
  return lines.join('\n');
}

/** A trace under several variants, for people. Ends with a newline. */
export function replayText(replay: Replay, style: Style): string {
  const { trace, variants, replayed } = replay;
  const sections = [
    factLines(trace)
      .map(([label, text]) => labelled(label, text))
      .join('\n'),
  ];
  const names = legend(replay);
  if (names.length > 0) sections.push([style.bold('variants'), ...names].join('\n'));
  for (const kind of replayed.kinds()) if (variants.length > 0) sections.push(matrix(replay, kind, style));
  if (replayed.decisions.length === 0) sections.push('no decision that variants could differ in');
  const groups = variants.length === 0 ? [] : disagreements(replayed, variants);
  if (groups.length > 0) {
    const nameOf = (id: string): string => shortName(replay, variants.find((variant) => variant.id === id)!);
    const decisions = groups.reduce((sum, group) => sum + group.count, 0);
    const lines = [
      `${style.bold('disagree')}   on ${plural(decisions, 'decision')}, in ${plural(groups.length, 'group')}`,
      ...groups.slice(0, MAX_GROUPS).map((group) => groupText(group, nameOf)),
    ];
    if (groups.length > MAX_GROUPS)
      lines.push(`  and ${plural(groups.length - MAX_GROUPS, 'more group')}: see --json`);
    sections.push(lines.join('\n'));
  }
  if (replay.bisection !== null) sections.push(bisectionText(replay.bisection, style));
  const rules = fitSection(replay.fit, style);
  if (rules !== '') sections.push(rules);
  return `${sections.join('\n\n')}\n`;
}

function decisionJson(decision: ReplayedDecision, variants: readonly Variant[]): Json {
  return {
    seq: decision.seq,
    kind: decision.kind,
    pid: decision.pid,
    mm: hexOrNull(known(decision.mm)),
    address: hexOrNull(known(decision.va)),
    pfn: hexOrNull(known(decision.pfn)),
    entry: entryOrNull(known(decision.entry)),
    inputs: { ...decision.inputs },
    observed: decision.observed,
    by: Object.fromEntries(
      variants.map((variant) => {
        const { outcome, reason, missing, agreement, waits } = voteIn(decision, variant);
        return [
          variant.id,
          {
            outcome,
            reason,
            waits: waits === true,
            agreement,
            missing: [...missing],
            fires: [...firesIn(decision, outcome)],
          },
        ];
      }),
    ),
  };
}

/** Sums over the decisions of do_wp_page, with those of the other kinds beside them. */
function summaryJson(replay: Replay, variant: Variant): Json {
  const { replayed } = replay;
  const kinds = replayed.kinds().map((kind) => [kind, replayed.summary(variant, kind)] as const);
  const faults = kinds.filter(([kind]) => kind === 'write-fault' || kind === 'ksm-reuse');
  const sum = (of: (summary: KindSummary) => number): number =>
    faults.reduce((total, [, summary]) => total + of(summary), 0);
  return {
    reuse: sum(({ outcomes }) => outcomes.get('reuse') ?? 0),
    copy: sum(({ outcomes }) => outcomes.get('copy') ?? 0),
    wait: sum(({ waits }) => waits),
    unknown: sum(({ unknown }) => unknown),
    compared: sum(({ compared }) => compared),
    agreed: sum(({ agreed }) => agreed),
    kinds: Object.fromEntries(
      kinds.map(([kind, summary]) => [
        kind,
        {
          outcomes: Object.fromEntries(summary.outcomes),
          unknown: summary.unknown,
          compared: summary.compared,
          agreed: summary.agreed,
          first_contradiction: summary.firstSeq === 0 ? null : summary.firstSeq,
          fires: Object.fromEntries(summary.fires),
        },
      ]),
    ),
  };
}

function bisectionJson({ a, b, axes, idle }: Bisection): Json {
  return {
    a,
    b,
    axes: axes.map(({ axis, from, to, decisions, flips }) => ({
      axis,
      from,
      to,
      decisions,
      flips: flips.map((flip) => ({
        count: flip.count,
        first_seq: flip.firstSeq,
        from: flip.from.id,
        to: flip.to.id,
        source: flip.to.source,
        before: { ...flip.before },
        after: { ...flip.after },
      })),
    })),
    idle: [...idle],
  };
}

/** The same for programs. */
export function replayJson(replay: Replay): Json {
  const { variants, replayed } = replay;
  return {
    schema: 'faultline.replay/1',
    path: replay.trace.path,
    variants: variants.map(({ id }) => id),
    summary: Object.fromEntries(variants.map((variant) => [variant.id, summaryJson(replay, variant)])),
    decisions: replayed.decisions.map((decision) => decisionJson(decision, variants)),
    disagreements: disagreements(replayed, variants).map((group) => ({
      kind: group.kind,
      observed: group.observed,
      inputs: group.inputs,
      count: group.count,
      first_seq: group.firstSeq,
      last_seq: group.lastSeq,
      sides: group.sides.map((side) => ({
        variants: [...side.variants],
        outcome: side.outcome,
        reason: side.reason,
        fires: [...side.fires],
      })),
    })),
    bisect: replay.bisection === null ? null : bisectionJson(replay.bisection),
    rules: fitJson(replay.fit),
  };
}
