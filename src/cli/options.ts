import type { Command } from 'commander';
import { SEVERITIES, type Severity } from '../checks/finding.ts';
import { parseHex } from '../core/pointer.ts';
import { nearest } from '../core/suggest.ts';
import type { Moment } from '../replay/span.ts';
import type { Options } from './command.ts';
import { UsageError } from './exit.ts';

/** What a trace may not tell of its machine. */
export function declareMachineOptions(command: Command): void {
  command
    .option('--kernel <version>', 'kernel release, where the trace does not tell it')
    .option('--arch <arch>', 'architecture of the kernel, e.g. x86-64')
    .option('--clock <name>', 'trace clock (local, global, mono, counter, ...)')
    .option('--clock-skew <ns>', 'how far the clocks of two CPUs may be apart')
    .option('--vmemmap-base <hex>', 'address of the struct page of pfn 0');
}

/** The options of every command whose operands are traces, as many as there are. */
export function declareTraceOptions(command: Command): void {
  declareMachineOptions(command);
  command.option('--together', 'all files are one capture, by CPU or rotated: read them as one trace');
}

/** Options of every command that prints. */
export function declareOutputOptions(command: Command, json: string): void {
  command
    .option('--json', json)
    .option('--quiet', 'no progress on stderr')
    .option('--no-color', 'no colours (also: NO_COLOR in the environment)');
}

/** For commander: collects the values of a repeatable option that may also be a comma list. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  const names = value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return [...(before ?? []), ...names];
}

/** Whether a switch was given. */
export function flagOption(options: Options, name: string): boolean {
  return options[name] === true;
}

/** A text option, or null. */
export function textOption(options: Options, name: string): string | null {
  const value = options[name];
  return typeof value === 'string' ? value : null;
}

/** A list option, or null where it was not given. */
export function listOption(options: Options, name: string): readonly string[] | null {
  const value = options[name];
  return Array.isArray(value) ? value.map(String) : null;
}

/** Refuses a name that is not known, and names the nearest that is. */
export function known(name: string, names: readonly string[], what: string, where: string): string {
  if (names.includes(name)) return name;
  const near = nearest(name, names);
  throw new UsageError(
    `unknown ${what} '${name}'`,
    near === null ? `${where} lists what there is` : `did you mean '${near}'? ${where} lists what there is`,
  );
}

/** A severity, given by its name. */
export function severityOption(value: string): Severity {
  const severity = SEVERITIES.find((name) => name === value);
  if (severity === undefined) {
    throw new UsageError(
      `--fail-on takes a severity, not '${value}'`,
      `severities: ${SEVERITIES.join(', ')}`,
    );
  }
  return severity;
}

/** A moment: `214` is a seq, `79.970639` a time as the trace prints it. */
export function momentOption(options: Options, name: string): Moment | null {
  const value = textOption(options, name);
  if (value === null) return null;
  if (/^\d{1,15}$/.test(value)) return { seq: Number(value) };
  const time = /^(\d{1,12})\.(\d{1,9})$/.exec(value);
  if (time) return { ns: BigInt(time[1]!) * 1_000_000_000n + BigInt(time[2]!.padEnd(9, '0')) };
  throw new UsageError(
    `--${name} takes a seq or a time as the trace prints it, not '${value}'`,
    `examples: --${name} 48214, --${name} 79.970639`,
  );
}

/** Whether one moment is behind another of its kind. */
function isBehind(a: Moment, b: Moment): boolean {
  if ('seq' in a) return 'seq' in b && a.seq > b.seq;
  return 'ns' in b && a.ns > b.ns;
}

/** The part of a trace that is asked about, by --since and --until. */
export function spanOptions(options: Options): {
  readonly since: Moment | null;
  readonly until: Moment | null;
} {
  const since = momentOption(options, 'since');
  const until = momentOption(options, 'until');
  if (since !== null && until !== null && isBehind(since, until))
    throw new UsageError('--since is behind --until: nothing lies between them');
  return { since, until };
}

/** A whole number of at least `least`, or null. */
export function integerOption(options: Options, name: string, flag: string, least: number): number | null {
  const value = textOption(options, name);
  if (value === null) return null;
  if (/^\d{1,15}$/.test(value) && Number(value) >= least) return Number(value);
  throw new UsageError(`${flag} takes a whole number from ${least} on, not '${value}'`);
}

/** A hexadecimal word, or null. */
export function hexOption(options: Options, name: string, flag: string): number | null {
  const value = textOption(options, name);
  if (value === null) return null;
  const word = parseHex(value);
  if (Number.isNaN(word)) {
    throw new UsageError(
      `${flag} takes a hexadecimal number, not '${value}'`,
      `example: ${flag} 0xffffea0000000000`,
    );
  }
  return word;
}
