import { PTE_KIND, PTE_MIGRATION } from '../core/pte.ts';
import {
  lockRelease,
  migrateEntryRemoved,
  migrateEntrySet,
  migrateRestore,
  mmExit,
  pageFree,
  pteSet,
  swapinBegin,
  zapRangeBegin,
} from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import type { Migration } from '../state/machines.ts';
import type { Check } from './check.ts';
import { actorOf, hexText, placeOn } from './evidence.ts';
import { Pending } from './pending.ts';

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

    const pending = new Pending(context, { id: ID });
    const keyOf = (mm: number, va: number): string => `${mm} ${Math.floor(va / 4096) * 4096}`;

    function look(e: Cursor, migration: Migration, pfn: number, how: string): void {
      context.judged();
      const entry = migration.entries[0];
      if (entry === undefined) return;
      pending.claim(keyOf(entry.mm, entry.va), {
        severity: 'critical',
        cause: how,
        moment: e.seq,
        place: placeOn(e, { pfn, newPfn: migration.dst, mm: entry.mm, va: entry.va }),
        values: { entries: migration.entries.length },
        evidence: [
          { seq: entry.seq, role: 'cause', text: `migration entry in place of PTE ${hexText(pfn)}` },
          { seq: e.seq, role: 'decision', text: how === 'freed' ? 'page freed' : 'page unlocked' },
        ],
        missing: 'whether the entry is still there: it is not seen again',
      });
      // No restoration was ever told: this one may be one of those.
      const { seen } = s.sources;
      if (seen[migrateRestore.code] === 0 && seen[migrateEntryRemoved.code] === 0)
        pending.settle(keyOf(entry.mm, entry.va));
      // Told once: what follows from it is no second divergence.
      migration.entries = [];
    }

    /** The PTE is seen again: the entry is there or is not. */
    function seenAgain(e: Cursor, mm: number, va: number, bits: number, frame: number): void {
      if (Number.isNaN(bits)) return;
      const key = keyOf(mm, va);
      const claim = pending.get(key);
      if (claim === undefined) return;
      if ((bits & PTE_KIND) === PTE_MIGRATION && frame === claim.place.pfn)
        pending.confirm(key, { seq: e.seq, role: 'harm', text: 'the entry is still there' });
      else pending.drop(key);
    }

    /** A range is unmapped: what was in it will not be seen again. */
    function gone(mm: number, start: number, end: number): void {
      if (!pending.any) return;
      for (const [key, { place }] of [...pending.all()])
        if (place.mm === mm && place.address !== null && place.address >= start && place.address < end)
          pending.settle(key);
    }

    return {
      before: [
        [
          swapinBegin,
          (e) => {
            const { mm, va, pte } = swapinBegin.at;
            seenAgain(
              e,
              e.args[e.at + mm]!,
              e.args[e.at + va]!,
              e.args[e.at + pte]!,
              e.args[e.at + pte + 1]!,
            );
          },
          pending.wake,
        ],
        [
          pteSet,
          (e) => {
            const { mm, ptep, old } = pteSet.at;
            const owner = s.ptes.mms.find(e.args[e.at + mm]!);
            if (owner < 0) return;
            const va = s.ptes.address(s.ptes.slotOf(e.args[e.at + ptep]!, owner));
            seenAgain(e, e.args[e.at + mm]!, va, e.args[e.at + old]!, e.args[e.at + old + 1]!);
          },
          pending.wake,
        ],
        [
          migrateEntrySet,
          (e) => {
            // A new entry in its place: what is seen there from now on is that one.
            const mm = actorOf(s, e)?.unmap?.mm ?? Number.NaN;
            pending.settle(keyOf(mm, e.args[e.at + migrateEntrySet.at.va]!));
          },
          pending.wake,
        ],
        [mmExit, (e) => gone(e.args[e.at + mmExit.at.mm]!, 0, Number.POSITIVE_INFINITY)],
        [
          zapRangeBegin,
          (e) => {
            const { mm, start, end } = zapRangeBegin.at;
            gone(e.args[e.at + mm]!, e.args[e.at + start]!, e.args[e.at + end]!);
          },
        ],
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
        pending.finish();
        for (const migration of s.machines.migrations.values())
          if (migration.entries.length > 0) context.cannot('lock.release');
      },
    };
  },
};
