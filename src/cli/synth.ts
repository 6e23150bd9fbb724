import { writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { InputError } from '../core/errors.ts';
import { wrap } from '../report/layout.ts';
import { leastEvents, Synthesis } from '../synth/generate.ts';
import { linesOf, type Written } from '../synth/lines.ts';
import { PLANTS } from '../synth/plants/index.ts';
import {
  DEFAULTS,
  LEAST_PAGES,
  MOST_PAGES,
  RATES,
  type RateName,
  type Rates,
  type SynthSpec,
  type Wanted,
} from '../synth/spec.ts';
import { CLOCKS, type Clock, LAYOUTS, type Layout } from '../synth/text/layout.ts';
import { truthJson } from '../synth/truth.ts';
import type { AnyCommand, Options } from './command.ts';
import { UsageError } from './exit.ts';
import { collect, flagOption, integerOption, known, listOption, textOption } from './options.ts';

const FORMATS = ['text', 'jsonl'] as const;
const LIST = '`faultline synth --list`';

/** The value of an option that is one of a list, or what it is by itself. */
function oneOf<T extends string>(options: Options, name: string, among: readonly T[], usual: T): T {
  const value = textOption(options, name);
  if (value === null) return usual;
  known(value, among, name, `--${name} takes ${among.join(', ')}: the help`);
  return among.find((one) => one === value)!;
}

/** A whole number within bounds. */
function numberWithin(options: Options, name: string, least: number, most: number, usual: number): number {
  const value = integerOption(options, name, `--${name}`, least) ?? usual;
  if (value > most) throw new UsageError(`--${name} takes at most ${most}, not ${value}`);
  return value;
}

/** A share from 0 up to and without 1. */
function shareOption(options: Options, name: string, flag: string): number {
  const text = textOption(options, name);
  if (text === null) return 0;
  const share = /^(\d*\.)?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(share >= 0 && share < 1))
    throw new UsageError(`${flag} takes a share from 0 to below 1, not '${text}'`, `example: ${flag} 0.05`);
  return share;
}

/** `NAME=NUMBER`, where the number may be left out if `usual` is given. */
function pair(text: string, flag: string, usual: string | null): readonly [name: string, value: string] {
  const match = /^([^=]+)(?:=(.*))?$/.exec(text);
  const value = match?.[2] ?? usual;
  if (match === null || value === null) throw new UsageError(`${flag} takes NAME=NUMBER, not '${text}'`);
  return [match[1]!, value];
}

function ratesOf(options: Options): Rates {
  const rates: Record<RateName, number> = { ...RATES };
  for (const text of listOption(options, 'rate') ?? []) {
    const [name, value] = pair(text, '--rate', null);
    const names = Object.keys(RATES);
    known(name, names, 'rate', `--rate takes ${names.join(', ')}: the help`);
    if (!/^(\d*\.)?\d+$/.test(value))
      throw new UsageError(`--rate ${name} takes a number from 0 on, not '${value}'`);
    rates[name as RateName] = Number(value);
  }
  if (rates.fault === 0)
    throw new UsageError('--rate fault=0 leaves nothing to trace', 'give it a number above 0');
  return rates;
}

function plantsOf(options: Options, format: Written['format']): readonly Wanted[] {
  return (listOption(options, 'plant') ?? []).map((text) => {
    const [name, times] = pair(text, '--plant', '1');
    known(
      name,
      PLANTS.map(({ id }) => id),
      'kind of divergence',
      LIST,
    );
    if (!/^\d{1,6}$/.test(times))
      throw new UsageError(`--plant ${name} takes how often it is planted, not '${times}'`);
    const kind = PLANTS.find(({ id }) => id === name)!;
    if (format === 'text' && !kind.tellable)
      throw new UsageError(
        `${name} needs events that no tracer of a kernel tells`,
        'plant it in --format jsonl',
      );
    return { kind, times: Number(times) };
  });
}

function specOf(options: Options, format: Written['format']): SynthSpec {
  const plants = plantsOf(options, format);
  const planted = plants.reduce((sum, { times }) => sum + times, 0);
  const events = numberWithin(options, 'events', 1, Number.MAX_SAFE_INTEGER, DEFAULTS.events);
  if (events < leastEvents(planted))
    throw new UsageError(
      `${planted} planted divergences need ${leastEvents(planted)} events, not ${events}`,
      `--events ${leastEvents(planted)}`,
    );
  return {
    seed: numberWithin(options, 'seed', 0, Number.MAX_SAFE_INTEGER, DEFAULTS.seed),
    events,
    tasks: numberWithin(options, 'tasks', 1, 256, DEFAULTS.tasks),
    cpus: numberWithin(options, 'cpus', 1, 512, DEFAULTS.cpus),
    pages: numberWithin(options, 'pages', LEAST_PAGES, MOST_PAGES, DEFAULTS.pages),
    slots: numberWithin(options, 'slots', 0, MOST_PAGES, DEFAULTS.slots),
    rates: ratesOf(options),
    plants,
    beyondTracers: format === 'jsonl',
  };
}

