import type { AnalyzeOptions } from '../replay/analyze.ts';
import type { DecodeOptions } from '../tracepoints/decode.ts';
import type { Options } from './command.ts';
import { hexOption, integerOption, textOption } from './options.ts';

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
