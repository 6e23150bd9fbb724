import { PG_HEAD } from '../core/pageflags.ts';
import { PIN_BIAS } from '../events/flags.ts';
import { pageAlloc, pageFree, refAdd, refSet } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check, CheckContext, CheckRun } from './check.ts';
import type { Held } from './evidence.ts';
import { isKept } from './evidence.ts';
import { surelyBefore } from './integrity.ts';
import { type Claim, Pending } from './pending.ts';

/**
 * Claims that a pin was live when its page was taken away. The pin is known by its get; that its put was not among
 * records that are missing is shown by a later count that still has it, or by the put itself, unless that may have
 * been done before and told late.
 */
export class PinClaims {
  readonly #pending: Pending;
  readonly #context: CheckContext;

  constructor(context: CheckContext, check: Pick<Check, 'id'>) {
    this.#context = context;
    this.#pending = new Pending(context, check);
  }

  /** Claims it of a page, or tells it at once as a suspect for want of what `missing` names. */
  claim(pfn: number, finding: Omit<Claim, 'missing'>, missing: string | null): void {
    const key = String(pfn);
    // The earlier one on the same page was not confirmed since.
    this.#pending.settle(key);
    this.#pending.claim(key, {
      ...finding,
      missing: missing ?? 'a count of the page that still has the pin',
    });
    if (missing !== null) this.#pending.settle(key);
  }

  /** What is missing for certainty that a pin of this mm was held and kept when an event was recorded; null nothing. */
  doubtOf(held: Held, e: Cursor): string | null {
    if (held.doubtful) return 'which pin the put ended';
    if (!isKept(this.#context.state, held)) return 'whether the walk that took the pin kept it';
    return surelyBefore(held, e, this.#context.skewNs()) ? null : 'the order of two CPUs';
  }

  #counted(e: Cursor): void {
    const pfn = e.args[e.at + refAdd.at.pfn]!;
    const key = String(pfn);
    const claim = this.#pending.get(key);
    if (claim === undefined) return;
    // A large folio counts its pins apart, and has a thousand references without.
    if (e.args[e.at + refAdd.at.flags]! & PG_HEAD) return;
    const delta = e.args[e.at + refAdd.at.delta]!;
    const count = e.args[e.at + refAdd.at.count]!;
    // What was there before this change; a put of a pin says that there was one.
    const before = Math.max(count, count - delta);
    if (Number.isNaN(before)) return;
    if (before < PIN_BIAS) {
      this.#pending.drop(key);
      return;
    }
    if (delta >= PIN_BIAS) return;
    const put = delta <= -PIN_BIAS;
    const { ns, cpu, seq } = claim.place;
    const behind = surelyBefore({ ns, cpu: cpu ?? -1 }, e, this.#context.skewNs());
    // A change is told after it was made: since the last record of its task, which may lie before the claim.
    const since = this.#context.state.tasks.peek(Tasks.actor(e))?.prevSeq ?? 0;
    if (put && !(behind && since > seq)) {
      this.#pending.settle(key);
      return;
    }
    if (!behind) return;
    this.#pending.confirm(key, {
      seq: e.seq,
      role: 'harm',
      text: put ? 'the pin is put only now' : `the pin is still there: ${count} references`,
    });
  }

  #over(pfn: number): void {
    this.#pending.settle(String(pfn));
  }

  /** Hooks that settle the claims. */
  run(run: CheckRun): CheckRun {
    return {
      ...run,
      before: [
        ...(run.before ?? []),
        [pageAlloc, (e) => this.#over(e.args[e.at + pageAlloc.at.pfn]!), this.#pending.wake],
        [pageFree, (e) => this.#over(e.args[e.at + pageFree.at.pfn]!), this.#pending.wake],
        [refSet, (e) => this.#over(e.args[e.at + refSet.at.pfn]!), this.#pending.wake],
      ],
      after: [...(run.after ?? []), [refAdd, (e) => this.#counted(e), this.#pending.wake]],
      finish: () => {
        run.finish?.();
        this.#pending.finish();
      },
    };
  }
}