function writtenOf(options: Options, format: Written['format'], events: number): Written {
  const loss = {
    said: shareOption(options, 'lost', '--lost'),
    unsaid: shareOption(options, 'lostUnsaid', '--lost-unsaid'),
    overwritten: numberWithin(options, 'overwritten', 0, events, 0),
  };
  // Only trace_pipe prints how many events were lost in the middle.
  const usual: Layout = loss.said > 0 ? 'pipe' : 'tgid';
  const layout = oneOf(options, 'layout', LAYOUTS, usual);
  if (format === 'text' && loss.said > 0 && layout !== 'pipe')
    throw new UsageError('--lost is said in --layout pipe only', 'leave --layout out, or use --lost-unsaid');
  if (format === 'text' && loss.overwritten > 0 && layout === 'pipe')
    throw new UsageError('--overwritten is said in a header, which --layout pipe does not have');
  return {
    format,
    layout,
    clock: oneOf(options, 'clock', Object.keys(CLOCKS) as Clock[], 'mono'),
    loss,
    cut: flagOption(options, 'cut'),
  };
}

/** Writes the truth; also once before the trace, so that a place that cannot be written is known at once. */
function writeTruth(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new InputError(`${path} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function* kindLines(): Generator<string> {
  for (const { id, checks, verdict, what, tellable } of PLANTS) {
    yield `${id}${tellable ? '' : '  (jsonl only)'}\n`;
    for (const text of [what, `${verdict}: ${checks.join(', ')}`])
      for (const line of wrap(text, 74)) yield `    ${line}\n`;
  }
}

/** `faultline synth`: a trace of a made-up machine, whose every event is known to be lawful but for what was planted. */
export const synthCommand: AnyCommand = {
  declare(command) {
    command
      .option('--list', 'list the kinds of divergence that can be planted')
      .option('--events <n>', `events (${DEFAULTS.events})`)
      .option('--seed <n>', `the same seed gives the same bytes (${DEFAULTS.seed})`)
      .option('--tasks <n>', `processes at one time (${DEFAULTS.tasks})`)
      .option('--cpus <n>', `CPUs (${DEFAULTS.cpus})`)
      .option('--pages <n>', `memory, in pages (${DEFAULTS.pages})`)
      .option('--slots <n>', `swap, in slots (${DEFAULTS.slots})`)
      .option(
        '--rate <name=n>',
        `how often something happens, against the rest: ${Object.entries(RATES)
          .map(([name, rate]) => `${name} ${rate}`)
          .join(', ')}`,
        collect,
      )
      .option('--plant <kind[=n]>', 'plant n divergences of a kind (1)', collect)
      .option('--truth <file>', 'write what was planted, as JSON (schema faultline.synth-truth/1)')
      .option(
        '--format <format>',
        'text (ftrace, rich probes) or jsonl (events, those that no tracer tells too)',
      )
      .option('--layout <layout>', `of text: ${LAYOUTS.join(', ')} (tgid)`)
      .option('--clock <name>', `trace clock: ${Object.keys(CLOCKS).join(', ')} (mono)`)
      .option('--lost <share>', 'lose this share of the events, in runs, and say so')
      .option('--lost-unsaid <share>', 'lose this share of the events, one by one, and do not say so')
      .option('--overwritten <n>', 'the first n events were overwritten, as the header says')
      .option('--cut', 'end in the middle of the last record');
  },

  async *render(context, _operands, options) {
    if (flagOption(options, 'list')) {
      yield* kindLines();
      return;
    }
    const format = oneOf(options, 'format', FORMATS, 'text');
    const spec = specOf(options, format);
    const written = writtenOf(options, format, spec.events);
    const truth = textOption(options, 'truth');
    if (truth !== null) writeTruth(truth, '');
    const synthesis = new Synthesis(spec);
    for (const piece of linesOf(synthesis, spec, written)) {
      // Writing to a file never waits: without this a signal would be heard when all is written.
      await setImmediate();
      if (context.stopped) return;
      yield piece;
    }
    if (truth !== null) writeTruth(truth, truthJson(synthesis, spec));
  },
};
