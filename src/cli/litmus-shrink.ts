import { writeFileSync } from 'node:fs';
import type { Divergence, Evidence } from '../checks/finding.ts';
import { eventOf } from '../events/json-lines.ts';
import { encodeEvent } from '../events/json-write.ts';
import { inLanes, type LaneRow } from '../litmus/draw.ts';
import { type Titles, type Told, tell } from '../litmus/shrink/tell.ts';
import { type Shrunk, shrinkDivergence, shrunkLines } from '../replay/shrink.ts';
import { escapeText, shellWord } from '../report/escape.ts';
import { eventWords } from '../report/event-words.ts';
import { count, hexOrNull, plural } from '../report/format.ts';
import type { Json } from '../report/json.ts';
import { labelled } from '../report/layout.ts';
import { REPORT_COLUMNS, type Style } from '../report/style.ts';
import { taskNames } from '../report/tasks.ts';
import { parseVariant } from '../variants/parse.ts';
import type { Variant } from '../variants/variant.ts';
import type { Context, Options } from './command.ts';
import { UsageError } from './exit.ts';
import { flagOption, listOption, textOption } from './options.ts';
import { decodeOptions, traceOptions } from './trace-options.ts';
import { variantsOrAuto } from './variant-option.ts';

/** The divergence that an id or a fingerprint names. */
function named(divergences: readonly Divergence[], name: string, input: string): Divergence {
  const found = divergences.find(({ id, fingerprint }) => id === name || fingerprint === name);
  if (found !== undefined) return found;
  const there = divergences.slice(0, 8).map(({ id, check }) => `${id} ${check}`);
  const more = divergences.length > there.length ? [`${divergences.length - there.length} more`] : [];
  throw new UsageError(
    `there is no divergence '${name}' in ${input}`,
    there.length === 0
      ? 'under these rules it shows none'
      : `it is the id or the fingerprint that \`faultline analyze\` prints: ${[...there, ...more].join(', ')}`,
  );
}

/** What the command answers: the reduced divergence, and the scenario if one was asked for. */
export interface ShrinkAnswer {
  readonly shrunk: Shrunk;
  readonly told: Told | null;
}

/** The events as a scenario, under the variant that was declared or the rules that fit the trace best. */
function scenarioOf({ analysis, whole, sequence }: Shrunk, declared: Variant | null): Told {
  const fitting = analysis.fit?.search.id ?? null;
  const best = analysis.auto?.best ?? null;
  const variants = [declared?.id ?? best, fitting].filter((id) => id !== null).map(parseVariant);
  const names = taskNames(analysis.trace);
  const titles: Titles = {
    name: `shrunk-${whole.fingerprint}`,
    title: `${whole.check}, ${whole.cause}: reduced from a trace`,
    origin: `${escapeText(analysis.trace.path)}, ${whole.id}, seq ${sequence.seqs[0]!} to ${sequence.seqs.at(-1)!}`,
    comm: (pid) => names.comm(pid),
  };
  return variants.length === 0
    ? { text: null, why: 'the trace does not tell which rules it follows: declare them with --variant' }
    : tell(sequence, variants, titles);
}

/** `faultline litmus shrink`: reads, analyzes, reads again, reduces, and writes what was asked for. */
export async function runShrink(
  context: Context,
  [input, name, ...more]: readonly string[],
  options: Options,
): Promise<ShrinkAnswer> {
  if (input === undefined || name === undefined || more.length > 0)
    throw new UsageError(
      'litmus shrink takes a trace or a case, and one divergence of it',
      'example: faultline litmus shrink trace.dat d1 -o small.jsonl',
    );
  if (input === '-')
    throw new UsageError(
      'litmus shrink reads its input twice, and standard input can be read once',
      'record it first: faultline analyze - -o trace.case',
    );
  const [variant, ...others] = variantsOrAuto(listOption(options, 'variant') ?? ['auto']);
  if (others.length > 0) throw new UsageError('litmus shrink takes one variant');
  const declared = traceOptions(options);
  const wanted = { ...declared, variant: variant!, checks: null, since: null, until: null };
  const analysis = await context.analyze(input, wanted);
  const found = named(analysis.divergences, name, input);
  const events = context.events(input, { decode: decodeOptions(options) });
  const shrunk = await shrinkDivergence(analysis, found, events, {
    ...wanted,
    checkOnly: flagOption(options, 'checkOnly'),
  });
  const path = textOption(options, 'output');
  if (path !== null) writeFileSync(path, shrunkLines(shrunk));
  const scenario = textOption(options, 'scenario');
  const told = scenario === null ? null : scenarioOf(shrunk, variant!);
  if (scenario !== null && told!.text !== null) writeFileSync(scenario, told!.text);
  return { shrunk, told };
}

