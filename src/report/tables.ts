import type { Coverage } from '../checks/finding.ts';
import type { Analysis, DecisionSummary, FidelityCounts, Giver, InputCounter } from '../replay/analysis.ts';
import { escapeText } from './escape.ts';
import { count, plural } from './format.ts';
import { labelled, table } from './layout.ts';
import type { Style } from './style.ts';
import { taskNames } from './tasks.ts';

const byCount = ([a, x]: readonly [string, number], [b, y]: readonly [string, number]): number =>
  y - x || (a < b ? -1 : 1);

/** Counts by name, most first: "exclusive 420, sole reference 12". */
function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, n]) => n > 0)
    .sort(byCount)
    .map(([name, n]) => `${escapeText(name).replaceAll('-', ' ')} ${count(n)}`)
    .join('; ');
}

const MAX_TASKS = 5;

function taskLine(analysis: Analysis): string {
  const tasks = taskNames(analysis.trace);
  const { byTask } = analysis.decisions;
  const shown = byTask.slice(0, MAX_TASKS).map(({ pid, reuse, copy, other }) => {
    const parts = [
      ...(reuse > 0 ? [`${count(reuse)} reuse`] : []),
      ...(copy > 0 ? [`${count(copy)} copy`] : []),
      ...(other > 0 ? [`${count(other)} other`] : []),
    ];
    return `${tasks.label(pid)}: ${parts.join(', ')}`;
  });
  if (byTask.length > MAX_TASKS) shown.push(`${plural(byTask.length - MAX_TASKS, 'more task')}`);
  return shown.join('; ');
}

/** Decisions of do_wp_page by outcome and reason: what a clean trace tells. */
export function decisionsText(analysis: Analysis, style: Style): string {
  const { decisions } = analysis;
  const total = sum(decisions);
  const lines = [
    style.bold('decisions') +
      (total === 0
        ? '  none of do_wp_page is seen in the trace'
        : `  ${plural(total, 'write fault')} in do_wp_page`),
  ];
  const outcome = (name: 'reuse' | 'copy' | 'wait' | 'unknown', text: string): void => {
    if (decisions[name] > 0)
      lines.push(labelled(`${name.padEnd(8)}${count(decisions[name]).padStart(8)}`, text, 2, 18));
  };
  outcome('reuse', countsText(decisions.byReason.reuse));
  outcome('copy', countsText(decisions.byReason.copy));
  outcome('wait', 'waited for the page lock and faulted again');
  outcome('unknown', 'the outcome is not in the trace');
  if (decisions.byTask.length > 0) lines.push(labelled('by task', taskLine(analysis), 2, 18));
  const notJudged = countsText(decisions.notJudged);
  if (notJudged !== '') lines.push(labelled('not judged', notJudged, 2, 18));
  return lines.join('\n');
}

function sum({ reuse, copy, wait, unknown }: DecisionSummary): number {
  return reuse + copy + wait + unknown;
}

/** How often the reconstruction agreed with what the trace printed. */
export function fidelityText(analysis: Analysis, style: Style): string {
  const rows = (Object.entries(analysis.fidelity) as [string, FidelityCounts][]).filter(
    ([, counts]) => counts.compared + counts.raced + counts.unknown > 0,
  );
  if (rows.length === 0)
    return `${style.bold('fidelity')}   nothing in the trace to compare the reconstruction with`;
  const right = { align: 'right' } as const;
  const lines = table(
    [{}, right, right, right, right],
    [
      ['fidelity', 'compared', 'agreed', 'raced', 'not known'],
      ...rows.map(([name, { compared, agreed, raced, unknown }]) => [
        `  ${name}`,
        count(compared),
        count(agreed),
        count(raced),
        count(unknown),
      ]),
    ],
  );
  return lines.replace('fidelity', style.bold('fidelity'));
}

/** Names, needs or lines of a short coverage that are listed before the rest is only counted. */
const LISTED = 8;

/** Some names, and how many more there are; all of them for the whole coverage. */
function someNames(names: readonly string[], whole: boolean): string {
  if (whole || names.length <= LISTED + 1) return names.join(', ');
  return `${names.slice(0, LISTED).join(', ')} and ${names.length - LISTED} more`;
}

