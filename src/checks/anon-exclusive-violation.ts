import { PG_HEAD, PG_OWNER_2, PG_SWAPBACKED } from '../core/pageflags.ts';
import { PTE_EXCLUSIVE, PTE_KIND, PTE_PRESENT, PTE_SWAP, PTE_WRITE } from '../core/pte.ts';
import { MAPPING_ANON, PIN_BIAS } from '../events/flags.ts';
import { pteSet, pteWrite, refAdd, wpReuse } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { TRI_FALSE } from '../state/pages.ts';

import type { MmState } from '../state/state.ts';
import type { Check, CheckContext } from './check.ts';
import { type Held, heldOn, isKept, isWhole, placeOn, tellsLives } from './evidence.ts';
import { Pending, tell } from './pending.ts';
import { isSmallAnon, mappersOf } from './sharing.ts';

const ID = 'anon-exclusive-violation';

/** PageAnonExclusive came with 5.19 (6c287605fd56). */
const SINCE = 519;

/** Whether this kernel, and the rules it is judged by, have the bit. The kernel may become known on the way. */
function bitOf(context: CheckContext): () => boolean {
  let kernel: number | null = null;
  const judged = context.declared === null || context.declared.rank >= SINCE;
  return () => {
    kernel ??= context.kernel();
    return judged && kernel !== null && kernel >= SINCE;
  };
}

/** A FOLL_PIN whose walk is over: inside the walk the fast one takes first and looks at the bit then. */
function settledPin(s: MmState, pfn: number): Held | undefined {
  return heldOn(s, pfn).find((held) => held.pin && !held.doubtful && isKept(s, held));
}

