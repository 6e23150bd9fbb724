import { from, lastValueFrom, map, takeWhile, tap } from 'rxjs';
import type { CheckRun } from '../checks/check.ts';
import type { Coverage } from '../checks/finding.ts';
import { CHECKS } from '../checks/index.ts';
import { Runner } from '../checks/runner.ts';
import { Ballot } from '../compare/ballot.ts';
import { fitOf } from '../compare/fit.ts';
import type { Occasion } from '../compare/occasion.ts';
import { watchOccasions } from '../compare/occasions/index.ts';
import { InputError } from '../core/errors.ts';
import { type Input, inputName } from '../core/input.ts';
import { FOLDS } from '../state/folds/index.ts';
import { MmState } from '../state/state.ts';
import type { Giver } from '../tracepoints/givers.ts';
import { variantById } from '../variants/presets.ts';
import type { Variant } from '../variants/variant.ts';
import type { Analysis } from './analysis.ts';
import { eventsOf, isCase, optionsFor, storedAnalysis } from './case-source.ts';
import { DecisionTally, decisionFidelity } from './decisions.ts';
import type { Ingested, IngestOptions } from './ingest.ts';
import { type IngestProgress, InputFacts } from './input-facts.ts';
import { Recorder, type RecordTo } from './recorder.ts';
import { Span, type SpanOptions } from './span.ts';
import { kernelNumber, traceFacts } from './trace-facts.ts';

/** What to judge, and what the trace does not tell. Null: not given. */
export interface AnalyzeOptions extends SpanOptions {
  /** Rules to judge by; null is `auto`. */
  readonly variant: Variant | null;
  /** Ids of the checks to run; null is all. */
  readonly checks: readonly string[] | null;
  readonly kernel: string | null;
  readonly arch: string | null;
  readonly clock: string | null;
  readonly clockSkewNs: number | null;
  readonly vmemmapBase: number | null;
}

/** Everything is asked, and nothing declared. */
export const ALL_UNDECLARED: AnalyzeOptions = {
  variant: null,
  checks: null,
  since: null,
  until: null,
  kernel: null,
  arch: null,
  clock: null,
  clockSkewNs: null,
  vmemmapBase: null,
};

export interface AnalyzeHooks {
  onProgress?(progress: IngestProgress): void;
  /** Aborted: the run ends with what was done so far. */
  readonly signal?: AbortSignal;
  /** Where events come from; a worker thread that reads the input if absent. */
  readonly source?: (input: Input, options: IngestOptions) => AsyncIterable<Ingested>;
  /** The case that events and findings go to. A run that is interrupted leaves one that can be gone on with. */
  readonly record?: RecordTo;
  /** Looks on while the events are folded, and reports nothing. */
  readonly onlooker?: Onlooker;
}

/** Whoever gathers more of a trace than an analysis holds. */
export interface Onlooker {
  watches(state: MmState): readonly CheckRun[];
  /** A decision within what is reported. */
  occasion(occasion: Occasion): void;
}

/** Analyzes one input, a trace or a case. Throws InputError for an input that cannot be read. */
export async function analyze(
  input: Input,
  asked: AnalyzeOptions,
  hooks: AnalyzeHooks = {},
): Promise<Analysis> {
  const options = optionsFor(input, asked);
  const stored =
    hooks.record === undefined && hooks.onlooker === undefined ? storedAnalysis(input, options) : null;
  if (stored !== null) return stored;
  if (hooks.record === undefined) return run(input, options, hooks, null);
  if (isCase(input)) throw new InputError(`${input} is a case already; copy the file to have another one`);
  const recorder = new Recorder(input, options, hooks.record);
  try {
    return await run(input, options, hooks, recorder);
  } finally {
    recorder.close();
  }
}

/**
 * Reads, folds and judges one input: one emission per batch, all stages behind the source synchronous, so that one
 * batch is in flight.
 */
