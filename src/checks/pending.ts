import type { Check, CheckContext } from './check.ts';
import { isWhole } from './evidence.ts';
import type { Evidence, Finding, Severity } from './finding.ts';
import { Wake } from './waiting.ts';

/** What a finding says, apart from its check and its verdict. */
export interface Claim extends Pick<Finding, 'cause' | 'moment' | 'place'> {
  readonly severity: Severity;
  readonly values?: Finding['values'];
  readonly evidence: readonly Evidence[];
  /** What would settle it, or the sentence about the absence on which it rests. */
  readonly missing: string;
}

/** Claims that are held at a time: beyond, the oldest is told as a suspect. */
const CLAIMS_HELD = 4096;

/**
 * Claims that rest on something that did not happen, which one record more could explain away. They are suspects,
 * until a later record states what only holds if they are true; then they are proven. A claim is told once.
 */
export class Pending {
  /** For hooks that only confirm or drop: they sleep while nothing is claimed. */
  readonly wake = new Wake();
  readonly #context: CheckContext;
  readonly #id: string;
  readonly #held = new Map<string, { readonly claim: Claim; readonly horizon: number }>();

  constructor(context: CheckContext, check: Pick<Check, 'id'>) {
    this.#context = context;
    this.#id = check.id;
  }

  /** Makes a claim; a second one under the same key is the same. */
  claim(key: string, claim: Claim): void {
    if (this.#held.has(key)) return;
    this.#held.set(key, { claim, horizon: this.#context.state.horizon });
    this.wake.any = true;
    if (this.#held.size <= CLAIMS_HELD) return;
    for (const oldest of this.#held.keys()) {
      this.#suspect(oldest);
      return;
    }
  }

  /** Whether there is anything to confirm. */
  get any(): boolean {
    return this.wake.any;
  }

  get(key: string): Claim | undefined {
    return this.#held.get(key)?.claim;
  }

  /** Keys and claims, oldest first. */
  *all(): Generator<readonly [string, Claim]> {
    for (const [key, { claim }] of this.#held) yield [key, claim];
  }

  /** A later record shows that the claim is true. */
  confirm(key: string, evidence: Evidence, values: Finding['values'] = {}): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    const s = this.#context.state;
    // Records lost in between could have changed what the claim is about.
    if (!isWhole(s) || s.horizon !== held.horizon) {
      this.#suspect(key);
      return;
    }
    this.#remove(key);
    const { claim } = held;
    this.#tell(
      {
        ...claim,
        values: { ...claim.values, ...values },
        evidence: [...claim.evidence, evidence],
      },
      true,
    );
  }

  /** A later record shows that there was nothing, or the subject is gone. */
  drop(key: string): void {
    this.#remove(key);
  }

  #remove(key: string): void {
    this.#held.delete(key);
    this.wake.any = this.#held.size > 0;
  }

  /** A claim that nothing will confirm any more is told as it is. */
  settle(key: string): void {
    if (this.#held.has(key)) this.#suspect(key);
  }

  #suspect(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#remove(key);
    this.#tell(held.claim, false);
  }

  #tell({ missing, values = {}, ...claim }: Claim, proven: boolean): void {
    this.#context.report({
      ...claim,
      check: this.#id,
      verdict: proven ? 'proven' : 'suspect',
      values,
      missing: proven ? null : missing,
    });
  }

  /** The trace is over: what was not confirmed is told as suspect. */
  finish(): void {
    for (const key of [...this.#held.keys()]) this.#suspect(key);
  }
}

/** Tells a finding at once: proven, unless records are missing and `missing` says which would settle it. */
export function tell(
  context: CheckContext,
  id: string,
  claim: Omit<Claim, 'missing'>,
  missing: string | null,
): void {
  const told = missing ?? (isWhole(context.state) ? null : 'the records that were lost');
  context.report({
    ...claim,
    check: id,
    verdict: told === null ? 'proven' : 'suspect',
    values: claim.values ?? {},
    missing: told,
  });
}