const NOTES: Readonly<Record<Evidence['role'], string | null>> = {
  cause: '<-- cause',
  decision: '<-- here',
  harm: '<-- harm',
  context: null,
};
const ROLES = ['harm', 'decision', 'cause'] as const;

/** What an event plays in the divergence. */
function noteOf(found: Divergence, seq: number): string | null {
  const evidence = [found, ...found.consequences].flatMap((one) => one.evidence);
  const role = ROLES.find((one) => evidence.some((event) => event.seq === seq && event.role === one));
  return role === undefined ? null : NOTES[role];
}

/** Names for pages, mms and addresses, as scenarios use them. */
const LETTERS = { pfn: 'PQRS', mm: 'ABCD', va: 'vwxy' };

/** Lanes of their own at most: the deciding task's, and one or two more. */
const LANES_MAX = 3;

/** Short names by what they stand for, in hexadecimal: the objects of the divergence first, then as they come. */
function objectNames({ sequence }: Shrunk): ReadonlyMap<string, string> {
  const { events, found } = sequence;
  const names = new Map<string, string>();
  const used = { pfn: 0, mm: 0, va: 0 };
  const add = (type: keyof typeof used, value: number | null): void => {
    const text = hexOrNull(value);
    const letter = LETTERS[type][used[type]];
    if (text === null || letter === undefined || names.has(text) || value === 0 || value === -1) return;
    names.set(text, letter);
    used[type]++;
  };
  const { pfn, newPfn, mm, address } = found.place;
  add('pfn', pfn);
  add('pfn', newPfn);
  add('mm', mm);
  add('va', address);
  for (let i = 0; i < events.count; i++) {
    const { kind, args } = eventOf(events, i);
    for (const [name, type] of Object.entries(kind.args))
      if (type === 'pfn' || type === 'mm' || type === 'va') add(type, args[kind.at[name]!]!);
  }
  return names;
}

/** The events in lanes: the task of the divergence on the left, the others beside it. Seqs are those of the trace. */
function lanesOf({ analysis, sequence }: Shrunk, names: ReadonlyMap<string, string>): string {
  const { events, seqs, found } = sequence;
  const tasks = taskNames(analysis.trace);
  const first = found.place.pid ?? events.pid[0]!;
  const pids = [...new Set([first, ...events.pid])].filter((pid) => events.pid.includes(pid));
  const own = pids.slice(0, pids.length > LANES_MAX ? 1 : LANES_MAX);
  const head = (pid: number): string => {
    const cpus = new Set([...events.cpu].filter((_cpu, i) => events.pid[i] === pid));
    const [cpu] = cpus;
    return `${cpus.size === 1 && cpu! >= 0 ? `CPU${cpu} ` : ''}${tasks.label(pid < 0 ? null : pid)}`;
  };
  const rows: LaneRow[] = seqs.map((seq, i) => {
    const { kind, args, pid } = eventOf(events, i);
    const at = own.indexOf(pid);
    const told = eventWords(kind, args);
    // What stands in the life of one page does not name it.
    const page = kind.at['pfn'] === undefined ? null : hexOrNull(args[kind.at['pfn']]!);
    const whole = page === null || told.includes(page) ? told : `${page}: ${told}`;
    const words = escapeText(whole).replace(/0x[0-9a-f]+/g, (hex) => names.get(hex) ?? hex);
    const note = noteOf(found, i + 1);
    return {
      lane: at < 0 ? own.length : at,
      seq,
      text: at < 0 ? `${tasks.label(pid)}: ${words}` : words,
      ...(note === null ? {} : { note }),
    };
  });
  return inLanes([...own.map(head), ...(own.length < pids.length ? ['other tasks'] : [])], rows);
}

