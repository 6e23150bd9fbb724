import { PTE_KIND, PTE_MIGRATION } from '../core/pte.ts';
import { lockRelease, pageFree } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import type { Migration, MigrationEntry } from '../state/machines.ts';
import { SLOT_KNOWN } from '../state/ptes.ts';
import type { Check } from './check.ts';
import { hexText, isWhole, placeOn } from './evidence.ts';

const ID = 'migration-entry-leaked';

export const migrationEntryLeaked: Check = {
  id: ID,
  statement: 'A migration entry still stands in place of a PTE although the page was unlocked, or freed.',
  origin: 'include/linux/swapops.h: a migration entry exists only while its page is locked',
  severity: 'critical',
  needs: ['mig.unmap.begin', 'mig.entry', 'lock.release'],
  specificity: 4,
  example: `Fires:
  migrate: entry in place of pte P  |
  (the entry is not restored)       |
  unlock P                          | fault on the entry: waits for ever, or maps a freed page
Silent: the trace ends while the page is locked
Silent: the range was unmapped, and the entry with it`,
  start(context) {
    const s = context.state;

    /** Whether the state's page tables have the entry: the same fact by another way. */
    function stands(entry: MigrationEntry): boolean {
      const slot = s.ptes.slotAt(s.ptes.mms.find(entry.mm), entry.va);
      return (
        slot >= 0 && s.ptes.know[slot] === SLOT_KNOWN && (s.ptes.bits[slot]! & PTE_KIND) === PTE_MIGRATION
      );
    }

    function look(e: Cursor, migration: Migration, pfn: number, how: string): void {
      context.judged();
      const entry = migration.entries[0];
      if (entry === undefined) return;
      const certain = stands(entry) && isWhole(s);
      context.report({
        check: ID,
        severity: 'critical',
        verdict: certain ? 'proven' : 'suspect',
        cause: how,
        moment: e.seq,
        place: placeOn(e, { pfn, newPfn: migration.dst, mm: entry.mm, va: entry.va }),
        values: { entries: migration.entries.length },
        evidence: [
          { seq: entry.seq, role: 'cause', text: `migration entry in place of PTE ${hexText(pfn)}` },
          { seq: e.seq, role: 'decision', text: how === 'freed' ? 'page freed' : 'page unlocked' },
        ],
        missing: certain ? null : 'whether the range was unmapped meanwhile',
      });
      // Told once: what follows from it is no second divergence.
      migration.entries = [];
    }

    return {
      before: [
        [
          lockRelease,
          (e) => {
            if (s.machines.migrations.size === 0) return;
            const pfn = e.args[e.at + lockRelease.at.pfn]!;
            const migration = s.machines.migrations.get(pfn);
            if (migration !== undefined) look(e, migration, pfn, 'unlocked');
          },
        ],
        [
          pageFree,
          (e) => {
            if (s.machines.migrations.size === 0) return;
            const pfn = e.args[e.at + pageFree.at.pfn]!;
            const migration = s.machines.migrations.get(pfn);
            if (migration !== undefined && migration.entries.length > 0) look(e, migration, pfn, 'freed');
          },
        ],
      ],
      finish() {
        for (const migration of s.machines.migrations.values())
          if (migration.entries.length > 0) context.cannot('lock.release');
      },
    };
  },
};
