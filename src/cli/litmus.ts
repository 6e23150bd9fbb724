import { writeFileSync } from 'node:fs';
import { encodeTrace } from '../events/json-write.ts';
import { DEFAULTS, type ExploreOptions } from '../litmus/explore/explore.ts';
import { STRATEGIES } from '../litmus/explore/outcome.ts';
import type { Program } from '../litmus/program.ts';
import { judge, type Run, replay } from '../litmus/replay.ts';
import { applies, type Explored, runScenario } from '../litmus/run.ts';
import { encode } from '../litmus/schedule.ts';
import { PRESETS, VARIANTS } from '../variants/presets.ts';
import type { Variant } from '../variants/variant.ts';
import type { CommandSpec, Options } from './command.ts';
import { EXIT, UsageError } from './exit.ts';
import { catalogueNames, type Replayable, replayable, scenario } from './litmus-files.ts';
import { runShrink, type ShrinkAnswer, shrunkJson, shrunkText } from './litmus-shrink.ts';
import {
  checksJson,
  checksText,
  listJson,
  listText,
  programText,
  runsJson,
  runsText,
  type Shown,
  shownJson,
  shownText,
} from './litmus-text.ts';
import {
  collect,
  declareOutputOptions,
  declareTraceOptions,
  flagOption,
  integerOption,
  known,
  listOption,
  textOption,
} from './options.ts';
import { VARIANT_FORMS, variantList } from './variant-option.ts';

const ACTIONS = ['list', 'show', 'run', 'shrink'] as const;

type Answer =
  | { readonly what: 'list'; readonly programs: readonly Program[] }
  | { readonly what: 'checks'; readonly programs: readonly Program[] }
  | { readonly what: 'program'; readonly program: Program }
  | { readonly what: 'runs'; readonly runs: readonly Explored[]; readonly last: boolean }
  | { readonly what: 'shown'; readonly shown: Shown }
  | { readonly what: 'shrunk'; readonly answer: ShrinkAnswer };

function exploreOptions(options: Options): ExploreOptions {
  const strategy = known(
    textOption(options, 'strategy') ?? DEFAULTS.strategy,
    STRATEGIES,
    'strategy',
    'the help',
  );
  return {
    strategy: STRATEGIES.find((name) => name === strategy)!,
    states: integerOption(options, 'states', '--states', 1) ?? DEFAULTS.states,
    runs: integerOption(options, 'runs', '--runs', 1) ?? DEFAULTS.runs,
    seed: integerOption(options, 'seed', '--seed', 0) ?? DEFAULTS.seed,
    // A depth of 0 would be no bug at all; no preemption at all is a question that one may ask.
    bound: integerOption(options, 'bound', '--bound', strategy === 'pct' ? 1 : 0) ?? DEFAULTS.bound,
  };
}

function wantedVariants(options: Options): readonly Variant[] {
  const named = listOption(options, 'variant');
  if (flagOption(options, 'allVariants')) return VARIANTS;
  return named === null ? PRESETS : variantList(named);
}

/** The events of an interleaving as a trace that every command reads. */
function traceLines(program: Program, variant: Variant, run: Run): string {
  const tasks = program.threads.map(({ pid, name }) => ({ pid, comm: name }));
  const about = { scenario: program.name, variant: variant.id };
  const head = { originNs: 0n, ticks: false, kernel: null, arch: null, clock: 'counter', tasks, about };
  return encodeTrace(head, run.events);
}

function shownOf({ program, variant, schedule }: Replayable): Shown {
  const run = replay(program, variant, schedule);
  return {
    program,
    variant: variant.id,
    token: encode(program, variant.id, schedule),
    run,
    judged: judge(run, variant),
  };
}

/** The shortest bad interleaving that the runs found; of one divergence if it is named. */
function worst(runs: readonly Explored[]): Replayable | null {
  for (const { program, variant, outcome } of runs)
    for (const schedule of outcome.witnesses.values()) return { program, variant, schedule };
  return null;
}

function writeWitness(options: Options, found: Replayable | null): void {
  const path = textOption(options, 'witness');
  if (path === null) return;
  if (found === null) throw new UsageError('there is no bad interleaving to write', 'leave out --witness');
  const run = replay(found.program, found.variant, found.schedule);
  writeFileSync(path, traceLines(found.program, found.variant, run));
}

