import { AXES } from '../variants/axes.ts';
import { setAxis } from '../variants/parse.ts';
import { PRESETS } from '../variants/presets.ts';
import type { AxisValue, Variant } from '../variants/variant.ts';
import { type Ballot, DECIDING_AXES, type Tally } from './ballot.ts';
import type { DecidingAxis } from './occasion.ts';

/** A preset that the trace contradicts: on which axis, how often, and where first. */
export interface Contradicted {
  readonly id: string;
  readonly axis: DecidingAxis;
  readonly differed: number;
  readonly judged: number;
  readonly firstSeq: number;
}

/** The value of one axis that explains most, and others that explain as much. */
export interface AxisFit {
  readonly axis: DecidingAxis;
  readonly value: string;
  readonly also: readonly string[];
  readonly agreed: number;
  readonly judged: number;
  /** The same of the base's own value. */
  readonly baseAgreed: number;
  readonly baseJudged: number;
}

/** The axis values that explain a trace best, beside those of the preset that is nearest to its kernel. */
export interface Search {
  /** PRESET, or PRESET+axis=value,... */
  readonly id: string;
  readonly base: string;
  /** Axes whose decisions could be judged. */
  readonly axes: readonly AxisFit[];
}

/** The released presets that explain the judged decisions best (product.md, `auto`). */
export interface AutoFit {
  readonly best: string;
  /** Presets that no decision tells from the best one. */
  readonly also: readonly string[];
  /** Decisions of do_wp_page. */
  readonly agreed: number;
  readonly judged: number;
}

/** Which rules a trace follows. */
export interface Fit {
  /** Null where no decision of do_wp_page tells. */
  readonly auto: AutoFit | null;
  /** Released presets that no decision contradicts. */
  readonly explained: readonly string[];
  readonly contradicted: readonly Contradicted[];
  readonly search: Search;
}

/** A rule that needs fewer inputs judges more; one that judges less than this share of the most is passed over. */
const SHARE_TO_COUNT = 0.5;

const released: readonly Variant[] = PRESETS.filter((variant) => variant.released);

/** The preset nearest below or at the trace's kernel, else the newest. */
function nearest(variants: readonly Variant[], kernel: number | null): Variant | undefined {
  const newestFirst = [...variants].sort((a, b) => b.rank - a.rank);
  return newestFirst.find((variant) => kernel !== null && variant.rank <= kernel) ?? newestFirst[0];
}

/** The preset that the trace's kernel was released as: from 6.12 on "6.12", before 6.15. */
function ofKernel(kernel: number | null): Variant {
  return nearest(released, kernel)!;
}

function firstContradiction(ballot: Ballot, variant: Variant): Contradicted | null {
  let found: Contradicted | null = null;
  for (const axis of DECIDING_AXES) {
    const { agreed, differed, firstSeq } = ballot.tally(variant.axes[axis]);
    if (differed === 0 || (found !== null && found.firstSeq <= firstSeq)) continue;
    found = { id: variant.id, axis, differed, judged: agreed + differed, firstSeq };
  }
  return found;
}

/** The released presets that explain most of do_wp_page; null where that cannot be said. */
function bestOf(
  ballot: Ballot,
  kernel: number | null,
): { best: Variant; also: Variant[]; tally: Readonly<Tally> } | null {
  const rows = released.map((variant) => ({ variant, tally: ballot.writeFaults(variant) }));
  const most = Math.max(...rows.map(({ tally }) => tally.agreed));
  if (most === 0) return null;
  const own = rows.find(({ variant }) => variant === ofKernel(kernel))!;
  // What the trace lacks is an input of the kernel's own rule: that another rule needs less says nothing for it.
  if (kernel !== null && own.tally.agreed + own.tally.differed === 0) return null;
  const counted = rows.filter(({ tally }) => tally.agreed >= most * SHARE_TO_COUNT);
  const least = Math.min(...counted.map(({ tally }) => tally.differed));
  const fitting = counted.filter(({ tally }) => tally.differed === least);
  // Where nothing speaks against the kernel's own rules it is these; else those that explain most.
  const top = Math.max(...fitting.map((row) => row.tally.agreed));
  const best = fitting.includes(own)
    ? own.variant
    : nearest(
        fitting.filter((row) => row.tally.agreed === top).map(({ variant }) => variant),
        kernel,
      )!;
  const { tally } = fitting.find(({ variant }) => variant === best)!;
  const also = fitting
    .filter(({ variant, tally: other }) => variant !== best && alike(other, tally))
    .map(({ variant }) => variant);
  return { best, also, tally };
}

/** Whether two rules explain and contradict the same decisions, as far as counts tell. */
function alike(a: Readonly<Tally>, b: Readonly<Tally>): boolean {
  return a.agreed === b.agreed && a.differed === b.differed && a.mark === b.mark;
}

/** The best value of one axis: fewest contradictions, then most explained; the base's own where it is as good. */
function axisFit(ballot: Ballot, axis: DecidingAxis, base: Variant): AxisFit | null {
  if (!ballot.judged(axis)) return null;
  const values: readonly AxisValue[] = AXES[axis].values;
  const mine = base.axes[axis];
  const own = ballot.tally(mine);
  const most = Math.max(...values.map((value) => ballot.tally(value).agreed));
  const counted = values.filter((value) => ballot.tally(value).agreed >= most * SHARE_TO_COUNT);
  const least = Math.min(...counted.map((value) => ballot.tally(value).differed));
  const fitting = counted.filter((value) => ballot.tally(value).differed === least);
  // Newest first: of rules that the trace does not tell apart the last one is the nearest.
  const chosen =
    own.differed === 0 || fitting.includes(mine)
      ? mine
      : fitting.reduce((a, b) => (ballot.tally(b).agreed >= ballot.tally(a).agreed ? b : a));
  const tally = ballot.tally(chosen);
  return {
    axis,
    value: chosen.id,
    also: fitting
      .filter((value) => value !== chosen && alike(ballot.tally(value), tally))
      .map(({ id }) => id),
    agreed: tally.agreed,
    judged: tally.agreed + tally.differed,
    baseAgreed: own.agreed,
    baseJudged: own.agreed + own.differed,
  };
}

/** Searches the axes one by one: what decides one kind of decision decides no other. */
function search(ballot: Ballot, base: Variant): Search {
  const axes = DECIDING_AXES.map((axis) => axisFit(ballot, axis, base)).filter((fit) => fit !== null);
  let found = base;
  for (const { axis, value } of axes) found = setAxis(found, axis, value);
  return { id: found.id, base: base.id, axes };
}

/** Which rules the trace follows. Null where no decision could be judged. */
export function fitOf(ballot: Ballot, kernel: number | null): Fit | null {
  if (!DECIDING_AXES.some((axis) => ballot.judged(axis))) return null;
  const found = bestOf(ballot, kernel);
  const contradicted = released
    .map((variant) => firstContradiction(ballot, variant))
    .filter((row) => row !== null);
  const base = kernel !== null || found === null ? ofKernel(kernel) : found.best;
  return {
    auto:
      found === null
        ? null
        : {
            best: found.best.id,
            also: found.also.map(({ id }) => id),
            agreed: found.tally.agreed,
            judged: found.tally.agreed + found.tally.differed,
          },
    explained: released.map(({ id }) => id).filter((id) => !contradicted.some((row) => row.id === id)),
    contradicted,
    search: search(ballot, base),
  };
}
