import { inputName } from '../core/input.ts';
import { entryOf } from '../core/pte.ts';
import { type At, visit } from '../replay/travel.ts';
import { type StateAnswer, stateJson, stateText } from '../report/state.ts';
import type { CommandSpec, Options } from './command.ts';
import { UsageError } from './exit.ts';
import {
  declareOutputOptions,
  declareTraceOptions,
  hexOption,
  integerOption,
  momentOption,
  textOption,
} from './options.ts';
import { decodeOptions, inputOf } from './trace-options.ts';

/** A moment, `start` or `end`. */
function atOption(options: Options): At {
  const value = textOption(options, 'at');
  if (value === 'start' || value === 'end') return value;
  const moment = momentOption(options, 'at');
  if (moment === null)
    throw new UsageError('state needs --at', 'examples: --at 48214, --at 79.970639, --at end');
  return moment;
}

/** A swap entry, as `device:slot` or as the kernel's hexadecimal value. */
function entryOption(options: Options): number | null {
  const value = textOption(options, 'entry');
  if (value === null) return null;
  const pair = /^(\d{1,2}):(\d{1,12})$/.exec(value);
  if (pair) return entryOf(Number(pair[1]), Number(pair[2]));
  if (/^(0x)?[0-9a-f]{1,16}$/i.test(value)) {
    const word = BigInt(`0x${value.replace(/^0x/i, '')}`);
    return entryOf(Number(word >> 58n), Number(word & ((1n << 58n) - 1n)));
  }
  throw new UsageError(`--entry takes a swap entry, not '${value}'`, 'examples: --entry 0:69, --entry 0x45');
}

/** `faultline state`: the MM at a moment. */
export const stateCommand: CommandSpec<StateAnswer> = {
  declare(command) {
    command.argument(
      '<case|trace...>',
      'the case, or a trace to be read up to the moment; - is standard input',
    );
    command
      .option('--at <moment>', 'after this seq, at this time, start or end')
      .option('--pfn <hex>', 'only this page, and who maps and holds it')
      .option('--mm <hex>', 'only this mm')
      .option('--pid <pid>', 'only the mm of this task, and what it is doing')
      .option('--address <hex>', 'only this user address; with --pid or --mm')
      .option('--entry <entry>', 'only this swap slot, as device:slot or in hexadecimal');
    declareTraceOptions(command);
    declareOutputOptions(command, 'one JSON object (schema faultline.state/1)');
  },

  async *run(context, operands, options) {
    const input = inputOf(operands, options);
    const at = atOption(options);
    const scope = {
      pfn: hexOption(options, 'pfn', '--pfn'),
      mm: hexOption(options, 'mm', '--mm'),
      pid: integerOption(options, 'pid', '--pid', 0),
      address: hexOption(options, 'address', '--address'),
      entry: entryOption(options),
    };
    if (scope.address !== null && scope.pid === null && scope.mm === null)
      throw new UsageError('--address needs to know whose address it is', 'give --pid or --mm with it');
    const found = await visit(input, at, { decode: decodeOptions(options), source: context.events });
    if (found.beyond)
      throw new UsageError(
        `${textOption(options, 'at')} lies behind the end of ${inputName(input)}`,
        `it has ${found.seq} events: --at 1 to --at ${found.seq}, or --at end`,
      );
    yield { ...found, scope };
  },

  json: stateJson,
  text: stateText,
};
