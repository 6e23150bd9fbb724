/**
 * Knowledge grades (domain.md 1.0): how a reconstructed value is known. Kept beside every value.
 */
/** Never seen, or forgotten after lost records. */
export const UNKNOWN = 0;
/** Only a lower or an upper bound is known. */
export const BOUND = 1;
/** Printed by a tracepoint, racily. */
export const SAMPLED = 2;
/** The history is known since the object began, and no record was lost since. */
export const EXACT = 3;

/** Grade of one value. */
export type Grade = 0 | 1 | 2 | 3;

/** Names of the grades, by value. */
export const GRADE_NAMES = ['unknown', 'bound', 'sampled', 'exact'] as const;

/** Three-valued truth: what checks and decision procedures compute with. */
export type Truth = boolean | undefined;

/** Kleene conjunction: false wins over unknown. */
export function and(a: Truth, b: Truth): Truth {
  if (a === false || b === false) return false;
  return a === undefined || b === undefined ? undefined : true;
}
/** Kleene disjunction: true wins over unknown. */
export function or(a: Truth, b: Truth): Truth {
  if (a === true || b === true) return true;
  return a === undefined || b === undefined ? undefined : false;
}
/** Kleene negation. */
export function not(a: Truth): Truth {
  return a === undefined ? undefined : !a;
}
