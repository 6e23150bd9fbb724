import type { Analysis } from '../replay/analysis.ts';
import { infoJson, infoText } from '../report/info.ts';
import type { CommandSpec } from './command.ts';
import { EXIT } from './exit.ts';
import { declareOutputOptions, declareTraceOptions } from './options.ts';
import { inputsOf, traceOptions } from './trace-options.ts';

/** `faultline info`: what a trace is and holds. */
export const infoCommand: CommandSpec<Analysis> = {
  declare(command) {
    command.argument('<trace...>', 'traces to look at; - is standard input');
    declareTraceOptions(command);
    declareOutputOptions(command, 'one JSON object a line per trace (schema faultline.info/1)');
  },

  async *run(context, operands, options) {
    const wanted = { ...traceOptions(options), variant: null, checks: null, since: null, until: null };
    for (const input of inputsOf(operands, options)) {
      if (context.stopped) return;
      try {
        const analysis = await context.analyze(input, wanted);
        if (analysis.interrupted) context.exit(EXIT.interrupted);
        yield analysis;
      } catch (error) {
        context.fail(error);
      }
    }
  },

  json: infoJson,
  text: infoText,
};
