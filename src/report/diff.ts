import type { Behaviour, Outcomes } from '../compare/diff/behaviour.ts';
import type { Comparison } from '../compare/diff/compare.ts';
import type { Difference, Example, OneSided } from '../compare/diff/differences.ts';
import type { Side } from '../compare/diff/side.ts';
import type { DiffAnswer } from './diff-answer.ts';
import { exampleLanes, pageRows } from './diff-example.ts';
import { limitText, scoreText } from './diff-limits.ts';
import { escapeText } from './escape.ts';
import { count, plural } from './format.ts';
import { KIND_WORDS } from './kind-words.ts';
import { labelled, paragraph, table } from './layout.ts';
import { REPORT_COLUMNS, type Style } from './style.ts';

/** Rows of a table that text shows; JSON has all of them. */
const MAX_ROWS = 12;

function sumOf(outcomes: Outcomes): number {
  let sum = 0;
  for (const times of outcomes.values()) sum += times;
  return sum;
}

/** "reuse 96 of 96"; "copy 3, reuse 1 of 4". */
export function outcomesText(outcomes: Outcomes): string {
  if (outcomes.size === 0) return 'none';
  const parts = [...outcomes].map(([outcome, times]) => `${outcome} ${count(times)}`);
  return `${parts.join(', ')} of ${count(sumOf(outcomes))}`;
}

function lanesOf(example: Example): { readonly a: Outcomes; readonly b: Outcomes } {
  return example.side === 'a' ? { a: example.own, b: example.other } : { a: example.other, b: example.own };
}

/** What a difference is, in a line that stands alone. */
export function headline(difference: Difference): string {
  const { example, gained, lost } = difference;
  if (example === null) {
    const { divergence } = [...gained, ...lost][0]!;
    return `${divergence.check} (${divergence.cause}) in ${gained.length > 0 ? 'B' : 'A'} only`;
  }
  const { decision, lacking, side } = example;
  const words = decision.words.length === 0 ? '' : ` (${decision.words.join(', ')})`;
  const what = `${KIND_WORDS[decision.kind][0]}${words}`;
  // The other trace decides alike, and never on such a page: that is what differs.
  if (lacking.length > 0 && [...example.own.keys()].join() === [...example.other.keys()].join())
    return `${what}: ${side.toUpperCase()} ${outcomesText(example.own)}, ${side === 'a' ? 'B' : 'A'} none of ${count(sumOf(example.other))} such`;
  const { a, b } = lanesOf(example);
  return `${what}: A ${outcomesText(a)}, B ${outcomesText(b)}`;
}

function ruleLines(difference: Difference): string[] {
  const { axis, rules, count: times, firstSeq } = difference;
  const side = (name: 'A' | 'B'): string[] => {
    const [rule, own, other] = name === 'A' ? [rules.a, times.b, firstSeq.b] : [rules.b, times.a, firstSeq.a];
    if (rule === null) return [labelled(name, `no decision tells which rule it follows on ${axis}`, 2, 4)];
    const elsewhere =
      own === 0
        ? `nothing in ${name === 'A' ? 'B' : 'A'} contradicts that`
        : `${plural(own, 'decision')} of ${name === 'A' ? 'B' : 'A'} ${own === 1 ? 'contradicts' : 'contradict'} that, first at seq ${other}`;
    return [
      labelled(
        name,
        `follows ${axis}=${rule.value} in ${count(rule.agreed)} of ${count(rule.judged)}; ${elsewhere}`,
        2,
        4,
      ),
    ];
  };
  return [...side('A'), ...side('B')];
}

function findingText({ divergence, judgedElsewhere }: OneSided): string {
  const { check, cause, severity, verdict, count: times, firstSeq, lastSeq, fingerprint } = divergence;
  const seqs = times === 1 ? `seq ${firstSeq}` : `${count(times)} times, seq ${firstSeq}..${lastSeq}`;
  const doubt = judgedElsewhere ? '' : '; the other trace could not be judged';
  return `${check} (${cause}), ${severity}, ${verdict}, ${seqs}, ${fingerprint}${doubt}`;
}

