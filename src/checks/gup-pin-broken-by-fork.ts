import { PTE_KIND, PTE_PRESENT, PTE_WRITE } from '../core/pte.ts';
import { MAPPING_ANON, PIN_BIAS } from '../events/flags.ts';
import { forkPtes, forkRange, pteSet, pteWrite } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import type { Check } from './check.ts';
import { actorOf, type Held, heldOn, isThrough, placeOn } from './evidence.ts';
import { PinClaims } from './pin-claims.ts';

const ID = 'gup-pin-broken-by-fork';

export const gupPinBrokenByFork: Check = {
  id: ID,
  statement:
    'fork shared a page with the child although it was pinned through the parent: the next write of the parent moves it away from the pin.',
  origin: '70e806e4e645; fork with pinned pages, 5.9',
  severity:
    'critical for FOLL_PIN; warning where the declared variant shares pinned pages (fork=share: a known limit)',
  needs: ['fork.ptes.begin', 'pte.set', 'gup.grab', 'ref.add'],
  specificity: 4,
  example: `Fires:
  pin(P) W ; fork: both PTEs R/O    |
  parent writes: sum 2 -> copy      | DMA still to P
Silent: early copy: the child gets a copy, the parent's PTE stays writable`,
  start(context) {
    const s = context.state;
    const claims = new PinClaims(context, { id: ID });

    function look(e: Cursor, parent: number, va: number, pfn: number, before: number): void {
      const row = s.pages.find(pfn);
      if (row < 0 || s.pages.col.hold[row] === 0 || s.pages.col.mapping[row] !== MAPPING_ANON + 1) return;
      const pins = heldOn(s, pfn).filter((held) => held.pin && held.seq < before);
      const mine = (held: Held): boolean | undefined =>
        isThrough(s, held, parent) === true &&
        !Number.isNaN(held.va) &&
        !Number.isNaN(va) &&
        Math.floor(held.va / 4096) !== Math.floor(va / 4096)
          ? false
          : isThrough(s, held, parent);
      const own = pins.find((held) => mine(held) === true);
      const held = own ?? pins.find((other) => mine(other) === undefined);
      if (held === undefined) return;
      const count = s.pages.count(row);
      // No pin is in the count: its put was not told.
      if (count < PIN_BIAS && s.pages.col.large[row] === 0) return;
      const designed = context.declared?.axes.fork.id === 'share';
      claims.claim(
        pfn,
        {
          severity: designed ? 'warning' : 'critical',
          cause: 'pin',
          moment: e.seq,
          place: placeOn(e, { mm: parent, va, pfn }),
          values: {
            pinned: true,
            pinner: held.pid,
            refcount: Number.isNaN(count) ? null : count,
            designed,
          },
          evidence: [
            { seq: held.seq, role: 'cause', text: 'FOLL_PIN taken: ref +1024' },
            { seq: before, role: 'context', text: 'fork copies the PTE' },
            { seq: e.seq, role: 'decision', text: 'the child maps the same page' },
          ],
        },
        own === undefined ? 'the mm through which the pin was taken' : claims.doubtOf(held, e),
      );
    }

    return claims.run({
      before: [
        [
          pteSet,
          (e) => {
            const bits = e.args[e.at + pteSet.at.value]!;
            // A writable PTE of the child is one of a shared mapping: nothing is to be protected.
            if ((bits & (PTE_KIND | PTE_WRITE)) !== PTE_PRESENT) return;
            const task = actorOf(s, e);
            const fork = task?.forkPtes ?? null;
            if (task === undefined || fork === null || task.forkMm !== e.args[e.at + pteSet.at.mm]) return;
            const first = e.args[e.at + pteSet.at.value + 1]!;
            const nr = e.args[e.at + pteSet.at.nr]!;
            context.judged();
            for (let k = 0; k < (nr > 1 ? nr : 1); k++)
              if (fork.copied !== first + k) look(e, fork.mm, fork.va + k * 4096, first + k, fork.seq);
          },
        ],
        [
          pteWrite,
          (e) => {
            const bits = e.args[e.at + pteWrite.at.value]!;
            if ((bits & (PTE_KIND | PTE_WRITE)) !== PTE_PRESENT) return;
            const child = e.args[e.at + pteWrite.at.mm]!;
            const va = e.args[e.at + pteWrite.at.va]!;
            const pfn = e.args[e.at + pteWrite.at.value + 1]!;
            for (const run of s.machines.forks.values()) {
              if (run.endSeq > 0 || run.child !== child || run.pid !== e.pid) continue;
              // The parent's own page, not a copy of it.
              const from = s.ptes.slotAt(s.ptes.mms.find(run.parent), va);
              context.judged();
              if (from >= 0 && s.ptes.frame[from] === pfn) look(e, run.parent, va, pfn, run.seq);
            }
          },
        ],
        [
          forkRange,
          () => {
            const { seen } = s.sources;
            if (seen[forkPtes.code] === 0 && seen[pteWrite.code] === 0 && s.holds.table.size > 0)
              context.cannot('fork.ptes.begin');
          },
        ],
      ],
    });
  },
};
