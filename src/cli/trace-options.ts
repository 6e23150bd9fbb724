import type { Input } from '../core/input.ts';
import type { AnalyzeOptions } from '../replay/analyze.ts';
import type { DecodeOptions } from '../tracepoints/decode.ts';
import type { Options } from './command.ts';
import { UsageError } from './exit.ts';
import { flagOption, hexOption, integerOption, textOption } from './options.ts';

/** What to read: each operand by itself, or all of them as one capture. */
export function inputsOf(operands: readonly string[], options: Options): readonly Input[] {
  return flagOption(options, 'together') && operands.length > 1 ? [operands] : operands;
}

/** What a command reads that takes one input only. */
export function inputOf(operands: readonly string[], options: Options): Input {
  const [input, ...more] = inputsOf(operands, options);
  if (more.length === 0) return input!;
  throw new UsageError(
    `${operands.length} inputs, where one can be read`,
    'give --together if they are files of one capture',
  );
}

/** The part of it that decoding needs. */
export function decodeOptions(options: Options): DecodeOptions {
  const { kernel, arch, vmemmapBase } = traceOptions(options);
  return {
    ...(kernel === null ? {} : { kernel }),
    ...(arch === null ? {} : { arch }),
    ...(vmemmapBase === null ? {} : { vmemmapBase }),
  };
}

/** What the user declares of a trace, as the engine takes it. */
export function traceOptions(
  options: Options,
): Pick<AnalyzeOptions, 'kernel' | 'arch' | 'clock' | 'clockSkewNs' | 'vmemmapBase'> {
  return {
    kernel: textOption(options, 'kernel'),
    arch: textOption(options, 'arch'),
    clock: textOption(options, 'clock'),
    clockSkewNs: integerOption(options, 'clockSkew', '--clock-skew', 0),
    vmemmapBase: hexOption(options, 'vmemmapBase', '--vmemmap-base'),
  };
}
