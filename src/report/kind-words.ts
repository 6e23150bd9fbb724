import type { DecisionKind } from '../compare/occasion.ts';

/** What a decision of each kind is called: one of them, and several. */
export const KIND_WORDS: Readonly<Record<DecisionKind, readonly [one: string, many: string]>> = {
  'write-fault': ['write fault', 'write faults'],
  'ksm-reuse': ['write fault on a KSM page', 'write faults on KSM pages'],
  'swap-in': ['swap-in write fault', 'swap-in write faults'],
  collapse: ['page of a collapse', 'pages of collapses'],
  'swap-free': ['free of swap entries', 'frees of swap entries'],
  fork: ['fork of a pinned page', 'forks of pinned pages'],
};
