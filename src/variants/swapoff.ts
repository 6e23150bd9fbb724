import { type Known, type Ranges, weighFacts } from './facts.ts';
import { type AxisValue, type Ruling, rule } from './variant.ts';

/** A freer of swap entries that looks at the device after it dropped its count (free_swap_and_cache). */
export type SwapFree = {
  /** The caller holds a page-table lock: an RCU reader to kernels whose swapoff waits for these. */
  readonly ptlHeld: boolean;
};

/** Whether the device may be torn down meanwhile. */
export type SwapFreeOutcome = 'protected' | 'exposed';

/** One value of the axis: what keeps swapoff from freeing a device under a user of its slots. */
export interface SwapoffRule extends AxisValue {
  /** The freer takes a reference to the device (get_swap_device). */
  readonly takesDevice: boolean;
  readonly procedure: (free: SwapFree) => Ruling<SwapFreeOutcome>;
  decide(known: Known<SwapFree>): Ruling<SwapFreeOutcome>;
}

const RANGES: Ranges<SwapFree> = { ptlHeld: [true, false] };

function swapoffRule(
  spec: Omit<SwapoffRule, 'decide' | 'takesDevice'> & { readonly takesDevice?: boolean },
): SwapoffRule {
  return { takesDevice: false, ...spec, decide: (known) => weighFacts(known, RANGES, spec.procedure) };
}

export const SWAPOFF_RULES: readonly SwapoffRule[] = [
  swapoffRule({
    id: 'locked',
    era: 'up to 4.10',
    source: 'mm/swapfile.c:free_swap_and_cache at 7b1fe59793e6',
    table: [{ when: 'always', does: 'count dropped, cache looked up and page locked under one swap lock' }],
    procedure: () => rule('protected', 'one lock'),
  }),
  swapoffRule({
    id: 'window',
    era: '4.11 to 5.2',
    source: 'the state that eb085574a752 found',
    table: [{ when: 'always', does: 'the lock is dropped in between, and swapoff waits for nobody' }],
    procedure: () => rule('exposed', 'nothing waited for'),
  }),
  swapoffRule({
    id: 'window+rcu',
    era: '5.3 to 6.8',
    source: 'eb085574a752',
    table: [
      { when: 'the caller holds a spinlock or is an RCU reader', does: 'swapoff waits for it' },
      { when: 'otherwise (shmem truncation)', does: 'nothing waits' },
    ],
    procedure: (free) => (free.ptlHeld ? rule('protected', 'grace period') : rule('exposed', 'no lock held')),
  }),
  swapoffRule({
    id: 'getdev',
    takesDevice: true,
    era: '6.9 on; backported to 6.1',
    source: '82b1c07a0af6',
    table: [
      { when: 'get_swap_device succeeds', does: 'swapoff waits until it is put' },
      { when: 'it fails', does: 'nothing is freed, nothing looked at' },
    ],
    procedure: () => rule('protected', 'get_swap_device'),
  }),
];
