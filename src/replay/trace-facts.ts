import { READER_COUNTERS } from '../readers/counters.ts';
import type { MmState } from '../state/state.ts';
import type { InputCounter, TraceFacts } from './analysis.ts';
import type { InputFacts } from './input-facts.ts';

type Whole = InputFacts['whole'];

/** What the user declared of a trace, null where nothing. */
interface Declared {
  readonly kernel: string | null;
  readonly arch: string | null;
  readonly clock: string | null;
}

/** Kernel generation as major * 100 + minor: the least that the trace allows. Null if unknown. */
export function kernelNumber(whole: Whole): number | null {
  const release = whole?.decoding.kernel?.release ?? whole?.kernel ?? null;
  const match = release === null ? null : /^(\d+)\.(\d+)/.exec(release);
  return match === null ? null : Number(match[1]) * 100 + Number(match[2]);
}

function readerCounters(whole: NonNullable<Whole>): InputCounter[] {
  return [...whole.counters].map(([name, count]) => {
    const kind = READER_COUNTERS[name as keyof typeof READER_COUNTERS];
    return { name, count, severity: kind.severity, advice: kind.advice };
  });
}

/** What the decoder could not make use of, with what to do about it. */
function decoderCounters(whole: NonNullable<Whole>): InputCounter[] {
  const { decoding } = whole;
  const found: InputCounter[] = [];
  const add = (name: string, count: number, severity: InputCounter['severity'], advice: string): void => {
    if (count > 0) found.push({ name, count, severity, advice });
  };
  for (const { name, count, advice } of decoding.shortfalls) add(name, count, 'data-loss', advice);
  let undecoded = 0;
  for (const count of decoding.undecoded.values()) undecoded += count;
  add(
    'undecoded-records',
    undecoded,
    'notice',
    'Records of known events without the fields that the event needs.',
  );
  let orphans = 0;
  for (const count of decoding.orphanReturns.values()) orphans += count;
  add('orphan-returns', orphans, 'info', 'Returns of probed functions whose entry is not in the trace.');
  if (decoding.kernelContradiction !== null)
    add('kernel-contradiction', 1, 'notice', decoding.kernelContradiction);
  return found;
}

/** What a trace is and holds. */
export function traceFacts(
  path: string,
  facts: InputFacts,
  state: MmState,
  events: number,
  declared: Declared,
): TraceFacts {
  const whole = facts.whole;
  if (whole === null) throw new Error('no message came of an input that was opened');
  const { decoding } = whole;
  const kernel =
    declared.kernel !== null
      ? { release: declared.kernel, how: 'declared' }
      : decoding.kernel !== null
        ? { release: decoding.kernel.release, how: decoding.kernel.how.join('; ') }
        : whole.kernel !== null
          ? { release: whole.kernel, how: 'header' }
          : null;
  const counters = [...readerCounters(whole), ...decoderCounters(whole)].filter(({ count }) => count > 0);
  return {
    path,
    format: whole.format,
    kernel,
    arch: declared.arch ?? decoding.arch,
    clock: declared.clock ?? whole.clock,
    ticks: whole.ticks,
    originNs: whole.originNs,
    records: whole.records,
    events,
    firstNs: whole.firstNs,
    lastNs: whole.lastNs,
    cpus: whole.cpus,
    tasks: [...facts.tasks.values()].sort((a, b) => a.pid - b.pid),
    lost: state.losses.map(({ cpu, count, afterSeq }) => ({
      cpu: Number.isNaN(cpu) ? null : cpu,
      count: Number.isNaN(count) ? null : count,
      afterSeq,
    })),
    segments: whole.segments,
    histogram: whole.histogram,
    unknownEvents: whole.unknownEvents,
    parseErrors: whole.parseErrors,
    parseErrorCount: whole.parseErrorCount,
    counters: counters.sort((a, b) => (a.name < b.name ? -1 : 1)),
    truncated: whole.truncated,
  };
}
