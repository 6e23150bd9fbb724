/** The tool measuring itself: what was reconstructed against what the trace printed (product.md). */
export class Fidelity {
  compared = 0;
  agreed = 0;
  raced = 0;
  unknown = 0;
  /** Comparisons that neither agreed nor were raced, by the first ones: seq, expected, printed. */
  readonly disagreed: Array<readonly [seq: number, expected: number, printed: number]> = [];

  /** The counts alone. */
  counts(): { compared: number; agreed: number; raced: number; unknown: number } {
    return { compared: this.compared, agreed: this.agreed, raced: this.raced, unknown: this.unknown };
  }

  agree(): void {
    this.compared++;
    this.agreed++;
  }

  race(samples = 1): void {
    this.compared += samples;
    this.raced += samples;
  }

  disagree(seq: number, expected: number, printed: number, samples = 1): void {
    this.compared += samples;
    if (this.disagreed.length < 100) this.disagreed.push([seq, expected, printed]);
  }
}