export const anonExclusiveViolation: Check = {
  id: ID,
  statement:
    'A page breaks an invariant of PageAnonExclusive: who may write or pin it is not who the bit says.',
  origin: '6c287605fd56; the assertions of mm/memory.c:wp_page_reuse, mm/gup.c:sanity_check_pinned_pages',
  severity: 'critical',
  needs: ['ref.add', 'wp.reuse', 'gup.grab', 'pte.set'],
  specificity: 3,
  example: `Fires:
  FOLL_PIN on P through A           | fork clears the bit although P is pinned
  unpin: P is not exclusive         |
Silent: an exclusive swap PTE while its page is in the cache and not exclusive: the bit moved into the PTE`,
  start(context) {
    const s = context.state;
    const hasBit = bitOf(context);
    const pending = new Pending(context, anonExclusiveViolation);
    /** A reading of an anonymous page's flags and counts by one record. */
    const sampled = (e: Cursor): void => {
      const { at } = refAdd;
      const flags = e.args[e.at + at.flags]!;
      if (Number.isNaN(flags) || e.args[e.at + at.mapping] !== MAPPING_ANON || flags & PG_HEAD) return;
      if (!hasBit()) {
        context.cannot('a kernel with PageAnonExclusive (5.19 on)');
        return;
      }
      context.judged();
      const exclusive = (flags & PG_OWNER_2) !== 0;
      const raw = e.args[e.at + at.mapcount]!;
      // Exclusive and mapped once, as nearly always: nothing to look into.
      if (exclusive && raw <= 0 && !pending.any) return;
      const pfn = e.args[e.at + at.pfn]!;
      const row = s.pages.find(pfn);
      if (row < 0 && !exclusive) return;
      if (row >= 0 && s.pages.col.large[row] === 1) return;
      if ((exclusive && raw >= 1) || pending.any) {
        const key = `${pfn} ${row < 0 ? 1 : s.pages.col.gen[row]!}`;
        shared(e, key, pfn, exclusive, raw);
        if (exclusive) pending.drop(`${key} w`);
        else if (mappersOf(s, row).some(({ write }) => write === true))
          pending.confirm(`${key} w`, { seq: e.seq, role: 'harm', text: 'still writable and not exclusive' });
      }
      if (!exclusive && s.pages.col.hold[row] !== 0) pinned(e, pfn);
    };
    /** AE2: at most one mm maps an exclusive page. Flags and mapcount are read one after the other: once is chance. */
    const shared = (e: Cursor, key: string, pfn: number, exclusive: boolean, raw: number): void => {
      if (!exclusive || !(raw >= 1)) {
        if (pending.any) pending.drop(key);
        return;
      }
      const evidence = { seq: e.seq, role: 'decision' as const, text: `exclusive, mapcount ${raw + 1}` };
      if (pending.get(key) !== undefined) pending.confirm(key, evidence);
      else
        pending.claim(key, {
          severity: 'critical',
          cause: 'exclusive-and-shared',
          moment: e.seq,
          place: placeOn(e, { pfn }),
          values: { exclusive: true, mapcount: raw + 1 },
          evidence: [evidence],
          missing: 'a second reading of flags and mapcount: they are not read at one moment',
        });
    };
    /** AE5: a pinned page is exclusive until it is unpinned. */
    const pinned = (e: Cursor, pfn: number): void => {
      const pin = settledPin(s, pfn);
      if (pin === undefined) return;
      const unpinning = e.args[e.at + refAdd.at.delta]! <= -PIN_BIAS;
      const held = e.args[e.at + refAdd.at.count]! >= PIN_BIAS;
      if (!unpinning && !held) return;
      tell(
        context,
        ID,
        {
          severity: 'critical',
          cause: 'pinned-not-exclusive',
          moment: e.seq,
          place: placeOn(e, { mm: pin.mm, va: pin.va, pfn }),
          values: { pinner: pin.pid, pinned: true, exclusive: false },
          evidence: [
            { seq: pin.seq, role: 'cause', text: 'FOLL_PIN taken: ref +1024' },
            {
              seq: e.seq,
              role: 'decision',
              text: unpinning ? 'unpinned: not exclusive' : 'still pinned, not exclusive',
            },
          ],
        },
        // Flags are read before the count: a count that still holds the pin was read behind them.
        held ? null : 'a reading of the page before the unpin: the bit may have gone right behind it',
      );
    };
    return {
      before: [
        [refAdd, sampled],
        [
          wpReuse,
          (e) => {
            const { pfn, flags, mm, va } = wpReuse.at;
            const page = e.args[e.at + pfn]!;
            const read = e.args[e.at + flags]!;
            const row = page >= 0 ? s.pages.find(page) : -1;
            if (row < 0 || Number.isNaN(read) || s.pages.col.mapping[row] !== MAPPING_ANON + 1) return;
            if (!hasBit()) {
              context.cannot('a kernel with PageAnonExclusive (5.19 on)');
              return;
            }
            // File memory, in a page that was anonymous before and is not told to have been freed.
            if (read & PG_HEAD || !(read & PG_SWAPBACKED) || s.pages.col.large[row] === 1) return;
            context.judged();
            if (read & PG_OWNER_2) return;
            // wp_page_reuse is entered under the page-table lock with the bit set already.
            tell(
              context,
              ID,
              {
                severity: 'critical',
                cause: 'writable-not-exclusive',
                moment: s.tasks.peek(e.pid)?.fault?.seq ?? e.seq,
                place: placeOn(e, { mm: e.args[e.at + mm]!, va: e.args[e.at + va]!, pfn: page }),
                values: { exclusive: false },
                evidence: [{ seq: e.seq, role: 'decision', text: 'made writable in place, not exclusive' }],
              },
              // Memory of tmpfs looks alike.
              tellsLives(s) ? null : 'page.free: whether it is still the page that was anonymous',
            );
          },
        ],
      ],
      after: [
        [
          pteWrite,
          (e) => {
            const { mm, va, value } = pteWrite.at;
            const bits = e.args[e.at + value]!;
            const frame = e.args[e.at + value + 1]!;
            if ((bits & PTE_KIND) === PTE_SWAP) swapMarked(e, bits, frame, e.args[e.at + va]!);
            if ((bits & PTE_KIND) !== PTE_PRESENT || !(bits & PTE_WRITE) || !hasBit()) return;
            const row = s.pages.find(frame);
            if (row < 0 || !isSmallAnon(s, row) || s.pages.col.exclusive[row] !== TRI_FALSE) return;
            pending.claim(`${frame} ${s.pages.col.gen[row]!} w`, {
              severity: 'critical',
              cause: 'writable-not-exclusive',
              moment: e.seq,
              place: placeOn(e, { mm: e.args[e.at + mm]!, va: e.args[e.at + va]!, pfn: frame }),
              values: { exclusive: false },
              evidence: [{ seq: e.seq, role: 'decision', text: 'PTE made writable, page not exclusive' }],
              missing: "a reading of the page's flags behind the PTE",
            });
          },
        ],
        [
          pteSet,
          (e) => {
            const bits = e.args[e.at + pteSet.at.value]!;
            if ((bits & PTE_KIND) === PTE_SWAP)
              swapMarked(e, bits, e.args[e.at + pteSet.at.value + 1]!, Number.NaN);
          },
        ],
      ],
      finish: () => pending.finish(),
    };

    /** AE4: the slot of an exclusive swap PTE has one user. */
    function swapMarked(e: Cursor, bits: number, entry: number, va: number): void {
      if (!(bits & PTE_EXCLUSIVE) || !hasBit()) return;
      const users = s.swap.users(entry);
      if (Number.isNaN(users)) {
        context.cannot('users of the swap slot');
        return;
      }
      context.judged();
      if (users <= 1 || !isWhole(s)) return;
      tell(
        context,
        ID,
        {
          severity: 'critical',
          cause: 'exclusive-swap-shared',
          moment: e.seq,
          place: placeOn(e, { va, entry }),
          values: { swapcount: users },
          evidence: [
            { seq: e.seq, role: 'decision', text: `exclusive swap PTE, ${users} users of its slot` },
          ],
        },
        'rests on the absence of swap.free: the count of the slot is a sum of records',
      );
    }
  },
};