/** `faultline litmus`: scenarios, what they say, and all their interleavings under variants. */
export const litmusCommand: CommandSpec<Answer> = {
  declare(command) {
    command
      .argument('<action>', ACTIONS.join(', '))
      .argument(
        '[operand...]',
        'scenarios: names of the catalogue, files that end in .litmus, tokens of interleavings; for shrink: a trace or a case, and a divergence of it by its id or fingerprint',
      )
      .option('--all', 'the whole catalogue')
      .option('--checks', 'list: each check with the scenarios that show it, or why none does')
      .option('--variant <list>', `variants to run under (${VARIANT_FORMS}); every preset if absent`, collect)
      .option('--all-variants', 'every preset and every mutant')
      .option('--strategy <name>', `how to explore: ${STRATEGIES.join(', ')}`)
      .option('--states <n>', `states held at most (${DEFAULTS.states})`)
      .option('--runs <n>', 'interleavings run at most, where they are run one by one')
      .option('--seed <n>', 'seed of random and pct')
      .option('--bound <n>', `preemptions of bounded, depth of pct (${DEFAULTS.bound})`)
      .option(
        '--scenario <file>',
        'the scenario that a token belongs to, where it is not of the catalogue; shrink: write the events as a scenario here',
      )
      .option('--witness <file>', 'write the shortest bad interleaving as a trace (events as JSON lines)');
    command
      .option('-o, --output <file>', 'shrink: write the events that are left as a trace')
      .option('--check-only', 'shrink: what other checks say of the same moment may be lost');
    declareTraceOptions(command);
    declareOutputOptions(command, 'JSON (schema faultline.litmus/1), one object a scenario');
  },

  async *run(context, [action, ...names], options) {
    known(action!, ACTIONS, 'action', '`faultline litmus --help`');
    if (action === 'shrink') {
      yield { what: 'shrunk', answer: await runShrink(context, names, options) };
      return;
    }
    const wanted = flagOption(options, 'all') || action === 'list' ? catalogueNames() : names;
    if (wanted.length === 0)
      throw new UsageError(
        `litmus ${action} needs a scenario`,
        '`faultline litmus list` lists them; --all is all of them',
      );
    if (action === 'list') {
      const programs = wanted.map(scenario);
      yield flagOption(options, 'checks') ? { what: 'checks', programs } : { what: 'list', programs };
      return;
    }
    for (const [i, name] of wanted.entries()) {
      if (context.stopped) return;
      const token = replayable(name, textOption(options, 'scenario'));
      if (token !== null) {
        writeWitness(options, token);
        yield { what: 'shown', shown: shownOf(token) };
        continue;
      }
      const program = scenario(name);
      if (action === 'show') {
        yield { what: 'program', program };
        continue;
      }
      const variants = wantedVariants(options).filter((variant) => applies(program, variant));
      const runs = variants.map((variant) => runScenario(program, variant, exploreOptions(options)));
      if (runs.length === 0) {
        if (!flagOption(options, 'all'))
          throw new UsageError(
            `${program.name} says nothing of these variants`,
            'its first lines tell what it requires',
          );
        continue;
      }
      const bad = runs.some(({ surprises, outcome, expected }) =>
        expected === undefined ? outcome.found.size > 0 : surprises.length > 0,
      );
      if (bad) context.exit(EXIT.divergences);
      writeWitness(options, worst(runs));
      yield { what: 'runs', runs, last: i === wanted.length - 1 };
      const found = runs.length === 1 && !flagOption(options, 'json') ? worst(runs) : null;
      if (found !== null) yield { what: 'shown', shown: shownOf(found) };
    }
  },

  json(answer) {
    if (answer.what === 'checks') return checksJson(answer.programs);
    if (answer.what === 'list') return listJson(answer.programs);
    if (answer.what === 'program')
      return { ...(listJson([answer.program]) as object), text: answer.program.text };
    if (answer.what === 'shrunk') return shrunkJson(answer.answer);
    return answer.what === 'runs' ? runsJson(answer.runs) : shownJson(answer.shown);
  },
  text(answer, style, options) {
    if (answer.what === 'checks') return checksText(answer.programs, style);
    if (answer.what === 'list') return listText(answer.programs, style);
    if (answer.what === 'program') return programText(answer.program);
    if (answer.what === 'shrunk') return shrunkText(answer.answer, style, options);
    return answer.what === 'runs' ? runsText(answer.runs, style) : shownText(answer.shown, style);
  },
};
