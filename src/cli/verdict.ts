import { SEVERITIES, type Severity, type Verdict } from '../checks/finding.ts';
import type { Analysis } from '../replay/analysis.ts';
import { EXIT, type ExitCode, worse } from './exit.ts';

/** When an analysis makes the program fail. */
export interface FailRules {
  /** Divergences of this severity or a worse one count. */
  readonly failOn: Severity;
  readonly suspects: boolean;
  /** Checks that must have been able to judge. */
  readonly required: readonly string[];
}

/** The exit code that an analysis asks for. */
export function exitOf(analysis: Analysis, rules: FailRules): ExitCode {
  const worst = SEVERITIES.indexOf(rules.failOn);
  const counts = (found: { readonly severity: Severity; readonly verdict: Verdict }): boolean =>
    SEVERITIES.indexOf(found.severity) <= worst && (found.verdict === 'proven' || rules.suspects);
  let code: ExitCode = EXIT.ok;
  if (analysis.divergences.some((found) => counts(found) || found.consequences.some(counts))) {
    code = EXIT.divergences;
  }
  for (const check of rules.required) {
    const coverage = analysis.coverage.find((entry) => entry.check === check);
    // A required check must have judged something: a capture that shows it no occasion proves nothing.
    if (coverage === undefined || coverage.judged === 0) code = worse(code, EXIT.notJudged);
  }
  return analysis.interrupted ? worse(code, EXIT.interrupted) : code;
}