const MARGIN = ' '.repeat(11);

/** A command to paste, continued as a shell reads it where it does not fit. */
function tried(words: readonly string[]): string[] {
  const line = words.join(' ');
  return [
    `try        ${MARGIN.length + line.length <= REPORT_COLUMNS ? line : words.join(` \\\n${MARGIN}    `)}`,
  ];
}

function toldLines(told: Told, path: string): string[] {
  if (told.text === null) return [labelled('scenario', `none written: ${told.why}`)];
  return [
    labelled('scenario', `${escapeText(path)}: shows the same under ${told.variant}`),
    ...tried([`faultline litmus run ${shellWord(path)}`, `--variant ${shellWord(told.variant)}`]),
  ];
}

/** A reduced divergence as text. */
export function shrunkText({ shrunk, told }: ShrinkAnswer, style: Style, options: Options): string {
  const { analysis, whole, sequence } = shrunk;
  const { trace, variant } = analysis;
  const names = objectNames(shrunk);
  const lines = [
    `${style.bold(whole.check)}  ${whole.verdict}  ${whole.severity}  fingerprint ${whole.fingerprint}`,
    '',
    labelled('trace', `${escapeText(trace.path)}, ${whole.id}`),
    labelled('variant', variant === null ? 'auto' : `${escapeText(variant)} (declared)`),
    labelled(
      'reduced',
      `${plural(trace.events, 'event')} to ${count(sequence.seqs.length)}, each of them needed; ${plural(sequence.judged, 'sequence')} judged`,
    ),
    labelled(
      'shows',
      [whole, ...sequence.found.consequences].map(({ check, verdict }) => `${check} (${verdict})`).join(', '),
    ),
    '',
    lanesOf(shrunk, names),
    '',
    labelled(
      'where',
      [...names].map(([hex, name]) => `${name} ${hex}`).join(', ') || 'nothing has an address',
    ),
  ];
  const path = textOption(options, 'output');
  const rules = variant === null ? [] : [`--variant ${shellWord(variant)}`];
  if (path !== null)
    lines.push(
      '',
      labelled('written', escapeText(path)),
      ...tried([`faultline analyze ${shellWord(path)}`, ...rules]),
    );
  if (told !== null) lines.push('', ...toldLines(told, textOption(options, 'scenario')!));
  return `${lines.join('\n')}\n`;
}

/** A reduced divergence as JSON; the events are those of event lines, with the seqs of the trace. */
export function shrunkJson({ shrunk: { analysis, whole, sequence }, told }: ShrinkAnswer): Json {
  const { events, seqs, found, judged } = sequence;
  return {
    schema: 'faultline.shrink/1',
    trace: analysis.trace.path,
    variant: analysis.variant,
    divergence: {
      id: whole.id,
      check: whole.check,
      verdict: whole.verdict,
      severity: whole.severity,
      cause: whole.cause,
      fingerprint: whole.fingerprint,
      consequences: found.consequences.map(({ check, verdict, severity }) => ({ check, verdict, severity })),
    },
    of_events: analysis.trace.events,
    sequences_judged: judged,
    scenario:
      told === null
        ? null
        : told.text === null
          ? { text: null, why: told.why }
          : { text: told.text, variant: told.variant },
    events: seqs.map((seq, i) => ({
      ...(JSON.parse(encodeEvent(eventOf(events, i), seq)) as { readonly [key: string]: Json }),
      role:
        noteOf(found, i + 1)
          ?.replace('<-- ', '')
          .replace('here', 'decision') ?? null,
    })),
  };
}
