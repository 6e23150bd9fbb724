import { PG_DIRTY } from '../core/pageflags.ts';
import { refFreeze, removeMapping, removeMappingEnd, swapWrite } from '../events/index.ts';
import { CONTENT_NEWER, CONTENT_UNKNOWN } from '../state/swap-folios.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { doubt, slotPlace } from './swap-slots.ts';

const ID = 'anon-page-discarded-unsaved';

/** What a task's __remove_mapping is about, as it was at its entry. */
interface Leaving {
  readonly pfn: number;
  readonly entry: number;
  readonly content: number;
  readonly contentSeq: number;
  /** The dirty flag in the sample of the freeze: the kernel itself saw the page dirty. */
  dirtySeq: number;
}

export const anonPageDiscardedUnsaved: Check = {
  id: ID,
  statement:
    'Reclaim freed the last copy of an anonymous page although swap PTEs refer to its slot and the slot never got its content.',
  origin:
    'mm/vmscan.c:__remove_mapping (order of refcount and dirty); Hugh Dickins to Robin Holt, 2008-06-23 (SetPageDirty)',
  severity: 'critical: the content is lost, the next swap-in reads something older',
  needs: ['swap.add.begin', 'swapcache.add', 'swap.write', 'remove-mapping.begin', 'remove-mapping.end'],
  specificity: 5,
  example: `Fires:
  reuse: out of the swap cache,     | reclaim: P is clean, unmapped, freed
    no SetPageDirty                 | swap PTE e: slot e holds the old content
Silent: swap_writepage of P before it is freed
Silent: read from the slot and not written since: the slot has it`,
  start(context) {
    const s = context.state;
    const leaving = new Map<number, Leaving>();
    return {
      before: [
        [
          removeMapping,
          (e) => {
            const pfn = e.args[e.at + removeMapping.at.pfn]!;
            const page = s.pages.find(pfn);
            leaving.delete(Tasks.actor(e));
            if (page < 0 || Number.isNaN(s.pages.col.entry[page]!)) return;
            const row = s.swap.folios.find(s.pages, pfn);
            leaving.set(Tasks.actor(e), {
              pfn,
              entry: s.pages.col.entry[page]!,
              content: row < 0 ? CONTENT_UNKNOWN : s.swap.folios.col.content[row]!,
              contentSeq: row < 0 ? 0 : s.swap.folios.col.contentSeq[row]!,
              dirtySeq: 0,
            });
          },
        ],
        [
          refFreeze,
          (e) => {
            if (leaving.size === 0) return;
            const own = leaving.get(Tasks.actor(e));
            const { pfn, ok, flags } = refFreeze.at;
            if (own === undefined || e.args[e.at + pfn] !== own.pfn || e.args[e.at + ok] !== 1) return;
            if (e.args[e.at + flags]! & PG_DIRTY) own.dirtySeq = e.seq;
          },
        ],
        [
          removeMappingEnd,
          (e) => {
            const own = leaving.get(Tasks.actor(e));
            leaving.delete(Tasks.actor(e));
            if (own === undefined || e.args[e.at + removeMappingEnd.at.ok] !== 1) return;
            const users = s.swap.users(own.entry);
            if (own.content === CONTENT_UNKNOWN || Number.isNaN(users)) {
              context.cannot(
                Number.isNaN(users)
                  ? 'swap.alloc: the history of the slot'
                  : 'dirty.set or swap.write of the page',
              );
              return;
            }
            if (s.sources.seen[swapWrite.code] === 0) {
              context.cannot(swapWrite.name);
              return;
            }
            context.judged();
            if (own.content !== CONTENT_NEWER || users <= 0) return;
            const why = doubt(s);
            const missing =
              why ??
              (own.dirtySeq > 0
                ? null
                : 'the dirty flag as the page was frozen: this rests on the absence of swap.write');
            context.report({
              check: ID,
              severity: 'critical',
              verdict: missing === null ? 'proven' : 'suspect',
              cause: 'never-written',
              moment: e.seq,
              place: slotPlace(e, own.entry, own.pfn),
              values: { count: users },
              evidence: [
                { seq: own.contentSeq, role: 'cause', text: 'page is newer than its slot' },
                ...(own.dirtySeq > 0
                  ? [{ seq: own.dirtySeq, role: 'context' as const, text: 'frozen although it is dirty' }]
                  : []),
                { seq: e.seq, role: 'harm', text: `page freed, ${users} swap PTEs refer to its slot` },
              ],
              missing,
            });
          },
        ],
      ],
    };
  },
};
