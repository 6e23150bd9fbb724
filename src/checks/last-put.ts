import type { EventKind } from '../events/declare.ts';
import { pageFree, refAdd } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { LIFE_FREE } from '../state/pages.ts';
import type { MmState } from '../state/state.ts';

/** The moment at which a page leaves its last user, and what was read of it there. */
export interface Freeing {
  readonly pfn: number;
  /** Row of the page before the free, -1 if it was never seen. */
  readonly row: number;
  /** `put`: the last reference was dropped; `free`: the allocator took the page, its last put not being told. */
  readonly at: 'put' | 'free';
  /** NaN where not told. `mapcount` is raw: -1 is unmapped. */
  readonly flags: number;
  readonly mapcount: number;
  /** MAPPING_* code. */
  readonly mapping: number;
}

type Hook = readonly [EventKind, (e: Cursor) => void];

/**
 * Hooks on the end of pages. Between the put that reached zero and the free nobody but the putting task can reach the
 * page, so what its record prints is no race: the count that is printed must be 0 as well.
 */
export function onLastUse(s: MmState, run: (e: Cursor, freeing: Freeing) => void): readonly Hook[] {
  return [
    [
      refAdd,
      (e) => {
        const { at } = refAdd;
        if (e.args[e.at + at.zero] !== 1) return;
        const pfn = e.args[e.at + at.pfn]!;
        const sound = !(e.args[e.at + at.count]! !== 0);
        run(e, {
          pfn,
          row: s.pages.find(pfn),
          at: 'put',
          flags: sound ? e.args[e.at + at.flags]! : Number.NaN,
          mapcount: sound ? e.args[e.at + at.mapcount]! : Number.NaN,
          mapping: e.args[e.at + at.mapping]!,
        });
      },
    ],
    [
      pageFree,
      (e) => {
        const pfn = e.args[e.at + pageFree.at.pfn]!;
        const flags = e.args[e.at + pageFree.at.flags]!;
        const row = s.pages.find(pfn);
        // Its last put was told: that was the moment, unless the allocator itself read something.
        if (row >= 0 && s.pages.col.life[row] === LIFE_FREE && Number.isNaN(flags)) return;
        run(e, { pfn, row, at: 'free', flags, mapcount: Number.NaN, mapping: Number.NaN });
      },
    ],
  ];
}
