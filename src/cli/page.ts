import { parseHex } from '../core/pointer.ts';
import { type PageStory, pageStory } from '../replay/page-life.ts';
import { pageJson, pageText } from '../report/page.ts';
import type { CommandSpec } from './command.ts';
import { UsageError } from './exit.ts';
import { declareOutputOptions, declareTraceOptions } from './options.ts';
import { decodeOptions, inputOf } from './trace-options.ts';

/** `faultline page`: the life of one page. */
export const pageCommand: CommandSpec<PageStory> = {
  declare(command) {
    command.argument('<case|trace>', 'the case, or a trace; - is standard input');
    command.argument('<pfn...>', 'page frame number, in hexadecimal; with --together, behind all files');
    declareTraceOptions(command);
    declareOutputOptions(command, 'one JSON object (schema faultline.page/1)');
  },

  async *run(context, operands, options) {
    const input = inputOf(operands.slice(0, -1), options);
    const page = operands.at(-1)!;
    const pfn = parseHex(page);
    if (!(pfn >= 0))
      throw new UsageError(`a page is given by its pfn in hexadecimal, not '${page}'`, 'example: 0x7fcd4');
    yield await pageStory(input, pfn, { decode: decodeOptions(options), source: context.events });
  },

  json: pageJson,
  text: pageText,
};
