/** The tool measuring itself: what was reconstructed against what the trace printed (product.md). */
export class Fidelity {
  /** Of what {@link image} returns, and of what it means. */
  static readonly version = 2;
  compared = 0;
  agreed = 0;
  raced = 0;
  unknown = 0;
  /** How often a value turned out to be another one than was reconstructed. */
  contradictions = 0;
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
    this.contradictions++;
    if (this.disagreed.length < 100) this.disagreed.push([seq, expected, printed]);
  }

  image(): FidelityImage {
    return { ...this.counts(), contradictions: this.contradictions, disagreed: [...this.disagreed] };
  }

  restore(image: FidelityImage): void {
    this.compared = image.compared;
    this.agreed = image.agreed;
    this.raced = image.raced;
    this.unknown = image.unknown;
    this.contradictions = image.contradictions;
    this.disagreed.splice(0, this.disagreed.length, ...image.disagreed);
  }
}

/** Counts and first disagreements, for a snapshot. */
export interface FidelityImage extends ReturnType<Fidelity['counts']> {
  readonly contradictions: number;
  readonly disagreed: Fidelity['disagreed'];
}
