import type { AxisId } from '../variants/axes.ts';
import { differences } from '../variants/make-variant.ts';
import { PRESETS } from '../variants/presets.ts';
import type { AxisValue, Variant } from '../variants/variant.ts';
import { DECIDING_AXES } from './ballot.ts';
import type { DecidingAxis, Vote } from './occasion.ts';
import { type Replayed, type ReplayedDecision, voteIn } from './replayed.ts';

/** Decisions that flip at the same step of history, from the same reason to the same reason. */
export interface Flip {
  readonly count: number;
  readonly firstSeq: number;
  /** Values of the axis between which the outcome changes to that of the second variant. */
  readonly from: AxisValue;
  readonly to: AxisValue;
  /** What decided on either side. */
  readonly before: Pick<Vote, 'outcome' | 'reason'>;
  readonly after: Pick<Vote, 'outcome' | 'reason'>;
}

/** One axis that flips decisions of the trace. */
export interface FlippingAxis {
  readonly axis: DecidingAxis;
  readonly from: string;
  readonly to: string;
  readonly decisions: number;
  readonly flips: readonly Flip[];
}

/** Why two variants decide a trace differently. */
export interface Bisection {
  readonly a: string;
  readonly b: string;
  /** The smallest set of axes that turns every outcome of the one into that of the other; empty: they agree. */
  readonly axes: readonly FlippingAxis[];
  /** Axes in which they differ, and that flip nothing here. */
  readonly idle: readonly AxisId[];
}

/** Values of an axis from one to the other as the presets had them, oldest first, each once. */
function history(axis: DecidingAxis, a: Variant, b: Variant): AxisValue[] {
  const [low, high] = a.rank <= b.rank ? [a, b] : [b, a];
  const between = PRESETS.filter(
    ({ released, rank }) => released && rank >= low.rank && rank <= high.rank,
  ).map((preset): AxisValue => preset.axes[axis]);
  const values: AxisValue[] = [low.axes[axis], ...between, high.axes[axis]];
  const path = values.filter((value, i) => value !== values[i - 1]);
  // A value that is its own end of the path is not passed twice.
  const inner = path.slice(1, -1).filter((value) => value !== path[0] && value !== path.at(-1));
  const chain = [path[0]!, ...inner, ...(path.length > 1 ? [path.at(-1)!] : [])];
  return a.rank <= b.rank ? chain : chain.reverse();
}

/** The step of history at which a decision gets the outcome that it keeps to the end. */
function flipOf(decision: ReplayedDecision, chain: readonly AxisValue[]): Omit<Flip, 'count' | 'firstSeq'> {
  const votes = chain.map((value) => decision.votes.get(value)!);
  const last = votes.at(-1)!;
  let at = votes.length - 1;
  while (at > 0 && votes[at - 1]!.outcome === last.outcome) at--;
  const before = votes[at - 1]!;
  const after = votes[at]!;
  return {
    from: chain[at - 1]!,
    to: chain[at]!,
    before: { outcome: before.outcome, reason: before.reason },
    after: { outcome: after.outcome, reason: after.reason },
  };
}

/**
 * The smallest set of axes that flips. Each decision is decided by one axis, so an axis is in the set if and only if
 * it flips a decision: no smaller set will do. Outcomes that are unknown flip nothing.
 */
export function bisect(replayed: Replayed, a: Variant, b: Variant): Bisection {
  const axes: FlippingAxis[] = [];
  for (const axis of DECIDING_AXES) {
    if (a.axes[axis] === b.axes[axis]) continue;
    const flipped = replayed.decisions.filter((decision) => {
      if (decision.axis !== axis) return false;
      const from = voteIn(decision, a).outcome;
      const to = voteIn(decision, b).outcome;
      return from !== to && from !== 'unknown' && to !== 'unknown';
    });
    if (flipped.length === 0) continue;
    const chain = history(axis, a, b);
    const groups = new Map<string, { -readonly [K in keyof Flip]: Flip[K] }>();
    for (const decision of flipped) {
      const flip = flipOf(decision, chain);
      const key = JSON.stringify([flip.from.id, flip.to.id, flip.before, flip.after]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { ...flip, count: 1, firstSeq: decision.seq });
      else group.count++;
    }
    axes.push({
      axis,
      from: a.axes[axis].id,
      to: b.axes[axis].id,
      decisions: flipped.length,
      flips: [...groups.values()].sort((x, y) => y.count - x.count || x.firstSeq - y.firstSeq),
    });
  }
  const idle = differences(a, b).filter((axis) => !axes.some((found) => found.axis === axis));
  return { a: a.id, b: b.id, axes, idle };
}
