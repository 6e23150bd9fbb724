import { SEVERITIES, type Severity } from '../checks/finding.ts';
import { type Comparison, compare } from '../compare/diff/compare.ts';
import type { Decision } from '../compare/diff/decision-log.ts';
import { around, type Lane, pageLanes } from '../compare/diff/page-lanes.ts';
import { Gatherer, type Side } from '../compare/diff/side.ts';
import type { AnalyzeOptions } from '../replay/analyze.ts';
import { pageStory } from '../replay/page-life.ts';
import { diffText } from '../report/diff.ts';
import type { DiffAnswer, PageLanes } from '../report/diff-answer.ts';
import { diffJson } from '../report/diff-json.ts';
import type { DecodeOptions } from '../tracepoints/decode.ts';
import type { CommandSpec, Context } from './command.ts';
import { EXIT, type ExitCode, UsageError } from './exit.ts';
import {
  declareMachineOptions,
  declareOutputOptions,
  flagOption,
  severityOption,
  textOption,
} from './options.ts';
import { decodeOptions, traceOptions } from './trace-options.ts';
import { VARIANT_FORMS, variantOption } from './variant-option.ts';

/** One of the two traces, read and judged once; null where the user stopped it. */
async function sideOf(context: Context, input: string, wanted: AnalyzeOptions): Promise<Side | null> {
  const gatherer = new Gatherer();
  const analysis = await context.analyze(input, wanted, { onlooker: gatherer });
  return analysis.interrupted ? null : gatherer.side(analysis);
}

/**
 * What happened to the pages of the first difference, in both traces: these are read once more, for the events of one
 * page each. Standard input is gone by then.
 */
async function pagesOf(
  context: Context,
  inputs: { readonly a: string; readonly b: string },
  { differences }: Comparison,
  decode: DecodeOptions,
): Promise<PageLanes | null> {
  const example = differences[0]?.example ?? null;
  if (example === null || example.counterpart === null || Object.values(inputs).includes('-')) return null;
  const [decision, other] = [example.decision, example.counterpart.decision];
  const lane = async (input: string, of: Decision): Promise<Lane> => {
    const story = Number.isNaN(of.pfn)
      ? null
      : await pageStory(input, of.pfn, { decode, source: context.events });
    return { decision: of, events: story === null ? [] : around(story.generations, of) };
  };
  const a = await lane(inputs.a, example.side === 'a' ? decision : other);
  const b = await lane(inputs.b, example.side === 'b' ? decision : other);
  const rows = pageLanes(a, b);
  return rows.length === 0 ? null : { a, b, rows };
}

function exitOf({ differences, comparability }: Comparison, failOn: Severity, suspects: boolean): ExitCode {
  const worst = SEVERITIES.indexOf(failOn);
  const counts = differences.some(
    ({ severity, verdict }) => SEVERITIES.indexOf(severity) <= worst && (verdict === 'proven' || suspects),
  );
  if (counts) return EXIT.divergences;
  return comparability.possible ? EXIT.ok : EXIT.notJudged;
}

/** `faultline diff`: how two traces of one workload behave differently. */
export const diffCommand: CommandSpec<DiffAnswer> = {
  declare(command) {
    command
      .argument('<a>', 'a trace or case, the one to compare with; - is standard input')
      .argument('<b>', 'the other one')
      .option(
        '--variant <variant>',
        `judge both by the rules of this patch variant: ${VARIANT_FORMS}`,
        'auto',
      )
      .option('--fail-on <severity>', 'exit 1 for proven differences from this severity on', 'warning')
      .option('--fail-on-suspect', 'exit 1 for suspected ones too');
    declareMachineOptions(command);
    declareOutputOptions(command, 'one JSON object (schema faultline.diff/1)');
  },

  async *run(context, [first, second], options) {
    if (first === '-' && second === '-')
      throw new UsageError(
        'standard input can be one of the two traces only',
        'give a path for the other one',
      );
    const failOn = severityOption(textOption(options, 'failOn') ?? 'warning');
    const wanted: AnalyzeOptions = {
      ...traceOptions(options),
      variant: variantOption(textOption(options, 'variant')),
      checks: null,
      since: null,
      until: null,
    };
    const a = await sideOf(context, first!, wanted);
    const b = a === null ? null : await sideOf(context, second!, wanted);
    // Half a comparison says nothing: the program ends as interrupted.
    if (a === null || b === null) return;
    const comparison = compare(a, b);
    context.exit(exitOf(comparison, failOn, flagOption(options, 'failOnSuspect')));
    const inputs = { a: first!, b: second! };
    yield { comparison, pages: await pagesOf(context, inputs, comparison, decodeOptions(options)) };
  },

  json: diffJson,
  text: diffText,
};
