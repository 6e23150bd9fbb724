import { FOLL_PIN, MAPPING_NONE, PIN_BIAS } from '../events/flags.ts';
import { gupPut, refAdd } from '../events/index.ts';
import { LIFE_FREE, TRI_TRUE } from '../state/pages.ts';
import type { Check } from './check.ts';
import { heldOn, isWhole, placeOn, tellsLives } from './evidence.ts';
import { incomplete } from './integrity.ts';

const ID = 'gup-unpin-unbalanced';

export const gupUnpinUnbalanced: Check = {
  id: ID,
  statement:
    'A GUP reference was dropped by the wrong call: an unpin without a pin, or a pin that put_page took a part of.',
  origin: 'Documentation/core-api/pin_user_pages.rst: pin_user_pages goes with unpin_user_pages only',
  severity: 'critical',
  needs: ['gup.put', 'ref.add', 'page.alloc', 'ref.set'],
  specificity: 4,
  example: `Fires:
  get_user_pages(P): ref +1
  unpin_user_page(P): ref -1024     | fewer references than users: freed under them
Fires:  pin P (+1024) ; put_page(P) (-1)
Silent: 1024 plain references, which look like a pin`,
  start(context) {
    const s = context.state;
    return {
      before: [
        [
          gupPut,
          (e) => {
            const { pfn, refs, flags, count } = gupPut.at;
            if (!(e.args[e.at + flags]! & FOLL_PIN)) return;
            const page = e.args[e.at + pfn]!;
            const row = s.pages.find(page);
            const told = e.args[e.at + count]!;
            const nr = Number.isNaN(e.args[e.at + refs]!) ? 1 : e.args[e.at + refs]!;
            // A large folio counts its pins apart, the zero page does not count them (mm/gup.c, 5.7 and 6.5 on).
            if (row < 0 || s.pages.col.large[row] === 1 || s.machines.zeroPfns.has(page)) return;
            // The zero page has no mapping; what is pinned otherwise has one.
            const small = s.pages.col.flagsSeq[row]! > 0 && s.pages.col.mapping[row]! > MAPPING_NONE + 1;
            if (Number.isNaN(told) || !small) {
              context.cannot(
                Number.isNaN(told) ? 'count at the unpin' : 'whether the folio is large, or the zero page',
              );
              return;
            }
            context.judged();
            // Whoever unpins still holds what it drops: the count cannot be below it.
            if (told >= nr * PIN_BIAS) return;
            const held = heldOn(s, page).find((other) => !other.pin);
            const missing = !isWhole(s)
              ? 'the lost records'
              : tellsLives(s)
                ? null
                : 'page.free: whether it is still the small page that it was';
            context.report({
              check: ID,
              severity: 'critical',
              verdict: missing === null ? 'proven' : 'suspect',
              cause: held === undefined ? 'unpin-without-pin' : 'get-dropped-by-unpin',
              moment: e.seq,
              place: placeOn(e, { pfn: page }),
              values: { refcount: told, unpins: nr },
              evidence: [
                ...(held === undefined
                  ? []
                  : [{ seq: held.seq, role: 'cause' as const, text: 'FOLL_GET reference taken: ref +1' }]),
                { seq: e.seq, role: 'decision', text: `unpinned at a count of ${told}` },
              ],
              missing,
            });
          },
        ],
      ],
      after: [
        [
          refAdd,
          (e) => {
            if (e.args[e.at + refAdd.at.delta] !== -1) return;
            const page = e.args[e.at + refAdd.at.pfn]!;
            const row = s.pages.find(page);
            if (row < 0) return;
            const c = s.pages.col;
            if (c.pins[row] === 0 || c.life[row] === LIFE_FREE || c.large[row] === 1) return;
            const why = incomplete(s);
            if (why !== null || !isWhole(s) || !s.pages.exact(row) || Number.isNaN(s.pages.mappings(row))) {
              context.cannot(why ?? 'history of the page since its allocation');
              return;
            }
            context.judged();
            // A grab announces its pin before the count has it.
            for (const task of s.tasks.all()) if (task.grabPfn === page) return;
            const users = c.map[row]! + (c.swapcache[row] === TRI_TRUE ? 1 : 0);
            if (c.count[row]! - c.pins[row]! * PIN_BIAS >= users) return;
            const printed = e.args[e.at + refAdd.at.count]!;
            if (printed !== c.count[row]) return;
            const pin = heldOn(s, page).find((held) => held.pin);
            context.report({
              check: ID,
              severity: 'critical',
              verdict: 'suspect',
              cause: 'pin-dropped-by-put',
              moment: e.seq,
              place: placeOn(e, { pfn: page }),
              values: { refcount: c.count[row]!, pins: c.pins[row]!, mapcount: c.map[row]! },
              evidence: [
                ...(pin === undefined
                  ? []
                  : [{ seq: pin.seq, role: 'cause' as const, text: 'FOLL_PIN taken: ref +1024' }]),
                {
                  seq: e.seq,
                  role: 'decision',
                  text: `put leaves ${c.count[row]} references, fewer than ${c.pins[row]} pins and ${users} other users`,
                },
              ],
              missing: 'the caller of the put',
            });
          },
        ],
      ],
    };
  },
};
