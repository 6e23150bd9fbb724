import { type AnonPage, copy, reuse, WAIT } from '../page.ts';
import { open, type Ruling } from '../variant.ts';

/** Before 2.6.32 there are no KSM pages: nothing can be said of one. */
export function noKsm(): Ruling {
  return open('KSM in this kernel');
}

/** 2.6.32 to 5.0, and again from 5.9 on: a KSM page is always copied. Mail of 2009-08 (9a840895147b, 5ad6468801d2). */
export function copyKsm(): Ruling {
  return copy('ksm');
}

/**
 * 5.1 to 5.8: a KSM page that one PTE maps is reused, if its refcount can be frozen from 1 to 0 meanwhile: ksmd takes
 * references without the page lock. Commit 52d1e606ee73, mm/ksm.c:reuse_ksm_page.
 */
export function reuseKsm(page: AnonPage): Ruling {
  if (page.swapcache || page.count + page.batched !== 1) return copy('ksm');
  if (page.locked) return WAIT;
  return reuse('ksm, frozen');
}
