import { weigh } from '../page.ts';
import type { CowRule } from '../variant.ts';

/** Completes a rule of do_wp_page: its two procedures over known inputs become one over what is known. */
export function cowRule(spec: Omit<CowRule, 'decide' | 'waits'> & { readonly waits?: boolean }): CowRule {
  const { procedure, ksm } = spec;
  return {
    waits: false,
    ...spec,
    decide: (inputs) => weigh(inputs, (page) => (page.ksm ? ksm(page) : procedure(page))),
  };
}
