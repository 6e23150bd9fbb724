import { type CowRule, open, rule } from '../variant.ts';

/** 5.9 to 5.17 (P6): whoever is the only user of the page reuses it; any other reference copies. Commit 09854ba94c6a. */
export const refcount: CowRule = {
  id: 'refcount',
  era: '5.9 to 5.17',
  source: '09854ba94c6a, be068f29034f; mail of 2020-08-24 (Tkhai, Kara on Xu, Torvalds)',
  table: [
    { when: 'KSM page, or refcount is not 1', does: 'copy' },
    { when: 'page lock not free', does: 'copy' },
    { when: 'mapcount is not 1, or refcount is not 1', does: 'copy' },
    { when: 'otherwise', does: 'reuse' },
  ],
  decide(inputs) {
    if (inputs.ksm === true) return rule('copy', 'ksm');
    if (inputs.mappings > 1) return rule('copy', 'shared');
    if (inputs.count > 1)
      return rule(
        'copy',
        inputs.swapcache === true && inputs.count === 2 ? 'swapcache reference' : 'references',
      );
    if (Number.isNaN(inputs.count)) return open('refcount');
    if (inputs.locked === true) return rule('copy', 'lock');
    if (inputs.locked === undefined) return open('page lock');
    return rule('reuse', 'sole reference');
  },
};
