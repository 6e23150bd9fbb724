import { pageFlagText } from '../core/pageflags.ts';
import { hex } from '../core/pointer.ts';
import type { Visit } from '../replay/travel.ts';
import {
  type HolderView,
  type MappingView,
  type PageView,
  type StateScope,
  type SwapView,
  viewMappings,
  viewPages,
  viewSwap,
} from '../state/view.ts';
import { limitsOf, type TaskView, viewTasks } from '../state/view-tasks.ts';
import { escapeText } from './escape.ts';
import { absoluteNs, count, entryOrNull, hexOrNull, plural, slot, stamp } from './format.ts';
import type { Json } from './json.ts';
import { labelled, table } from './layout.ts';
import { machinesJson, machinesText } from './state-machines.ts';
import type { Style } from './style.ts';

/** A moment, and what of it is wanted. */
export interface StateAnswer extends Visit {
  readonly scope: StateScope;
}

interface View {
  readonly mappings: readonly MappingView[];
  readonly pages: readonly PageView[];
  readonly swap: readonly SwapView[];
  readonly tasks: readonly TaskView[];
  readonly limits: readonly string[];
}

function viewOf({ state, scope }: StateAnswer): View {
  const mappings = viewMappings(state, scope);
  return {
    mappings,
    pages: viewPages(state, scope, mappings),
    swap: viewSwap(state, scope, mappings),
    tasks: viewTasks(state, scope),
    limits: limitsOf(state),
  };
}

function holderJson({ kind, count, by, since, doubtful }: HolderView): Json {
  return { kind, count, by, since, doubtful };
}

/** One object of `faultline.state/1`. What is not known is null. */
export function stateJson(answer: StateAnswer): Json {
  const view = viewOf(answer);
  const { facts, seq, state } = answer;
  const comms = new Map(facts.tasks.map(({ pid, comm }) => [pid, comm]));
  const task = ({
    pid,
    mm,
    lastSeq,
    brackets,
    unlocking,
    reclaim,
  }: TaskView): { readonly [key: string]: Json } => ({
    pid,
    comm: comms.get(pid) ?? null,
    mm: hexOrNull(mm),
    last_seq: lastSeq,
    in: brackets.map((bracket) => ({
      what: bracket.what,
      mm: hexOrNull(bracket.mm),
      address: hexOrNull(bracket.address),
      pfn: hexOrNull(bracket.pfn),
      since: bracket.since,
    })),
    unlocking: hexOrNull(unlocking),
    reclaim: [...reclaim],
  });
  return {
    schema: 'faultline.state/1',
    seq,
    ns: seq === 0 ? null : absoluteNs(facts.originNs, state.ns),
    record: answer.record,
    known_since: state.horizon,
    limits: [...view.limits],
    stopped: facts.stopped,
    mappings: view.mappings.map((m) => ({
      mm: hexOrNull(m.mm),
      pid: m.pid,
      address: hexOrNull(m.address),
      kind: m.kind,
      pfn: hexOrNull(m.pfn),
      entry: entryOrNull(m.entry),
      write: m.write,
      dirty: m.dirty,
      exclusive: m.exclusive,
      huge: m.huge,
      since: m.since,
      reason: m.reason,
    })),
    pages: view.pages.map((p) => ({
      pfn: hexOrNull(p.pfn),
      generation: p.generation,
      since: p.since,
      life: p.life,
      refcount: p.refcount,
      mapcount: p.mapcount,
      flags: p.flags === null ? null : pageFlagText(p.flags),
      swapcache: p.swapcache,
      entry: entryOrNull(p.entry),
      exclusive: p.exclusive,
      locked: p.locked,
      pins: p.pins,
      holders: p.holders.map(holderJson),
      knowledge: { ...p.knowledge },
    })),
    swap: view.swap.map((s) => ({
      entry: entryOrNull(s.entry),
      count: s.count,
      cached: s.cached,
      pfn: hexOrNull(s.pfn),
      mappings: s.mappings,
      knowledge: s.knowledge,
    })),
    ...machinesJson(state, answer.scope),
    tasks: view.tasks.map(task),
    reclaim: view.tasks.filter(({ reclaim }) => reclaim.length > 0).map(task),
  };
}

/** Rows that a section of text shows. */
const SHOWN = 40;

function shown<T>(
  rows: readonly T[],
  line: (row: T) => readonly string[],
  shape = [{}, {}, {}, {}, {}],
): string[] {
  const out = rows.length === 0 ? [] : [table(shape, rows.slice(0, SHOWN).map(line), 2)];
  if (rows.length > SHOWN)
    out.push(
      `  ... ${count(rows.length - SHOWN)} more: narrow with --pfn, --mm, --pid, --entry, or see all with --json`,
    );
  return out;
}

function word(value: boolean | null, yes: string, no: string, unknown = ''): string {
  return value === null ? unknown : value ? yes : no;
}

