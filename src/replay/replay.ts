import { from, lastValueFrom, map, takeWhile } from 'rxjs';
import { Runner } from '../checks/runner.ts';
import { Ballot } from '../compare/ballot.ts';
import { type Bisection, bisect } from '../compare/bisect.ts';
import { type Fit, fitOf } from '../compare/fit.ts';
import { watchOccasions } from '../compare/occasions/index.ts';
import { Replayed } from '../compare/replayed.ts';
import { type Input, inputName } from '../core/input.ts';
import { FOLDS } from '../state/folds/index.ts';
import { MmState } from '../state/state.ts';
import { PRESETS, variantById } from '../variants/presets.ts';
import type { Variant } from '../variants/variant.ts';
import type { TraceFacts } from './analysis.ts';
import type { AnalyzeOptions } from './analyze.ts';
import { eventsOf } from './case-source.ts';
import type { Ingested, IngestOptions } from './ingest.ts';
import { InputFacts } from './input-facts.ts';
import { Span } from './span.ts';
import { kernelNumber, traceFacts } from './trace-facts.ts';

/** What to replay, and what the trace does not tell. */
export interface ReplayOptions
  extends Pick<AnalyzeOptions, 'kernel' | 'arch' | 'clock' | 'vmemmapBase' | 'since' | 'until'> {
  /** Variants to ask; null stands for `auto`. */
  readonly variants: ReadonlyArray<Variant | null>;
  /** Two variants whose difference is to be narrowed down, or null. */
  readonly bisect: readonly [Variant | null, Variant | null] | null;
}

export interface ReplayHooks {
  readonly source?: (input: Input, options: IngestOptions) => AsyncIterable<Ingested>;
}

/** A trace under several variants. */
export interface Replay {
  readonly trace: TraceFacts;
  readonly variants: readonly Variant[];
  readonly replayed: Replayed;
  readonly fit: Fit | null;
  readonly bisection: Bisection | null;
}

/** A name for what `auto` came to be; the preset of the kernel where no decision tells. */
function resolved(variant: Variant | null, fit: Fit | null): Variant {
  if (variant !== null) return variant;
  const best = variantById(fit?.auto?.best ?? fit?.search.base ?? '');
  return best ?? PRESETS.at(-1)!;
}

/** Each variant once, by its name. */
function distinct(variants: readonly Variant[]): Variant[] {
  return [...new Map(variants.map((variant) => [variant.id, variant])).values()];
}

/** Reads and folds an input once, and asks every variant about every decision on the way. */
export async function replay(input: Input, options: ReplayOptions, hooks: ReplayHooks = {}): Promise<Replay> {
  const state = new MmState(FOLDS);
  const facts = new InputFacts();
  const asked = [...options.variants, ...(options.bisect ?? [])];
  const named = asked.filter((variant) => variant !== null);
  // What `auto` is, is known at the end: until then it may be any released kernel.
  const unsettled = asked.includes(null) ? PRESETS : [];
  const steps = options.bisect === null ? [] : PRESETS;
  const replayed = new Replayed(distinct([...named, ...unsettled, ...steps]));
  const ballot = new Ballot();
  const kernel = (): number | null => kernelNumber(facts.whole);
  const span = new Span(options, () => facts.whole?.originNs ?? 0n);
  const runner = new Runner(state, [], {
    declared: null,
    kernel,
    watches: watchOccasions(state, kernel, (occasion) => {
      if (!span.has(occasion.seq, occasion.ns)) return;
      ballot.add(occasion);
      replayed.add(occasion);
    }),
  });
  const decode = {
    ...(options.kernel === null ? {} : { kernel: options.kernel }),
    ...(options.arch === null ? {} : { arch: options.arch }),
    ...(options.vmemmapBase === null ? {} : { vmemmapBase: options.vmemmapBase }),
  };
  let events = 0;
  const batches = from((hooks.source ?? eventsOf)(input, { decode })).pipe(
    map((message) => {
      facts.apply(message.facts);
      const end = span.end(message);
      runner.run(message.events, 0, end);
      events += end;
      return span.over(message, events);
    }),
    takeWhile((over) => !over, true),
  );
  await lastValueFrom(batches, { defaultValue: null });
  const fit = fitOf(ballot, kernel());
  const pair = options.bisect;
  return {
    trace: traceFacts(inputName(input), facts, state, events, options),
    variants: distinct(options.variants.map((variant) => resolved(variant, fit))),
    replayed,
    fit,
    bisection: pair === null ? null : bisect(replayed, resolved(pair[0], fit), resolved(pair[1], fit)),
  };
}
