import type { Check } from './check.ts';

const ID = 'vma-use-after-free';

export const vmaUseAfterFree: Check = {
  id: ID,
  statement:
    'A VMA was used after its tree node was freed (StackRot). A trace cannot show it: the lifetime of the VMA tree is internal to RCU, and no event tells it.',
  origin: 'CVE-2023-3269',
  severity: 'critical',
  needs: ['VMA lifetime, which no event tells'],
  specificity: 0,
  example: `Not judged by any trace:
  expand_stack under mmap_lock read | walks the maple tree under RCU
  replaces and frees a node         | uses the freed node
Use KASAN for it.`,
  start: (context) => ({
    finish: () => context.cannot('VMA lifetime, which no event tells'),
  }),
};
