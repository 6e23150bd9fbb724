import { describe, expect, test } from 'vitest';
import { type Judged, type Judging, judge, told } from '../notation.ts';

/** What a check must do, as event sequences. */
export interface Case {
  readonly check: string;
  /** Fires with this severity and cause, proven unless said otherwise. */
  readonly trigger: string;
  readonly severity: string;
  readonly cause: string;
  readonly verdict?: string;
  /** Near-misses: nothing is said, and the check could judge. */
  readonly silent: ReadonlyArray<readonly [why: string, text: string]>;
  /** Without the deciding event: nothing is said, and the check says what it lacks. */
  readonly without: ReadonlyArray<readonly [what: string, text: string, missing: string]>;
  /** Fires, but is only suspect, for want of this. */
  readonly suspect?: ReadonlyArray<readonly [why: string, text: string, missing: string]>;
  readonly how?: Judging;
}

/** Severity, verdict and cause that a check gives, as head or as consequence; null if it says nothing. */
export function saidBy(
  check: string,
  found: Judged,
): { severity: string; verdict: string; missing?: string | null; cause: string } | null {
  for (const d of found.divergences) {
    if (d.check === check) return d;
    const also = d.consequences.find((one) => one.check === check);
    if (also !== undefined) return { ...also, cause: d.cause };
  }
  return null;
}

/** A record was lost before anything was seen. */
const LOST = '  0 1 trace.lost cpu=0 count=3\n';
/** A CPU of the three has no record yet. */
const BLIND = '  0 1 trace.segment overwritten=10 cpus=3\n';

/** Tests of one case: trigger, near-misses, what it lacks without the deciding event, and no proof on a lossy trace. */
export function describeCase({ check, how = {}, verdict = 'proven', ...story }: Case): void {
  const run = (text: string): Judged => judge(text, how);
  describe(check, () => {
    test(`fires: ${story.cause}`, () => {
      expect(saidBy(check, run(story.trigger))).toMatchObject({
        severity: story.severity,
        verdict,
        cause: story.cause,
      });
    });
    test.each(story.silent)('silent: %s', (_why, text) => {
      const found = run(text);
      expect(saidBy(check, found)).toBeNull();
      expect(found.coverage.get(check)!.judged).toBeGreaterThan(0);
    });
    test.each(story.without)('without %s: says what it lacks', (_what, text, missing) => {
      const found = run(text);
      expect(saidBy(check, found)).toBeNull();
      expect(found.coverage.get(check)!.missing).toContain(missing);
    });
    for (const [why, text, missing] of story.suspect ?? [])
      test(`${why}: suspect`, () => {
        const said = saidBy(check, run(text));
        expect(said?.verdict).toBe('suspect');
        // A consequence names only its evidence.
        if (said?.missing !== undefined) expect(said.missing).toBe(missing);
      });
    test('proves nothing where records were lost, or a CPU is not yet seen', () => {
      for (const text of [LOST + story.trigger, BLIND + story.trigger])
        expect(saidBy(check, run(text))?.verdict ?? 'suspect').toBe('suspect');
    });
  });
}

/** Findings that a healthy kernel must not get, against 6.12 and with nothing declared: all that are proven, but for information. */
export function proven(text: string): string[] {
  return graver(text).filter((line) => line.includes(' proven '));
}

/** Those, and suspicions of the same severities. */
export function graver(text: string): string[] {
  const found = ['6.12', null].flatMap((variant) => told(judge(text, { variant })));
  return [...new Set(found.filter((line) => !line.startsWith('info')))];
}