function differenceText(
  comparison: Comparison,
  difference: Difference,
  number: number,
  style: Style,
): string {
  const { example, severity, verdict, about, gained, lost } = difference;
  const lines = [style.bold(labelled(`${number}`, headline(difference), 0, 3)), `   ${verdict}  ${severity}`];
  if (example !== null && example.lacking.length > 0)
    lines.push(
      paragraph(
        `${example.side === 'a' ? 'B' : 'A'} has none that was ${example.lacking.join(' or ')}: its count is of those that were ${example.words.join(', ') || 'of this kind'}.`,
        3,
      ),
    );
  if (about === 'pair')
    lines.push(
      paragraph(
        `${plural(difference.count.b, 'decision')} with the same known inputs came out otherwise; inputs that are not known may explain it.`,
        3,
      ),
    );
  if (about === 'rule') lines.push('', ...ruleLines(difference));
  for (const one of gained) lines.push(labelled('gained', findingText(one), 2, 8));
  for (const one of lost) lines.push(labelled('lost', findingText(one), 2, 8));
  if (example !== null) lines.push('', exampleLanes(comparison, example, style));
  return lines.join('\n');
}

function sideLines(name: string, side: Side): string {
  const { trace, fit } = side;
  const rule = fit === null ? 'no decision tells its rules' : `rules ${fit.search.id}`;
  return labelled(
    name,
    `${escapeText(trace.path)}: ${plural(trace.records, 'record')}, kernel ${escapeText(trace.kernel?.release ?? 'unknown')}, ${rule}`,
  );
}

function verdictText({ differences, comparability, matching }: Comparison): string {
  const proven = differences.filter(({ verdict }) => verdict === 'proven').length;
  const suspect = differences.length - proven;
  const found = [
    ...(proven > 0 ? [plural(proven, 'proven difference')] : []),
    ...(suspect > 0 ? [plural(suspect, 'suspected difference')] : []),
  ].join(', ');
  if (comparability.possible) return found || 'the same: no difference in behaviour was found';
  const why =
    comparability.kinds.length > 0 && matching.pairs.length === 0
      ? 'no decision of the one has a partner in the other'
      : matching.score === null
        ? 'neither trace tells a decision, and no check judged both'
        : 'no kind of decision is told by both traces';
  return `NOT COMPARABLE: ${why}; ${found || 'no difference was found'}`;
}

function unlike({ a, b }: Behaviour): boolean {
  return [...a.keys()].join() !== [...b.keys()].join();
}

function behaviourTable({ behaviours }: Comparison, style: Style): string {
  const rows = [...behaviours].sort((x, y) => Number(unlike(y)) - Number(unlike(x))).slice(0, MAX_ROWS);
  if (rows.length === 0) return '';
  const lines = table(
    [{ width: 33 }, { width: 19 }, { width: 19 }],
    [
      ['decisions by inputs', 'A', 'B'],
      ...rows.map((row) => [
        `${KIND_WORDS[row.kind][0]}${row.words.length === 0 ? '' : `: ${row.words.join(', ')}`}`,
        row.a.size === 0 ? '-' : outcomesText(row.a),
        row.b.size === 0 ? '-' : outcomesText(row.b),
      ]),
    ],
    2,
  );
  const more = behaviours.length - rows.length;
  return `${style.bold('behaviour')}\n${lines}${more > 0 ? `\n  and ${plural(more, 'more class', 'more classes')}: see --json` : ''}`;
}

function activityTable({ a, b }: Comparison, style: Style): string {
  const rows = a.activity
    .map(({ name, count: inA }, i) => ({ name, inA, inB: b.activity[i]!.count }))
    .filter(({ inA, inB }) => inA !== null || inB !== null);
  if (rows.length === 0) return '';
  const cell = (times: number | null): string => (times === null ? 'not seen' : count(times));
  return `${style.bold('activity')}\n${table(
    [{}, { align: 'right' }, { align: 'right' }],
    [['', 'A', 'B'], ...rows.map(({ name, inA, inB }) => [name, cell(inA), cell(inB)])],
    2,
  )}`;
}

/** Two traces compared, for people. Ends with a newline. */
export function diffText({ comparison, pages }: DiffAnswer, style: Style): string {
  const { a, b, comparability, matching, differences } = comparison;
  const { score, limits } = comparability;
  const sections = [
    [
      sideLines('A', a),
      sideLines('B', b),
      labelled('comparable', scoreText(score, matching.pairs.length, a.decisions.length, b.decisions.length)),
      ...limits.map((limit) => labelled('-', limitText(limit), 2, 2)),
      labelled('result', verdictText(comparison)).replace('result', style.bold('result')),
    ].join('\n'),
    ...differences.map(
      (difference, i) =>
        `${'-'.repeat(REPORT_COLUMNS)}\n${differenceText(comparison, difference, i + 1, style)}${i === 0 && pages !== null ? `\n\n${pageRows(comparison, pages, style)}` : ''}`,
    ),
    ...(differences.length > 0 ? ['-'.repeat(REPORT_COLUMNS)] : []),
    behaviourTable(comparison, style),
    activityTable(comparison, style),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}
