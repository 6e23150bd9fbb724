import { CHECKS } from '../checks/index.ts';
import { fingerprint } from '../core/fingerprint.ts';
import { FOLDS } from '../state/folds/index.ts';
import { MmState } from '../state/state.ts';
import { VARIANTS } from '../variants/presets.ts';
import type { AnalyzeOptions } from './analyze.ts';
import type { Moment } from './span.ts';

/** Raise it when an analysis of the same events comes out differently for a reason that {@link engineVersion} does not see. */
const VERSION = 2;

/** What was asked of an input, as text: equal questions have equal answers. */
export function question(options: AnalyzeOptions): string {
  const moment = (at: Moment | null): string | null =>
    at === null ? null : 'seq' in at ? `seq ${at.seq}` : `ns ${at.ns}`;
  return JSON.stringify({
    // A variant is its axes, whatever it is called.
    variant: options.variant,
    checks: options.checks,
    since: moment(options.since),
    until: moment(options.until),
    clock: options.clock,
    clockSkewNs: options.clockSkewNs,
  });
}

/**
 * What answers depend on beside events and question: the slices of the state, the checks, the variants, and the text
 * of the code that folds and judges (its own, not that of what it calls).
 */
export function engineVersion(): string {
  const state = new MmState(FOLDS);
  const parts = [
    String(VERSION),
    JSON.stringify(state.versions()),
    ...FOLDS.map(({ kind, run }) => `${kind.name} ${run}`),
    ...CHECKS.map((check) => `${check.id} ${check.specificity} ${check.start}`),
    ...VARIANTS.map((variant) => variant.id),
  ];
  return fingerprint(parts.join('\n'));
}
