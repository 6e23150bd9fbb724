import type { WriteFault } from '../checks/write-fault.ts';
import type { Ballot } from '../compare/ballot.ts';
import type { Decision } from '../state/decision.ts';
import type { Variant } from '../variants/variant.ts';
import type { DecisionSummary, FidelityCounts } from './analysis.ts';

interface TaskTally {
  reuse: number;
  copy: number;
  other: number;
}

/** Tasks that a summary lists. */
const TASKS_LISTED = 1000;

/** Why a decision came out as it did, from what is known of the page alone: no variant is asked. */
function reasonOf(d: Decision): string {
  const { exclusive, swapFreed, count, mappings, locked, large } = d.inputs;
  if (d.outcome === 'reuse') {
    if (d.page === 'shared') return 'shared mapping';
    if (exclusive === true) return 'exclusive';
    if (swapFreed === true) return 'swap freed';
    if (count > 1) return 'with references';
    return count === 1 || d.wp.moved ? 'sole reference' : 'unknown';
  }
  if (d.page === 'zero') return 'zero page';
  if (d.page === 'private-file') return 'file page';
  if (d.page === 'ksm') return 'KSM';
  if (mappings > 1) return 'shared';
  if (exclusive === true)
    return locked === true ? 'lock, although exclusive' : 'references, although exclusive';
  if (large === true) return 'large folio';
  if (locked === true) return 'lock';
  if (count > 1) return 'references';
  return 'unknown';
}

/** Adds up decisions of do_wp_page, and how far each variant explains them. */
export class DecisionTally {
  #outcomes = { reuse: 0, copy: 0, wait: 0, unknown: 0 };
  readonly #reasons = { reuse: new Map<string, number>(), copy: new Map<string, number>() };
  readonly #tasks = new Map<number, TaskTally>();
  readonly #notJudged = new Map<string, number>();
  add(fault: WriteFault): void {
    const { d } = fault;
    const outcome = d.outcome === 'noop' ? 'wait' : d.outcome;
    this.#outcomes[outcome]++;
    if (d.outcome === 'reuse' || d.outcome === 'copy') {
      const reasons = this.#reasons[d.outcome];
      const reason = reasonOf(d);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    let task = this.#tasks.get(d.pid);
    if (task === undefined && this.#tasks.size < TASKS_LISTED) {
      task = { reuse: 0, copy: 0, other: 0 };
      this.#tasks.set(d.pid, task);
    }
    if (task !== undefined) task[d.outcome === 'reuse' || d.outcome === 'copy' ? d.outcome : 'other']++;
    if (d.page === 'private-file') this.#count('private file page');
    else if (d.page === 'zero') this.#count('zero page');
    else if (d.page === 'shared') this.#count('shared mapping');
    else if (d.page === 'unknown' && d.outcome !== 'unknown') this.#count('page of unknown kind');
  }

  #count(kind: string): void {
    this.#notJudged.set(kind, (this.#notJudged.get(kind) ?? 0) + 1);
  }

  /** `elsewhere`: write faults that do_wp_page did not decide, by kind. */
  summary(elsewhere: ReadonlyMap<string, number>): DecisionSummary {
    const byTask = [...this.#tasks].map(([pid, tally]) => ({ pid, ...tally }));
    byTask.sort((a, b) => b.reuse + b.copy + b.other - (a.reuse + a.copy + a.other) || a.pid - b.pid);
    const notJudged = new Map([...this.#notJudged, ...elsewhere]);
    return {
      ...this.#outcomes,
      byReason: { reuse: sorted(this.#reasons.reuse), copy: sorted(this.#reasons.copy) },
      byTask,
      notJudged: sorted(notJudged),
    };
  }
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

/** Decisions against one variant, as fidelity. */
export function decisionFidelity(ballot: Ballot, variant: Variant | undefined): FidelityCounts {
  if (variant === undefined) return { compared: 0, agreed: 0, raced: 0, unknown: 0 };
  const { agreed, differed, unknown } = ballot.writeFaults(variant);
  return { compared: agreed + differed, agreed, raced: 0, unknown };
}
