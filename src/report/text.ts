import type { Divergence } from '../checks/finding.ts';
import type { Analysis } from '../replay/analysis.ts';
import { divergenceText } from './divergence.ts';
import { fitSection } from './fit.ts';
import { count, plural } from './format.ts';
import { header } from './header.ts';
import { table } from './layout.ts';
import { causePhrase, title } from './sentences.ts';
import { REPORT_COLUMNS, type Style } from './style.ts';
import { countersText, coverageText, decisionsText, fidelityText } from './tables.ts';

/** Divergences that are told at length; more are listed in a line each. */
const MAX_REPORTS = 10;
/** Groups of severity info that are listed. */
const MAX_NOTES = 8;

function times(found: Divergence): string {
  return found.count === 1 ? `seq ${found.firstSeq}` : `seq ${found.firstSeq}..${found.lastSeq}`;
}

function notes(groups: readonly Divergence[], style: Style): string {
  const moments = groups.reduce((sum, found) => sum + found.count, 0);
  const shown = groups.slice(0, MAX_NOTES);
  const lines = [
    `${style.bold('notes')}      ${plural(moments, 'moment')} of severity info, in ${plural(groups.length, 'group')}: no action needed`,
    table(
      [
        { align: 'right' },
        { width: REPORT_COLUMNS - 4 - Math.max(...shown.map((found) => count(found.count).length)) },
      ],
      shown.map((found) => {
        const suspect = found.verdict === 'suspect' ? ', suspect' : '';
        return [
          count(found.count),
          `${found.check}${suspect}: ${causePhrase(found)} (${found.id}, ${times(found)})`,
        ];
      }),
      2,
    ),
  ];
  if (groups.length > shown.length)
    lines.push(`  and ${plural(groups.length - shown.length, 'more group')}: see --json`);
  return lines.join('\n');
}

function list(groups: readonly Divergence[], analysis: Analysis): string {
  const rows = groups.map((found) => [
    found.id,
    `${found.severity}, ${found.verdict}`,
    `${title(found, analysis)} (${found.check}, ${plural(found.count, 'time')}, ${times(found)})`,
  ]);
  return `Also found:\n${table([{}, {}, { width: 50 }], rows, 2)}`;
}

/** The whole report of one input. Ends with a newline. */
export function analysisText(analysis: Analysis, style: Style): string {
  // The engine has put them in order: what speaks of the whole trace, then worst first.
  const serious = analysis.divergences.filter((found) => found.severity !== 'info');
  const info = analysis.divergences.filter((found) => found.severity === 'info');
  const rule = style.dim('-'.repeat(REPORT_COLUMNS));

  const sections: string[] = [header(analysis, style)];
  for (const found of serious.slice(0, MAX_REPORTS)) {
    sections.push(`${rule}\n${divergenceText(found, analysis, style)}`);
  }
  if (serious.length > MAX_REPORTS) sections.push(`${rule}\n${list(serious.slice(MAX_REPORTS), analysis)}`);
  if (serious.length > 0) sections.push(rule);
  if (info.length > 0) sections.push(notes(info, style));
  sections.push(
    decisionsText(analysis, style),
    ...[fitSection(analysis.fit, style)].filter((section) => section !== ''),
    fidelityText(analysis, style),
    coverageText(analysis, style, false),
  );
  const input = countersText(analysis.trace.counters, style);
  if (input !== '') sections.push(input);
  return `${sections.join('\n\n').replaceAll(`${rule}\n\n`, `${rule}\n`)}\n`;
}