async function run(
  input: Input,
  options: AnalyzeOptions,
  hooks: AnalyzeHooks,
  recorder: Recorder | null,
): Promise<Analysis> {
  const state = new MmState(FOLDS);
  const facts = new InputFacts();
  const declared = options.variant;
  const decisions = new DecisionTally();
  const ballot = new Ballot();
  const kernel = (): number | null => kernelNumber(facts.whole);
  const checks =
    options.checks === null ? CHECKS : CHECKS.filter((check) => options.checks!.includes(check.id));
  const span = new Span(options, () => facts.whole?.originNs ?? 0n);
  const within = (seq: number, ns: number): boolean => span.has(seq, ns);
  const runner = new Runner(state, checks, {
    declared,
    kernel,
    skewNs: () => clockSkew(options, facts.whole),
    within,
    watches: [
      ...(hooks.onlooker?.watches(state) ?? []),
      ...watchOccasions(state, kernel, (occasion) => {
        if (!within(occasion.seq, occasion.ns)) return;
        ballot.add(occasion);
        hooks.onlooker?.occasion(occasion);
      }),
    ],
    onDecision(fault) {
      recorder?.decided(fault);
      if (within(fault.d.seq, fault.d.ns)) decisions.add(fault);
    },
  });
  const decode = {
    ...(options.kernel === null ? {} : { kernel: options.kernel }),
    ...(options.arch === null ? {} : { arch: options.arch }),
    ...(options.vmemmapBase === null ? {} : { vmemmapBase: options.vmemmapBase }),
  };
  const open = hooks.source ?? eventsOf;
  let events = 0;
  let interrupted = false;
  let ended = false;
  const batches = from(open(input, { decode, texts: recorder !== null })).pipe(
    takeWhile(() => {
      interrupted = hooks.signal?.aborted ?? false;
      return !interrupted;
    }),
    tap((message) => {
      facts.apply(message.facts);
      const end = span.end(message);
      runner.run(message.events, 0, end);
      events += end;
      recorder?.add(message, state);
      ended = message.last;
    }),
    map((message) => ({ progress: message.progress, over: span.over(message, events) })),
    tap(({ progress }) => hooks.onProgress?.(progress)),
    takeWhile(({ over }) => !over, true),
  );
  await lastValueFrom(batches, { defaultValue: null });
  const { divergences, coverage } = runner.finish();
  const fit = fitOf(ballot, kernel());
  const auto = fit?.auto ?? null;
  const judged = declared ?? (auto === null ? undefined : variantById(auto.best));
  const analysis: Analysis = {
    trace: traceFacts(inputName(input), facts, state, events, options),
    variant: declared?.id ?? null,
    auto: declared === null ? auto : null,
    fit,
    coverage,
    givers: await giversOf(coverage),
    divergences,
    decisions: decisions.summary(state.notJudged),
    fidelity: {
      refcount: state.refcount.counts(),
      mapcount: state.mapcount.counts(),
      large_mapcount: state.largeMapcount.counts(),
      decision: decisionFidelity(ballot, judged),
      swapcount: state.swapcount.counts(),
      swapcache: state.swapcache.counts(),
      exclusive: state.exclusive.counts(),
    },
    interrupted,
  };
  if (ended) await recorder?.finish(analysis);
  return analysis;
}

/** What gives the kinds of event that the checks missed. */
async function giversOf(coverage: readonly Coverage[]): Promise<Record<string, Giver>> {
  // The declarations of tracepoints are loaded in the thread that reads, and here only for this.
  const { giverOf } = await import('../tracepoints/givers.ts');
  const givers: Record<string, Giver> = {};
  for (const need of new Set(coverage.flatMap(({ missing }) => missing)))
    if (giverOf(need) !== null) givers[need] = giverOf(need)!;
  return givers;
}

/** Clocks that order the records of all CPUs (formats.md 1.6). */
const ORDERED_CLOCKS = ['counter', 'global', 'mono'];
/** Skew assumed of a clock that is not known, or known to run by CPU (product.md). */
const UNORDERED_SKEW_NS = 1_000_000;

/** How far the stamps of two CPUs may be apart without telling which event came first, in ns (or ticks). */
export function clockSkew(
  options: Pick<AnalyzeOptions, 'clock' | 'clockSkewNs'>,
  whole: InputFacts['whole'],
): number {
  const clock = options.clock ?? whole?.clock ?? null;
  const ordered = clock !== null && ORDERED_CLOCKS.includes(clock);
  const skew = options.clockSkewNs ?? (ordered ? 0 : UNORDERED_SKEW_NS);
  // Stamps are cut to their unit: the events may be nearer to each other by nearly one.
  return skew + (whole?.resolution ?? 1) - 1;
}