function namesLine(label: string, checks: readonly Coverage[], whole: boolean): string {
  return labelled(
    label,
    someNames(
      checks.map((check) => check.check),
      whole,
    ),
    2,
    18,
  );
}

/** What checks lack, what most of them lack first. */
function needsOf(checks: readonly Coverage[]): string[] {
  const lacking = new Map<string, number>();
  for (const { missing } of checks)
    for (const need of missing) lacking.set(need, (lacking.get(need) ?? 0) + 1);
  return [...lacking].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([need]) => escapeText(need));
}

/** What would have to be captured, and what no capture gives. */
const GIVEN: ReadonlyArray<readonly [label: string, giver: Giver | undefined]> = [
  ['tracepoints give', 'tracepoint'],
  ['probes give', 'probe'],
  ['no capture gives', 'nothing'],
  ['also needed', undefined],
];

function needsLines(checks: readonly Coverage[], givers: Analysis['givers'], whole: boolean): string[] {
  const needs = needsOf(checks);
  return GIVEN.flatMap(([label, giver]) => {
    const given = needs.filter((need) => givers[need] === giver);
    return given.length === 0 ? [] : [labelled(label, someNames(given, whole), 2, 18)];
  });
}

/** What could be judged, what not, and which events would have been needed; in few lines, or as a whole. */
export function coverageText(
  { coverage, givers }: Pick<Analysis, 'coverage' | 'givers'>,
  style: Style,
  whole: boolean,
): string {
  const head = style.bold('coverage');
  if (coverage.length === 0) return `${head}   no check ran`;
  const full = coverage.filter((check) => check.judged > 0 && check.cannotJudge === 0);
  const never = coverage.filter(
    (check) => check.judged === 0 && (check.cannotJudge > 0 || check.missing.length > 0),
  );
  const idle = coverage.filter(
    (check) => check.judged === 0 && check.cannotJudge === 0 && check.missing.length === 0,
  );
  const partly = coverage.filter((check) => check.judged > 0 && check.cannotJudge > 0);
  const lines = [
    `${head}   ${plural(coverage.length, 'check')}: ${count(full.length)} judged all, ${count(partly.length)} in part, ${count(never.length)} never`,
  ];
  if (full.length > 0) lines.push(namesLine('judged all', full, whole));
  if (idle.length > 0) lines.push(namesLine('no occasion seen', idle, whole));
  // Which check needs which of them, `faultline checks ID` tells.
  if (never.length > 0) {
    lines.push(namesLine('never judged', never, whole));
    lines.push(...needsLines(never, givers, whole));
  }
  const shares = new Map<string, string[]>();
  for (const { check, judged, cannotJudge, missing } of partly) {
    const needs = missing.length > 0 ? `: needs ${missing.map(escapeText).join(', ')}` : '';
    const share = `${count(cannotJudge)} of ${count(judged + cannotJudge)}${needs}`;
    shares.set(share, [...(shares.get(share) ?? []), check]);
  }
  const parts = [...shares].map(([share, checks]) =>
    labelled('cannot judge', `${checks.join(', ')} ${share}`, 2, 18),
  );
  lines.push(...(whole ? parts : parts.slice(0, LISTED)));
  if (!whole && parts.length > LISTED)
    lines.push(labelled('', `and ${parts.length - LISTED} more, as faultline info tells`, 2, 18));
  return lines.join('\n');
}

const ORDER: readonly InputCounter['severity'][] = ['error', 'data-loss', 'notice', 'info'];

/** How the input disappointed, worst first, and what to do about it. */
export function countersText(counters: readonly InputCounter[], style: Style): string {
  const rows = counters.filter((counter) => counter.count > 0);
  if (rows.length === 0) return '';
  const lines = [style.bold('input')];
  for (const severity of ORDER) {
    for (const counter of rows) {
      if (counter.severity !== severity) continue;
      lines.push(
        labelled(
          severity,
          `${escapeText(counter.name)} ${count(counter.count)}: ${escapeText(counter.advice)}`,
          2,
          18,
        ),
      );
    }
  }
  return lines.join('\n');
}
