import type { Analysis } from '../replay/analysis.ts';
import type { AnalyzeOptions } from '../replay/analyze.ts';
import { analysisJson } from '../report/json.ts';
import { narrow, type Scope } from '../report/narrow.ts';
import { analysisText } from '../report/text.ts';
import type { CommandSpec, Options } from './command.ts';
import type { Engine } from './engine.ts';
import { UsageError } from './exit.ts';
import {
  collect,
  declareOutputOptions,
  declareTraceOptions,
  flagOption,
  hexOption,
  integerOption,
  known,
  listOption,
  severityOption,
  spanOptions,
  textOption,
} from './options.ts';
import { inputsOf, traceOptions } from './trace-options.ts';
import { VARIANT_FORMS, variantOption } from './variant-option.ts';
import { exitOf, type FailRules } from './verdict.ts';

/** The checks named by an option: known ones, or a usage error. */
async function checkNames(
  engine: Engine,
  names: readonly string[] | null,
): Promise<readonly string[] | null> {
  if (names === null) return null;
  const ids = (await engine.checks()).map((check) => check.id);
  return names.map((name) => known(name, ids, 'check', '`faultline checks`'));
}

async function engineOptions(engine: Engine, options: Options): Promise<AnalyzeOptions> {
  return {
    ...traceOptions(options),
    variant: variantOption(textOption(options, 'variant')),
    checks: await checkNames(engine, listOption(options, 'check')),
    ...spanOptions(options),
  };
}

async function failRules(engine: Engine, options: Options): Promise<FailRules> {
  return {
    failOn: severityOption(textOption(options, 'failOn') ?? 'warning'),
    suspects: flagOption(options, 'failOnSuspect'),
    required: (await checkNames(engine, listOption(options, 'require'))) ?? [],
  };
}

function scopeOf(options: Options): Scope {
  return {
    pid: integerOption(options, 'pid', '--pid', 0),
    comm: textOption(options, 'comm'),
    mm: hexOption(options, 'mm', '--mm'),
  };
}

/** `faultline analyze`: the main job. */
export const analyzeCommand: CommandSpec<Analysis> = {
  declare(command) {
    command.argument('<trace...>', 'traces or cases to analyze, each by itself; - is standard input');
    command
      .option('-o, --output <case>', 'record the trace in this file, to go back to it')
      .option('--variant <variant>', `judge by the rules of this patch variant: ${VARIANT_FORMS}`, 'auto')
      .option('--check <id,...>', 'run only these checks (repeatable)', collect)
      .option('--since <moment>', 'report from this seq or time on')
      .option('--until <moment>', 'report up to this seq or time')
      .option('--pid <pid>', 'report only what this task did')
      .option('--comm <name>', 'report only what tasks of this name did')
      .option('--mm <hex>', 'report only what happened to this mm')
      .option('--fail-on <severity>', 'exit 1 for proven divergences from this severity on', 'warning')
      .option('--fail-on-suspect', 'exit 1 for suspects too')
      .option('--require <id,...>', 'exit 4 if one of these checks could not judge the trace', collect);
    declareTraceOptions(command);
    declareOutputOptions(command, 'one JSON object a line per trace (schema faultline.analysis/1)');
  },

  async *run(context, operands, options) {
    const wanted = await engineOptions(context.engine, options);
    const rules = await failRules(context.engine, options);
    const scope = scopeOf(options);
    const record = textOption(options, 'output');
    const inputs = inputsOf(operands, options);
    if (record !== null && inputs.length > 1)
      throw new UsageError(
        'a case holds one trace',
        'record each with a -o of its own; --together reads files of one capture as one trace',
      );
    if (record !== null && (wanted.since !== null || wanted.until !== null))
      throw new UsageError(
        'a case holds the whole trace: -o takes no --since and no --until',
        'record it, then analyze the case with them',
      );
    for (const input of inputs) {
      if (context.stopped) return;
      try {
        const whole = await context.analyze(input, wanted, { record });
        const analysis = narrow(whole, scope);
        context.exit(exitOf(analysis, rules));
        yield analysis;
      } catch (error) {
        context.fail(error);
      }
    }
  },

  json: analysisJson,
  text: analysisText,
};
