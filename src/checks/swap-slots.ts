import type { Cursor } from '../state/cursor.ts';
import type { MmState } from '../state/state.ts';
import type { CheckContext } from './check.ts';
import type { Evidence, Finding, Place } from './finding.ts';
import { surelyBefore } from './integrity.ts';

/** Why nothing may be proven of swap on a trace, or null. */
export function doubt(s: MmState): string | null {
  if (s.lossy) return 'the records that were lost';
  return s.blind ? 'the records before the first one of each CPU' : null;
}

/** Place of an event on a slot. */
export function slotPlace(e: Cursor, entry: number, pfn: number = Number.NaN): Place {
  return {
    seq: e.seq,
    ns: e.ns,
    cpu: e.cpu,
    pid: e.inInterrupt ? null : e.pid,
    mm: null,
    address: null,
    pfn: pfn >= 0 ? pfn : null,
    newPfn: null,
    entry: Number.isNaN(entry) ? null : entry,
  };
}

/** The entries that an event names: `nr` of them from the first on, none where the first is not known. */
export function entriesOf(first: number, nr: number): number[] {
  if (Number.isNaN(first)) return [];
  if (nr === 0) return [];
  return nr > 1 ? Array.from({ length: nr }, (_, k) => first + k) : [first];
}

/** What contradicts itself in the fold and would be a divergence if it is confirmed. */
export interface Suspicion {
  readonly finding: Omit<Finding, 'verdict' | 'missing'>;
  /** What would settle it, said where nothing does. */
  readonly missing: string;
  readonly ns: number;
  readonly cpu: number;
  /** Page that it speaks of, NaN none. */
  readonly pfn: number;
}

/**
 * Suspicions by entry. A count or a cache presence is folded from many records, and one that is missing unsaid makes
 * it wrong: so what the fold says is a suspicion, and a later event that could not be without it proves it.
 */
export class Suspicions {
  readonly #context: CheckContext;
  readonly #by = new Map<number, Suspicion>();

  constructor(context: CheckContext) {
    this.#context = context;
  }

  /** Raises one; an earlier one on the same entry stands as a suspect. */
  raise(entry: number, suspicion: Suspicion): void {
    this.settle(entry);
    this.#by.set(entry, suspicion);
  }

  peek(entry: number): Suspicion | undefined {
    return this.#by.get(entry);
  }

  /** An event that could not be without it: proven, unless the order of the two is not sure or records are missing. */
  confirm(entry: number, e: Cursor, text: string): void {
    const held = this.#by.get(entry);
    if (held === undefined || !surelyBefore(held, e, this.#context.skewNs())) return;
    this.#by.delete(entry);
    const why = doubt(this.#context.state);
    const harm: Evidence = { seq: e.seq, role: 'harm', text };
    this.#context.report({
      ...held.finding,
      evidence: [...held.finding.evidence, harm],
      verdict: why === null ? 'proven' : 'suspect',
      missing: why,
    });
  }

  /** Nothing more can confirm it. */
  settle(entry: number): void {
    const held = this.#by.get(entry);
    if (held === undefined) return;
    this.#by.delete(entry);
    this.#context.report({ ...held.finding, verdict: 'suspect', missing: held.missing });
  }

  /** It was none. */
  drop(entry: number): void {
    this.#by.delete(entry);
  }

  settleAll(which: (entry: number) => boolean = () => true): void {
    for (const entry of [...this.#by.keys()]) if (which(entry)) this.settle(entry);
  }
}
