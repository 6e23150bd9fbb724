import type { Analysis } from '../replay/analysis.ts';
import { escapeText } from './escape.ts';
import { fitJson, fitSection } from './fit.ts';
import { count } from './format.ts';
import { factLines } from './header.ts';
import { coverageJson, type Json, traceJson } from './json.ts';
import { labelled, table } from './layout.ts';
import type { Style } from './style.ts';
import { countersText, coverageText } from './tables.ts';

const MAX_TASKS = 12;

/** What a trace holds, without any judgement. */
export function infoText(analysis: Analysis, style: Style): string {
  const { trace } = analysis;
  const sections = [
    factLines(trace)
      .map(([label, text]) => {
        const block = labelled(label, text);
        return label === '' ? block : style.bold(label) + block.slice(label.length);
      })
      .join('\n'),
  ];

  const names = trace.tasks.slice(0, MAX_TASKS).map(({ pid, comm }) => `${escapeText(comm)}/${pid}`);
  if (trace.tasks.length > MAX_TASKS) names.push(`${count(trace.tasks.length - MAX_TASKS)} more`);
  if (names.length > 0)
    sections.push(labelled('tasks', names.join(', ')).replace('tasks', style.bold('tasks')));

  const byCount = [...trace.histogram].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  if (byCount.length > 0) {
    const rows = byCount.map(([name, seen]) => [count(seen), escapeText(name)]);
    sections.push(`${style.bold('records by event')}\n${table([{ align: 'right' }, {}], rows, 2)}`);
  }
  const rules = fitSection(analysis.fit, style);
  if (rules !== '') sections.push(rules);
  sections.push(coverageText(analysis, style, true));
  const input = countersText(trace.counters, style);
  if (input !== '') sections.push(input);
  return `${sections.join('\n\n')}\n`;
}

/** One object of `faultline.info/1`. */
export function infoJson(analysis: Analysis): Json {
  const { trace } = analysis;
  const byName = [...trace.histogram].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    schema: 'faultline.info/1',
    trace: traceJson(trace),
    histogram: Object.fromEntries(byName),
    rules: fitJson(analysis.fit),
    coverage: coverageJson(analysis.coverage),
    given_by: { ...analysis.givers },
    interrupted: analysis.interrupted,
  };
}
