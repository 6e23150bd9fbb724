import { type Known, type Ranges, weighFacts } from './facts.ts';
import { type AxisValue, type Ruling, rule } from './variant.ts';

/** An anon page of a COW mapping that fork comes to. */
export type ForkPage = {
  /** page_maybe_dma_pinned, in an mm that has pinned pages. */
  readonly pinned: boolean;
};

/** The child gets a copy of its own, or shares the page read-only. */
export type ForkOutcome = 'share' | 'copy';

/** One value of the axis: what fork does with pinned pages. */
export interface ForkRule extends AxisValue {
  readonly procedure: (page: ForkPage) => Ruling<ForkOutcome>;
  decide(known: Known<ForkPage>): Ruling<ForkOutcome>;
}

const RANGES: Ranges<ForkPage> = { pinned: [false, true] };

function forkRule(spec: Omit<ForkRule, 'decide'>): ForkRule {
  return { ...spec, decide: (known) => weighFacts(known, RANGES, spec.procedure) };
}

const earlyCopy = (page: ForkPage): Ruling<ForkOutcome> =>
  page.pinned ? rule('copy', 'pinned') : rule('share', 'not pinned');

export const FORK_RULES: readonly ForkRule[] = [
  forkRule({
    id: 'share',
    era: 'up to 5.9-rc6',
    source: 'mm/memory.c:copy_one_pte before 70e806e4e645',
    table: [{ when: 'always', does: 'share read-only: the next writer copies, pinned or not' }],
    procedure: () => rule('share', 'pins not looked at'),
  }),
  forkRule({
    id: 'early-copy',
    era: '5.9, 5.10',
    source: '70e806e4e645, d042035eaf5f (huge pages)',
    table: [
      { when: 'the mm has pinned pages, and this one may be pinned', does: 'the child gets a copy at once' },
      { when: 'otherwise', does: 'share read-only' },
    ],
    procedure: earlyCopy,
  }),
  forkRule({
    id: 'early-copy+seqcount',
    era: '5.11 on; backported to 5.10',
    source: '57efa1fe5957',
    table: [
      { when: 'the mm has pinned pages, and this one may be pinned', does: 'the child gets a copy at once' },
      { when: 'otherwise', does: 'share read-only; GUP-fast that ran meanwhile starts anew' },
    ],
    procedure: earlyCopy,
  }),
  forkRule({
    id: 'no-wrprotect',
    era: 'in no kernel: mutant',
    source: 'shows what ptep_set_wrprotect in fork is for',
    table: [{ when: 'always', does: "share, and leave the parent's PTE writable" }],
    procedure: () => rule('share', 'not write-protected'),
  }),
];
