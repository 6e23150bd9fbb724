import type { AxisValue } from './variant.ts';

/** What migration makes sure of before a page's content goes elsewhere. */
export const MIGRATE_RULES: readonly AxisValue[] = [
  {
    id: 'checked',
    era: 'every kernel',
    source: 'mm/migrate.c:folio_migrate_mapping, migrate_folio_undo_src at 6.12',
    table: [
      { when: 'mappings replaced by entries', does: 'flush, then look at the count' },
      { when: 'count is not the expected one', does: 'put the mappings back, unlock' },
      { when: 'else', does: 'copy, map the copy, unlock' },
    ],
  },
  {
    id: 'uncounted',
    era: 'in no kernel: mutant',
    source: 'shows what the test of the count is for',
    table: [{ when: 'mappings replaced by entries', does: 'copy whatever the count' }],
  },
  {
    id: 'unrestored',
    era: 'in no kernel: mutant',
    source: 'shows what remove_migration_ptes on the way out is for',
    table: [{ when: 'count is not the expected one', does: 'unlock, the entries stay' }],
  },
  {
    id: 'unflushed',
    era: 'in no kernel: mutant',
    source: '20841405940e (a translation that migration does not flush)',
    table: [{ when: 'mappings replaced by entries', does: 'copy, flush then' }],
  },
];
