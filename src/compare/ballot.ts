import { AXES } from '../variants/axes.ts';
import type { AxisValue, Variant } from '../variants/variant.ts';
import type { DecidingAxis, Occasion } from './occasion.ts';

/** How far one axis value explains what was decided. */
export interface Tally {
  agreed: number;
  differed: number;
  unknown: number;
  /** First decision that contradicts it, 0 if none. */
  firstSeq: number;
  /** Sum over the contradicting decisions: values with the same ones have the same. */
  mark: number;
}

/** The axes that decide what is watched, in the order of reports. */
export const DECIDING_AXES: readonly DecidingAxis[] = [
  'cow',
  'ksm',
  'swapin-reuse',
  'collapse',
  'swapoff',
  'fork',
];

const NONE: Readonly<Tally> = { agreed: 0, differed: 0, unknown: 0, firstSeq: 0, mark: 0 };

/** Asks every value of every axis what it says of each decision: a variant is one value of each. */
export class Ballot {
  readonly #tallies = new Map<AxisValue, Tally>();

  add(occasion: Occasion): void {
    for (const value of AXES[occasion.axis].values) {
      const { agreement } = occasion.vote(value);
      const tally = this.#tallies.get(value) ?? { ...NONE };
      this.#tallies.set(value, tally);
      if (agreement === 'agrees') tally.agreed++;
      else if (agreement === 'unknown') tally.unknown++;
      else {
        tally.differed++;
        tally.firstSeq ||= occasion.seq;
        tally.mark = (tally.mark * 31 + occasion.seq) % 4294967291;
      }
    }
  }

  /** How far an axis value explains the decisions of its axis. */
  tally(value: AxisValue): Readonly<Tally> {
    return this.#tallies.get(value) ?? NONE;
  }

  /** Whether any decision of this axis could be judged by any value. */
  judged(axis: DecidingAxis): boolean {
    return AXES[axis].values.some((value) => {
      const { agreed, differed } = this.tally(value);
      return agreed + differed > 0;
    });
  }

  /** Decisions of do_wp_page that a variant explains, and that contradict it. */
  writeFaults(variant: Variant): Readonly<Tally> {
    const a = this.tally(variant.axes.cow);
    const b = this.tally(variant.axes.ksm);
    return {
      agreed: a.agreed + b.agreed,
      differed: a.differed + b.differed,
      unknown: a.unknown + b.unknown,
      firstSeq: a.firstSeq === 0 || (b.firstSeq > 0 && b.firstSeq < a.firstSeq) ? b.firstSeq : a.firstSeq,
      mark: a.mark + b.mark,
    };
  }
}
