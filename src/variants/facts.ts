import type { Ruling } from './variant.ts';

/** Inputs of a procedure: truths and small numbers. */
export type Facts = Readonly<Record<string, boolean | number>>;

/** What is known of them: undefined and NaN are unknown. */
export type Known<F extends Facts> = { readonly [K in keyof F]: F[K] | undefined };

/** Values that an unknown input may have, each standing for all that are alike to the procedures. */
export type Ranges<F extends Facts> = { readonly [K in keyof F]: readonly F[K][] };

function isKnown<T extends boolean | number>(value: T | undefined): value is T {
  return value !== undefined && !Number.isNaN(value);
}

/**
 * Runs a procedure over every way to fill what is not known of its inputs, as far as it asks for them. One outcome:
 * it holds. Several: unknown, with the inputs that were asked for in vain.
 */
export function weighFacts<F extends Facts, Outcome extends string>(
  known: Known<F>,
  ranges: Ranges<F>,
  procedure: (facts: F) => Ruling<Outcome>,
): Ruling<Outcome> {
  const asked: string[] = [];
  const found: Ruling<Outcome>[] = [];
  const run = (filled: ReadonlyMap<string, boolean | number>): void => {
    let gap: string | null = null;
    const facts = new Proxy({} as F, {
      get(_target, property) {
        const name = String(property);
        const value = known[name];
        if (isKnown(value)) return value;
        const chosen = filled.get(name);
        if (chosen !== undefined) return chosen;
        gap ??= name;
        return ranges[name]![0];
      },
    });
    const ruling = procedure(facts);
    if (gap === null) {
      if (!found.some((other) => other.outcome === ruling.outcome)) found.push(ruling);
      return;
    }
    if (!asked.includes(gap)) asked.push(gap);
    for (const value of ranges[gap]!) run(new Map([...filled, [gap, value]]));
  };
  run(new Map());
  if (found.length === 1) return found[0]!;
  return { outcome: 'unknown', reason: 'unknown', missing: asked };
}
