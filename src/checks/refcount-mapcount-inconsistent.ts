import { PG_HEAD } from '../core/pageflags.ts';
import { MAPPING_ANON, MAPPING_KSM } from '../events/flags.ts';
import { refAdd } from '../events/index.ts';
import type { Check } from './check.ts';
import { placeOn } from './evidence.ts';
import { Pending } from './pending.ts';

const ID = 'refcount-mapcount-inconsistent';

export const refcountMapcountInconsistent: Check = {
  id: ID,
  statement: 'A page is mapped more often than it is referenced: a mapping without its reference.',
  origin: 'mm/rmap.c: a mapping takes its reference before and drops it after',
  severity: 'critical',
  needs: ['ref.add'],
  specificity: 3,
  example: `Fires:
  map P without a reference: mapcount 2, ref 1 | every reading of P says so
Silent:
  get P ; map P                                | one reading between another task's two steps
Silent: page cache, whose fault-around counts mappings first`,
  start(context) {
    const s = context.state;
    const pending = new Pending(context, refcountMapcountInconsistent);
    return {
      before: [
        [
          refAdd,
          (e) => {
            const { at } = refAdd;
            const pfn = e.args[e.at + at.pfn]!;
            const count = e.args[e.at + at.count]!;
            const mapped = e.args[e.at + at.mapcount]! + 1;
            const flags = e.args[e.at + at.flags]!;
            const mapping = e.args[e.at + at.mapping]!;
            if (Number.isNaN(count) || Number.isNaN(mapped) || Number.isNaN(flags)) {
              context.cannot('count and mapcount beside the flags');
              return;
            }
            if (mapping !== MAPPING_ANON && mapping !== MAPPING_KSM) return;
            if (flags & PG_HEAD || mapped < 0) return;
            context.judged();
            if (mapped <= count && !pending.any) return;
            const row = s.pages.find(pfn);
            if (row >= 0 && s.pages.col.large[row] === 1) return;
            const key = `${pfn} ${row < 0 ? 1 : s.pages.col.gen[row]!}`;
            if (mapped <= count) {
              pending.drop(key);
              return;
            }
            const evidence = {
              seq: e.seq,
              role: 'decision' as const,
              text: `mapcount ${mapped}, refcount ${count}`,
            };
            // The two words are read one after the other, and another task may step in between: once is chance.
            if (pending.get(key) !== undefined) {
              pending.confirm(key, evidence);
              return;
            }
            pending.claim(key, {
              severity: 'critical',
              cause: 'mapping-without-reference',
              moment: e.seq,
              place: placeOn(e, { pfn }),
              values: { mapcount: mapped, refcount: count },
              evidence: [evidence],
              missing: 'a second reading of the two counts: they are not read at one moment',
            });
          },
        ],
      ],
      finish: () => pending.finish(),
    };
  },
};
