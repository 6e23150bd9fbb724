import { CHECKS } from '../checks/index.ts';
import { drawing } from '../litmus/draw.ts';
import { flagNames } from '../litmus/flags.ts';
import type { Judged } from '../litmus/judge.ts';
import type { Program } from '../litmus/program.ts';
import type { Run } from '../litmus/replay.ts';
import type { Explored } from '../litmus/run.ts';
import { scenariosOf, UNSHOWN } from '../litmus/shown.ts';
import { escapeText } from '../report/escape.ts';
import type { Json } from '../report/json.ts';
import { paragraph, table } from '../report/layout.ts';
import type { Style } from '../report/style.ts';

/** An interleaving that was replayed and judged. */
export interface Shown {
  readonly program: Program;
  readonly variant: string;
  readonly token: string;
  readonly run: Run;
  readonly judged: Judged;
}

function foundText({ outcome }: Explored): string {
  const parts = [...outcome.found].map(([id, often]) => `${often} ${id}`);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

function countText(count: bigint): string {
  return count < 0n ? 'endless' : String(count);
}

/** Scenarios in a line each. */
export function listText(programs: readonly Program[], style: Style): string {
  const rows = programs.map(({ name, title }) => [style.bold(name), escapeText(title)]);
  return `${table([{}, {}], rows)}\n`;
}

/** Scenarios of a check that text names; JSON has all. */
const NAMED = 4;

/** Each check with the scenarios that show it, or why none does. */
export function checksText(programs: readonly Program[], style: Style): string {
  const rows = CHECKS.map(({ id }) => {
    const names = scenariosOf(id, programs);
    const more = names.length > NAMED ? [`${names.length - NAMED} more`] : [];
    return [
      style.bold(id),
      names.length > 0 ? [...names.slice(0, NAMED), ...more].join(', ') : `none: ${UNSHOWN.get(id)}`,
    ];
  });
  return `${table([{}, { width: 42 }], rows)}\n`;
}

export function checksJson(programs: readonly Program[]): Json {
  return {
    schema: 'faultline.litmus-checks/1',
    checks: CHECKS.map(({ id }) => ({
      check: id,
      scenarios: scenariosOf(id, programs),
      why_none: UNSHOWN.get(id) ?? null,
    })),
  };
}

/** The runs of one scenario. */
export function runsText(runs: readonly Explored[], style: Style): string {
  const { program } = runs[0]!;
  const strategies = [...new Set(runs.map(({ outcome }) => outcome.strategy))];
  const whole = runs.every(({ outcome }) => outcome.exhausted);
  const rows = runs.map((run) => [
    run.variant.id,
    String(run.outcome.states),
    countText(run.outcome.interleavings),
    foundText(run),
  ]);
  const shape = [{}, { align: 'right' }, { align: 'right' }, { width: 40 }] as const;
  const out = [
    `${style.bold(program.name)}  ${escapeText(program.title)}`,
    paragraph(
      `${strategies.join('; ')}: ${whole ? 'every interleaving covered' : 'not every interleaving covered'}`,
      2,
    ),
    table(shape, [['variant', 'states', 'interleavings', 'found'], ...rows], 2),
  ];
  for (const { variant, surprises } of runs)
    for (const surprise of surprises) out.push(style.red(`  under ${variant.id}: ${surprise}`));
  const witness = runs.find((run) => run.witness !== null);
  // A token is one word, whatever its length: it is made to be copied.
  if (witness !== undefined)
    out.push('  the shortest bad interleaving:', `  faultline litmus show ${witness.witness!}`);
  return `${out.join('\n')}\n`;
}

/** A scenario as it is written. */
export function programText(program: Program): string {
  return program.text.endsWith('\n') ? program.text : `${program.text}\n`;
}

/** One interleaving in lanes, and what the checks say of its events. */
export function shownText(shown: Shown, style: Style): string {
  const { program, run, judged } = shown;
  const verdicts = [...judged.fired].map(([id, { verdict, severity }]) => [id, verdict, severity]);
  return [
    `${style.bold(program.name)} under ${shown.variant}`,
    drawing(program, run),
    verdicts.length === 0
      ? 'the checks find nothing'
      : table([{}, {}, {}], [['check', 'verdict', 'severity'], ...verdicts]),
    '',
  ].join('\n');
}

export function runsJson(runs: readonly Explored[]): Json {
  return {
    schema: 'faultline.litmus/1',
    runs: runs.map(({ program, variant, outcome, surprises, witness, expected }) => ({
      scenario: program.name,
      variant: variant.id,
      strategy: outcome.strategy,
      exhausted: outcome.exhausted,
      states: outcome.states,
      interleavings: outcome.interleavings < 0n ? null : String(outcome.interleavings),
      classes: outcome.classes,
      divergences: Object.fromEntries(outcome.found),
      expected: expected === undefined ? null : Object.fromEntries(expected.found),
      surprises: [...surprises],
      witness,
    })),
  };
}

export function listJson(programs: readonly Program[]): Json {
  return {
    schema: 'faultline.litmus-list/1',
    scenarios: programs.map(({ name, title, origin, threads }) => ({
      name,
      title,
      origin,
      threads: threads.map((thread) => thread.name),
    })),
  };
}

export function shownJson({ program, variant, token, run, judged }: Shown): Json {
  return {
    schema: 'faultline.interleaving/1',
    scenario: program.name,
    variant,
    token,
    steps: run.steps.map(({ thread, phase, text, first, count, flags }) => ({
      thread: program.threads[thread]!.name,
      phase,
      text,
      first_seq: count > 0 ? first : null,
      events: count,
      seen: flagNames(flags),
    })),
    judged: [...judged.fired].map(([check, { verdict, severity }]) => ({ check, verdict, severity })),
  };
}
