import type { Variant } from '../variants/variant.ts';
import { DEFAULTS, type ExploreOptions, explore } from './explore/explore.ts';
import { withJudged } from './explore/judged.ts';
import type { Outcome } from './explore/outcome.ts';
import type { Expectation, Program } from './program.ts';
import { holds } from './rules.ts';
import { encode } from './schedule.ts';

/** A scenario explored under a variant, beside what was expected. */
export interface Explored {
  readonly program: Program;
  readonly variant: Variant;
  readonly outcome: Outcome;
  /** The expectation that speaks of this variant; undefined: the scenario says nothing of it. */
  readonly expected: Expectation | undefined;
  /** What differs from it, as sentences; empty where nothing does. */
  readonly surprises: readonly string[];
  /** The shortest bad interleaving of the first divergence found, as a token; null if none was found. */
  readonly witness: string | null;
}

function surprisesOf(outcome: Outcome, expected: Expectation | undefined): string[] {
  if (expected === undefined) return [];
  const out: string[] = [];
  for (const [id, often] of outcome.found) {
    const wanted = expected.found.get(id);
    if (wanted === 'may' || wanted === often) continue;
    // What was not exhausted cannot tell some from all.
    if (wanted !== undefined && !outcome.exhausted) continue;
    out.push(
      wanted === undefined ? `${id} (${often}) was not expected` : `${id}: ${often}, expected ${wanted}`,
    );
  }
  if (!outcome.exhausted) return out;
  for (const [id, wanted] of expected.found)
    if (wanted !== 'may' && ![...outcome.found.keys()].some((found) => found === id))
      out.push(`${id} (${wanted}) was expected`);
  return out;
}

/** Whether a scenario says anything of a variant: some need KSM, khugepaged, or a certain driver. */
export function applies(program: Program, variant: Variant): boolean {
  return holds(program.requires, variant);
}

/** What a scenario expects under a variant: the first line whose conditions hold. */
export function expectationOf(program: Program, variant: Variant): Expectation | undefined {
  return program.expectations.find(({ when }) => holds(when, variant));
}

/** Explores a scenario under a variant and compares with what its file expects. */
export function runScenario(
  program: Program,
  variant: Variant,
  options: ExploreOptions = DEFAULTS,
): Explored {
  const outcome = withJudged(program, variant, explore(program, variant, options));
  const expected = expectationOf(program, variant);
  const [worst] = outcome.witnesses.values();
  return {
    program,
    variant,
    outcome,
    expected,
    surprises: surprisesOf(outcome, expected),
    witness: worst === undefined ? null : encode(program, variant.id, worst),
  };
}
