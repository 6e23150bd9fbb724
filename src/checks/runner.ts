import type { EventBatch } from '../events/batch.ts';
import { EVENT_KINDS, eventKind } from '../events/registry.ts';
import { Cursor } from '../state/cursor.ts';
import type { Decision } from '../state/decision.ts';
import type { MmState } from '../state/state.ts';
import type { Variant } from '../variants/variant.ts';
import type { Check, CheckRun, KindHook } from './check.ts';
import type { Coverage, Divergence, Finding } from './finding.ts';
import { onLastUse } from './last-put.ts';
import { Moments } from './moments.ts';
import type { Wake } from './waiting.ts';
import { viewFault, type WriteFault } from './write-fault.ts';

type Hook = (e: Cursor) => void;

const CONTRADICTED =
  'records that nothing says were lost: the values that the trace prints contradict each other before this';

interface Tally {
  judged: number;
  cannotJudge: number;
  readonly missing: Set<string>;
  last: string;
}

/** What a run of checks needs to know beside the state. */
export interface RunnerOptions {
  readonly declared: Variant | null;
  readonly kernel: () => number | null;
  /** How far the clocks of two CPUs may be apart (ns); 0 if absent. */
  readonly skewNs?: () => number;
  /** Whether findings at this seq and time are wanted; all if absent. */
  readonly within?: (seq: number, ns: number) => boolean;
  /** Called for every closed do_wp_page bracket, with the shared predicates applied. */
  readonly onDecision?: (fault: WriteFault) => void;
  /** Watches that look on and report nothing. */
  readonly watches?: readonly CheckRun[];
}

/** Folds events and runs checks on the way. The dispatch table is built once: kinds that nobody asked for cost one look-up. */
export class Runner {
  readonly #state: MmState;
  readonly #before: ReadonlyArray<Hook | undefined>;
  readonly #after: ReadonlyArray<Hook | undefined>;
  readonly #decided: Array<(fault: WriteFault) => void> = [];
  readonly #checks: readonly Check[];
  readonly #runs: CheckRun[] = [];
  readonly #tallies = new Map<string, Tally>();
  readonly #moments: Moments;
  readonly #e = new Cursor();

  constructor(state: MmState, checks: readonly Check[], options: RunnerOptions) {
    this.#state = state;
    this.#checks = checks;
    this.#moments = new Moments(checks);
    const before: Hooks[] = EVENT_KINDS.map(() => ({ always: [], sleepers: [] }));
    const after: Hooks[] = EVENT_KINDS.map(() => ({ always: [], sleepers: [] }));
    for (const check of checks) {
      const tally: Tally = { judged: 0, cannotJudge: 0, missing: new Set(), last: '' };
      this.#tallies.set(check.id, tally);
      const run = check.start({
        state,
        declared: options.declared,
        kernel: options.kernel,
        skewNs: options.skewNs ?? (() => 0),
        report: (finding) => {
          const { seq, ns } = finding.place;
          if (options.within?.(seq, ns) ?? true)
            this.#moments.add(check.printed ? finding : this.#weighed(finding));
        },
        judged() {
          tally.judged++;
        },
        cannot(missing) {
          tally.cannotJudge++;
          // Asked on hot kinds of event, nearly always with the word of the time before.
          if (missing === tally.last) return;
          tally.last = missing;
          tally.missing.add(missing);
        },
      });
      for (const hook of run.before ?? []) place(before, hook);
      for (const hook of run.after ?? []) place(after, hook);
      if (run.decided) this.#decided.push((fault) => run.decided?.(fault));
      this.#runs.push(run);
    }
    for (const watch of options.watches ?? []) {
      for (const hook of watch.before ?? []) place(before, hook);
      for (const hook of watch.after ?? []) place(after, hook);
      if (watch.decided) this.#decided.push((fault) => watch.decided?.(fault));
    }
    const lastUsers = this.#runs.filter((run) => run.lastUse !== undefined);
    if (lastUsers.length > 0) {
      const hooks = onLastUse(state, (e, freeing) => {
        for (const run of lastUsers) run.lastUse?.(e, freeing);
      });
      for (const hook of hooks) place(before, hook);
    }
    if (options.onDecision) this.#decided.push(options.onDecision);
    this.#before = before.map(joined);
    this.#after = after.map(joined);
  }

  /** Folds a batch, from event `from` up to and without event `to`. */
  run(batch: EventBatch, from = 0, to: number = batch.count): void {
    const e = this.#e;
    const s = this.#state;
    const beforeOf = this.#before;
    const afterOf = this.#after;
    for (let i = from; i < to; i++) {
      e.seek(batch, i);
      const before = beforeOf[e.kind];
      if (before !== undefined) before(e);
      s.apply(e);
      const after = afterOf[e.kind];
      if (after !== undefined) after(e);
      if (s.decision !== null) this.#decide(s.decision);
    }
  }

  #decide(decision: Decision): void {
    if (this.#decided.length === 0) return;
    const fault = viewFault(this.#state, decision);
    for (const hook of this.#decided) hook(fault);
  }

  /** A finding as far as the records that it rests on can be relied on. */
  #weighed(finding: Finding): Finding {
    if (finding.verdict !== 'proven' || !this.#state.contradicted) return finding;
    return { ...finding, verdict: 'suspect', missing: finding.missing ?? CONTRADICTED };
  }

  /** Ends the run. */
  finish(): { divergences: Divergence[]; coverage: Coverage[] } {
    for (const run of this.#runs) run.finish?.();
    const { seen } = this.#state.sources;
    const coverage = this.#checks.map(({ id, needs }) => {
      const { judged, cannotJudge, missing } = this.#tallies.get(id)!;
      // A check that never had an occasion lacks the kinds of event that would have been one.
      const unseen =
        judged > 0
          ? []
          : needs.filter((need) => eventKind(need) !== undefined && seen[eventKind(need)!.code] === 0);
      return { check: id, judged, cannotJudge, missing: [...new Set([...missing, ...unseen])].sort() };
    });
    return { divergences: this.#moments.divergences(), coverage };
  }
}

/** Hooks on one kind: those that are always called, and those that sleep until their check looks for something. */
interface Hooks {
  readonly always: Hook[];
  readonly sleepers: Array<{ readonly wake: Wake; readonly hook: Hook }>;
}

function place(hooks: readonly Hooks[], [kind, hook, wake]: KindHook): void {
  const { always, sleepers } = hooks[kind.code]!;
  if (wake === undefined) always.push(hook);
  else sleepers.push({ wake, hook });
}

/** One hook that calls all of them. Calls are what costs: sleepers are asked first, short lists need no loop. */
function joined({ always, sleepers }: Hooks): Hook | undefined {
  const [first, second] = always;
  if (sleepers.length === 0) {
    if (always.length <= 1) return first;
    if (always.length === 2)
      return (e) => {
        first!(e);
        second!(e);
      };
  }
  return (e) => {
    for (let i = 0; i < always.length; i++) always[i]!(e);
    for (let i = 0; i < sleepers.length; i++) if (sleepers[i]!.wake.any) sleepers[i]!.hook(e);
  };
}
