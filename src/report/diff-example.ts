import type { Comparison } from '../compare/diff/compare.ts';
import type { Decision } from '../compare/diff/decision-log.ts';
import type { Example } from '../compare/diff/differences.ts';
import type { Naming } from '../compare/diff/naming.ts';
import type { Lane } from '../compare/diff/page-lanes.ts';
import type { Side } from '../compare/diff/side.ts';
import type { LifeEvent } from '../state/life.ts';
import type { PageLanes } from './diff-answer.ts';
import { escapeText } from './escape.ts';
import { slot } from './format.ts';
import { table } from './layout.ts';
import { lifeWords } from './page.ts';
import type { Style } from './style.ts';

const LANE = 27;

function value(of: number | boolean | null | undefined): string {
  if (of === null || of === undefined) return 'unknown';
  return typeof of === 'boolean' ? (of ? 'yes' : 'no') : String(of);
}

function commOf(side: Side, pid: number): string {
  const comm = side.trace.tasks.find((task) => task.pid === pid)?.comm;
  return comm === undefined ? `pid ${pid}` : `${comm}/${pid}`;
}

function hexOf(of: number): string {
  return Number.isNaN(of) ? '' : `0x${of.toString(16)}`;
}

/** What a lane says of a decision, line by line. */
function rowsOf(side: Side, names: Naming, decision: Decision): Map<string, string> {
  const rows = new Map<string, string>([
    ['task', `${names.task(decision)} (${commOf(side, decision.pid)})`],
    ['where', names.place(decision)],
    ['address', hexOf(decision.va)],
    ['page', hexOf(decision.pfn)],
    ['slot', Number.isNaN(decision.entry) ? '' : slot(decision.entry)],
  ]);
  for (const [name, input] of Object.entries(decision.inputs))
    rows.set(name.replaceAll('_', ' '), value(input));
  rows.set('outcome', decision.observed);
  return rows;
}

/** Rows that are this run's names for things: that they differ says nothing. */
const NAMES = ['task', 'where', 'address', 'page', 'slot'];

const HOW: Readonly<Record<NonNullable<Example['counterpart']>['how'], string>> = {
  same: 'the same decision',
  page: 'the same task and page',
  inputs: 'the likest inputs',
};

/** The decision of one trace beside that of the other, in two lanes. */
export function exampleLanes(comparison: Comparison, example: Example, style: Style): string {
  const { decision, counterpart, side } = example;
  const { names } = comparison.matching;
  const far = side === 'a' ? 'b' : 'a';
  const own = rowsOf(comparison[side], names[side], decision);
  const other = counterpart === null ? null : rowsOf(comparison[far], names[far], counterpart.decision);
  const head = (of: Decision | null, label: string): string =>
    of === null ? label : `${label}, seq ${of.seq}`;
  const lanes = (x: string, y: string): [string, string] => (example.side === 'a' ? [x, y] : [y, x]);
  const [left, right] = lanes(
    head(decision, example.side.toUpperCase()),
    head(counterpart?.decision ?? null, example.side === 'a' ? 'B' : 'A'),
  );
  const out: string[][] = [['', left, right, '']];
  out.push(['matched by', ...lanes('', counterpart === null ? 'nothing alike' : HOW[counterpart.how]), '']);
  for (const [name, text] of own) {
    const beside = other?.get(name) ?? '';
    if (text === '' && beside === '') continue;
    const differs = other !== null && !NAMES.includes(name) && text !== beside;
    out.push([
      name,
      ...lanes(escapeText(text), escapeText(beside)),
      differs ? style.yellow(name === 'outcome' ? '<-- here' : '<--') : '',
    ]);
  }
  return table([{}, { width: LANE }, { width: LANE }, {}], out, 2);
}

const SEQ = { width: 7, align: 'right' } as const;
const PAGE_LANE = { width: 27 };

/** What happened to the page of a decision, and to that of its counterpart, in two lanes. */
export function pageRows({ a, b }: Comparison, lanes: PageLanes, style: Style): string {
  const cells = (side: Side, lane: Lane, event: LifeEvent | null): readonly [string, string] => {
    if (event === null) return ['', ''];
    const who = event.pid === lane.decision.pid ? '' : `${commOf(side, event.pid)}: `;
    return [String(event.seq), escapeText(who + lifeWords(event))];
  };
  const rows = lanes.rows.map((row) => {
    const here = row.b?.seq === lanes.b.decision.seq || row.a?.seq === lanes.a.decision.seq;
    return [...cells(a, lanes.a, row.a), ...cells(b, lanes.b, row.b), here ? style.yellow('<--') : ''];
  });
  return table([SEQ, PAGE_LANE, SEQ, PAGE_LANE, {}], [['seq', 'page in A', 'seq', 'page in B', ''], ...rows]);
}
