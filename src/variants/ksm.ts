import { copyKsm, noKsm, reuseKsm } from './cow/ksm-page.ts';
import type { AnonPage } from './page.ts';
import { reuse } from './page.ts';
import type { AxisValue, Ruling } from './variant.ts';

/** One value of the axis: what a write fault does with a KSM page. */
export interface KsmRule extends AxisValue {
  /** `anon`: the procedure of the `cow` axis for other pages. */
  readonly procedure: (page: AnonPage, anon: (page: AnonPage) => Ruling) => Ruling;
}

const FREEZE_TABLE = [
  { when: 'in the swap cache, or refcount is not 1', does: 'copy' },
  { when: 'page lock not free', does: 'wait for it; PTE changed: fault again' },
] as const;

export const KSM_RULES: readonly KsmRule[] = [
  {
    id: 'absent',
    era: 'before 2.6.32',
    source: '31dbd01f3143 (which brought ksm)',
    table: [{ when: 'always', does: 'there are no KSM pages' }],
    procedure: noKsm,
  },
  {
    id: 'never-reuse',
    era: '2.6.32 to 5.0, 5.9 on',
    source: '9a840895147b, 5ad6468801d2; again by 09854ba94c6a',
    table: [{ when: 'always', does: 'copy' }],
    procedure: copyKsm,
  },
  {
    id: 'reuse+freeze',
    era: '5.1 to 5.8',
    source: '52d1e606ee73; mm/ksm.c:reuse_ksm_page',
    table: [
      ...FREEZE_TABLE,
      { when: 'refcount frozen from 1 to 0', does: 'leave the stable tree, unfreeze, reuse' },
      { when: 'otherwise', does: 'copy' },
    ],
    procedure: reuseKsm,
  },
  {
    id: 'reuse-nofreeze',
    era: 'in no kernel: mutant',
    source: 'shows what the freeze of 52d1e606ee73 is for: ksmd takes references without the page lock',
    table: [...FREEZE_TABLE, { when: 'otherwise', does: 'leave the stable tree, reuse' }],
    procedure: reuseKsm,
  },
  {
    id: 'refcount-only',
    era: 'in no kernel: mutant',
    source: 'shows what the KSM test of 09854ba94c6a is for: the stable tree holds no reference',
    table: [{ when: 'always', does: 'as the cow axis does with an anon page: no test for KSM' }],
    procedure: (page, anon) => {
      const ruling = anon(page);
      return ruling.outcome === 'reuse' ? reuse('ksm not tested') : ruling;
    },
  },
];
