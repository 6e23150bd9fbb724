import { type Known, type Ranges, weighFacts } from './facts.ts';
import { type AxisValue, type Ruling, rule } from './variant.ts';

/** A small page that khugepaged or MADV_COLLAPSE wants to copy into a huge one: locked, PMD cleared and flushed. */
export type CollapsePage = {
  /** References, without that of the isolation. */
  readonly count: number;
  readonly mappings: number;
  readonly swapcache: boolean;
  /** Private data of a filesystem: none on anon pages. */
  readonly privates: boolean;
};

export type CollapseOutcome = 'collapse' | 'refuse';

/** One value of the axis: whether a page with extra references is collapsed. */
export interface CollapseRule extends AxisValue {
  readonly procedure: (page: CollapsePage) => Ruling<CollapseOutcome>;
  decide(known: Known<CollapsePage>): Ruling<CollapseOutcome>;
}

export const COLLAPSE_RANGES: Ranges<CollapsePage> = {
  count: [1, 2, 3],
  mappings: [1, 2],
  swapcache: [false, true],
  privates: [false],
};

function collapseRule(spec: Omit<CollapseRule, 'decide'>): CollapseRule {
  return { ...spec, decide: (known) => weighFacts(known, COLLAPSE_RANGES, spec.procedure) };
}

const PASSES: Ruling<CollapseOutcome> = rule('collapse', 'no extra reference');
const EXTRA: Ruling<CollapseOutcome> = rule('refuse', 'extra references');
/** The kernel does not have it. */
const ABSENT: Ruling<CollapseOutcome> = rule('refuse', 'no khugepaged');

export const COLLAPSE_RULES: readonly CollapseRule[] = [
  collapseRule({
    id: 'none',
    era: 'before 2.6.38',
    source: 'ba76149f47d8 (which brought khugepaged)',
    table: [{ when: 'always', does: 'there is no khugepaged' }],
    procedure: () => ABSENT,
  }),
  collapseRule({
    id: 'count1',
    era: '2.6.38 to 5.7',
    source: 'ba76149f47d8; mm/khugepaged.c:__collapse_huge_page_isolate',
    table: [
      { when: 'refcount is 1 + swap cache', does: 'collapse' },
      { when: 'otherwise', does: 'refuse: a shared page, or another user' },
    ],
    procedure: (page) => {
      if (page.count === 1 + (page.swapcache ? 1 : 0)) return PASSES;
      return page.mappings > 1 ? rule('refuse', 'shared') : EXTRA;
    },
  }),
  collapseRule({
    id: 'mapcount',
    era: '5.8 on',
    source: '9445689f3b61; mail of 2020-04 (Shutemov, Hubbard, Yang); is_refcount_suitable at 6.12',
    table: [
      { when: 'refcount is mapcount + swap cache + private data', does: 'collapse' },
      { when: 'otherwise', does: 'refuse: somebody else uses the page' },
    ],
    procedure: (page) =>
      page.count === page.mappings + (page.swapcache ? 1 : 0) + (page.privates ? 1 : 0) ? PASSES : EXTRA,
  }),
  collapseRule({
    id: 'no-check',
    era: 'in no kernel: mutant',
    source: 'shows what the check of __collapse_huge_page_isolate is for',
    table: [{ when: 'always', does: 'collapse' }],
    procedure: () => rule('collapse', 'no check'),
  }),
];
