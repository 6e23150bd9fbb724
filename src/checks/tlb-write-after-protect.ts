import { ACCESS_CPU } from '../events/access.ts';
import { access, faultEnd, protectBegin, pteWrite, sysExit } from '../events/index.ts';
import type { Cursor } from '../state/cursor.ts';
import { Tasks } from '../state/tasks.ts';
import type { Check } from './check.ts';
import { hexText, placeOn } from './evidence.ts';
import { tell } from './pending.ts';
import { isAllowed } from './stale-tlb.ts';

const ID = 'tlb-write-after-protect';

export const tlbWriteAfterProtect: Check = {
  id: ID,
  statement:
    'A CPU wrote through a translation that had been taken away, after the call that took it had returned.',
  origin: '20841405940e',
  severity: 'critical',
  needs: ['access', 'pte.write', 'sys.exit'],
  specificity: 5,
  example: `Fires:
  mprotect(RO): pte R/O, no flush   |
  returns                           | store through the cached writable translation
Silent: the store comes before the call returns
Silent: the store faults`,
  start(context) {
    const s = context.state;
    /** Last return of each task from a system call or a fault. */
    const back = new Map<number, number>();
    const returned = (e: Cursor): void => {
      if (!s.tlb.clean) back.set(Tasks.actor(e), e.seq);
    };
    return {
      after: [
        [sysExit, returned],
        [faultEnd, returned],
        [
          protectBegin,
          () => {
            if (s.sources.seen[access.code] === 0) context.cannot('access');
          },
        ],
        [
          access,
          (e) => {
            const { agent, mm, va, pfn, write } = access.at;
            if (e.args[e.at + agent] !== ACCESS_CPU || e.args[e.at + write] !== 1) return;
            if (s.sources.seen[pteWrite.code] === 0) {
              context.cannot('pte.write');
              return;
            }
            context.judged();
            const through = e.args[e.at + mm]!;
            const address = e.args[e.at + va]!;
            const page = e.args[e.at + pfn]!;
            const stale = s.tlb.at(through, address);
            if (stale === undefined || !stale.write || stale.deferredSeq > 0 || stale.pfn !== page) return;
            // Made writable again by what tells no PTE, such as a reuse in do_wp_page.
            if (isAllowed(s, through, address, page, true)) return;
            const end = back.get(stale.pid) ?? 0;
            if (end <= stale.seq) return;
            tell(
              context,
              ID,
              {
                severity: 'critical',
                cause: stale.gone ? 'unmapped' : 'write-protected',
                moment: e.seq,
                place: placeOn(e, { mm: through, va: address, pfn: page }),
                values: { protector: stale.pid },
                evidence: [
                  {
                    seq: stale.seq,
                    role: 'cause',
                    text: `PTE of ${hexText(page)} ${stale.gone ? 'taken away' : 'write-protected'}`,
                  },
                  { seq: end, role: 'context', text: 'the task that did it returns' },
                  { seq: e.seq, role: 'harm', text: 'a CPU writes through the old translation' },
                ],
              },
              null,
            );
          },
        ],
      ],
    };
  },
};
