import type { Check } from '../checks/check.ts';
import type { Divergence, Severity, Verdict } from '../checks/finding.ts';
import { CHECKS } from '../checks/index.ts';
import { Runner } from '../checks/runner.ts';
import type { EventBatch } from '../events/batch.ts';
import { FOLDS } from '../state/folds/index.ts';
import { MmState } from '../state/state.ts';
import type { Variant } from '../variants/variant.ts';

/** What events are judged by, beside themselves. */
export interface JudgeFacts {
  readonly declared: Variant | null;
  /** Kernel generation as major * 100 + minor, or null. */
  readonly kernel: number | null;
  /** How far the clocks of two CPUs may be apart, in ns. */
  readonly skewNs: number;
}

/** What the checks say of events. */
export interface Judged {
  readonly state: MmState;
  readonly divergences: readonly Divergence[];
  /** Every check that fired, as itself or as a consequence, with its best verdict. */
  readonly fired: ReadonlyMap<string, { readonly verdict: Verdict; readonly severity: Severity }>;
}

/** Judges events that are in memory: the same fold and the same checks as for any trace, or some of them. */
export function judgeEvents(
  events: EventBatch,
  { declared, kernel, skewNs }: JudgeFacts,
  checks: readonly Check[] = CHECKS,
): Judged {
  const state = new MmState(FOLDS);
  const runner = new Runner(state, checks, { declared, kernel: () => kernel, skewNs: () => skewNs });
  runner.run(events);
  const { divergences } = runner.finish();
  const fired = new Map<string, { verdict: Verdict; severity: Severity }>();
  for (const found of divergences)
    for (const { check, verdict, severity } of [found, ...found.consequences])
      if (fired.get(check)?.verdict !== 'proven') fired.set(check, { verdict, severity });
  return { state, divergences, fired };
}
