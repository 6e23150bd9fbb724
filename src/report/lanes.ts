import type { Divergence, Evidence } from '../checks/finding.ts';
import { escapeText } from './escape.ts';
import { count } from './format.ts';
import { table } from './layout.ts';
import type { Style } from './style.ts';
import type { TaskNames } from './tasks.ts';

/** Evidence of which the task may be known: then it stands in that task's lane. */
type Witness = Evidence & { readonly pid?: number | null; readonly cpu?: number | null };

const ARROWS: Readonly<Record<Evidence['role'], string>> = {
  cause: '<-- cause',
  decision: '<-- here',
  harm: '<-- harm',
  context: '',
};

/** Values that name the task of the cause, where the evidence itself does not. */
const CAUSE_ACTORS = ['holder', 'reader', 'freer'];

function withActor(found: Divergence, witness: Witness): Witness {
  if (witness.pid !== undefined || witness.role !== 'cause') return witness;
  const pid = CAUSE_ACTORS.map((name) => found.values[name]).find((value) => typeof value === 'number');
  return typeof pid === 'number' ? { ...witness, pid } : witness;
}

/** Rows of evidence that a report shows; JSON has all of them. */
const MAX_ROWS = 16;
const LANE = 26;
const WIDE_LANE = 54;

/** The events to show, in order of seq: what plays a role before what is only context. */
function chosen(evidence: readonly Witness[]): readonly Witness[] {
  const kept = new Set(
    [...evidence]
      .sort((a, b) => Number(a.role === 'context') - Number(b.role === 'context'))
      .slice(0, MAX_ROWS),
  );
  return evidence.filter((witness) => kept.has(witness)).sort((a, b) => a.seq - b.seq);
}

function paintArrow(arrow: string, style: Style): string {
  if (arrow === ARROWS.harm || arrow === ARROWS.decision) return style.red(arrow);
  return arrow === '' ? '' : style.yellow(arrow);
}

/** "CPU5 " where all of these events happened on that CPU, otherwise nothing. */
function cpuOf(rows: readonly Witness[]): string {
  const cpus = new Set(rows.map((row) => row.cpu ?? null));
  const [cpu] = cpus;
  return cpus.size === 1 && cpu !== null && cpu !== undefined ? `CPU${cpu} ` : '';
}

/**
 * The evidence in the order of events: the deciding task on the left, the others on the right. Where the evidence
 * does not say which task it is of, there is one lane.
 */
export function lanes(found: Divergence, tasks: TaskNames, style: Style): string {
  const evidence = found.evidence.map((event) => withActor(found, event));
  if (evidence.length === 0) return '';
  const rows = chosen(evidence);
  const others = new Set(
    rows.filter((row) => row.pid !== undefined && row.pid !== found.place.pid).map((row) => row.pid!),
  );
  const left = `${found.place.cpu === null ? '' : `CPU${found.place.cpu} `}${tasks.label(found.place.pid)}`;
  const out: string[][] = [];
  const twoLanes = others.size > 0;

  if (twoLanes) {
    const only = others.size === 1 ? [...others][0]! : null;
    const right =
      only === null ? 'other tasks' : `${cpuOf(rows.filter((row) => row.pid === only))}${tasks.label(only)}`;
    out.push(['event', left, right, '']);
    for (const row of rows) {
      const mine = row.pid === undefined || row.pid === found.place.pid;
      const who = !mine && only === null ? `${tasks.label(row.pid ?? null)}: ` : '';
      const text = who + escapeText(row.text);
      out.push([String(row.seq), mine ? text : '', mine ? '' : text, paintArrow(ARROWS[row.role], style)]);
    }
  } else {
    out.push(['event', left, '']);
    for (const row of rows)
      out.push([String(row.seq), escapeText(row.text), paintArrow(ARROWS[row.role], style)]);
  }

  const seq = { width: 9, align: 'right' } as const;
  const shape = twoLanes ? [seq, { width: LANE }, { width: LANE }, {}] : [seq, { width: WIDE_LANE }, {}];
  const lines = table(shape, out).split('\n');
  const hidden = evidence.length - rows.length;
  if (hidden > 0) lines.push(`${' '.repeat(11)}(${count(hidden)} more events of context: see --json)`);
  return lines.join('\n');
}
