import { FIELD_OK, type FieldSpec, type FieldValues, fieldNumber } from '../core/fields.ts';
import type { EventBatchBuilder } from '../events/batch.ts';
import type { EventKind } from '../events/declare.ts';
import { migrateDone, migrateEntryRemoved, migrateEntrySet, migrateStart } from '../events/index.ts';
import { int } from './columns.ts';
import { decodedPte, decodePte, PMD_IS_MIGRATION, PMD_LEVEL, PTE_IS_MIGRATION, PTE_LEVEL } from './pte.ts';
import { type DecodeContext, type Tracepoint, tell, tracepoint } from './tracepoint.ts';

const FIELDS: readonly FieldSpec[] = [
  { key: 'addr', form: 'hex' },
  { key: 'pte', form: 'hex' },
  { key: 'order', form: 'int' },
];

/** A page-table word with its address and no mm. An order above 0 says that the word is one of the PMD level. */
const word = (event: string, kind: EventKind, small: number, huge: number): Tracepoint =>
  tracepoint(
    event,
    [kind],
    FIELDS,
    (values: FieldValues, out: EventBatchBuilder, ctx: DecodeContext) => {
      // The word of a migration entry teaches which swap types mean migration on this kernel.
      if (small === PTE_IS_MIGRATION && values.state[1] === FIELD_OK && ctx.kernel.pte.x86) {
        ctx.kernel.migrationType(values.hi[1]! >>> 27);
      }
      const large = values.state[2] === FIELD_OK && values.lo[2]! > 0;
      if (values.state[1] === FIELD_OK) {
        decodePte(values.lo[1]!, values.hi[1]!, large ? huge : small, ctx.kernel.pte);
        out.emit(kind, fieldNumber(values, 0), decodedPte.bits, decodedPte.frame);
      } else {
        out.emit(kind, fieldNumber(values, 0));
      }
    },
    { requires: ['addr', 'pte'] },
  );

const pmdWord = (event: string, kind: EventKind, level: number): Tracepoint =>
  tracepoint(
    event,
    [kind],
    [
      { key: 'addr', form: 'hex' },
      { key: 'pmd', form: 'hex' },
    ],
    (values: FieldValues, out: EventBatchBuilder, ctx: DecodeContext) => {
      decodePte(values.lo[1]!, values.hi[1]!, level, ctx.kernel.pte);
      out.emit(kind, fieldNumber(values, 0), decodedPte.bits, decodedPte.frame);
    },
    { requires: ['addr', 'pmd'] },
  );

/** migrate/* and thp/*: migration entries coming and going, and the batches that they belong to. */
export const migrateTracepoints: readonly Tracepoint[] = [
  tell('mm_migrate_pages_start', migrateStart),
  tell('mm_migrate_pages', migrateDone, { ok: int('nr_succeeded'), failed: int('nr_failed') }),
  word('set_migration_pte', migrateEntrySet, PTE_IS_MIGRATION, PMD_IS_MIGRATION),
  // A probe of this name has a folio and an mm, and no pte.
  word('remove_migration_pte', migrateEntryRemoved, PTE_LEVEL, PMD_LEVEL),
  pmdWord('set_migration_pmd', migrateEntrySet, PMD_IS_MIGRATION),
  pmdWord('remove_migration_pmd', migrateEntryRemoved, PMD_LEVEL),
];
