import { kind } from './declare.ts';

export const migrateUnmap = kind('mig.unmap.begin', 'try_to_migrate_one starts on one mapping', {
  pfn: 'pfn',
  mm: 'mm',
  va: 'va',
});
export const migrateUnmapEnd = kind('mig.unmap.end', 'try_to_migrate_one returned', { ok: 'bool' });
export const migrateEntrySet = kind('mig.entry', 'a migration entry was installed (set_migration_pte)', {
  va: 'va',
  pte: 'pte',
});
export const migrateEntryRemoved = kind(
  'mig.restored',
  'a migration entry was replaced by a mapping (remove_migration_pte tracepoint)',
  { va: 'va', pte: 'pte' },
);
export const migrateRestore = kind('mig.restore.begin', 'remove_migration_pte starts for one mapping', {
  pfn: 'pfn',
  mm: 'mm',
  va: 'va',
});
export const migrateMove = kind('mig.move', 'src is moved to dst', { src: 'pfn', dst: 'pfn', ret: 'long' });
export const migrateMapping = kind(
  'mig.copy',
  'the mapping of src goes over to dst (folio_migrate_mapping)',
  { src: 'pfn', dst: 'pfn', extra: 'count' },
);
export const migrateMappingEnd = kind('mig.copied', 'folio_migrate_mapping returned', { ret: 'long' });
export const migrateUndo = kind('mig.undo', 'the migration of src is undone', { pfn: 'pfn' });
export const migrateStart = kind('mig.begin', 'a batch of migrations starts', {});
export const migrateDone = kind('mig.end', 'a batch of migrations ended', { ok: 'count', failed: 'count' });