function mappingLine(m: MappingView): readonly string[] {
  const target =
    m.kind === 'present' || m.kind === 'migration'
      ? `${m.kind === 'migration' ? 'migrating ' : ''}page ${hexOrNull(m.pfn)}`
      : m.kind === 'swap'
        ? `slot ${m.entry === null ? '?' : slot(m.entry)}`
        : m.kind;
  const bits =
    m.kind === 'present'
      ? [
          word(m.write, 'writable', 'read-only', 'write bit unknown'),
          word(m.dirty, 'dirty', ''),
          word(m.exclusive, 'exclusive', 'not exclusive'),
          m.huge ? 'huge' : '',
        ]
      : m.kind === 'swap'
        ? [word(m.exclusive, 'exclusive', '')]
        : [];
  return [
    m.address === null ? 'address unknown' : hex(m.address)!,
    target,
    m.reason ?? bits.filter((bit) => bit !== '').join(', '),
    m.since === null ? '' : `since ${m.since}`,
  ];
}

function pageLine(p: PageView): readonly string[] {
  const holders = p.holders.map((held) => {
    const many = held.count === 1 ? '' : `${held.count} `;
    return `${many}${held.kind}${held.by === null ? '' : ` of pid ${held.by}`}${held.doubtful ? ' (perhaps put)' : ''}`;
  });
  const number = (value: number | null): string => (value === null ? '?' : String(value));
  return [
    hex(p.pfn)!,
    `gen ${p.generation}${p.life === 'unknown' ? '' : ` ${p.life}`}`,
    `refs ${number(p.refcount)}${holders.length > 0 ? ` = ${holders.join(' + ')}` : ''}`,
    `maps ${number(p.mapcount)}`,
    [
      word(p.exclusive, 'exclusive', ''),
      word(p.swapcache, p.entry === null ? 'swap cache' : `swap cache ${slot(p.entry)}`, ''),
      word(p.locked, 'locked', ''),
    ]
      .filter((text) => text !== '')
      .join(', '),
  ];
}

/** The state at a moment as text: what is in scope, and why the rest is not known. */
export function stateText(answer: StateAnswer, style: Style): string {
  const view = viewOf(answer);
  const { facts, seq, state } = answer;
  const comms = new Map(facts.tasks.map(({ pid, comm }) => [pid, comm]));
  const name = (pid: number): string => {
    if (pid <= -1000) return `interrupts of CPU ${-1000 - pid}`;
    if (pid < 0) return `idle task of CPU ${-1 - pid}`;
    const comm = comms.get(pid);
    return comm === undefined ? `pid ${pid}` : `${escapeText(comm)}/${pid}`;
  };
  const head = [
    labelled('trace', escapeText(facts.path)),
    labelled(
      'state',
      seq === 0
        ? 'before the first event'
        : `after event ${seq}${facts.events === null ? '' : ` of ${count(facts.events)}`}, at ${stamp(facts, state.ns)}`,
    ),
    // As it was written: not broken into lines.
    ...(answer.record === null ? [] : [`record     ${escapeText(answer.record.trim())}`]),
    ...view.limits.map((limit) => labelled('limit', limit)),
    ...(facts.stopped === null ? [] : [labelled('limit', escapeText(facts.stopped))]),
  ];
  const sections = [head.join('\n')];
  const section = (title: string, rows: readonly string[]): void => {
    if (rows.length > 0) sections.push([style.bold(title), ...rows].join('\n'));
  };

  const byMm = new Map<number | null, MappingView[]>();
  for (const mapping of view.mappings) byMm.set(mapping.mm, [...(byMm.get(mapping.mm) ?? []), mapping]);
  const mappings: string[] = [];
  for (const [mm, rows] of byMm) {
    const pid = rows[0]!.pid;
    mappings.push(
      `  mm ${hexOrNull(mm) ?? 'unknown'}${pid === null ? '' : ` of ${name(pid)}`}: ${plural(rows.length, 'entry', 'entries')}`,
    );
    mappings.push(...shown(rows, mappingLine));
  }
  section('mappings', mappings);
  section(`pages  ${count(view.pages.length)}`, shown(view.pages, pageLine));
  section(
    `swap  ${plural(view.swap.length, 'slot')}`,
    shown(view.swap, (s) => [
      slot(s.entry),
      `users ${s.count ?? '?'}`,
      s.cached ? `cached${s.pfn === null ? '' : `, page ${hex(s.pfn)}`}` : '',
      plural(s.mappings, 'PTE'),
    ]),
  );
  for (const { title, rows } of machinesText(state, answer.scope, name))
    if (rows.length > 0)
      section(
        title,
        shown(rows, (row) => row),
      );
  const tasks: string[] = [];
  for (const task of view.tasks) {
    const doing = task.brackets.map(
      (b) =>
        `${b.what}${b.address === null ? '' : ` at ${hex(b.address)}`}${b.pfn === null ? '' : ` of page ${hex(b.pfn)}`} since ${b.since}`,
    );
    if (task.unlocking !== null) doing.push(`page lock of ${hex(task.unlocking)}, unlock announced`);
    if (task.reclaim.length > 0) doing.push(`reclaim: ${task.reclaim.join(', ')}`);
    tasks.push(labelled(name(task.pid), doing.join('; ') || 'nothing open', 2, 22));
  }
  section('tasks in the middle of something', tasks);
  if (sections.length === 1) sections.push('Nothing in scope is known at this event.');
  return `${sections.join('\n\n')}\n`;
}
