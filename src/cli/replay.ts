import { type Replay, type ReplayOptions, replay } from '../replay/replay.ts';
import { replayJson, replayText } from '../report/replay.ts';
import { PRESETS } from '../variants/presets.ts';
import type { CommandSpec, Options } from './command.ts';
import { UsageError } from './exit.ts';
import { collect, declareOutputOptions, declareTraceOptions, listOption, spanOptions } from './options.ts';
import { inputsOf, traceOptions } from './trace-options.ts';
import { VARIANT_FORMS, variantsOrAuto } from './variant-option.ts';

/** The two variants of --bisect; null is `auto`. */
function bisectOption(options: Options): ReplayOptions['bisect'] {
  const names = listOption(options, 'bisect');
  if (names === null) return null;
  const [a, b, ...more] = variantsOrAuto(names);
  if (a === undefined || b === undefined || more.length > 0)
    throw new UsageError('--bisect takes two variants', 'example: --bisect 5.11,6.12');
  return [a, b];
}

/** `faultline replay`: what other rules would have decided. */
export const replayCommand: CommandSpec<Replay> = {
  declare(command) {
    command.argument('<trace...>', 'traces or cases, each by itself; - is standard input');
    command
      .option(
        '--variant <variant,...>',
        `variants to ask (default: the presets): auto, ${VARIANT_FORMS}; a setting belongs to the variant before it`,
        collect,
      )
      .option(
        '--bisect <a,b>',
        'the smallest set of axes in which b decides this trace differently from a',
        collect,
      );
    command
      .option('--since <moment>', 'decisions from this seq or time on')
      .option('--until <moment>', 'decisions up to this seq or time');
    declareTraceOptions(command);
    declareOutputOptions(command, 'one JSON object a line per trace (schema faultline.replay/1)');
  },

  async *run(context, operands, options) {
    const pair = bisectOption(options);
    const names = listOption(options, 'variant');
    const variants = names === null ? (pair ?? PRESETS) : variantsOrAuto(names);
    const { since, until } = spanOptions(options);
    const { kernel, arch, clock, vmemmapBase } = traceOptions(options);
    for (const input of inputsOf(operands, options)) {
      if (context.stopped) return;
      try {
        yield await replay(
          input,
          { variants, bisect: pair, since, until, kernel, arch, clock, vmemmapBase },
          { source: context.events },
        );
      } catch (error) {
        context.fail(error);
      }
    }
  },

  json: replayJson,
  text: replayText,
};
