import type { Divergence, Place } from '../checks/finding.ts';
import type { Analysis } from '../replay/analysis.ts';
import { escapeText, shellWord } from './escape.ts';
import { count, hexOrNull, plural, stamp } from './format.ts';
import { lanes } from './lanes.ts';
import { joinParts, labelled, paragraph, table } from './layout.ts';
import { objectText, otherValues, refsText, sharesText } from './object.ts';
import { ANOTHER_VARIANT, reasons, summary, title } from './sentences.ts';
import { REPORT_COLUMNS, type Style } from './style.ts';
import { taskNames } from './tasks.ts';

/** Other members of a group that a report shows; JSON has the first thousand. */
const MAX_MEMBERS = 4;

function subject(found: Divergence, analysis: Analysis, style: Style): string {
  const serious = found.severity === 'critical' || found.severity === 'high';
  const word =
    found.verdict === 'suspect'
      ? 'SUSPECT'
      : serious
        ? 'BUG'
        : found.severity === 'warning'
          ? 'WARNING'
          : 'NOTE';
  const paint = found.verdict === 'suspect' || !serious ? style.yellow : style.red;
  return paragraph(`${word}: faultline: ${title(found, analysis)}`)
    .split('\n')
    .map((line) => style.bold(paint(line)))
    .join('\n');
}

function against(analysis: Analysis): string {
  if (analysis.auto !== null) return `best fit ${escapeText(analysis.auto.best)}`;
  return analysis.variant === null ? 'no variant declared' : `against ${escapeText(analysis.variant)}`;
}

function memberRow(place: Place, analysis: Analysis, label: (pid: number | null) => string): string[] {
  const pfn = hexOrNull(place.pfn);
  return [
    String(place.seq),
    stamp(analysis.trace, place.ns),
    place.cpu === null ? '' : `CPU${place.cpu}`,
    label(place.pid),
    hexOrNull(place.address) ?? '',
    pfn === null ? '' : `pfn ${pfn}`,
  ];
}

function seen(found: Divergence, analysis: Analysis): string[] {
  if (found.count < 2) return [];
  const tasks = taskNames(analysis.trace);
  const lines = [
    labelled(
      'seen',
      `${plural(found.count, 'time')} with this fingerprint, seq ${found.firstSeq} to ${found.lastSeq}; the first is above, others:`,
      2,
    ),
  ];
  const others = found.members
    .filter((place) => place.seq !== found.place.seq)
    .sort((a, b) => a.seq - b.seq)
    .slice(0, MAX_MEMBERS);
  const right = { align: 'right' } as const;
  lines.push(
    table(
      [right, right, {}, {}, {}, {}],
      others.map((place) => memberRow(place, analysis, tasks.label)),
      13,
    ),
  );
  const rest = found.count - 1 - others.length;
  if (rest > 0) lines.push(`${MARGIN}and ${count(rest)} more`);
  return lines;
}

/** The other checks that fired on the moment, and what they point at that the evidence above does not show. */
function consequences(found: Divergence): string[] {
  const names = new Map<string, string[]>();
  const shown = new Set(found.evidence.map((event) => event.seq));
  const more: string[] = [];
  for (const { check, severity, verdict, evidence } of found.consequences) {
    const grade = `${severity}, ${verdict}`;
    names.set(grade, [...(names.get(grade) ?? []), check]);
    for (const { seq, text } of evidence) {
      if (shown.has(seq)) continue;
      shown.add(seq);
      more.push(labelled('', `${seq} ${escapeText(text)}`, 2));
    }
  }
  return [
    ...[...names].map(([grade, checks]) => labelled('also', `${checks.join(', ')} (${grade})`, 2)),
    ...more,
  ];
}

const MARGIN = ' '.repeat(13);

/** A command on one line if it fits, otherwise continued as a shell reads it. */
function pasteable(words: readonly string[]): string {
  const line = words.join(' ');
  return MARGIN.length + line.length <= REPORT_COLUMNS ? line : words.join(` \\\n${MARGIN}    `);
}

/** Commands to paste that lead on from a divergence. */
function next(found: Divergence, analysis: Analysis): string[] {
  const commands = [[`faultline checks ${found.check}`]];
  const { path } = analysis.trace;
  if (path !== '-') commands.push([`faultline analyze ${shellWord(path)}`, `--check ${found.check} --json`]);
  return commands.map((words, i) => (i === 0 ? '  try        ' : MARGIN) + pasteable(words));
}

/** One divergence as a report that can be pasted into a mail. */
export function divergenceText(found: Divergence, analysis: Analysis, style: Style): string {
  const { trace } = analysis;
  const tasks = taskNames(trace);
  const { place } = found;
  const blocks: string[] = [];

  blocks.push(
    [
      subject(found, analysis, style),
      joinParts([
        found.id,
        found.check,
        found.verdict,
        found.severity,
        against(analysis),
        `fingerprint ${found.fingerprint}`,
      ]),
    ].join('\n'),
  );

  const sentences = [summary(found, analysis), ...reasons(found, analysis)];
  blocks.push(sentences.map((sentence) => paragraph(sentence)).join('\n'));

  const when = [
    `seq ${place.seq}`,
    `at ${stamp(trace, place.ns)}`,
    place.cpu === null ? 'CPU unknown' : `CPU ${place.cpu}`,
    ...(place.mm === null ? [] : [`mm ${hexOrNull(place.mm)}`]),
  ].join(', ');
  const facts: [string, string | null][] = [
    // What speaks of the whole trace is of no page: its place is that of the first decision that differs.
    ['where', when],
    ['object', found.cause === ANOTHER_VARIANT ? null : objectText(found)],
    ['refs', refsText(found)],
    ['shares', sharesText(found)],
    ['values', otherValues(found)],
  ];
  blocks.push(facts.flatMap(([label, text]) => (text === null ? [] : [labelled(label, text, 2)])).join('\n'));

  const evidence = lanes(found, tasks, style);
  if (evidence !== '') blocks.push(evidence);

  const tail: string[] = [];
  if (found.verdict === 'suspect') {
    tail.push(labelled('suspect', found.missing ?? 'what is missing for a proof is not told', 2));
  } else if (found.missing !== null) {
    tail.push(labelled('note', found.missing, 2));
  }
  tail.push(...consequences(found));
  tail.push(...seen(found, analysis), ...next(found, analysis));
  blocks.push(tail.join('\n'));
  return blocks.join('\n\n');
}
