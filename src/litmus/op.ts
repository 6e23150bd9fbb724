import type { Machine } from './machine.ts';

/** What an argument of a statement names. */
export type ArgKind = 'mm' | 'va' | 'page' | 'slot' | 'device' | 'hold' | 'value';

/** One atomic step. */
export interface Phase {
  /** What it does, as a line of a drawing. */
  text(m: Machine): string;
  /** Whether it can be taken now; always if absent. */
  ready?(m: Machine): boolean;
  /** Does it, and names the phase that follows; null: the statement is done. */
  run(m: Machine): string | null;
}

/** A statement's meaning: a little machine of atomic steps. */
export interface Op {
  readonly name: string;
  readonly args: readonly ArgKind[];
  /** One line for `litmus` help and for errors of the parser. */
  readonly meaning: string;
  readonly phases: Readonly<Record<string, Phase>>;
  /** Names of the phases; a thread's `phase` cell is a position in it. The first one begins. */
  readonly order: readonly string[];
}

/** Declares an op. The first phase is where it begins. */
export function op(
  name: string,
  args: readonly ArgKind[],
  meaning: string,
  phases: Readonly<Record<string, Phase>>,
): Op {
  return { name, args, meaning, phases, order: Object.keys(phases) };
}
