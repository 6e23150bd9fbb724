import type { Check } from './check.ts';
import { cowLeakThroughGupRef } from './cow-leak-through-gup-ref.ts';
import { doubleFreePage } from './double-free-page.ts';
import { gupPinBrokenByCow } from './gup-pin-broken-by-cow.ts';
import { mapcountNegative } from './mapcount-negative.ts';
import { missedCow } from './missed-cow.ts';
import { policyMismatch } from './policy-mismatch.ts';
import { refcountUnderflow } from './refcount-underflow.ts';
import { unexpectedCow } from './unexpected-cow.ts';
import { unexpectedCowUnderReclaim } from './unexpected-cow-under-reclaim.ts';
import { useAfterFreePage } from './use-after-free-page.ts';

/** Every check. Adding one: its file, one line here. */
export const CHECKS: readonly Check[] = [
  unexpectedCow,
  unexpectedCowUnderReclaim,
  gupPinBrokenByCow,
  missedCow,
  cowLeakThroughGupRef,
  policyMismatch,
  refcountUnderflow,
  useAfterFreePage,
  doubleFreePage,
  mapcountNegative,
];
