import { copy, reuse } from '../page.ts';
import { cowRule } from './cow-rule.ts';
import { copyKsm } from './ksm-page.ts';

/** 5.9 to 5.17 (P6): whoever is the only user of the page reuses it; any other reference copies. */
export const refcount = cowRule({
  id: 'refcount',
  era: '5.9 to 5.17',
  source: '09854ba94c6a, be068f29034f; Linus Torvalds in the thread of 2020-08-24',
  table: [
    { when: 'KSM page, or refcount is not 1', does: 'copy' },
    { when: 'page lock not free', does: 'copy' },
    { when: 'mapcount is not 1, or refcount is not 1', does: 'copy' },
    { when: 'otherwise', does: 'reuse' },
  ],
  ksm: copyKsm,
  procedure(page) {
    const count = page.count + page.batched;
    if (count === 2 && page.swapcache) return copy('swapcache reference');
    if (count !== 1) return copy('references');
    if (page.locked) return copy('lock');
    return page.mappings === 1 ? reuse('sole reference') : copy('shared');
  },
});
