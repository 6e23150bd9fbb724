import type { Analysis, AutoFit, TraceFacts } from '../replay/analysis.ts';
import { escapeText } from './escape.ts';
import { count, plural, ranges, seconds, stamp } from './format.ts';
import { labelled } from './layout.ts';
import type { Style } from './style.ts';

/** How a fact is known, without the sources that JSON gives: "page flag owner_2: ..." is cut at the colon. */
function howText(how: string): string {
  return how
    .split('; ')
    .map((part) => escapeText(part.split(': ')[0]!))
    .join(', ');
}

function kernelText(trace: TraceFacts): string {
  const arch = trace.arch === null ? '' : `, ${escapeText(trace.arch)}`;
  if (trace.kernel === null) return `unknown${arch} (declare it with --kernel V)`;
  return `${escapeText(trace.kernel.release)} (${howText(trace.kernel.how)})${arch}`;
}

function clockText(trace: TraceFacts): string {
  if (trace.clock === null) {
    return 'unknown: order across CPUs is weak (declare it with --clock NAME)';
  }
  return `${escapeText(trace.clock)}${trace.ticks ? ' (stamps are ticks, not nanoseconds)' : ''}`;
}

function spanText(trace: TraceFacts): string {
  if (trace.firstNs === null || trace.lastNs === null) return 'no records';
  const from = stamp(trace, trace.firstNs);
  const to = stamp(trace, trace.lastNs);
  const length = BigInt(trace.lastNs) - BigInt(trace.firstNs);
  return trace.ticks
    ? `ticks ${from} to ${to} (${count(Number(length))} ticks)`
    : `${from} to ${to} (${seconds(length)} s)`;
}

function lostText(trace: TraceFacts): string {
  if (trace.lost.length === 0) return 'no loss told by the trace';
  let known = 0;
  let untold = 0;
  for (const loss of trace.lost) {
    if (loss.count === null) untold++;
    else known += loss.count;
  }
  const total = [
    known > 0 || untold === 0 ? `${plural(known, 'record')}` : '',
    untold > 0 ? `an untold number at ${plural(untold, 'place')}` : '',
  ].filter((part) => part !== '');
  const shown = trace.lost.slice(0, 4).map((loss) => {
    const where = loss.cpu === null ? '' : `CPU ${loss.cpu} `;
    return `${where}${loss.count === null ? '?' : count(loss.count)} after seq ${loss.afterSeq}`;
  });
  if (trace.lost.length > 4) shown.push(`${count(trace.lost.length - 4)} more places`);
  return trace.lost.length === 1 && known > 0
    ? `${total[0]} lost${trace.lost[0]!.cpu === null ? '' : ` on CPU ${trace.lost[0]!.cpu}`} after seq ${trace.lost[0]!.afterSeq}`
    : `${total.join(' and ')} lost: ${shown.join('; ')}`;
}

function unreadText(trace: TraceFacts): string | null {
  const parts: string[] = [];
  if (trace.parseErrorCount > 0) {
    const first = trace.parseErrors[0];
    const example = first
      ? `, first line ${count(first.line)}: ${escapeText(first.reason)}: "${escapeText(first.text.slice(0, 60))}"`
      : '';
    parts.push(`${plural(trace.parseErrorCount, 'line')} could not be read${example}`);
  }
  const unknown = [...trace.unknownEvents].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  if (unknown.length > 0) {
    const total = unknown.reduce((sum, [, seen]) => sum + seen, 0);
    const names = unknown.slice(0, 4).map(([name, seen]) => `${escapeText(name)} ${count(seen)}`);
    const more = unknown.length > 4 ? `, ${unknown.length - 4} more` : '';
    parts.push(`${plural(total, 'record')} of events not known here: ${names.join(', ')}${more}`);
  }
  if (trace.truncated !== null) parts.push(`the input ends early: ${escapeText(trace.truncated)}`);
  return parts.length > 0 ? parts.join('; ') : null;
}

/** The presets that explain the judged decisions best, as one answer. */
export function fitText(fit: AutoFit): string {
  const also = fit.also.length > 0 ? ` (also ${fit.also.map(escapeText).join(', ')})` : '';
  return `${escapeText(fit.best)}${also}, ${count(fit.agreed)} of ${plural(fit.judged, 'judged decision')}`;
}

function variantText(analysis: Analysis): string {
  if (analysis.auto !== null) return `auto: ${fitText(analysis.auto)}`;
  if (analysis.variant !== null) return `${escapeText(analysis.variant)} (declared)`;
  return 'none declared, and no decision to choose one by';
}

/** What the trace holds: the lines that a header of text begins with, label and text. */
export function factLines(trace: TraceFacts): ReadonlyArray<readonly [string, string]> {
  const lines: (readonly [string, string])[] = [
    ['trace', escapeText(trace.path)],
    [
      '',
      [
        escapeText(trace.format),
        plural(trace.records, 'record'),
        plural(trace.events, 'event'),
        ...(trace.segments > 1 ? [plural(trace.segments, 'segment')] : []),
      ].join(', '),
    ],
    ['kernel', kernelText(trace)],
    ['clock', clockText(trace)],
    [
      'span',
      `${spanText(trace)}, ${trace.cpus.length === 1 ? 'CPU' : 'CPUs'} ${ranges(trace.cpus) || 'unknown'}, ${plural(trace.tasks.length, 'task')}`,
    ],
    ['lost', lostText(trace)],
  ];
  const unread = unreadText(trace);
  if (unread !== null) lines.push(['unread', unread]);
  return lines;
}

/** "1 critical (proven), 2 high (suspect)", worst first. */
export function tally(analysis: Analysis): string {
  const groups = new Map<string, number>();
  for (const found of analysis.divergences) {
    const key = `${found.severity} (${found.verdict})`;
    groups.set(key, (groups.get(key) ?? 0) + found.count);
  }
  const order = ['critical', 'high', 'warning', 'info'].flatMap((severity) => [
    `${severity} (proven)`,
    `${severity} (suspect)`,
  ]);
  const parts = order.filter((key) => groups.has(key)).map((key) => `${count(groups.get(key)!)} ${key}`);
  return parts.length > 0 ? parts.join(', ') : 'no divergence';
}

/** The head of a report: what the trace is, what it was judged against, what was found. */
export function header(analysis: Analysis, style: Style): string {
  const lines = [
    ...factLines(analysis.trace),
    ['variant', variantText(analysis)] as const,
    ['found', tally(analysis)] as const,
  ];
  const out = lines.map(([label, text]) => {
    const block = labelled(label, text);
    return label === '' ? block : style.bold(label) + block.slice(label.length);
  });
  if (analysis.interrupted) {
    out.unshift(style.yellow('INTERRUPTED: what follows is only what was done so far.'));
  }
  return out.join('\n');
}
