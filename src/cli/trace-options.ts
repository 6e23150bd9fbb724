import type { Input } from '../core/input.ts';
import type { AnalyzeOptions } from '../replay/analyze.ts';
import type { DecodeOptions } from '../tracepoints/decode.ts';
import { parseRelease } from '../tracepoints/kernels.ts';
import type { Options } from './command.ts';
import { UsageError } from './exit.ts';
import { flagOption, hexOption, integerOption, known, textOption } from './options.ts';

/** Clocks of ftrace (kernel/trace/trace.c:trace_clocks, and ARCH_TRACE_CLOCKS of x86, powerpc and s390). */
const CLOCKS: readonly string[] = [
  ...['local', 'global', 'counter', 'uptime', 'perf', 'mono', 'mono_raw', 'boot', 'tai'],
  ...['x86-tsc', 'ppc-tb', 's390-tod'],
];

function clockOption(options: Options): string | null {
  const name = textOption(options, 'clock');
  return name === null ? null : known(name, CLOCKS, 'clock', '`cat /sys/kernel/tracing/trace_clock`');
}

function kernelOption(options: Options): string | null {
  const release = textOption(options, 'kernel');
  if (release === null || !Number.isNaN(parseRelease(release))) return release;
  throw new UsageError(`--kernel takes a release, not '${release}'`, 'example: --kernel 6.12.117');
}

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
    kernel: kernelOption(options),
    arch: textOption(options, 'arch'),
    clock: clockOption(options),
    clockSkewNs: integerOption(options, 'clockSkew', '--clock-skew', 0),
    vmemmapBase: hexOption(options, 'vmemmapBase', '--vmemmap-base'),
  };
}
