import type { EventKind } from '../events/declare.ts';
import type { Cursor } from '../state/cursor.ts';
import type { MmState } from '../state/state.ts';
import type { Variant } from '../variants/variant.ts';
import type { Finding } from './finding.ts';
import type { Freeing } from './last-put.ts';
import type { Wake } from './waiting.ts';
import type { WriteFault } from './write-fault.ts';

/** What a run of checks judges against. */
export interface CheckContext {
  readonly state: MmState;
  /** The variant that the user declared, or null. Under `auto` severities are those of null (product.md). */
  readonly declared: Variant | null;
  /** Kernel generation as major * 100 + minor, null if unknown. */
  readonly kernel: () => number | null;
  /** Events of different CPUs no farther apart than this (ns) are in no known order; 0 where the clock orders all CPUs. */
  readonly skewNs: () => number;
  report(finding: Finding): void;
  /** One occasion on which the check could tell yes or no. */
  judged(): void;
  /** One occasion on which it could not, and the event kind or fact that would have been needed. */
  cannot(missing: string): void;
}

/** A hook on a kind of event; with `wake`, only while there is anything to look for. */
export type KindHook = readonly [kind: EventKind, hook: (e: Cursor) => void, wake?: Wake];

/** A check at work on one trace. Hooks are called only for the kinds asked for: no cost for the others. */
export interface CheckRun {
  /** Before the state took the event in. */
  readonly before?: readonly KindHook[];
  readonly after?: readonly KindHook[];
  /** A page leaves its last user; before the state took the event in. */
  lastUse?(e: Cursor, freeing: Freeing): void;
  /** A do_wp_page bracket was closed. */
  decided?(fault: WriteFault): void;
  /** The trace is over. */
  finish?(): void;
}

/** One detector of one kind of divergence. */
export interface Check {
  readonly id: string;
  readonly statement: string;
  /** Mail or commit. */
  readonly origin: string;
  /** Severity in words, with its conditions. */
  readonly severity: string;
  /** Kinds of event, or facts, that it judges by. */
  readonly needs: readonly string[];
  /**
   * The records of the moment itself print what proves it; what was reconstructed from earlier ones only adds to it.
   * Findings of all other checks are suspect where the trace contradicts itself.
   */
  readonly printed?: true;
  /** Of two checks of equal severity on one moment the greater names the divergence. */
  readonly specificity: number;
  /** Trigger and near-miss in two lanes (domain.md 3). */
  readonly example: string;
  start(context: CheckContext): CheckRun;
}
